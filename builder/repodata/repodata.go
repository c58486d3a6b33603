// Package repodata turns a folder of packages into a repository from which dnf, and yum
// from EL6 on, install, and verifies such a repository.
//
// [Make] makes the files of repodata/, and [Write] puts them into the folder: the index
// repomd.xml, its signature repomd.xml.asc, and the lists primary, filelists and other.
// The lists are XML compressed by gzip, because every yum reads that, and have their
// sha256 in their names. There are no zstd and no SQLite lists. The lists have the same
// content as those of createrepo_c. All files depend only on the packages and on
// [Options]: not on the clock, the host or the order of directories.
//
// [Verify] checks a repository, and [Source] makes the .repo file for the hosts.
package repodata

import (
	"fmt"
	"os"

	"namibuild/builder/durable"
)

// Options say what a repository has beside its packages.
type Options struct {
	// Epoch is the revision of the repository and the time of its files, in seconds
	// since 1970. If it is 0, it is the build time of the newest package, which grows
	// with every newer build: yum needs that of a repository that changes.
	Epoch int64
	// Sign returns an armored detached OpenPGP signature of repomd.xml. If it is nil,
	// the repository is not signed.
	Sign func([]byte) ([]byte, error)
	// Known, if not nil, knows packages that the caller has read and verified. Of
	// such a package only the header is read.
	Known Known
}

// Known returns the size in bytes and the SHA-256 of the package with a path in the
// repository, or false if it does not know the package.
type Known func(path string) (size int64, sha256 string, ok bool)

// Repo describes a repository.
type Repo struct {
	Revision int64     `json:"revision"` // seconds since 1970
	Signed   bool      `json:"signed"`
	Packages []Package `json:"packages"` // sorted by path
}

// These are names in the folder of a repository.
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

// Make makes the files of repodata/ for all packages (*.rpm) below dir, including source
// packages. It ignores hidden folders, and failed.RPMS of a build. It reads and verifies
// every package that Options.Known does not know. Two files of the same package are an
// error.
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

// Write makes repodata/ as Make does, and puts it into dir together with other files of
// the repository. Files that exist are replaced. All of them appear together, and after
// an error the old ones are unchanged.
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
