package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"namibuild/builder/artifact"
	"namibuild/builder/durable"
	"namibuild/builder/set"
)

// ProofForm is the form of a Proof's record.
const ProofForm = 1

// Write puts a proof and its log into a folder: both of them or none.
func Write(dir string, p Proof, log []byte) error {
	page, err := p.JSON()
	if err != nil {
		return fmt.Errorf("writing the proof: %w", err)
	}
	return update(dir, File{Name: set.ProofFile, Data: page}, File{Name: set.ProofLogFile, Data: log})
}

// update puts files into a folder: all of them or none. The error is a *durable.Error.
func update(dir string, files ...File) error {
	u, err := durable.Open(dir)
	if err != nil {
		return err
	}
	defer u.Close()
	for _, f := range files {
		if err := os.WriteFile(u.Path(f.Name), f.Data, 0o666); err != nil {
			return &durable.Error{Path: dir, Err: err}
		}
	}
	return u.Commit()
}

// JSON is the content of set.ProofFile.
func (p Proof) JSON() ([]byte, error) {
	p.Form = ProofForm
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(p)
	return b.Bytes(), err
}

// UnprovenError says that a set of packages has no proof that it works.
type UnprovenError struct {
	Dir    string
	Reason string
}

// kernelFailed begins the reason if there is a proof and its kernel failed.
const kernelFailed = "its kernel failed"

// Failed reports whether there is a proof, and its kernel failed.
func (e *UnprovenError) Failed() bool { return strings.HasPrefix(e.Reason, kernelFailed) }

func (e *UnprovenError) Error() string { return fmt.Sprintf("%s is not proven: %s", e.Dir, e.Reason) }

// Proven gives the proof among the files of a set, which lies in the folder dir. The error is an
// *UnprovenError unless there is a proof, it passed, and it is about these very
// packages as they were built.
func Proven(dir string, files set.Files, packages []artifact.RPM) (Proof, error) {
	unproven := func(format string, args ...any) (Proof, error) {
		return Proof{}, &UnprovenError{dir, fmt.Sprintf(format, args...)}
	}
	file, ok := files.Get(set.ProofFile)
	if !ok {
		return unproven("it has no %s", set.ProofFile)
	}
	data, err := file.Read()
	if err != nil {
		return Proof{}, fmt.Errorf("reading the proof: %w", err)
	}
	var p Proof
	form := (*set.FormError)(nil)
	if err := set.Decode(set.ProofFile, data, ProofForm, &p); errors.As(err, &form) {
		return unproven("its %v", form)
	} else if err != nil {
		return unproven("its %s is not a proof", set.ProofFile)
	}
	switch failed := slices.IndexFunc(p.Checks, func(c Check) bool { return !c.Passed }); {
	case failed >= 0:
		c := p.Checks[failed]
		return unproven(kernelFailed+": %s: want %s, got %s", c.Name, c.Want, c.Got)
	case !p.Passed || len(p.Checks) == 0:
		return unproven(kernelFailed)
	case len(packages) == 0 || !slices.Equal(PackagesOf(packages), p.Packages):
		return unproven("its %s is about other packages than those in %s", set.ProofFile, set.RPMS)
	}
	return p, nil
}

// PackagesOf gives the files of packages with their digests, as a proof names them.
func PackagesOf(rpms []artifact.RPM) []Package {
	var all []Package
	for _, r := range rpms {
		all = append(all, Package{r.File, r.SHA256})
	}
	return all
}
