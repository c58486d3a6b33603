package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"namibuild/builder/pgp"
	"namibuild/builder/set"
)

// mutation is one change of a release by somebody who does not have the key.
type mutation struct {
	name   string
	change func(dir string) error
	// want is in the text of a finding that did not pass, if nothing else was changed.
	want string
	// inPackage says that the change makes a package wrong, so that it is also found
	// without the records, and with VerifyOptions.PackagesOnly.
	inPackage bool
}

// victims are the folders that the mutations are made of: a release that has every file,
// the set it was made from, an older release by the same key, and the packages of the set
// signed by another key.
type victims struct{ release, built, older, forged string }

func newVictims(t *testing.T) victims {
	t.Helper()
	top := t.TempDir()
	v := victims{filepath.Join(top, "release"), fullSet(t), filepath.Join(top, "older"), filepath.Join(top, "forged")}
	sure(Make(context.Background(), releaseOf(v.built, v.release)))
	older := releaseOf(proven(t, otherSet(t)), v.older)
	older.Unlocked = true
	sure(Make(context.Background(), older))
	sure(Sign(context.Background(), SignOptions{Set: v.built, Output: v.forged, Key: signers()[1]}))
	return v
}

// publisher returns the public key of the releases.
func publisher() *pgp.Key {
	key := signers()[0].Key
	return &key
}

// mutations returns all rows of the table.
func (v victims) mutations(t *testing.T) (all []mutation) {
	for _, name := range pathsBelow(t, v.release) {
		all = append(all, v.ofFile(t, name)...)
		if row, _ := set.Lookup(name); row.Package() {
			all = append(all, v.ofPackage(name)...)
		}
	}
	return append(all, v.additions(t)...)
}

// ofFile returns the mutations of one file.
func (v victims) ofFile(t *testing.T, name string) []mutation {
	in := func(do func(file string) error) func(string) error {
		return func(dir string) error { return do(filepath.Join(dir, filepath.FromSlash(name))) }
	}
	row, _ := set.Lookup(name)
	missing, changed := name+" is missing", name+": sha256 got"
	if row.Has(set.Unsummed) {
		changed = set.SumsFile + ": "
	}
	special := func(make func(file string) error) func(string) error {
		return in(func(file string) error { return errors.Join(os.Remove(file), make(file)) })
	}
	all := []mutation{
		{"removed", in(os.Remove), missing, false},
		{"emptied", in(func(file string) error { return os.WriteFile(file, nil, 0o666) }), changed, row.Package()},
		{"cut off", in(func(file string) error {
			data := sure(os.ReadFile(file))
			return os.WriteFile(file, data[:len(data)/2], 0o666)
		}), changed, row.Package()},
		{"a byte", in(func(file string) error { return flipAt(file, 2) }), changed, row.Package()},
		{"renamed", in(func(file string) error { return os.Rename(file, file+".old") }), missing, false},
		{"a link out of the folder", special(func(file string) error {
			return os.Symlink(filepath.Join(v.release, filepath.FromSlash(name)), file)
		}), name + " is a symbolic link", true},
		{"a link inside of the folder", in(func(file string) error {
			return errors.Join(os.Rename(file, file+".old"), os.Symlink(filepath.Base(file)+".old", file))
		}), name + " is a symbolic link", true},
		{"a FIFO", special(func(file string) error { return syscall.Mkfifo(file, 0o666) }), name + " is a FIFO", true},
		{"a folder", special(func(file string) error {
			return errors.Join(os.Mkdir(file, 0o777), os.WriteFile(filepath.Join(file, "x"), nil, 0o666))
		}), missing, false},
	}
	if older := v.olderFile(t, name, row); older != nil {
		all = append(all, mutation{"of an older release", in(func(file string) error { return os.WriteFile(file, older, 0o666) }), changed, false})
	}
	for i := range all {
		all[i].name = name + ": " + all[i].name
		if len(sure(os.ReadFile(filepath.Join(v.release, filepath.FromSlash(name))))) == 0 {
			t.Fatalf("%s is empty", name)
		}
	}
	return all
}

