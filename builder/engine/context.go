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

// keyVersion changes whenever the same spec would give another image: what is
// in Key, the settings of solve.
const keyVersion = "namibuild image 1"

// Key names everything that goes into an image: its Dockerfile, the files it
// may copy, its arguments and its base; 64 hexadecimal digits.
func (s ImageSpec) Key(base string) (string, error) {
	h := sha256.New()
	record(h, keyVersion, s.Dockerfile, base)
	for _, name := range slices.Sorted(maps.Keys(s.Args)) {
		record(h, "arg", name, s.Args[name])
	}
	err := s.walk(func(name string, d fs.DirEntry) error {
		mode, err := plainMode(d)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		record(h, "file", name, mode.String())
		if d.IsDir() {
			return nil
		}
		data, err := fs.ReadFile(s.Files, name)
		record(h, string(data))
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// record adds fields to a hash so that no two lists of fields add the same.
func record(h hash.Hash, fields ...string) {
	for _, f := range fields {
		fmt.Fprintf(h, "%d:%s\n", len(f), f)
	}
}

// walk visits what counts of Files, in lexical order, the root not.
func (s ImageSpec) walk(visit func(name string, d fs.DirEntry) error) error {
	return fs.WalkDir(s.Files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case s.counts(name, d.IsDir()):
			return visit(name, d)
		case d.IsDir():
			return fs.SkipDir
		}
		return nil
	})
}

// counts: the path is one that counts, lies in one, or leads to one.
func (s ImageSpec) counts(name string, dir bool) bool {
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

// plainMode is the mode a file has in the build, whatever the umask of a
// checkout or the read-only modes of an embed.FS say.
func plainMode(d fs.DirEntry) (fs.FileMode, error) {
	info, err := d.Info()
	switch {
	case err != nil:
		return 0, err
	case info.IsDir():
		return fs.ModeDir | 0o755, nil
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("is a %s, want a regular file or a folder", info.Mode().Type())
	case info.Mode()&0o111 != 0:
		return 0o755, nil
	}
	return 0o644, nil
}

// synced shows a spec's files to BuildKit: owned by root, times at 0.
type synced struct{ spec ImageSpec }

func (s synced) Walk(ctx context.Context, target string, visit fs.WalkDirFunc) error {
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

func (s synced) stat(name string, d fs.DirEntry) (*types.Stat, error) {
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

func (s synced) Open(name string) (io.ReadCloser, error) {
	return s.spec.Files.Open(strings.TrimPrefix(path.Clean(name), "/"))
}
