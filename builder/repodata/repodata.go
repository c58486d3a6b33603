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
	"fmt"
	"os"

	"namibuild/builder/durable"
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
	// Known gives size and SHA-256 of a package, by its path, that the caller has read and found
	// sound: of such a package only the header is read. nil knows none.
	Known Known
}

// Known gives size in bytes and SHA-256 of a package by its path in the repository.
type Known func(path string) (size int64, sha256 string, ok bool)

// Repo is what a repository lists.
type Repo struct {
	Revision int64     `json:"revision"` // seconds since 1970
	Signed   bool      `json:"signed"`
	Packages []Package `json:"packages"` // by path
}

// names in the folder of a repository.
const (
	folder    = "repodata"
	index     = "repomd.xml"
	signature = "repomd.xml.asc"
)

// File is a file of a repository.
type File struct {
	Path string // in the repository, with slashes
	Data []byte
}

// Make makes the files of repodata/ for all packages (*.rpm) below dir, source packages
// too. Hidden folders and failed.RPMS of a build are left out. A package that is not
// known is read whole and must be sound; one that is there twice is refused.
func Make(dir string, o Options) (Repo, []File, error) {
	list, err := readAll(dir, o.Known)
	if err != nil {
		return Repo{}, nil, err
	}
	repo := Repo{Revision: o.Epoch, Signed: o.Sign != nil}
	for _, p := range list {
		repo.Packages = append(repo.Packages, p.Package)
		if o.Epoch == 0 {
			repo.Revision = max(repo.Revision, p.rpm.BuildTime())
		}
	}
	files, err := makeFiles(list, repo.Revision, o.Sign)
	return repo, files, err
}

// Write makes repodata/ as Make does, and puts it into dir, in place of the one that
// is there, together with other files of the repository. They appear when all of them are
// complete; a failure leaves the old ones.
func Write(dir string, o Options, others ...File) (Repo, error) {
	if _, err := os.Stat(dir); err != nil {
		return Repo{}, fmt.Errorf("opening the repository: %w", err)
	}
	u, err := durable.Open(dir)
	if err != nil {
		return Repo{}, err
	}
	defer u.Close()
	repo, files, err := Make(dir, o)
	if err != nil {
		return Repo{}, err
	}
	if err := os.Mkdir(u.Path(folder), 0o777); err != nil {
		return Repo{}, &durable.Error{Path: dir, Err: err}
	}
	for _, f := range append(files, others...) {
		if err := os.WriteFile(u.Path(f.Path), f.Data, 0o666); err != nil {
			return Repo{}, &durable.Error{Path: dir, Err: err}
		}
	}
	return repo, u.Commit()
}
