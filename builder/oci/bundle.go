package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
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

// ArtifactType is that of a release's manifest.
const ArtifactType = "application/vnd.namibuild.release.v1"

// left says which names in a folder are no part of a release: what is unfinished
// is hidden, what a build that failed left is called so.
func left(dir, path string) bool {
	name := filepath.Base(path)
	return strings.HasPrefix(name, ".") || filepath.Dir(path) == filepath.Clean(dir) && strings.HasPrefix(name, "failed.")
}

// readFolder finds the files of a release, by path. What is no plain file is an
// error.
func readFolder(dir string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && left(dir, path):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is no plain file", path)
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		one, err := readFile(path, filepath.ToSlash(rel))
		files = append(files, one)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the release: %w", err)
	}
	if !slices.ContainsFunc(files, func(f File) bool { return strings.HasSuffix(f.Path, ".rpm") }) {
		return nil, fmt.Errorf("reading the release: %s holds no *.rpm", dir)
	}
	return files, nil
}

func readFile(path, name string) (File, error) {
	f, err := os.Open(path)
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

// descriptor names the file in a manifest.
func (f File) descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: f.MediaType, Digest: f.Digest, Size: f.Size,
		Annotations: map[string]string{ocispec.AnnotationTitle: f.Path}}
}

// manifest is a manifest and how it is named.
type manifest struct {
	ocispec.Descriptor
	data []byte
}

func (m manifest) reader() *bytes.Reader { return bytes.NewReader(m.data) }

// release makes the manifest of all files.
func release(files []File, created time.Time, annotations map[string]string) (manifest, error) {
	m := ocispec.Manifest{ArtifactType: ArtifactType, Annotations: stamped(created, annotations)}
	for _, f := range files {
		m.Layers = append(m.Layers, f.descriptor())
	}
	return seal(m)
}

// referrers make the manifests that refer to a release, each for one file.
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

// stamped adds when a release was made to its annotations.
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

// seal writes a manifest with the empty config and names it by its digest.
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
	d.Data = nil // some registries do not know the field
	return d
}

// parseRelease reads a release's manifest and the files it names. Their paths
// stay in a folder, and none is hidden or there twice.
func parseRelease(data []byte) ([]File, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	if m.ArtifactType != ArtifactType {
		return nil, fmt.Errorf("reading the manifest: artifact type is %q, a release has %q", m.ArtifactType, ArtifactType)
	}
	var files []File
	seen := map[string]bool{}
	for _, l := range m.Layers {
		f := File{Path: l.Annotations[ocispec.AnnotationTitle], MediaType: l.MediaType, Digest: l.Digest, Size: l.Size}
		if err := errors.Join(checkPath(f.Path), l.Digest.Validate()); err != nil {
			return nil, fmt.Errorf("reading the manifest: %w", err)
		}
		if seen[f.Path] || f.Size < 0 {
			return nil, fmt.Errorf("reading the manifest: %s is there twice or of a size below 0", f.Path)
		}
		seen[f.Path] = true
		files = append(files, f)
	}
	return files, nil
}

func checkPath(name string) error {
	hidden := slices.ContainsFunc(strings.Split(name, "/"), func(e string) bool { return strings.HasPrefix(e, ".") })
	if name == "" || path.Clean(name) != name || !filepath.IsLocal(name) || hidden || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == '\\' }) {
		return fmt.Errorf("%q is no name of a file in a release", name)
	}
	return nil
}
