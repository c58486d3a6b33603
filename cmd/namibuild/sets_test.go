//go:build !e2e

package main

import (
	"os"
	"path/filepath"
	"testing"

	"namibuild/builder/artifact"
	"namibuild/builder/plan"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

// writeSets makes output directories for verbs that read what was built: one, again (built
// an hour later, without SOURCE_DATE_EPOCH) and other (with other content).
func writeSets(t *testing.T, dir string) {
	t.Helper()
	lay := func(name, content string, time int64, env ...plan.Var) {
		p := rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "1.el6", Arch: "x86_64", BuildTime: time,
			Files: []rpmtest.File{{Path: "/boot/a", Content: content, Mtime: 1389000000}}}
		record, err := set.Record{
			Plan: plan.Plan{Name: "tiny", SRPM: plan.SRPM{Epoch: 1389000000}, Hostname: "localhost", Env: env},
			Set:  artifact.Set{RPMs: []artifact.RPM{{File: "kernel-2.6.32-1.el6.x86_64.rpm"}}}}.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, name, set.RPMS), 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, set.RecordFile), record)
		write(t, filepath.Join(dir, name, set.RPMS, "kernel-2.6.32-1.el6.x86_64.rpm"), rpmtest.Build(p))
	}
	lay("one", "a\n", 1389000000, plan.Var{Name: "SOURCE_DATE_EPOCH", Value: "1389000000"})
	lay("again", "a\n", 1389003600)
	lay("other", "b\n", 1389000000, plan.Var{Name: "SOURCE_DATE_EPOCH", Value: "1389000000"})
}
