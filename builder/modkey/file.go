package modkey

import (
	"fmt"
	"io"
	"os"

	"namibuild/builder/rpm"
	"namibuild/builder/unpack"
)

// Open reads the key from a file that only its owner may read.
func Open(name string) (Key, error) {
	f, err := os.Open(name)
	if err != nil {
		return Key{}, fmt.Errorf("reading the module key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("its mode is %#o, want 0600: others could read it", info.Mode().Perm())
	}
	if err != nil {
		return Key{}, fmt.Errorf("reading the module key %s: %w", name, err)
	}
	return Parse(f)
}

// Check reads r to its end and returns a *LeakError if the private half of the key is
// in it. where names r in the error.
func (k Key) Check(r io.Reader, where string) error {
	found, err := k.Scan(r)
	if err == nil && found {
		err = &LeakError{Where: where}
	}
	return err
}

// CheckUnpacked is Check for r and for everything that is compressed in it.
func (k Key) CheckUnpacked(r io.Reader, where string) error { return unpack.Walk(r, where, k.Check) }

// CheckPackage is Check for the bytes of a package, and CheckUnpacked for the files in
// its payload.
func (k Key) CheckPackage(r io.ReadSeeker, where string) error {
	if err := k.Check(r, where); err != nil {
		return err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	p, err := rpm.ReadPackage(r)
	if err != nil {
		return err
	}
	payload, err := p.Payload(r)
	if err != nil {
		return err
	}
	defer payload.Close()
	for {
		entry, err := payload.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = k.CheckUnpacked(payload, entry.Name+" of "+where)
		}
		if err != nil {
			return err
		}
	}
}