// olderFile returns the file of the older release with the row of name, if it differs.
func (v victims) olderFile(t *testing.T, name string, row set.Row) []byte {
	data := sure(os.ReadFile(filepath.Join(v.release, filepath.FromSlash(name))))
	for _, other := range pathsBelow(t, v.older) {
		of, _ := set.Lookup(other)
		if older := sure(os.ReadFile(filepath.Join(v.older, filepath.FromSlash(other)))); of.Pattern == row.Pattern && !bytes.Equal(data, older) {
			return older
		}
	}
	return nil
}

// ofPackage returns the mutations of a package, beside those of every file.
func (v victims) ofPackage(name string) []mutation {
	var all []mutation
	changed := name + ": sha256 got"
	add := func(what string, do func(file string) error, want string) {
		all = append(all, mutation{name + ": " + what, func(dir string) error { return do(filepath.Join(dir, filepath.FromSlash(name))) }, want, true})
	}
	size := int(sure(os.Stat(filepath.Join(v.release, filepath.FromSlash(name)))).Size())
	for _, tenths := range []int{0, 1, 3, 5, 7, 9} { // lead, signatures, header, payload
		add(fmt.Sprintf("a bit at %d/10", tenths), func(file string) error { return flipAt(file, 100+(size-101)*tenths/10) }, changed)
	}
	add("the last bit", func(file string) error { return flipAt(file, size-1) }, changed)
	add("a byte more", func(file string) error { return os.WriteFile(file, append(sure(os.ReadFile(file)), 0), 0o666) }, changed)
	from := func(path string) func(string) error {
		return func(file string) error { return os.WriteFile(file, sure(os.ReadFile(path)), 0o666) }
	}
	add("not signed", from(filepath.Join(v.built, filepath.FromSlash(name))), "package is not signed")
	if path.Dir(name) == set.RPMS {
		add("signed by another key", from(filepath.Join(v.forged, path.Base(name))), "package is signed by another key")
	}
	return all
}

// additions returns the mutations that add files, and those of several files.
func (v victims) additions(t *testing.T) []mutation {
	write := func(name string, data []byte) func(string) error {
		return func(dir string) error {
			file := filepath.Join(dir, filepath.FromSlash(name))
			return errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, data, 0o666))
		}
	}
	var all []mutation
	for _, name := range []string{"install.sh", ".hidden", "RPMS/.hidden", ".hidden/x", "repodata/.x", "RPMS/notes", "SRPMS/notes", "notes/x", "signing.key", "failed.log",
		"SHA256SUMS.asc.asc", "RPMS/sub/x", "sub/build.json", "a\nb", "é.txt", "build.json ", "BUILD.JSON"} {
		all = append(all, mutation{name: fmt.Sprintf("one more file %q", name), change: write(name, []byte("x\n")), want: name + " is not a file of a release"})
	}
	for _, name := range []string{"two.repo", "RPM-GPG-KEY-two", "two.lock", "bench.png.lock", "repodata/two.xml", "repodata/two.xml.gz", "repodata/two.asc"} {
		all = append(all, mutation{name: "one more file " + name, change: write(name, []byte("x\n")), want: name + " is not in SHA256SUMS"})
	}
	rpm := path.Base(where(pathsBelow(t, v.release), set.Row.Package)[0])
	for kind, data := range map[string][]byte{
		"not signed": sure(os.ReadFile(filepath.Join(v.built, set.RPMS, rpm))), "signed by another key": sure(os.ReadFile(filepath.Join(v.forged, rpm))), "none": []byte("no package"),
	} {
		for _, name := range []string{"RPMS/more.rpm", "SRPMS/more.src.rpm"} {
			all = append(all, mutation{"one more package " + name + ", " + kind, write(name, data), name + " is not in SHA256SUMS", true})
		}
		for _, name := range []string{"more.rpm", ".more.rpm", "RPMS/sub/more.rpm", "repodata/more.rpm", "sub/more.rpm", "RPMS/.more.rpm"} {
			all = append(all, mutation{"one more package " + name + ", " + kind, write(name, data), name + " is not ", true})
		}
	}
	repo := string(sure(os.ReadFile(filepath.Join(v.release, "timewait.repo"))))
	for old, fresh := range map[string]string{"\ngpgcheck=1": "\ngpgcheck=0", "repo_gpgcheck=1": "repo_gpgcheck=0", "RPM-GPG-KEY-timewait": "RPM-GPG-KEY-evil",
		"enabled=1": "enabled=1\ngpgcheck=0", "[timewait]": "[evil]\ngpgcheck=1\n[timewait]"} {
		if !strings.Contains(repo, old) {
			t.Fatalf("the .repo file lacks %q", old)
		}
		all = append(all, mutation{name: ".repo with " + fresh, change: write("timewait.repo", []byte(strings.Replace(repo, old, fresh, 1))), want: "timewait.repo "})
	}
	other := sure(signers()[1].Public())
	return append(all,
		mutation{name: "another public key", change: write("RPM-GPG-KEY-timewait", other), want: "which is not the trusted one"},
		mutation{name: "no folder " + set.Repodata, change: func(dir string) error { return os.RemoveAll(filepath.Join(dir, set.Repodata)) }, want: "repodata/repomd.xml is missing"},
		mutation{name: "no folder " + set.SRPMS, change: func(dir string) error { return os.RemoveAll(filepath.Join(dir, set.SRPMS)) }, want: "src.rpm is missing"},
		mutation{name: "folder " + set.RPMS + " is a link", change: func(dir string) error {
			rpms := filepath.Join(dir, set.RPMS)
			return errors.Join(os.RemoveAll(rpms), os.Symlink(filepath.Join(v.release, set.RPMS), rpms))
		}, want: set.RPMS + " is a symbolic link", inPackage: true},
		mutation{name: "all that the audit removed and forged", change: func(dir string) error {
			for _, name := range []string{set.ReleaseFile, set.SumsFile, set.SumsFile + set.SignatureEnd, set.ProofFile, set.RecordFile, set.PageFile} {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					return err
				}
			}
			return errors.Join(write("timewait.repo", []byte(strings.ReplaceAll(repo, "gpgcheck=1", "gpgcheck=0")))(dir), write("RPM-GPG-KEY-timewait", other)(dir))
		}, want: "this is not a release: "},
	)
}

