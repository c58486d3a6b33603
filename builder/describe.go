package builder

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"namibuild/builder/artifact"
	"namibuild/builder/buildroot"
	"namibuild/builder/sbom"
)

// The bill of materials and the provenance in a set.
const (
	SPDXFile       = "sbom.spdx.json"
	CycloneDXFile  = "sbom.cdx.json"
	ProvenanceFile = "provenance.json"
)

// Record is a set with all that its build noted, checked: the packages are
// those of the note, the files beside them too. A release that has signed the
// packages puts the new ones into Set.
type Record struct {
	Result
	Dir string // the output directory
	// Built are the packages as the build made them, whatever Set holds now.
	Built artifact.Set
	// Root are the packages of the builder image.
	Root buildroot.Root
	// ChangesDiff is what the recipe changed in the source; empty: nothing.
	ChangesDiff string
}

// ReadRecord reads the record of an output directory (or of its RPMS folder).
// A path without a set, or with packages that are not those of the record, is a
// *NoSetError; a record that does not tell all is a *StaleSetError.
func ReadRecord(path string) (Record, error) {
	s, err := openSet(path)
	if err != nil {
		return Record{}, err
	}
	switch {
	case s.Dir == "":
		return Record{}, &NoSetError{path, "a package alone does not tell how it was made; want the output directory of its build"}
	case s.Record == nil:
		return Record{}, &NoSetError{path, "its " + RecordJSN + " is missing, or is about other packages"}
	case s.Record.BuildRoot.File == "":
		return Record{}, &StaleSetError{path, "its " + RecordJSN + " does not tell what it was built in: an earlier version of namibuild made it"}
	}
	r := Record{Result: *s.Record, Dir: s.Dir}
	r.Set.Dir = filepath.Join(s.Dir, RPMS)
	r.Built = artifact.Set{Dir: r.Set.Dir, RPMs: slices.Clone(r.RPMs)}
	root, err := r.attached(r.BuildRoot)
	if err != nil {
		return Record{}, err
	}
	if r.Root, err = buildroot.ParseJSON(root); err != nil {
		return Record{}, err
	}
	if r.Changes.File != "" {
		diff, err := r.attached(r.Changes)
		if err != nil {
			return Record{}, err
		}
		r.ChangesDiff = string(diff)
	}
	return r, nil
}

// attached reads a file of the set and checks it.
func (r Record) attached(a Attached) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(r.Dir, filepath.Base(a.File)))
	if err != nil {
		return nil, &StaleSetError{r.Dir, err.Error()}
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != a.SHA256 {
		return nil, &StaleSetError{r.Dir, fmt.Sprintf("sha256 of %s got %s, want %s", a.File, got, a.SHA256)}
	}
	return data, nil
}

// SBOM is the bill of materials of a set. It depends on nothing but the record.
func SBOM(r Record) (spdx, cyclonedx []byte, err error) {
	bill, err := sbom.New(sbom.Input{
		Plan: r.Plan, PlanID: r.PlanID, Set: r.Set, Source: r.Source, Root: r.Root, Changes: r.ChangesDiff, Version: r.Run.Namibuild,
	})
	if err != nil {
		return nil, nil, err
	}
	if spdx, err = bill.SPDX(); err != nil {
		return nil, nil, err
	}
	cyclonedx, err = bill.CycloneDX()
	return spdx, cyclonedx, err
}
