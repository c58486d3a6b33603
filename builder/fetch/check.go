package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// DigestError says that a file is not the one that was asked for.
type DigestError struct {
	Got, Want string
	// Judged is what the Judge found wrong with the file besides, if anything.
	Judged error
}

func (e *DigestError) Error() string {
	text := "sha256 got " + e.Got + ", want " + e.Want
	if e.Judged != nil {
		text += " (" + e.Judged.Error() + ")"
	}
	return text
}

func (e *DigestError) Unwrap() error { return e.Judged }

// Check reads a file, compares its sha256 with want (empty: any) and puts its
// content before judge (nil: none). A wrong digest is a *DigestError. The File
// is whole whatever the verdict; it is empty when the file cannot be read.
func Check(path, want string, judge Judge) (File, error) {
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
	return f, verdict(r, f, want, judge)
}

func verdict(r io.ReadSeeker, f File, want string, judge Judge) error {
	var judged error
	if judge != nil {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		judged = judge(r)
	}
	if want == "" || want == f.SHA256 {
		return judged
	}
	return &DigestError{f.SHA256, want, judged}
}

// check is Check of what is asked for; what it refuses Waive may take.
func (in Input) check(path string) (File, error) {
	f, wrong := Check(path, in.SHA256, in.Judge)
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