// flipAt changes a bit of a file, at an offset or in the last byte.
func flipAt(file string, offset int) error {
	data := sure(os.ReadFile(file))
	data[min(offset, len(data)-1)] ^= 4
	return os.WriteFile(file, data, 0o666)
}

// recordStates are what becomes of the records after a mutation, one after the other. An
// attacker without the key can leave them, write them again and sign with a key of his own,
// or remove them.
var recordStates = []struct {
	name   string
	change func(dir string) error
}{
	{"left", func(string) error { return nil }},
	{"written again", func(dir string) error {
		for _, name := range []string{set.SumsFile, set.SumsFile + set.SignatureEnd} {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
		page, err := set.Sums(dir, func(string) (int64, string, bool) { return 0, "", false })
		if special := (*set.IrregularError)(nil); errors.As(err, &special) {
			return nil // nothing is signed
		}
		if err != nil {
			return err
		}
		signature, err := signers()[1].Detached(context.Background(), bytes.NewReader(page), time.Unix(1600000000, 0))
		return errors.Join(err, os.WriteFile(filepath.Join(dir, set.SumsFile), page, 0o666), os.WriteFile(filepath.Join(dir, set.SumsFile+set.SignatureEnd), signature, 0o666))
	}},
	{"removed", func(dir string) error {
		for _, name := range []string{set.SumsFile, set.SumsFile + set.SignatureEnd, set.ReleaseFile, set.RecordFile, set.ProofFile, set.ProvenanceFile, set.SPDXFile, set.CycloneDXFile, set.Repodata} {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
		return nil
	}},
}

// TestMutations checks that Verify finds every change that somebody without the key makes
// in a release, whether he leaves the records, removes them, or writes them again.
func TestMutations(t *testing.T) {
	v := newVictims(t)
	rows := v.mutations(t)
	if len(rows) < 150 {
		t.Errorf("%d rows, want 150 or more", len(rows))
	}
	for _, m := range rows {
		t.Run(m.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "release")
			if err := errors.Join(os.CopyFS(dir, os.DirFS(v.release)), m.change(dir)); err != nil {
				t.Fatal(err)
			}
			mustFind(t, "left", VerifyOptions{Dir: filepath.Join(dir, set.RPMS)}, m.want)
			want := m.want
			for _, state := range recordStates {
				if err := state.change(dir); err != nil {
					t.Fatal(err)
				}
				mustFind(t, state.name, VerifyOptions{Dir: dir}, want)
				if m.inPackage {
					mustFindInPackages(t, state.name, dir, m)
				}
				want = "" // other findings come first
			}
		})
	}
}

