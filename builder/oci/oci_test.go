package oci_test

import (
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	"namibuild/builder/oci"
)

var update = flag.Bool("update", false, "write the goldens")

var ctx = context.Background()

// smallRelease makes the folder of a small release. Two of its files are equal, one is
// empty, and the hidden ones are not part of it.
func smallRelease(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"RPMS/kernel-1-1.x86_64.rpm":       strings.Repeat("kernel", 100000),
		"RPMS/kernel-devel-1-1.x86_64.rpm": strings.Repeat("devel", 100),
		"repodata/repomd.xml":              "<repomd/>\n",
		"repodata/repomd.xml.asc":          "-----BEGIN PGP SIGNATURE-----\n",
		"repodata/00-primary.xml.gz":       "\x1f\x8b",
		"RPM-GPG-KEY-test":                 "-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
		"sbom.spdx.json":                   "{\"spdxVersion\": \"SPDX-2.3\"}\n",
		"sbom.cdx.json":                    "{\"bomFormat\": \"CycloneDX\"}\n",
		"provenance.json":                  "{\"payloadType\": \"application/vnd.in-toto+json\"}\n",
		"proof.json":                       "{\"passed\": true}\n",
		"build.json":                       "{}\n",
		"demo.lock":                        "{}\n",
		"demo.repo":                        "[demo]\n",
		"build.log":                        "",
		"proof.log":                        "booted\n",
		"index.html":                       "<!doctype html>\n",
		"SHA256SUMS":                       "\n",
		"bench.csv":                        "x",
		".lock":                            "hidden",
		".part/RPMS/a.rpm":                 "hidden",
		"failed.log":                       "of a later build",
		"failed.RPMS/a.rpm":                "of a later build",
	} {
		put(t, dir, name, content)
	}
	return dir
}

var made = time.Unix(1389830400, 0)

// options returns the options for a registry of the tests.
func options() oci.Options {
	return oci.Options{PlainHTTP: true, UserAgent: "namibuild/test", Created: made, Annotations: map[string]string{"io.namibuild.plan": "c50be7fb"},
		Credential: func(_ context.Context, host string) (auth.Credential, error) {
			return auth.Credential{Username: user, Password: password}, nil
		}}
}

// tree returns the content of every file of a release.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		if err != nil || d.IsDir() || strings.HasPrefix(rel, ".") || strings.HasPrefix(rel, "failed.") {
			return err
		}
		data, err := os.ReadFile(path)
		all[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// client returns a client of a registry that does not use the code under test.
func client(t *testing.T, host, name string) *remote.Repository {
	t.Helper()
	r, err := remote.NewRepository(host + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	r.PlainHTTP, r.Client = true, &auth.Client{Credential: options().Credential}
	return r
}

func tags(t *testing.T, host, name string) []string {
	t.Helper()
	var all []string
	err := client(t, host, name).Tags(ctx, "", func(page []string) error {
		for _, tag := range page {
			if !strings.HasPrefix(tag, "sha256-") { // of registries without referrers
				all = append(all, tag)
			}
		}
		return nil
	})
	if err != nil && !strings.Contains(err.Error(), "404") {
		t.Fatal(err)
	}
	return all
}

// TestRoundTrip checks, with every registry, that a pull gets what was pushed, and that a
// second push has the same digest and sends nothing.
func TestRoundTrip(t *testing.T) {
	for name, start := range registries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, dir := start(t), smallRelease(t)
			pushed, err := oci.Push(ctx, dir, host+"/kernels/demo:v1", options())
			if err != nil {
				t.Fatal(err)
			}
			if want := host + "/kernels/demo@" + pushed.Digest.String(); pushed.Reference != want || pushed.Tag != "v1" || pushed.Replaced != "" || pushed.Sent < 6e5 {
				t.Errorf("pushed %+v", pushed)
			}
			again, err := oci.Push(ctx, dir, host+"/kernels/demo:v1", options())
			want := pushed
			want.Sent = 0
			if diff := cmp.Diff(want, again); diff != "" || err != nil {
				t.Errorf("pushed again: %v: %s", err, diff)
			}
			for _, reference := range []string{pushed.Reference, host + "/kernels/demo:v1"} {
				to := filepath.Join(t.TempDir(), "deep", "release")
				pulled, err := oci.Pull(ctx, reference, to, options())
				if err != nil {
					t.Fatal(err)
				}
				if pulled.Reference != pushed.Reference || pulled.Digest != pushed.Digest || pulled.Dir != to || (pulled.Tag == "v1") != strings.HasSuffix(reference, ":v1") {
					t.Errorf("pulled %+v", pulled)
				}
				if diff := cmp.Diff(pushed.Files, pulled.Files); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(tree(t, dir), tree(t, to)); diff != "" {
					t.Error(diff)
				}
				if left, _ := filepath.Glob(filepath.Join(filepath.Dir(to), ".*")); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
			}
			compareReferrers(t, host, pushed)
		})
	}
}

