package set

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// IrregularError reports that a path of a set or release is a symbolic link or another
// special file, and not a regular file or a folder.
type IrregularError struct {
	Path string
	Type fs.FileMode // the type bits
}

func (e *IrregularError) Error() string {
	what := "a special file"
	switch {
	case e.Type&fs.ModeSymlink != 0:
		what = "a symbolic link"
	case e.Type&fs.ModeNamedPipe != 0:
		what = "a FIFO"
	case e.Type&fs.ModeSocket != 0:
		what = "a socket"
	case e.Type&fs.ModeDevice != 0:
		what = "a device"
	case e.Type.IsDir():
		what = "a folder"
	case e.Type == 0:
		what = "a file"
	}
	return fmt.Sprintf("%s is %s, which is not used", e.Path, what)
}

// OpenIn opens the regular file that has the path name, with slashes, in the folder dir. It
// follows no link below dir and does not wait for the writer of a FIFO. The error is an
// *IrregularError if an element of name is a link, or the last one is not a regular file.
func OpenIn(dir, name string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var info fs.FileInfo
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		if info, err = root.Lstat(name[:i]); err != nil {
			return nil, within(dir, name, err)
		}
		if i < len(name) && !info.IsDir() || i == len(name) && !info.Mode().IsRegular() {
			return nil, &IrregularError{filepath.Join(dir, filepath.FromSlash(name[:i])), info.Mode().Type()}
		}
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, within(dir, name, err)
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(info, opened) {
		err = fmt.Errorf("%s was replaced while it was opened", filepath.Join(dir, filepath.FromSlash(name)))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ReadIn returns the content of the file that OpenIn opens.
func ReadIn(dir, name string) ([]byte, error) {
	f, err := OpenIn(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// within returns an error of a root with the whole path of the file.
func within(dir, name string, err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return &fs.PathError{Op: strings.TrimSuffix(e.Op, "at"), Path: path.Join(filepath.ToSlash(dir), name), Err: e.Err}
	}
	return err
}
