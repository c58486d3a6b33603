package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	memory "github.com/google/go-containerregistry/pkg/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"namibuild/builder/buildertest"
	"namibuild/builder/durable"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/event"
	"namibuild/builder/kerneltest"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

// fullSet builds a set that has every file which a set can have, beside a second lock and a
// file that is none of the set's.
func fullSet(t *testing.T) string {
	t.Helper()
	dir := buildertest.Locked(t, kerneltest.Page, func(o *buildertest.Options, f *enginetest.Fake) {
		o.SRPM = true
		f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
			made := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.namibuild.el6", Source: true})
			p.Topdir["SRPMS/kernel-2.6.32-431.3.1.namibuild.el6.src.rpm"] = &fstest.MapFile{Data: made, Mode: 0o644}
			return kerneltest.Rpmbuild(ctx, p)
		}
	})
	proven(t, dir)
	others := []string{"other.lock", "notes.txt", set.FailedLog}
	for _, row := range set.Table() {
		if row.Has(set.Published) && !strings.Contains(row.Pattern, "*") {
			others = append(others, row.Pattern)
		}
	}
	for _, name := range others {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pathsBelow returns the paths of all files below a folder, sorted.
func pathsBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// where returns the names whose row of set.Table passes.
func where(names []string, passes func(set.Row) bool) (some []string) {
	for _, name := range names {
		if row, ok := set.Lookup(name); ok && passes(row) {
			some = append(some, name)
		}
	}
	return some
}

// TestTable checks that everything which lists the files of a release covers what set.Table
// says: the release itself, SHA256SUMS, the page, the provenance, and the manifests in a registry.
func TestTable(t *testing.T) {
	built := fullSet(t)
	made := sure(Make(context.Background(), releaseOf(built, filepath.Join(t.TempDir(), "release"))))
	names := pathsBelow(t, made.Dir)
	for _, name := range names {
		if _, ok := set.Lookup(name); !ok {
			t.Errorf("set.Table does not know %s", name)
		}
	}
	for _, row := range set.Table() {
		found := len(where(names, func(r set.Row) bool { return r.Pattern == row.Pattern })) > 0
		// the lists are compressed, and what a failed build leaves is not released
		if want := !row.Has(set.Left) && row.Pattern != set.Repodata+"/*.xml"; found != want {
			t.Errorf("the release has a file %s: %v, want %v", row.Pattern, found, want)
		}
	}
	for list, files := range map[string]struct{ got, want []string }{
		"SHA256SUMS": {summed(t, made.Dir), where(names, func(r set.Row) bool { return !r.Has(set.Unsummed) })},
		"the page":   {linked(t, made.Dir), where(names, func(r set.Row) bool { return r.About != "" })},
		"provenance": {byproducts(t, made), where(names, func(r set.Row) bool { return r.Has(set.Byproduct) })},
	} {
		if diff := cmp.Diff(files.want, files.got); diff != "" {
			t.Errorf("%s: -want +got\n%s", list, diff)
		}
	}
	layers, referrers := manifests(t, made.Dir)
	for _, name := range names {
		row, _ := set.Lookup(name)
		if layers[name] != row.MediaType {
			t.Errorf("%s has the media type %q in a registry, want %q", name, layers[name], row.MediaType)
		}
		if (referrers[name] == row.MediaType) != row.Has(set.Referrer) {
			t.Errorf("%s is attached as %q", name, referrers[name])
		}
	}
	if len(layers) != len(names) {
		t.Errorf("a registry has %d files, want %d", len(layers), len(names))
	}
	if v := sure(Verify(context.Background(), VerifyOptions{Dir: made.Dir})); v.Wrong() > 0 {
		t.Errorf("%+v", v.Findings)
	}
}

// summed returns the names in SHA256SUMS, sorted.
func summed(t *testing.T, dir string) (names []string) {
	for line := range strings.Lines(string(sure(os.ReadFile(filepath.Join(dir, set.SumsFile))))) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// linked returns the names in the page's list of files, sorted.
func linked(t *testing.T, dir string) (names []string) {
	_, list, _ := strings.Cut(string(sure(os.ReadFile(filepath.Join(dir, set.PageFile)))), "<h2>Files</h2>")
	for _, part := range strings.Split(list, `<dt><a href="`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// byproducts returns the names of the byproducts in the provenance, sorted.
func byproducts(t *testing.T, r Record) (names []string) {
	envelope := sure(os.ReadFile(filepath.Join(r.Dir, set.ProvenanceFile)))
	s := sure(VerifyProvenance(context.Background(), envelope, signers()[0].Key, r.RPMs))
	var page struct {
		Predicate struct {
			RunDetails struct{ Byproducts []struct{ Name string } }
		}
	}
	if err := json.Unmarshal(s.JSON(), &page); err != nil {
		t.Fatal(err)
	}
	for _, b := range page.Predicate.RunDetails.Byproducts {
		if !strings.HasSuffix(b.Name, ", not signed") { // a package as it was built
			names = append(names, b.Name)
		}
	}
	slices.Sort(names)
	return names
}

// startRegistry serves a registry in memory, and returns its host and the manifests that
// it was sent.
func startRegistry(t *testing.T) (host string, sent *[]ocispec.Manifest) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	sent = &[]ocispec.Manifest{}
	registry := memory.New(memory.Logger(log.New(io.Discard, "", 0)), memory.WithReferrersSupport(true))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			data := sure(io.ReadAll(r.Body))
			r.Body = io.NopCloser(strings.NewReader(string(data)))
			var m ocispec.Manifest
			if err := json.Unmarshal(data, &m); err != nil {
				t.Error(err)
			}
			*sent = append(*sent, m)
		}
		registry.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), sent
}

// manifests pushes a release, and returns the media types of the files in its manifest,
// and the artifact types of the manifests that refer to it, both by path.
func manifests(t *testing.T, dir string) (layers, referrers map[string]string) {
	t.Helper()
	host, sent := startRegistry(t)
	sure(Push(context.Background(), dir, host+"/kernel:v1", RegistryOptions{PlainHTTP: true}))
	layers, referrers = map[string]string{}, map[string]string{}
	for _, m := range *sent {
		for _, l := range m.Layers {
			name := l.Annotations[ocispec.AnnotationTitle]
			if m.Subject == nil {
				layers[name] = l.MediaType
			} else {
				referrers[name] = m.ArtifactType
			}
		}
	}
	return layers, referrers
}

// TestSignMeetsRelease checks that Sign into the folder of a running Make is refused, and
// that the running one is not disturbed.
func TestSignMeetsRelease(t *testing.T) {
	o := releaseOf(proven(t, lockedSet(t)), filepath.Join(t.TempDir(), "release"))
	tried := false
	o.Tell = func(e event.Event) {
		if e.Kind == event.Begin && e.Step == event.SBOM { // the packages are signed
			tried = true
			_, err := Sign(context.Background(), SignOptions{Set: o.Set, Output: o.Output, Key: o.Key})
			if !errors.As(err, new(*durable.BusyError)) {
				t.Errorf("got %v", err)
			}
		}
	}
	if _, err := Make(context.Background(), o); err != nil || !tried {
		t.Fatal(err)
	}
	v, err := Verify(context.Background(), VerifyOptions{Dir: o.Output})
	if err != nil || v.Wrong() > 0 {
		t.Errorf("%+v, %v", v.Findings, err)
	}
}

// TestForms checks that Verify reports a record of another form.
func TestForms(t *testing.T) {
	o := releaseOf(proven(t, lockedSet(t)), filepath.Join(t.TempDir(), "release"))
	sure(Make(context.Background(), o))
	for file, finding := range map[string]string{set.ReleaseFile: "release", set.RecordFile: "build", set.ProofFile: "proof"} {
		name := filepath.Join(o.Output, file)
		before := string(sure(os.ReadFile(name)))
		for form, why := range map[int]string{2: "a newer namibuild made it", 0: "an earlier version of namibuild made it"} {
			after := strings.Replace(before, `"form": 1`, fmt.Sprintf(`"form": %d`, form), 1)
			if after == before {
				t.Fatalf("%s has no form", file)
			}
			if err := os.WriteFile(name, []byte(after), 0o666); err != nil {
				t.Fatal(err)
			}
			v := sure(Verify(context.Background(), VerifyOptions{Dir: o.Output}))
			i := slices.IndexFunc(v.Findings, func(f Finding) bool { return f.Name == finding })
			want := fmt.Sprintf("%s has form %d, this namibuild reads form 1: %s", file, form, why)
			if i < 0 || v.Findings[i].Passed || !strings.Contains(v.Findings[i].Text, want) {
				t.Errorf("%s of form %d: %+v\nwant %s", file, form, v.Findings, want)
			}
		}
		if err := os.WriteFile(name, []byte(before), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNilTell checks that every function that takes a Sink works without one.
func TestNilTell(t *testing.T) {
	ctx, top, key := context.Background(), t.TempDir(), signers()[0]
	host, _ := startRegistry(t)
	registry := RegistryOptions{PlainHTTP: true}
	built := proven(t, lockedSet(t))
	made := sure(Make(ctx, releaseOf(built, filepath.Join(top, "release")))) // with warnings
	sure(Sign(ctx, SignOptions{Set: built, Output: filepath.Join(top, "signed"), Key: key}))
	sure(Verify(ctx, VerifyOptions{Dir: made.Dir}))
	sure(Push(ctx, made.Dir, host+"/kernel:v1", registry))
	pulled := sure(Pull(ctx, host+"/kernel:v1", filepath.Join(top, "pulled"), PullOptions{RegistryOptions: registry, AnyKey: true}))
	if pulled.Verification == nil || pulled.Verification.Wrong() > 0 {
		t.Errorf("%+v", pulled.Verification)
	}
}