// mustFind verifies a folder with the publisher's key. Something must be wrong, and the
// text of a finding must have the words of want. A folder that cannot be read is wrong, too.
func mustFind(t *testing.T, state string, o VerifyOptions, want string) {
	t.Helper()
	o.Certificate = publisher()
	v, err := Verify(context.Background(), o)
	if err != nil {
		return // the folder has no package any more
	}
	for _, f := range v.Findings {
		if !f.Passed && strings.Contains(f.Text, want) {
			return
		}
	}
	t.Errorf("records %s: nothing wrong was found with the words %q: %+v", state, want, v)
}

// mustFindInPackages checks that a wrong package is found in a folder without records,
// unless the mutation is about another file.
func mustFindInPackages(t *testing.T, state, dir string, m mutation) {
	t.Helper()
	name, _, _ := strings.Cut(m.name, ": ")
	row, _ := set.Lookup(name)
	about := row.Package() || strings.HasPrefix(m.name, "one more package") || strings.HasPrefix(m.name, "folder")
	if state == "removed" && (!about || strings.Contains(m.name, set.Repodata)) {
		return // the mutated file was removed
	}
	mustFind(t, state+", only packages", VerifyOptions{Dir: dir, PackagesOnly: true}, "")
}

// TestHonestUsers checks that Verify finds nothing wrong after what users do with a
// release.
func TestHonestUsers(t *testing.T) {
	v := newVictims(t)
	elsewhere := t.TempDir()
	walk := func(do func(path string) error) func(string) (string, error) {
		return func(dir string) (string, error) {
			err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error { return errors.Join(err, do(path)) })
			return dir, err
		}
	}
	as := func(suffix string) func(string) (string, error) {
		return func(dir string) (string, error) { return dir + suffix, nil }
	}
	for name, change := range map[string]func(dir string) (string, error){
		"nothing":        as(""),
		"trailing slash": as("/"), "two slashes": as("//"), "its packages": as("/" + set.RPMS), "its packages, slash": as("/" + set.RPMS + "/"),
		"dots":     as("/repodata/../."),
		"moved":    func(dir string) (string, error) { return dir + "-2", os.Rename(dir, dir+"-2") },
		"copied":   func(dir string) (string, error) { return dir + "-2", os.CopyFS(dir+"-2", os.DirFS(dir)) },
		"odd name": func(dir string) (string, error) { return dir + " [é]*", os.Rename(dir, dir+" [é]*") },
		"other umask": walk(func(path string) error {
			if info := sure(os.Stat(path)); info.IsDir() {
				return os.Chmod(path, 0o700)
			}
			return os.Chmod(path, 0o600)
		}),
		"executable":  walk(func(path string) error { return os.Chmod(path, 0o777) }),
		"other times": walk(func(path string) error { return os.Chtimes(path, time.Now(), time.Unix(1, 0)) }),
		"read-only": walk(func(path string) error {
			if info := sure(os.Stat(path)); info.IsDir() {
				return os.Chmod(path, 0o555)
			}
			return os.Chmod(path, 0o444)
		}),
		"relative, with ..": func(dir string) (string, error) {
			t.Chdir(filepath.Join(dir, set.RPMS))
			return "../../" + filepath.Base(dir), nil
		},
		"here":          func(dir string) (string, error) { t.Chdir(dir); return ".", nil },
		"from packages": func(dir string) (string, error) { t.Chdir(filepath.Join(dir, set.RPMS)); return ".", nil },
		"a link to it":  func(dir string) (string, error) { return dir + "-link", os.Symlink(dir, dir+"-link") },
		"a link above it": func(dir string) (string, error) {
			link := filepath.Join(elsewhere, "above")
			return filepath.Join(link, filepath.Base(dir)), os.Symlink(filepath.Dir(dir), link)
		},
		"an empty folder": func(dir string) (string, error) { return dir, os.Mkdir(filepath.Join(dir, "empty"), 0o777) },
		"older release":   func(string) (string, error) { return v.older, nil },
		"unproven": func(dir string) (string, error) {
			o := releaseOf(lockedSet(t), dir+"-2")
			o.Unproven = true
			_, err := Make(context.Background(), o)
			return o.Output, err
		},
		"hard links": func(dir string) (string, error) {
			err := errors.Join(os.Mkdir(dir+"-2", 0o777), os.Mkdir(dir+"-2/RPMS", 0o777), os.Mkdir(dir+"-2/SRPMS", 0o777), os.Mkdir(dir+"-2/repodata", 0o777))
			for _, name := range pathsBelow(t, dir) {
				err = errors.Join(err, os.Link(filepath.Join(dir, name), filepath.Join(dir+"-2", name)))
			}
			return dir + "-2", err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "release")
			if err := os.CopyFS(dir, os.DirFS(v.release)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { // only root can remove the files of a read-only folder
				filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
					if err == nil && d.IsDir() {
						os.Chmod(path, 0o755)
					}
					return nil
				})
			})
			path, err := change(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, packagesOnly := range []bool{false, true} {
				got, err := Verify(context.Background(), VerifyOptions{Dir: path, Certificate: publisher(), PackagesOnly: packagesOnly})
				if err != nil || got.Wrong() > 0 || !got.Complete || got.Kind != set.Release {
					t.Errorf("%v: %+v", err, got)
				}
			}
		})
	}
}

