package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestErrorHidesInternalNames checks that the text of an Error names the place that a
// person chose, once, and no hidden name.
func TestErrorHidesInternalNames(t *testing.T) {
	to := filepath.Join(t.TempDir(), "none", "my.key")
	err := &Error{Path: to, Err: WriteFile(to, nil, 0o600)}
	if got, want := err.Error(), "writing to "+to+": no such file or directory"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, cause := range []error{
		&fs.PathError{Op: "open", Path: "my.key", Err: fs.ErrPermission},
		&fs.PathError{Op: "open", Path: "in/.my.key.123.part", Err: fs.ErrPermission},
		&os.LinkError{Op: "rename", Old: ".my.key.part/new", New: "my.key", Err: fs.ErrPermission},
	} {
		err := &Error{Path: "my.key", Err: cause}
		if got, want := err.Error(), "writing to my.key: permission denied"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%v hides its cause", err)
		}
	}
	other := &Error{Path: "out", Err: &fs.PathError{Op: "open", Path: "in.rpm", Err: fs.ErrPermission}}
	if got, want := other.Error(), "writing to out: open in.rpm: permission denied"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
