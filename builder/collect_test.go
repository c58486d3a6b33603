package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
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

const kernelSRPM = "kernel-2.6.32-431.3.1.namibuild.el6.src.rpm"

// sourceRPM is a container's program that makes the patched SRPM.
func sourceRPM(_ context.Context, p *enginetest.Process) engine.Exit {
	made := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "2.6.32", Release: "431.3.1.namibuild.el6", Source: true})
	p.Topdir["SRPMS/"+kernelSRPM] = &fstest.MapFile{Data: made, Mode: 0o644}
	return engine.Exit{}
}

// TestSRPM checks that the SRPM is made with the packages if it is wanted, and alone, and
// that the record has it.
func TestSRPM(t *testing.T) {
	o, f, _ := setup(t)
	var modes []string
	f.Program = func(ctx context.Context, p *enginetest.Process) engine.Exit {
		modes = append(modes, p.Spec.Command[1])
		if strings.HasPrefix(p.Spec.Command[1], "-bs") {
			sourceRPM(ctx, p)
		}
		if p.Spec.Command[1] == "-bs" {
			return engine.Exit{}
		}
		return kerneltest.Rpmbuild(ctx, p)
	}
	o.SRPM = true
	res, err := Build(t.Context(), o)
	if err != nil || res.SRPM == nil || res.SRPM.File != kernelSRPM {
		t.Fatalf("%+v, %v", res.SRPM, err)
	}
	if got := names(t, filepath.Join(o.Output, set.SRPMS)); !slices.Equal(got, []string{kernelSRPM}) {
		t.Errorf("in %s: %v", set.SRPMS, got)
	}
	if info, err := os.Stat(filepath.Join(o.Output, set.SRPMS, kernelSRPM)); err != nil || info.Size() != res.SRPM.Size {
		t.Errorf("the SRPM: %v, %v", info, err)
	}
	o.SRPM, o.Output = false, filepath.Join(o.Output, "alone")
	alone, err := SourceRPM(t.Context(), o)
	if err != nil || alone != *res.SRPM {
		t.Errorf("%+v, %v", alone, err)
	}
	if got := names(t, o.Output); !slices.Equal(got, []string{kernelSRPM}) {
		t.Errorf("in the directory of the SRPM: %v", got)
	}
	if !slices.Equal(modes, []string{"-bs -bb", "-bs"}) {
		t.Errorf("modes %q", modes)
	}
	if left := f.Left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestSRPMFails checks that a failure leaves only the log, which the next run removes.
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
	if got := names(t, o.Output); !slices.Equal(got, []string{".timewait.srpm"}) {
		t.Errorf("left: %v", got)
	}
	if got := names(t, filepath.Join(o.Output, ".timewait.srpm")); !slices.Equal(got, []string{set.FailedLog}) {
		t.Errorf("left: %v", got)
	}
}