// TestPackagesOnly checks that bare sets and folders of packages pass only with
// PackagesOnly, and that a set without a signature never does.
func TestPackagesOnly(t *testing.T) {
	v := newVictims(t)
	signed := filepath.Join(t.TempDir(), "signed")
	sure(Sign(context.Background(), SignOptions{Set: v.built, Output: signed, Key: signers()[0]}))
	for _, test := range []struct {
		dir  string
		only bool
		pass bool
	}{{signed, true, true}, {signed, false, false}, {v.built, true, false}, {v.built, false, false}, {v.forged, true, false}} {
		got, err := Verify(context.Background(), VerifyOptions{Dir: test.dir, Certificate: publisher(), PackagesOnly: test.only})
		if err != nil || (got.Wrong() == 0) != test.pass || got.Complete == test.only {
			t.Errorf("%s, %v: %v %+v", test.dir, test.only, err, got)
		}
	}
}

// TestManifestMutations checks that Pull refuses every change that a registry, which does
// not have the key, makes in the manifest of a release.
func TestManifestMutations(t *testing.T) {
	v := newVictims(t)
	host, sent := startRegistry(t)
	ctx, registry := context.Background(), RegistryOptions{PlainHTTP: true}
	sure(Push(ctx, v.older, host+"/kernel:older", registry))
	older := mainManifest(*sent)
	*sent = nil
	sure(Push(ctx, v.release, host+"/kernel:v1", registry))
	honest := mainManifest(*sent)
	extra := putBlob(t, host, []byte("#!/bin/sh\n"))
	layers := func(change func([]ocispec.Descriptor) []ocispec.Descriptor) func(*ocispec.Manifest) {
		return func(m *ocispec.Manifest) { m.Layers = change(m.Layers) }
	}
	titled := func(title string) func(*ocispec.Manifest) {
		return layers(func(l []ocispec.Descriptor) []ocispec.Descriptor {
			extra.Annotations = map[string]string{ocispec.AnnotationTitle: title}
			return append(l, extra)
		})
	}
	rows := map[string]func(*ocispec.Manifest){
		"no layers":             func(m *ocispec.Manifest) { m.Layers = nil },
		"another artifact type": func(m *ocispec.Manifest) { m.ArtifactType = "application/x" },
		"a layer twice":         layers(func(l []ocispec.Descriptor) []ocispec.Descriptor { return append(l, l[0]) }),
		"a larger size":         func(m *ocispec.Manifest) { m.Layers[0].Size++ },
		"a negative size":       func(m *ocispec.Manifest) { m.Layers[0].Size = -1 },
		"a bad digest":          func(m *ocispec.Manifest) { m.Layers[0].Digest = "sha256:../../x" },
		"a missing blob":        func(m *ocispec.Manifest) { m.Layers[0].Digest = digest.FromString("none") },
		"no titles":             func(m *ocispec.Manifest) { m.Layers[0].Annotations = nil },
		"two layers swapped":    func(m *ocispec.Manifest) { swapContent(m.Layers, 0, 1) },
	}
	for _, title := range []string{"install.sh", ".bashrc", "../evil", "/etc/evil", "RPMS/../../evil", "RPMS/sub/evil.rpm", "RPMS/evil.rpm", "SRPMS/evil.src.rpm", "evil.rpm", "evil.repo",
		"RPM-GPG-KEY-evil", "bench.html", "failed.log", "RPMS", "a\x1b[2J.rpm", `a\b`, "repodata/x.xml", "evil.lock", ""} {
		rows[fmt.Sprintf("one more file %q", title)] = titled(title)
	}
	for i, l := range honest.Layers {
		title := l.Annotations[ocispec.AnnotationTitle]
		rows["without "+title] = layers(func(l []ocispec.Descriptor) []ocispec.Descriptor { return append(l[:i:i], l[i+1:]...) })
		rows["other content for "+title] = func(m *ocispec.Manifest) { m.Layers[i].Digest, m.Layers[i].Size = extra.Digest, extra.Size }
		for _, o := range older.Layers {
			if o.Annotations[ocispec.AnnotationTitle] == title && o.Digest != l.Digest {
				rows["older "+title] = func(m *ocispec.Manifest) { m.Layers[i] = o }
			}
		}
	}
	if len(rows) < 50 {
		t.Errorf("%d rows", len(rows))
	}
	pull := func(t *testing.T, m ocispec.Manifest) error {
		putManifest(t, host, m)
		dir := filepath.Join(t.TempDir(), "pulled")
		p, err := Pull(ctx, host+"/kernel:changed", dir, PullOptions{RegistryOptions: registry, Certificate: publisher()})
		if _, exists := os.Stat(dir); (err == nil) != (exists == nil) {
			t.Errorf("after %v the folder exists: %v", err, exists)
		}
		if err == nil && (p.Trust != TrustKey || p.Key != signers()[0].Fingerprint || p.Verification.Kind != set.Release) {
			t.Errorf("pulled %+v", p)
		}
		return err
	}
	if err := pull(t, clone(honest)); err != nil {
		t.Fatalf("the honest manifest: %v", err)
	}
	for name, change := range rows {
		t.Run(name, func(t *testing.T) {
			m := clone(honest)
			change(&m)
			if err := pull(t, m); err == nil {
				t.Error("it was pulled")
			}
		})
	}
	if _, err := Pull(ctx, host+"/kernel:v1", filepath.Join(t.TempDir(), "x"), PullOptions{RegistryOptions: registry}); !errors.As(err, new(*NoKeyError)) {
		t.Errorf("without a word: %v", err)
	}
}

