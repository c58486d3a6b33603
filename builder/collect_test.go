package builder

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"namibuild/builder/engine"
	"namibuild/builder/engine/enginetest"
	"namibuild/builder/kerneltest"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/set"
)

// The SRPM is made beside the packages on request, or alone, and recorded.
func TestSRPM(t *testing.T) {
	const name = "kernel-2.6.32-431.3.1.namibuild.el6.src.rpm"
	o, f, _ := setup(t)
	var modes []string
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		modes = append(modes, p.Spec.Command[1])
		if strings.HasPrefix(p.Spec.Command[1], "-bs") {
			made := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.namibuild.el6", Source: true})
			p.Topdir["SRPMS/"+name] = &fstest.MapFile{Data: made, Mode: 0o644}
		}
		if p.Spec.Command[1] == "-bs" {
			return engine.Exit{}
		}
		return kerneltest.Rpmbuild(ctx, p)
	}
	o.SRPM = true
	res, err := Build(t.Context(), o)
	if err != nil || res.SRPM == nil || res.SRPM.File != name {
		t.Fatalf("%+v, %v", res.SRPM, err)
	}
	if got := found(t, filepath.Join(o.Output, set.SRPMS)); len(got) != 1 || got[name] == "" {
		t.Errorf("in %s: %d files", set.SRPMS, len(got))
	}
	o.SRPM, o.Output = false, filepath.Join(o.Output, "alone")
	alone, err := SourceRPM(t.Context(), o)
	if err != nil || alone != *res.SRPM {
		t.Errorf("%+v, %v", alone, err)
	}
	if got := names(t, o.Output); !slices.Equal(got, []string{name}) {
		t.Errorf("beside the SRPM: %v", got)
	}
	if !slices.Equal(modes, []string{"-bs -bb", "-bs"}) {
		t.Errorf("modes %q", modes)
	}
	if left := f.Left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A failure leaves the log and nothing else, and the next run clears it.
func TestSRPMFails(t *testing.T) {
	o, f, _ := setup(t)
	o.Output = t.TempDir()
	f.Program = func(_ context.Context, p *enginetest.Process) engine.Exit {
		fmt.Fprintln(p.Log, "error: Bad file: SOURCES/none")
		return engine.Exit{Code: 1}
	}
	_, err := SourceRPM(t.Context(), o)
	var failed *RpmbuildError
	if !errors.As(err, &failed) || failed.Log != filepath.Join(o.Output, ".timewait.srpm", set.FailedLog) {
		t.Errorf("got %v", err)
	}
	f.Program = func(context.Context, *enginetest.Process) engine.Exit { return engine.Exit{} }
	if _, err := SourceRPM(t.Context(), o); err == nil || !strings.Contains(err.Error(), "want one SRPM") {
		t.Errorf("no SRPM: %v", err)
	}
	if got := found(t, o.Output); len(got) > 1 {
		t.Errorf("left: %v", got)
	}
}
