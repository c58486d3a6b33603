package builder

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/event"
	"namibuild/builder/kerneltest"
	"namibuild/builder/modkey"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

// withKey is setup with a persistent module key. It also returns the text of the key's file.
func withKey(t *testing.T) (Options, *enginetest.Fake, *[]event.Event, string) {
	t.Helper()
	o, f, events := setup(t)
	file := filepath.Join(t.TempDir(), "my.key")
	k, err := modkey.New(rand.Reader, modkey.OpenPGP, "test")
	if err != nil {
		t.Fatal(err)
	}
	text, err := k.Text()
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	o.Recipe.ModuleKey = recipe.ModuleKey{Mode: recipe.KeyPersistent, File: file}
	return o, f, events, string(text)
}

// moduleDigest is the digest that the fake build asks a signature of.
const moduleDigest = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

// TestBuildWithModuleKey checks that a persistent key signs, and that the signatures that it
// has made replace the key in the next build.
func TestBuildWithModuleKey(t *testing.T) {
	o, f, _, _ := withKey(t)
	var answers []string
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		answers = append(answers, p.Spec.Relay.Answer("7 public")+" "+p.Spec.Relay.Answer("8 sign "+moduleDigest))
		return kerneltest.Rpmbuild(ctx, p)
	}
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(o.Output, set.SignaturesFile))
	if err != nil || res.Signatures != 1 || res.Plan.ModuleKey.Mode != "persistent" {
		t.Errorf("%v, %d signatures, %+v", err, res.Signatures, res.Plan.ModuleKey)
	}
	if cmd := f.Specs()[0].Relay.Command; len(cmd) != 1 || cmd[0] != "/usr/lib/namibuild/modkey/relay.sh" {
		t.Errorf("the relay is %v", cmd)
	}
	if err := os.Remove(o.Recipe.ModuleKey.File); err != nil {
		t.Fatal(err)
	}
	o.Recipe.ModuleKey = recipe.ModuleKey{Mode: recipe.KeyRecorded, File: "s.json", Content: table}
	again, err := Build(context.Background(), o)
	if err != nil || answers[0] != answers[1] || again.Plan.ModuleKey.Fingerprint != res.Plan.ModuleKey.Fingerprint {
		t.Errorf("%v\n%s", err, strings.Join(answers, "\n"))
	}
	if _, err := os.Stat(filepath.Join(o.Output, set.SignaturesFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("signatures of the build before lie beside these packages: %v", err)
	}
}

// TestBuildWithUnusedModuleKey checks that a build warns if the module key was not used.
func TestBuildWithUnusedModuleKey(t *testing.T) {
	o, _, events, _ := withKey(t)
	if _, err := Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	for _, e := range *events {
		if e.Kind == event.Warning && strings.Contains(e.Text, "no module was signed") {
			return
		}
	}
	t.Error("no warning that the key was not used")
}

// TestBuildWithModuleKeyOfOtherKind checks that a kernel that needs a key of another kind ends
// the build, with the reason.
func TestBuildWithModuleKeyOfOtherKind(t *testing.T) {
	o, f, _, _ := withKey(t)
	f.Program = func(_ context.Context, p *enginetest.Process) engine.Exit {
		p.Spec.Relay.Answer("7 certificate")
		return engine.Exit{Code: 1}
	}
	_, err := Build(context.Background(), o)
	key := (*ModuleKeyError)(nil)
	if !errors.As(err, &key) || !strings.HasSuffix(err.Error(), "this kernel signs its modules by X.509, and the module key is one for kernels that sign with gpg") {
		t.Errorf("got %v", err)
	}
}

// TestBuildLeaksModuleKey checks that nothing is published if the log has the private half.
func TestBuildLeaksModuleKey(t *testing.T) {
	o, f, _, text := withKey(t)
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		fmt.Fprintln(p.Log, strings.ReplaceAll(text, "\n", ""))
		return kerneltest.Rpmbuild(ctx, p)
	}
	_, err := Build(context.Background(), o)
	if leak := (*modkey.LeakError)(nil); !errors.As(err, &leak) || leak.Where != "the log" {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(o.Output, set.RPMS)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("packages were published: %v", err)
	}
}

// TestBuildLeaksPackedModuleKey checks that the private half is found in a compressed module of
// a package, and in a compressed source of the recipe.
func TestBuildLeaksPackedModuleKey(t *testing.T) {
	o, f, _, text := withKey(t)
	packed := packedText(t, "\x7fELF "+strings.ReplaceAll(text, "\n", ""))
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		exit := kerneltest.Rpmbuild(ctx, p)
		for name := range p.Topdir {
			if strings.HasPrefix(name, "RPMS/") {
				kernel := kerneltest.Package("431.3.1.namibuild")
				kernel.Files[0] = rpmtest.File{Path: "/lib/modules/1/a.ko.gz", Content: packed, Mode: 0o100644}
				p.Topdir[name].Data = rpmtest.Build(kernel)
			}
		}
		return exit
	}
	_, err := Build(context.Background(), o)
	if leak := (*modkey.LeakError)(nil); !errors.As(err, &leak) || !strings.HasPrefix(leak.Where, "./lib/modules/1/a.ko.gz of kernel-") || !strings.HasSuffix(leak.Where, ".rpm, unpacked") {
		t.Errorf("got %v", err)
	}
	f.Program = kerneltest.Rpmbuild
	o.Recipe.Sources = append(o.Recipe.Sources, recipe.Added{File: "keys.gz", As: "keys.gz", Content: []byte(packed)})
	_, err = Build(context.Background(), o)
	if leak := (*modkey.LeakError)(nil); !errors.As(err, &leak) || leak.Where != "keys.gz, unpacked" {
		t.Errorf("got %v", err)
	}
}

// packedText returns a text as gzip packs it.
func packedText(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil || w.Close() != nil {
		t.Fatal("packing")
	}
	return b.String()
}

// TestModuleKeyFaults checks the errors of a module key that cannot be used.
func TestModuleKeyFaults(t *testing.T) {
	o, _, _, _ := withKey(t)
	file := o.Recipe.ModuleKey.File
	steps := []struct {
		want   string
		change func() error
	}{
		{"want 0600", func() error { return os.Chmod(file, 0o640) }},
		{"neither an armored OpenPGP key nor", func() error { return errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, []byte("x"), 0o600)) }},
		{"no such file", func() error { return os.Remove(file) }},
		{"s.json: reading the module signatures: unexpected EOF", func() error {
			o.Recipe.ModuleKey = recipe.ModuleKey{Mode: recipe.KeyRecorded, File: "s.json", Content: []byte("{")}
			return nil
		}},
	}
	for _, step := range steps {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		_, err := Build(context.Background(), o)
		if key := (*ModuleKeyError)(nil); !errors.As(err, &key) || !strings.Contains(err.Error(), step.want) {
			t.Errorf("got %v, want %s", err, step.want)
		}
	}
}
