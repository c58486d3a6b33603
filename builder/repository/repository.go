// Package repository makes a folder of packages a repository for yum and dnf: the lists, the
// .repo file and the public key. A release is one already; see builder/release.
package repository

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"namibuild/builder/pgp"
	"namibuild/builder/repodata"
	"namibuild/builder/rpm"
	"namibuild/builder/set"
	"namibuild/builder/sign"
)

// Options say which folder becomes a repository, and how.
type Options struct {
	Dir string
	// ID is the repository's name for yum. The default is the name of the folder. URL
	// is where hosts find Dir. The default is file:// and its path.
	ID, URL string
	// Key signs the index, and must have signed every package. A nil Key signs nothing.
	Key *sign.Key
}

// Repository is a folder from which yum and dnf install.
type Repository struct {
	repodata.Repo
	Dir string `json:"dir"`
	// File is the path of the .repo file. KeyFile is the path of the public key, and
	// empty if the repository is not signed.
	File    string `json:"file"`
	KeyFile string `json:"keyFile,omitempty"`
}

// Error reports that a folder cannot become a repository.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// SourceError reports that no .repo file can have this ID or URL.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }
func (e *SourceError) Unwrap() error { return e.Err }

// UnsignedError reports that a package is not signed by the key of the repository. yum
// would refuse it.
type UnsignedError struct {
	Package string
	Err     error
}

func (e *UnsignedError) Error() string { return e.Package + ": " + e.Err.Error() }
func (e *UnsignedError) Unwrap() error { return e.Err }

// Make writes repodata/, the .repo file and, if there is a key, the public key
// into a folder of packages: all of them or none. The time of the repository is the build
// time of the newest package.
func Make(ctx context.Context, o Options) (Repository, error) {
	source, err := o.source()
	if err != nil {
		return Repository{}, err
	}
	page, err := source.File()
	if err != nil {
		return Repository{}, &SourceError{err}
	}
	if err := o.allowed(); err != nil {
		return Repository{}, &Error{err}
	}
	r := Repository{Dir: o.Dir, File: filepath.Join(o.Dir, source.ID+".repo")}
	files := []repodata.File{{Path: source.ID + ".repo", Data: []byte(page)}}
	var options repodata.Options
	if o.Key != nil {
		public, err := o.Key.Public()
		if err != nil {
			return Repository{}, &Error{fmt.Errorf("writing the public key: %w", err)}
		}
		if options, err = o.signed(ctx); err != nil {
			return Repository{}, err
		}
		r.KeyFile = filepath.Join(o.Dir, source.Key)
		files = append(files, repodata.File{Path: source.Key, Data: public})
	}
	if r.Repo, err = repodata.Write(o.Dir, options, files...); err != nil {
		return Repository{}, &Error{err}
	}
	return r, nil
}

// allowed reports an error if a new index would make a signature in the folder wrong.
func (o Options) allowed() error {
	if _, err := os.Stat(filepath.Join(o.Dir, set.SumsFile)); err == nil {
		return fmt.Errorf("%s is a release: its repository is part of what was signed", o.Dir)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, set.Repodata, "repomd.xml.asc")); err == nil && o.Key == nil {
		return fmt.Errorf("%s is a signed repository, and there is no key to sign it again", o.Dir)
	}
	return nil
}

// source returns the content of the .repo file, with the defaults for ID and URL. A
// public key in the folder keeps its name.
func (o Options) source() (repodata.Source, error) {
	path, err := filepath.Abs(o.Dir)
	if err != nil {
		return repodata.Source{}, err
	}
	s := repodata.Source{ID: o.ID, BaseURL: o.URL}
	if s.ID == "" {
		s.ID = filepath.Base(path)
	}
	if s.BaseURL == "" {
		s.BaseURL = (&url.URL{Scheme: "file", Path: path}).String()
	}
	s.Name = s.ID + ", made by namibuild"
	if o.Key == nil {
		return s, nil
	}
	s.Key = set.KeyPrefix + s.ID
	if own := set.KeysIn(path); len(own) == 1 {
		s.Key = own[0]
	}
	return s, nil
}

// signed checks that the key signed every package, and returns options with the build
// time of the newest one.
func (o Options) signed(ctx context.Context) (repodata.Options, error) {
	paths, err := repodata.Paths(o.Dir)
	if err != nil {
		return repodata.Options{}, &Error{err}
	}
	var epoch int64
	for _, path := range paths {
		built, err := signedAt(filepath.Join(o.Dir, filepath.FromSlash(path)), o.Key.Key)
		if err != nil {
			return repodata.Options{}, &UnsignedError{path, err}
		}
		epoch = max(epoch, built)
		if ctx.Err() != nil {
			return repodata.Options{}, context.Cause(ctx)
		}
	}
	return repodata.Options{Epoch: epoch, Sign: func(page []byte) ([]byte, error) {
		return o.Key.Detached(ctx, bytes.NewReader(page), o.Key.Time(epoch))
	}}, nil
}

// signedAt checks that a key signed a package, and returns the build time of the package.
func signedAt(path string, key pgp.Key) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	p, _, err := rpm.VerifySigned(f, []pgp.Key{key})
	if err != nil {
		return 0, err
	}
	return p.BuildTime(), nil
}
