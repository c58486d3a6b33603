//go:build !e2e

package main

import (
	"context"
	"testing"
	"testing/fstest"
	"time"

	"namibuild"
	"namibuild/builder"
	"namibuild/builder/buildertest"
	"namibuild/builder/buildroot"
	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/fetch"
	"namibuild/builder/recipe"
	"namibuild/builder/rpm/rpmtest"
)

// record builds a recipe with an engine in memory. The output directory is what Build
// leaves, but its one package has nothing to do with the recipe.
func record(t *testing.T, recipePath, store, output string) {
	t.Helper()
	r, err := recipe.Load(recipePath, namibuild.Files)
	if err != nil {
		t.Fatal(err)
	}
	s, err := fetch.Open(store)
	if err != nil {
		t.Fatal(err)
	}
	made := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.namibuild.el6", Arch: "x86_64",
		Files: []rpmtest.File{{Path: "/boot/vmlinuz", Content: "bzImage"}}})
	memory := &enginetest.Fake{
		Root: map[string][]byte{buildroot.Path: []byte("buildroot 1\tdebian\t12\ndeb\tgcc-12\t12.2.0-14+deb12u1\tamd64\tgcc-12 12.2.0-14+deb12u1\t-\t-\n")},
		Program: func(_ context.Context, p *enginetest.Process) engine.Exit {
			p.Topdir["RPMS/x86_64/kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"] = &fstest.MapFile{Data: made, Mode: 0o644}
			return engine.Exit{}
		},
	}
	o := builder.Options{Output: output, Now: func() time.Time { return time.Unix(1800000000, 0) }}
	o.Recipe, o.Images, o.Store, o.Engine, o.Version, o.Jobs = r, namibuild.Files, s, buildertest.Over(memory), "v1.2.3", 1
	_, err = builder.Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
}
