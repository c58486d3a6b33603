package builder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/event"
	"namibuild/builder/kerneltest"
	"namibuild/builder/recipe"
)

// recordTopdirs returns the list that the topdir of each container is added to.
func recordTopdirs(f *enginetest.Fake) *[]fstest.MapFS {
	var sent []fstest.MapFS
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		files := fstest.MapFS{}
		for name, file := range p.Topdir {
			files[name] = &fstest.MapFile{Data: file.Data, Mode: file.Mode, ModTime: file.ModTime}
		}
		sent = append(sent, files)
		return kerneltest.Rpmbuild(ctx, p)
	}
	return &sent
}

// reused reports whether a build has taken the topdir that an earlier one had kept.
func reused(events []event.Event) bool {
	for _, e := range events {
		if e.Kind == event.End && e.Step == event.Prepare {
			return strings.HasSuffix(e.Text, ", kept from an earlier build")
		}
	}
	return false
}

// TestBuildReusesTheTopdir checks that a build takes the topdir of an earlier one if the program,
// the source and the changes are the same, and prepares it otherwise.
func TestBuildReusesTheTopdir(t *testing.T) {
	edit := func(o *Options) {
		o.Recipe.Edits = append(o.Recipe.Edits, recipe.Edit{File: "Makefile", Find: "EXTRAVERSION", Replace: "EXTRAVERSION", Times: 1})
	}
	damage := func(o *Options) {
		kept, err := filepath.Glob(filepath.Join(o.Store.Dir(), "kept", "*"))
		if err != nil || len(kept) != 2 {
			t.Fatalf("%v, %v", kept, err)
		}
		data, err := os.ReadFile(kept[0])
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(kept[0], data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		change func(*Options)
		reused bool
		same   bool // both builds send the same topdir
	}{
		"nothing":  {func(*Options) {}, true, true},
		"packages": {func(o *Options) { o.Recipe.Packages = nil }, true, true},
		"switches": {func(o *Options) { o.Recipe.Rpmbuild.With = []string{"firmware"}; o.Jobs++ }, true, true},
		"edits":    {edit, false, true},
		"tag":      {func(o *Options) { o.Recipe.Tag = "other" }, false, false},
		"sources":  {func(o *Options) { o.Recipe.Sources = []recipe.Added{{File: "a", As: "a", Content: []byte("a")}} }, false, false},
		"no cache": {func(o *Options) { o.NoCache = true }, false, true},
		"version":  {func(o *Options) { o.Version = "v1.2.4" }, true, true},
		"program":  {func(o *Options) { o.Program = "4567" }, false, true},
		"unknown":  {func(o *Options) { o.Program = "" }, false, true},
		"damaged":  {damage, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			o, f, events := setup(t)
			sent := recordTopdirs(f)
			if _, err := Build(t.Context(), o); err != nil || reused(*events) {
				t.Fatalf("the first build: %v, reused %v", err, reused(*events))
			}
			*events = nil
			test.change(&o)
			if _, err := Build(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if got := reused(*events); got != test.reused {
				t.Errorf("reused: %v", got)
			}
			if same := cmp.Equal((*sent)[0], (*sent)[1]); same != test.same {
				t.Errorf("the same topdir: %v\n%s", same, cmp.Diff((*sent)[0], (*sent)[1]))
			}
		})
	}
}

// TestKeepTopdir checks that a topdir that was not sent to its end is not kept, and that a build
// with a kept topdir has the plan of a build with a new one.
func TestKeepTopdir(t *testing.T) {
	o, f, events := setup(t)
	f.Fail = map[enginetest.Step]error{enginetest.Upload: errors.New("broken")}
	if _, err := Build(t.Context(), o); err == nil {
		t.Fatal("a build with a broken upload succeeded")
	}
	f.Fail = nil
	for _, folder := range []string{"kept", "tmp"} {
		if left := names(t, filepath.Join(o.Store.Dir(), folder)); len(left) > 0 {
			t.Errorf("left in %s: %v", folder, left)
		}
	}
	var ids []string
	for range 2 {
		res, err := Build(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, res.PlanID)
	}
	if !reused((*events)[len(*events)/2:]) || ids[0] != ids[1] {
		t.Errorf("reused: %v; plans %v", reused((*events)[len(*events)/2:]), ids)
	}
}

// TestKeepNowhere checks that a build only warns if it cannot keep the topdir.
func TestKeepNowhere(t *testing.T) {
	o, _, events := setup(t)
	kept := filepath.Join(o.Store.Dir(), "kept")
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, e := range *events {
		if e.Kind == event.Warning && strings.HasPrefix(e.Text, "the patched sources are not kept for the next build: ") {
			return
		}
	}
	t.Errorf("no warning among %v", *events)
}
