package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// keyVersion must change when the same spec begins to make another image: when
// Key or the settings of solve change.
const keyVersion = "namibuild image 1"

// Key returns a digest of everything that goes into an image: its Dockerfile,
// the files that it may copy, its arguments and its base. It has 64 hexadecimal
// digits.
func (s ImageSpec) Key(base string) (string, error) {
	h := sha256.New()
	writeFields(h, keyVersion, s.Dockerfile, base)
	for _, name := range slices.Sorted(maps.Keys(s.Args)) {
		writeFields(h, "arg", name, s.Args[name])
	}
	err := s.walk(func(name string, d fs.DirEntry) error {
		mode, err := plainMode(d)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		writeFields(h, "file", name, mode.String())
		if d.IsDir() {
			return nil
		}
		data, err := fs.ReadFile(s.Files, name)
		writeFields(h, string(data))
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// writeFields writes fields to a hash, so that different lists of fields write
// different bytes.
func writeFields(h hash.Hash, fields ...string) {
	for _, f := range fields {
		fmt.Fprintf(h, "%d:%s\n", len(f), f)
	}
}

// walk visits the files and folders of Files that are used, in lexical order and
// without the root.
func (s ImageSpec) walk(visit func(name string, d fs.DirEntry) error) error {
	return fs.WalkDir(s.Files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case s.includes(name, d.IsDir()):
			return visit(name, d)
		case d.IsDir():
			return fs.SkipDir
		}
		return nil
	})
}

// includes reports whether name is the Dockerfile or one of Paths, lies below one
// of them, or is a folder above one.
func (s ImageSpec) includes(name string, dir bool) bool {
	if len(s.Paths) == 0 {
		return true
	}
	for _, p := range append([]string{s.Dockerfile}, s.Paths...) {
		if name == p || strings.HasPrefix(name, p+"/") || dir && strings.HasPrefix(p, name+"/") {
			return true
		}
	}
	return false
}

// plainMode returns the mode of a file in the build. It does not depend on the
// umask of a checkout or on an embed.FS, whose files are read-only.
func plainMode(d fs.DirEntry) (fs.FileMode, error) {
	info, err := d.Info()
	switch {
	case err != nil:
		return 0, err
	case info.IsDir():
		return fs.ModeDir | 0o755, nil
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("it is a %s, want a regular file or a folder", info.Mode().Type())
	case info.Mode()&0o111 != 0:
		return 0o755, nil
	}
	return 0o644, nil
}

// contextFS presents a spec's files to BuildKit, all owned by root and of time 0.
type contextFS struct{ spec ImageSpec }

func (s contextFS) Walk(ctx context.Context, target string, visit fs.WalkDirFunc) error {
	target = path.Clean(strings.TrimPrefix(target, "/"))
	return s.spec.walk(func(name string, d fs.DirEntry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if target != "." && name != target && !strings.HasPrefix(name, target+"/") {
			return nil
		}
		stat, err := s.stat(name, d)
		if err != nil {
			return err
		}
		return visit(name, &fsutil.DirEntryInfo{Stat: stat}, nil)
	})
}

func (s contextFS) stat(name string, d fs.DirEntry) (*types.Stat, error) {
	mode, err := plainMode(d)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	stat := &types.Stat{Path: name, Mode: uint32(mode)}
	if !d.IsDir() {
		info, err := d.Info()
		if err != nil {
			return nil, err
		}
		stat.Size = info.Size()
	}
	return stat, nil
}

func (s contextFS) Open(name string) (io.ReadCloser, error) {
	return s.spec.Files.Open(strings.TrimPrefix(path.Clean(name), "/"))
}
