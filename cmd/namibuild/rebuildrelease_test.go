//go:build !e2e

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"namibuild/builder"
	"namibuild/builder/boot"
	"namibuild/builder/buildertest"
	"namibuild/builder/compare"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/kerneltest"
	"namibuild/builder/modkey"
	"namibuild/builder/pgp"
	"namibuild/builder/recipe"
	"namibuild/builder/release"
	"namibuild/builder/set"
	"namibuild/builder/sign"
)

// TestRebuildARelease shows that a signed release can be built again from what is in it: the
// signatures of its modules replace their key.
func TestRebuildARelease(t *testing.T) {
	o := keyedBuild(t)
	made := releaseOf(t, &o)
	o.Output = filepath.Join(t.TempDir(), "rebuilt")
	if err := os.Remove(o.Recipe.ModuleKey.File); err != nil {
		t.Fatal(err)
	}
	r, err := builder.Rebuild(t.Context(), o, made)
	if err != nil || r.Verdict != compare.Identical || len(r.Grafts) != 1 || !r.Grafts[0].Equal || len(r.Pairs[0].LeftOut) != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
	if err := os.Remove(filepath.Join(made, set.SignaturesFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := builder.Rebuild(t.Context(), o, made); !errors.As(err, new(*builder.ModuleKeyError)) {
		t.Errorf("without key and signatures: %v", err)
	}
}

// keyedBuild returns the options of a build that signs a module with a persistent key.
func keyedBuild(t *testing.T) builder.Options {
	t.Helper()
	o, f := buildertest.Setup(t)
	key, err := modkey.New(rand.Reader, modkey.OpenPGP, "test")
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.Text()
	if err != nil {
		t.Fatal(err)
	}
	o.Recipe.ModuleKey = recipe.ModuleKey{Mode: recipe.KeyPersistent, File: filepath.Join(t.TempDir(), "my.key")}
	if err := os.WriteFile(o.Recipe.ModuleKey.File, text, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		p.Spec.Relay.Answer("7 public")
		p.Spec.Relay.Answer("8 sign da39a3ee5e6b4b0d3255bfef95601890afd80709")
		return kerneltest.Rpmbuild(ctx, p)
	}
	return o
}

// releaseOf locks and builds, and makes a signed release of the result, in another folder.
func releaseOf(t *testing.T, o *builder.Options) (dir string) {
	t.Helper()
	l, err := builder.Lock(t.Context(), o.PlanOptions, "timewait.yaml", []byte(kerneltest.Page))
	if err != nil {
		t.Fatal(err)
	}
	o.Lock = &l
	built, err := builder.Build(t.Context(), *o)
	if err != nil {
		t.Fatal(err)
	}
	proof := boot.Proof{Passed: true, PlanID: built.PlanID, Kernel: boot.Kernel{Release: "2.6.32"}, Ending: boot.Reset, Packages: boot.PackagesOf(built.RPMs)}
	for _, c := range [][2]string{{"boot", "boots, answers, powers off"}, {"release", "2.6.32"}, {"/proc/version", "Linux version 2.6.32"}, {"console", "no panic, no oops, no warning"}} {
		proof.Checks = append(proof.Checks, boot.Check{Name: c[0], Want: c[1], Got: c[1], Passed: true})
	}
	console := "@namibuild release 2.6.32\n@namibuild version Linux version 2.6.32 (a) #1\n@namibuild tainted 0\n@namibuild end\n"
	if err := boot.Write(o.Output, proof, []byte(console)); err != nil {
		t.Fatal(err)
	}
	signer, _, err := sign.Generate(pgp.NewKeyOptions{Name: "Publisher", Created: time.Unix(1388000000, 0)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "release")
	if _, err := release.Make(t.Context(), release.Options{Set: o.Output, Output: dir, Key: signer}); err != nil {
		t.Fatal(err)
	}
	return dir
}
