package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// DigestError says that a file is not the one that was asked for.
type DigestError struct{ Got, Want string }

func (e *DigestError) Error() string { return "sha256 got " + e.Got + ", want " + e.Want }

// Check reads a file, compares its sha256 with want (empty: any) and puts its
// content before judge (nil: none). A wrong digest is a *DigestError, with
// what judge found wrong beside it.
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
	if judged != nil {
		return fmt.Errorf("%w (%v)", &DigestError{f.SHA256, want}, judged)
	}
	return &DigestError{f.SHA256, want}
}
