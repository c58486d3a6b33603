package oci

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// page returns a manifest of files with these titles.
func page(artifactType string, titles ...string) []byte {
	m := ocispec.Manifest{ArtifactType: artifactType}
	for _, title := range titles {
		m.Layers = append(m.Layers, File{Path: title, MediaType: "text/plain", Digest: digest.FromString("x"), Size: 1}.descriptor())
	}
	data, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return data
}

// TestParseRelease checks that no manifest can name a file outside of its folder, a file
// twice, or a hidden file.
func TestParseRelease(t *testing.T) {
	for want, data := range map[string][]byte{
		"":                                          page(ArtifactType, "a.rpm", "RPMS/b.rpm", "RPMS/ü b.rpm"),
		"unexpected end of JSON":                    []byte("{"),
		`artifact type got "", want`:                page("", "a"),
		`artifact type got "x/y", want`:             page("x/y", "a"),
		`cannot have the path "../a"`:               page(ArtifactType, "../a"),
		`cannot have the path "/etc/passwd"`:        page(ArtifactType, "/etc/passwd"),
		`cannot have the path "a/../../b"`:          page(ArtifactType, "a/../../b"),
		`cannot have the path "a//b"`:               page(ArtifactType, "a//b"),
		`cannot have the path "a/"`:                 page(ArtifactType, "a/"),
		`cannot have the path ""`:                   page(ArtifactType, ""),
		`cannot have the path ".bashrc"`:            page(ArtifactType, ".bashrc"),
		`cannot have the path "a/.ssh/b"`:           page(ArtifactType, "a/.ssh/b"),
		`cannot have the path "a\\b"`:               page(ArtifactType, `a\b`),
		`cannot have the path "a\nb"`:               page(ArtifactType, "a\nb"),
		`cannot have the path "a"`:                  page(ArtifactType, "a.rpm", "a"),
		`cannot have the path "RPMS/x/b.rpm"`:       page(ArtifactType, "a.rpm", "RPMS/x/b.rpm"),
		`cannot have the path "failed.log"`:         page(ArtifactType, "a.rpm", "failed.log"),
		"a.rpm occurs twice":                        page(ArtifactType, "a.rpm", "b.rpm", "a.rpm"),
		"b.rpm occurs twice or has a negative size": []byte(strings.Replace(string(page(ArtifactType, "b.rpm")), `"size":1`, `"size":-1`, 1)),
		"invalid checksum digest":                   []byte(strings.Replace(string(page(ArtifactType, "b.rpm")), "sha256:", "sha256:z", 1)),
	} {
		files, err := parseRelease(data)
		if want == "" && (err != nil || len(files) != 3) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, %v, want %s", data, files, err, want)
		}
	}
}

func FuzzParseRelease(f *testing.F) {
	f.Add(page(ArtifactType, "a.rpm", "RPMS/b.rpm"))
	f.Add(page(ArtifactType, "../a"))
	f.Add([]byte(`{"artifactType": "` + ArtifactType + `", "layers": [{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := parseRelease(data)
		seen := map[string]bool{}
		for _, file := range files {
			rel, rerr := filepath.Rel("/release", filepath.Join("/release", filepath.FromSlash(file.Path)))
			if err != nil || rerr != nil || rel != file.Path || seen[rel] || strings.HasPrefix(rel, ".") || file.Size < 0 || file.Digest.Validate() != nil {
				t.Errorf("took %+v", file)
			}
			seen[rel] = true
		}
	})
}
