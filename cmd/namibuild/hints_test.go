package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"namibuild/builder"
	"namibuild/builder/durable"
	"namibuild/builder/engine"
	"namibuild/builder/recipe"
	"namibuild/builder/source"
)

// TestHints checks the exit code of errors and what their hints begin with, for errors that
// no script of testdata brings about.
func TestHints(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		hint string
	}{
		{&durable.Error{Path: "a", Err: fs.ErrPermission}, exitOutput, "choose a folder that you can write to"},
		{&engine.BaseError{Ref: "debian", Err: errors.New("no route")}, exitBase, "if no registry can be reached, namibuild image RECIPE --base root.tar "},
		{&builder.UntrustedError{Err: errors.New("sha256 got a, want b")}, exitSource, "compare the digest or key in the recipe with what the vendor publishes; --insecure-source "},
		{&source.MismatchError{Faults: []source.Fault{{File: "a.c", Want: "x", Found: "y"}}}, exitEdit, "compare the recipe with the source"},
		{interrupted{}, exitInterrupted, ""},
	} {
		code, hint := explain(fmt.Errorf("building: %w", c.err))
		if code != c.code || !strings.HasPrefix(hint, c.hint) || (hint == "") != (c.hint == "") {
			t.Errorf("%v: exit code %d, hint %q", c.err, code, hint)
		}
	}
}

// TestHintOfAnUnknownFamily checks that the hint for a tag in a spec of no family names the
// ways out.
func TestHintOfAnUnknownFamily(t *testing.T) {
	k := newTiny()
	k.spec = strings.NewReplacer("distro_build", "one", "kversion", "two").Replace(k.spec)
	r, err := recipe.Load(k.write(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Tag = "namibuild"
	f, err := os.Open(r.Source.File)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = source.Inspect(t.Context(), source.Files{Name: "kernel.src.rpm", SRPM: f}, r, nil)
	code, hint := explain(err)
	if code != exitEdit || !strings.HasPrefix(hint, "remove tag: from the recipe; ") || !strings.Contains(err.Error(), "a spec of el6, el7, el8, el9 or ELRepo") {
		t.Errorf("%v: exit code %d, hint %q", err, code, hint)
	}
}
