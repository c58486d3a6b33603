package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// DigestError reports a file whose sha256 is not the wanted one.
type DigestError struct {
	Got, Want string
	// VerifyErr is the error that Verify returned for the file, if any.
	VerifyErr error
}

func (e *DigestError) Error() string {
	text := "sha256 got " + e.Got + ", want " + e.Want
	if e.VerifyErr != nil {
		text += " (" + e.VerifyErr.Error() + ")"
	}
	return text
}

func (e *DigestError) Unwrap() error { return e.VerifyErr }

// Check reads a file, compares its sha256 with want unless that is empty, and
// calls verify unless that is nil. A wrong digest is a *DigestError. The File is
// complete even if there is such an error, and empty only if the file cannot be
// read.
func Check(path, want string, verify Verify) (File, error) {
	r, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return File{}, fmt.Errorf("reading: %w", err)
	}
	f := File{Path: path, SHA256: hex.EncodeToString(h.Sum(nil)), Size: n}
	return f, compare(r, f, want, verify)
}

func compare(r io.ReadSeeker, f File, want string, verify Verify) error {
	var verifyErr error
	if verify != nil {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		verifyErr = verify(r)
	}
	if want == "" || want == f.SHA256 {
		return verifyErr
	}
	return &DigestError{f.SHA256, want, verifyErr}
}

// check checks a file as the input says. Waive may take what Check refuses.
func (in Input) check(path string) (File, error) {
	f, wrong := Check(path, in.SHA256, in.Verify)
	if wrong == nil || in.Waive == nil || f.SHA256 == "" {
		return f, wrong
	}
	r, err := os.Open(path)
	if err != nil {
		return f, err
	}
	defer r.Close()
	if err := in.Waive(r, wrong); err != nil {
		return f, err
	}
	f.Waived = wrong.Error()
	return f, nil
}
