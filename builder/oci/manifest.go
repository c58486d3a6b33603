package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"namibuild/builder/set"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ArtifactType is the artifact type of the manifest of a release.
const ArtifactType = "application/vnd.namibuild.release.v1"

// left reports whether a path below dir is not part of a release: unfinished files are
// hidden, and the names of what a failed build left begin with "failed.".
func left(dir, path string) bool {
	name := filepath.Base(path)
	return strings.HasPrefix(name, ".") || filepath.Dir(path) == filepath.Clean(dir) && strings.HasPrefix(name, "failed.")
}

// readFolder returns the files of a release, sorted by path. Anything but a regular file is
// an error, and so is a file that set.Transferable does not let pass.
func readFolder(dir string) ([]File, error) {
	var files []File
	top := dir + string(filepath.Separator) // dir may be a link
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != top && left(dir, path):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return &set.IrregularError{Path: path, Type: d.Type()}
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if !set.Transferable(name) {
			return fmt.Errorf("%s is not a file of a set or release", path)
		}
		one, err := readFile(dir, name)
		files = append(files, one)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the release: %w", err)
	}
	if !slices.ContainsFunc(files, func(f File) bool { return strings.HasSuffix(f.Path, ".rpm") }) {
		return nil, fmt.Errorf("reading the release: %s has no *.rpm", dir)
	}
	return files, nil
}

// readFile hashes the file of a release that has the path name in the folder dir.
func readFile(dir, name string) (File, error) {
	f, err := set.OpenIn(dir, name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return File{}, err
	}
	sum, err := digest.SHA256.FromReader(f)
	return File{Path: name, MediaType: set.MediaType(name), Digest: sum, Size: info.Size()}, err
}

// descriptor returns the descriptor of the file for a manifest.
func (f File) descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: f.MediaType, Digest: f.Digest, Size: f.Size,
		Annotations: map[string]string{ocispec.AnnotationTitle: f.Path}}
}

// manifest is a manifest with its descriptor.
type manifest struct {
	ocispec.Descriptor
	data []byte
}

func (m manifest) reader() *bytes.Reader { return bytes.NewReader(m.data) }

// release makes the manifest of a release, which has all files.
func release(files []File, created time.Time, annotations map[string]string) (manifest, error) {
	m := ocispec.Manifest{ArtifactType: ArtifactType, Annotations: stamped(created, annotations)}
	for _, f := range files {
		m.Layers = append(m.Layers, f.descriptor())
	}
	return seal(m)
}

// referrers makes the manifests that refer to a release. Each has one file.
func referrers(subject manifest, files []File, created time.Time) ([]manifest, error) {
	var all []manifest
	for _, f := range files {
		if row, ok := set.Lookup(f.Path); !ok || !row.Has(set.Referrer) {
			continue
		}
		m, err := seal(ocispec.Manifest{ArtifactType: f.MediaType, Subject: &subject.Descriptor,
			Layers: []ocispec.Descriptor{f.descriptor()}, Annotations: stamped(created, nil)})
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// stamped adds the time at which a release was made to its annotations.
func stamped(created time.Time, annotations map[string]string) map[string]string {
	all := maps.Clone(annotations)
	if created.IsZero() {
		return all
	}
	if all == nil {
		all = map[string]string{}
	}
	all[ocispec.AnnotationCreated] = created.UTC().Format(time.RFC3339)
	return all
}

// seal encodes a manifest with the empty config, and computes its descriptor.
func seal(m ocispec.Manifest) (manifest, error) {
	m.Versioned, m.MediaType, m.Config = specs.Versioned{SchemaVersion: 2}, ocispec.MediaTypeImageManifest, emptyConfig()
	data, err := json.Marshal(m)
	if err != nil {
		return manifest{}, fmt.Errorf("making the manifest: %w", err)
	}
	return manifest{ocispec.Descriptor{MediaType: m.MediaType, ArtifactType: m.ArtifactType, Digest: digest.FromBytes(data),
		Size: int64(len(data))}, data}, nil
}

func emptyConfig() ocispec.Descriptor {
	d := ocispec.DescriptorEmptyJSON
	d.Data = nil // some registries refuse the field
	return d
}

// parseRelease parses the manifest of a release and returns its files. It refuses paths
// that set.Transferable does not let pass, and paths that occur twice.
func parseRelease(data []byte) ([]File, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	if m.ArtifactType != ArtifactType {
		return nil, fmt.Errorf("reading the manifest: artifact type got %q, want %q", m.ArtifactType, ArtifactType)
	}
	var files []File
	seen := map[string]bool{}
	for _, l := range m.Layers {
		f := File{Path: l.Annotations[ocispec.AnnotationTitle], MediaType: l.MediaType, Digest: l.Digest, Size: l.Size}
		if err := errors.Join(checkPath(f.Path), l.Digest.Validate()); err != nil {
			return nil, fmt.Errorf("reading the manifest: %w", err)
		}
		if seen[f.Path] || f.Size < 0 {
			return nil, fmt.Errorf("reading the manifest: %s occurs twice or has a negative size", f.Path)
		}
		seen[f.Path] = true
		files = append(files, f)
	}
	return files, nil
}

// checkPath reports an error unless a file of a release can have the path.
func checkPath(name string) error {
	hidden := slices.ContainsFunc(strings.Split(name, "/"), func(e string) bool { return strings.HasPrefix(e, ".") })
	if name == "" || path.Clean(name) != name || !filepath.IsLocal(name) || hidden || !set.Transferable(name) || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == '\\' }) {
		return fmt.Errorf("a file of a release cannot have the path %q", name)
	}
	return nil
}