// swapContent exchanges the content of two layers.
func swapContent(l []ocispec.Descriptor, i, j int) {
	l[i].Digest, l[j].Digest, l[i].Size, l[j].Size = l[j].Digest, l[i].Digest, l[j].Size, l[i].Size
}

// mainManifest returns the manifest of the release among those that were sent.
func mainManifest(sent []ocispec.Manifest) ocispec.Manifest {
	for _, m := range sent {
		if m.Subject == nil {
			return m
		}
	}
	panic("no manifest was sent")
}

// clone returns a deep copy of a manifest.
func clone(m ocispec.Manifest) (c ocispec.Manifest) {
	if err := json.Unmarshal(sure(json.Marshal(m)), &c); err != nil {
		panic(err)
	}
	return c
}

// putBlob sends a blob to the registry.
func putBlob(t *testing.T, host string, data []byte) ocispec.Descriptor {
	t.Helper()
	d := ocispec.Descriptor{MediaType: "text/plain", Digest: digest.FromBytes(data), Size: int64(len(data))}
	send(t, http.MethodPost, "http://"+host+"/v2/kernel/blobs/uploads/?digest="+d.Digest.String(), "application/octet-stream", data)
	return d
}

// putManifest gives a manifest the tag changed.
func putManifest(t *testing.T, host string, m ocispec.Manifest) {
	t.Helper()
	send(t, http.MethodPut, "http://"+host+"/v2/kernel/manifests/changed", ocispec.MediaTypeImageManifest, sure(json.Marshal(m)))
}

func send(t *testing.T, method, url, mediaType string, data []byte) {
	t.Helper()
	r := sure(http.NewRequest(method, url, bytes.NewReader(data)))
	r.Header.Set("Content-Type", mediaType)
	answer := sure(http.DefaultClient.Do(r))
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s", method, url, answer.Status, sure(io.ReadAll(answer.Body)))
	}
}
