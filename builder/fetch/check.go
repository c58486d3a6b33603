package fetch

import (
	"errors"
	"io"
	"os"
	"strings"
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

// Check copies a file of this host, compares the sha256 of the copy with want unless
// that is empty, and calls verify with the copy unless that is nil. A wrong digest is
// a *DigestError. The content of the File is the copy, so that it stays what was
// checked whatever becomes of the file. The caller closes the File.
func (s *Store) Check(path, want string, verify Verify) (File, error) {
	return s.checkFile(path, Input{SHA256: want, Verify: verify})
}

func (s *Store) checkFile(path string, in Input) (File, error) {
	f, err := s.copied(path)
	if err != nil {
		return File{}, err
	}
	f, err = in.check(f)
	if err != nil {
		f.Close()
		return File{}, err
	}
	return f, nil
}

// copied copies a file of this host into a file without a name. A path may be a
// symbolic link, because it is the user's and not the store's.
func (s *Store) copied(path string) (File, error) {
	r, err := openRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return File{}, err
	}
	defer r.Close()
	f, err := s.copyOf(r)
	f.Path = path
	return f, err
}

// compare compares a file's digest with want and calls verify with its content, as
// Check does.
func compare(f File, want string, verify Verify) error {
	var verifyErr error
	if verify != nil {
		verifyErr = verify(f.Content())
	}
	if want == "" || want == f.SHA256 {
		return verifyErr
	}
	return &DigestError{f.SHA256, want, verifyErr}
}

// check checks a file as the input says. Waive may take what compare refuses. The
// returned File has f's content in any case.
func (in Input) check(f File) (File, error) {
	wrong := compare(f, in.SHA256, in.Verify)
	if wrong == nil || in.Waive == nil {
		return f, wrong
	}
	if err := in.Waive(f.Content(), wrong); err != nil {
		return f, err
	}
	f.Waived = wrong.Error()
	return f, nil
}

// errNotRegular reports a folder, device or pipe in the place of a file.
var errNotRegular = errors.New("not a regular file")

// Content returns a reader of the bytes that were checked, from their beginning. It
// returns a new reader for each call. They cannot be read after Close. Without
// content, they are empty.
func (f File) Content() *io.SectionReader {
	if f.content == nil {
		return io.NewSectionReader(strings.NewReader(""), 0, 0)
	}
	return io.NewSectionReader(f.content, 0, f.Size)
}

// Close frees the content. A File without content may be closed, too.
func (f File) Close() error {
	if f.content == nil {
		return nil
	}
	return f.content.Close()
}
