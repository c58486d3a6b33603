package set

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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

// Record is what a build writes about itself: everything that its packages were made from.
type Record struct {
	Form   int       `json:"form"` // RecordForm
	PlanID string    `json:"planID"`
	Plan   plan.Plan `json:"plan"`
	// Image is the builder image.
	Image   engine.Image `json:"image"`
	Entropy string       `json:"entropy"`
	Objects int64        `json:"objects"` // number of object files compiled
	// Signatures is how many signatures of modules the build asked for.
	Signatures int64 `json:"moduleSignatures,omitempty"`
	// Varied lists what differed from the plan and must not change the packages.
	Varied []string `json:"varied,omitempty"`
	// Proof is what a boot of the kernel must show. It is taken from the recipe.
	Proof recipe.Proof `json:"proof"`
	Run   Run          `json:"run"`
	// Source is the SRPM before it was changed. Changes is what the recipe changed in
	// it, and has no file if that is nothing. BuildRoot lists what the packages were
	// built with.
	Source    source.Contents `json:"source"`
	Changes   Attached        `json:"changes,omitzero"`
	BuildRoot Attached        `json:"buildRoot"`
	// SRPM is the patched SRPM in the folder SRPMS, or nil if none was made.
	SRPM *artifact.RPM `json:"srpm,omitempty"`
	// Leaks are what the packages show of the time and the host of the build.
	Leaks []Leaks `json:"leaks"`
	artifact.Set
}

// Attached is a file beside the packages of a set, as it was when the set was made.
type Attached struct {
	File   string `json:"file"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Run is what holds for one run only: two runs that make equal packages differ in it.
type Run struct {
	// Namibuild is the version of the program.
	Namibuild string `json:"namibuild,omitempty"`
	// Started and Finished are real times, in whole seconds.
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
	// Days is how many days the clock of the build was ahead.
	Days int `json:"days,omitempty"`
}

// Leaks are the leaks in one package of a set.
type Leaks struct {
	Package string      `json:"package"`
	Leaks   []leak.Leak `json:"leaks"`
}

// JSON returns the content of RecordFile.
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

// ReadRecord reads the record in a folder. It returns nil if there is none. The Dir of the
// record's packages is the folder RPMS of dir.
func ReadRecord(dir string) (*Record, error) {
	data, err := ReadIn(dir, RecordFile)
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

// Differs returns the name of a package that is not as the record says, that is missing, or
// that the record does not have. It is empty if there is no such package.
func (r Record) Differs(rpms, srpms []artifact.RPM) string {
	if other := Differing(r.RPMs, rpms); other != "" {
		return other
	}
	return Differing(r.sources(), srpms)
}

// sources returns the source packages of the record.
func (r Record) sources() []artifact.RPM {
	if r.SRPM == nil {
		return nil
	}
	return []artifact.RPM{*r.SRPM}
}

// Differing returns the name of a package that is not in both lists with the same digest.
// It is empty if the lists are equal.
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