// compareReferrers compares what the registry has attached to a release with what was
// pushed.
func compareReferrers(t *testing.T, host string, pushed oci.Pushed) {
	t.Helper()
	r := client(t, host, "kernels/demo")
	subject, err := r.Resolve(ctx, pushed.Digest.String())
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	err = r.Referrers(ctx, subject, "", func(page []ocispec.Descriptor) error {
		for _, d := range page {
			if !slices.Contains(pushed.Referrers, d.Digest) {
				t.Errorf("attached, but not pushed: %s", d.Digest)
			}
			data, err := content.FetchAll(ctx, r, d)
			if err != nil {
				return err
			}
			var m ocispec.Manifest
			if err := json.Unmarshal(data, &m); err != nil {
				return err
			}
			if m.Subject.Digest != pushed.Digest || len(m.Layers) != 1 || m.ArtifactType != m.Layers[0].MediaType {
				t.Errorf("attached: %s", data)
			}
			types = append(types, m.Layers[0].Annotations[ocispec.AnnotationTitle]+" "+m.ArtifactType)
		}
		return nil
	})
	slices.Sort(types)
	want := []string{"proof.json application/vnd.namibuild.proof.v1+json", "provenance.json application/vnd.dsse.envelope.v1+json",
		"sbom.cdx.json application/vnd.cyclonedx+json", "sbom.spdx.json application/spdx+json"}
	if diff := cmp.Diff(want, types); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
}

// TestManifest compares the manifests with a golden file, because programs that read them
// rely on their content.
func TestManifest(t *testing.T) {
	host := startMemory(t, true)
	pushed, err := oci.Push(ctx, smallRelease(t), host+"/demo", options())
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Tag != "" || len(tags(t, host, "demo")) != 0 {
		t.Errorf("tags %v of a push without one: %+v", tags(t, host, "demo"), pushed)
	}
	r := client(t, host, "demo")
	var got []byte
	for _, d := range append([]digest.Digest{pushed.Digest}, pushed.Referrers...) {
		desc, err := r.Resolve(ctx, d.String())
		if err != nil {
			t.Fatal(err)
		}
		data, err := content.FetchAll(ctx, r, desc)
		if err != nil {
			t.Fatal(err)
		}
		got = append(append(got, data...), '\n')
	}
	const golden = "testdata/manifests.json"
	if *update {
		put(t, ".", golden, string(got))
	}
	want, err := os.ReadFile(golden)
	if diff := cmp.Diff(string(want), string(got)); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
}

// TestTagMoves checks that a push moves a tag, and returns what the tag named before.
func TestTagMoves(t *testing.T) {
	host, dir := startMemory(t, true), smallRelease(t)
	first, err := oci.Push(ctx, dir, host+"/demo:latest", options())
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "bench.csv", "changed")
	second, err := oci.Push(ctx, dir, host+"/demo:latest", options())
	if err != nil || second.Replaced != first.Digest || second.Digest == first.Digest || second.Sent != int64(len("changed")) {
		t.Errorf("%v: %+v", err, second)
	}
	if pulled, err := oci.Pull(ctx, first.Reference, filepath.Join(t.TempDir(), "x"), options()); err != nil || pulled.Digest != first.Digest {
		t.Errorf("the first one: %v: %+v", err, pulled)
	}
}

// TestProgress checks that the progress of a push and a pull grows up to the total, and
// that what the registry has counts as done.
func TestProgress(t *testing.T) {
	host, dir := startMemory(t, true), smallRelease(t)
	put(t, dir, "RPMS/large.rpm", strings.Repeat("large", 1000000))
	for _, do := range []func(oci.Options) error{
		func(o oci.Options) error { _, err := oci.Push(ctx, dir, host+"/demo:v1", o); return err },
		func(o oci.Options) error { _, err := oci.Push(ctx, dir, host+"/demo:v1", o); return err },
		func(o oci.Options) error {
			_, err := oci.Pull(ctx, host+"/demo:v1", filepath.Join(t.TempDir(), "x"), o)
			return err
		},
	} {
		var seen []oci.Progress
		o := options()
		o.Tell = func(p oci.Progress) { seen = append(seen, p) }
		if err := do(o); err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(seen, func(a, b oci.Progress) int { return int(a.Done - b.Done) }) || len(seen) < 19 {
			t.Errorf("progress %v", seen)
		}
		var total int64
		for _, data := range tree(t, dir) {
			total += int64(len(data))
		}
		if last := seen[len(seen)-1]; last != (oci.Progress{Done: total, Total: total}) {
			t.Errorf("the last one is %+v, want %d", last, total)
		}
	}
}
