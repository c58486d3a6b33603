// Package repodata makes a folder of packages into a repository that yum of EL5
// and later and dnf install from, and checks such a folder.
//
// It writes repodata/: repomd.xml, its signature repomd.xml.asc, and the lists
// primary, filelists and other as XML compressed by gzip, which every yum reads
// (zstd and SQLite it leaves out), each named by its sha256. The lists say what
// createrepo_c says of the same packages. Everything is a function of the
// packages and of Options: no clock, no host, no order of directories.
package repodata

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Options say what the packages do not.
type Options struct {
	// Epoch, in seconds since 1970, is the repository's revision and the time of
	// its files. 0 is the build time of the newest package: that grows with every
	// newer build, as yum wants of a repository that changes.
	Epoch int64
	// Sign makes an armored detached OpenPGP signature of repomd.xml; nil leaves
	// the repository unsigned.
	Sign func([]byte) ([]byte, error)
}

// Repo is what a repository lists.
type Repo struct {
	Revision int64     `json:"revision"` // seconds since 1970
	Signed   bool      `json:"signed"`
	Packages []Package `json:"packages"` // by path
}

// names in the folder of a repository.
const (
	folder    = "repodata"
	partName  = ".repodata.part"
	oldName   = ".repodata.old"
	index     = "repomd.xml"
	signature = "repomd.xml.asc"
)

// Write makes repodata/ of all packages (*.rpm) beneath dir, source packages
// too, in place of the one that is there; hidden folders and failed.RPMS of a
// build are left out. Every package is read whole and must be sound; one that
// lies there twice is refused. The new repodata/ appears by rename when it is
// complete, and a failure leaves the old one.
func Write(dir string, o Options) (Repo, error) {
	unlock, err := lock(dir)
	if err != nil {
		return Repo{}, err
	}
	defer unlock()
	if err := restore(dir); err != nil {
		return Repo{}, fmt.Errorf("writing repodata: %w", err)
	}
	list, err := readAll(dir, nil)
	if err != nil {
		return Repo{}, err
	}
	repo := Repo{Revision: o.Epoch, Signed: o.Sign != nil}
	for _, p := range list {
		repo.Packages = append(repo.Packages, p.Package)
		if o.Epoch == 0 {
			repo.Revision = max(repo.Revision, p.rpm.BuildTime())
		}
	}
	files, err := makeFiles(list, repo.Revision, o.Sign)
	if err != nil {
		return Repo{}, err
	}
	if err := publish(dir, files); err != nil {
		return Repo{}, fmt.Errorf("writing repodata: %w", err)
	}
	return repo, nil
}

// lock keeps a second process out of the folder; it goes with the process.
func lock(dir string) (func(), error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the repository: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("opening the repository: %s: another process is writing there", dir)
	}
	return func() { f.Close() }, nil
}

// restore brings the former repodata back when a process was killed between the
// two renames of publish, and clears away what it left half done.
func restore(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, partName)); err != nil {
		return err
	}
	now, old := filepath.Join(dir, folder), filepath.Join(dir, oldName)
	if _, err := os.Lstat(now); err == nil {
		return os.RemoveAll(old)
	}
	if err := os.Rename(old, now); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// publish writes the files into a new folder and puts it in the old one's place.
func publish(dir string, files []file) (err error) {
	part, now, old := filepath.Join(dir, partName), filepath.Join(dir, folder), filepath.Join(dir, oldName)
	defer func() {
		if err != nil {
			os.RemoveAll(part)
		}
	}()
	if err := os.Mkdir(part, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(part, f.name), f.data); err != nil {
			return err
		}
	}
	if err := os.Rename(now, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(part, now); err != nil {
		return errors.Join(err, restore(dir))
	}
	return os.RemoveAll(old)
}

func writeFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
