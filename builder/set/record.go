package set

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/engine"
	"namibuild/builder/leak"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
	"namibuild/builder/source"
)

// RecordForm is the form of a Record.
const RecordForm = 1

// Record is what a build notes of itself: everything that the packages were made from and of.
type Record struct {
	Form   int       `json:"form"` // RecordForm
	PlanID string    `json:"planID"`
	Plan   plan.Plan `json:"plan"`
	// Image is the builder image.
	Image   engine.Image `json:"image"`
	Entropy string       `json:"entropy"`
	Objects int64        `json:"objects"` // object files compiled
	// Signatures is how many signatures of modules were asked of the module key.
	Signatures int64 `json:"moduleSignatures,omitempty"`
	// Varied is what was other than the plan says and must not matter.
	Varied []string `json:"varied,omitempty"`
	// Proof is what a boot of the kernel must show, as the recipe has it.
	Proof recipe.Proof `json:"proof"`
	Run   Run          `json:"run"`
	// Source is the SRPM as it came, Changes what the recipe changed in it (no
	// file: nothing), BuildRoot what the packages were built in.
	Source    source.Contents `json:"source"`
	Changes   Attached        `json:"changes,omitzero"`
	BuildRoot Attached        `json:"buildRoot"`
	// SRPM is the patched one, in SRPMS; nil where none was asked for.
	SRPM *artifact.RPM `json:"srpm,omitempty"`
	// Leaks are what the packages show of the moment and the place of the build.
	Leaks []Leaks `json:"leaks"`
	artifact.Set
}

// Attached is a file of a set beside its packages, as it was when the set was made.
type Attached struct {
	File   string `json:"file"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Run is what is true of one run alone: two that make equal packages differ in it.
type Run struct {
	// Namibuild is the version of the program.
	Namibuild string `json:"namibuild,omitempty"`
	// Started and Finished are real times, in whole seconds.
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
	// Days is how many days later than today it was in the build.
	Days int `json:"days,omitempty"`
}

// Leaks are what leaked into one package of a set.
type Leaks struct {
	Package string      `json:"package"`
	Leaks   []leak.Leak `json:"leaks"`
}

// JSON is the content of RecordFile.
func (r Record) JSON() ([]byte, error) {
	r.Form = RecordForm
	page, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	return append(page, '\n'), nil
}

func parseRecord(data []byte) (*Record, error) {
	var r Record
	if err := Decode(RecordFile, data, RecordForm, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// ReadRecord reads the record that lies in a folder. It is nil where there is none. Dir of the record's
// packages is the folder RPMS there.
func ReadRecord(dir string) (*Record, error) {
	data, err := os.ReadFile(filepath.Join(dir, RecordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record: %w", err)
	}
	r, err := parseRecord(data)
	if err != nil {
		return nil, fmt.Errorf("reading the record %s: %w", filepath.Join(dir, RecordFile), err)
	}
	r.Dir = filepath.Join(dir, RPMS)
	return r, nil
}

// Differs names a package that is not as the record says, is missing, or is too many.
// It is empty where all are right.
func (r Record) Differs(rpms, srpms []artifact.RPM) string {
	if other := Differing(r.RPMs, rpms); other != "" {
		return other
	}
	return Differing(r.sources(), srpms)
}

// sources gives the source packages of the record.
func (r Record) sources() []artifact.RPM {
	if r.SRPM == nil {
		return nil
	}
	return []artifact.RPM{*r.SRPM}
}

// Differing names a package that is not in both lists, by file and digest. It is empty
// where the lists are equal.
func Differing(a, b []artifact.RPM) string {
	sums := map[string]string{}
	for _, r := range a {
		sums[r.File] = r.SHA256
	}
	for _, r := range b {
		if sums[r.File] != r.SHA256 {
			return r.File
		}
		delete(sums, r.File)
	}
	for file := range sums {
		return file
	}
	return ""
}
