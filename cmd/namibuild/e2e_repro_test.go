//go:build e2e

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"namibuild/builder/set"
)

// pinSpec makes a package that shows the effect of every pin in a file or in the header.
const pinSpec = specHead + `%build
cd linux-%{kversion}
date >clock
echo "#${KBUILD_BUILD_VERSION:-0} ${KBUILD_BUILD_TIMESTAMP:-$(date)}" >kbuild
for n in 1 2 3 4 5 6 7 8 9; do touch $n$((n * 7 % 10)); done
gcc -Iinclude -o timewait net/tcp.c
%install
cd linux-%{kversion}
mkdir -p %{buildroot}/boot %{buildroot}/usr/share/probe/deep/er
cp clock kbuild Makefile timewait %{buildroot}/boot/
find . -name '[1-9]*' >%{buildroot}/boot/order
cp Makefile page
gzip page
cp page.gz %{buildroot}/boot/
%files
%doc linux-%{kversion}/Makefile
/boot/*
/usr/share/probe
`

// probe returns the source package of pinSpec.
func probe() tiny {
	k := newTiny()
	k.spec = pinSpec
	return k
}

// TestEndToEndPins shows that two builds are equal although they differ in everything that
// should not affect the packages, and that each pin is needed for it: without the pin (and
// without those with the same effect) the builds differ, and compare names the cause. The
// pin stat is for rpm 4.8, since 4.18 writes no device, no inode and no size of a
// directory; namibuild_test.TestPins tests it.
func TestEndToEndPins(t *testing.T) {
	begin(t)
	recipe := probe().write(t)
	tests := []struct{ off, says string }{
		{"", "1 identical"},
		{"clock", "clock           /boot/clock: offset 0x0\n"},
		{"order", "order           /boot/order: order of lines\n"},
		{"mtimes,rpm", "mtime           header tag FILEMTIMES: /boot/Makefile, and 12 more\n"},
		{"gzip", "gzip            /boot/page.gz: gzip stamp\n"},
		{"kbuild,clock", "clock           /boot/clock: offset 0x0, and one more\n"}, // /boot/kbuild
		{"buildhost", "host            header tag BUILDHOST\n"},
		{"rpm,clock", "clock           header tag BUILDTIME\n"},
	}
	for _, test := range tests {
		t.Run("without "+test.off, func(t *testing.T) {
			one := buildProbe(t, recipe, test.off, "--jobs", "1")
			other := buildProbe(t, recipe, test.off, "--jobs", "2", "--tmpfs", "64M", "--vary", "shuffle,cpus=0,date=400")
			code, stdout, stderr := runCommand(t, "compare", one, other)
			want := exitExplained
			if test.off == "" {
				want = exitOK
			}
			if code != want || !strings.Contains(stdout, test.says) {
				t.Errorf("exit %d, want %d and %q\n%s%s", code, want, test.says, stdout, stderr)
			}
		})
	}
	nothingLeft(t)
}

// TestEndToEndDate shows that a build with --vary date and without the pins has that day,
// and no other, in all places that show a date.
func TestEndToEndDate(t *testing.T) {
	begin(t)
	const off = "clock,mtimes,rpm"
	recipe, today := probe().write(t), time.Now().UTC()
	now := buildProbe(t, recipe, off)
	later := buildProbe(t, recipe, off, "--vary", "date=400")
	for _, want := range []string{"clock           /boot/clock: offset 0x", "mtime           header tag FILEMTIMES: "} {
		if code, stdout, stderr := runCommand(t, "compare", now, later); code != exitExplained || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, want %d and %q\n%s%s", code, exitExplained, want, stdout, stderr)
		}
	}
	days := []string{today.AddDate(0, 0, 400).Format(time.DateOnly), today.AddDate(0, 0, 401).Format(time.DateOnly)} // past midnight
	file := filepath.Join(later, set.RPMS, "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm")
	for what, line := range map[string]string{
		"the clock":  output(t, "sh", "-c", `date -u +%F -d "$(rpm2cpio "$0" | cpio -i --quiet --to-stdout ./boot/clock)"`, file),
		"BUILDTIME":  output(t, "sh", "-c", `date -u +%F -d "@$(rpm -qp --qf '%{BUILDTIME}' "$0")"`, file),
		"FILEMTIMES": output(t, "sh", "-c", `rpm -qp --qf '[@%{FILEMTIMES}\n]' "$0" | date -u +%F -f - | sort -u | sed 1d`, file), // without the source's own, 1970, of %doc
	} {
		if !slices.Contains(days, strings.TrimSpace(line)) {
			t.Errorf("%s is of %q, want one of %q", what, line, days)
		}
	}
	if code, stdout, _ := runCommand(t, "check", later); code != exitLeaks || !strings.Contains(stdout, today.AddDate(0, 0, 400).Format("Jan _2")) {
		t.Errorf("check: exit %d, want %d and the day\n%s", code, exitLeaks, stdout)
	}
	nothingLeft(t)
}

// TestEndToEndReproScript runs scripts/repro.sh on packages that must be equal, and reads
// the verdicts that it writes.
func TestEndToEndReproScript(t *testing.T) {
	begin(t)
	file := filepath.Join(t.TempDir(), "repro.json")
	cmd := exec.Command("../../scripts/repro.sh", probe().write(t))
	cmd.Env = append(os.Environ(), "OUT="+file, "TMPFS=64M", "ONLY=plain date host all")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Results []struct{ Variation, Verdict string }
	}
	if err := json.Unmarshal(page, &got); err != nil {
		t.Fatal(err)
	}
	want := "[{plain same} {date same} {host same} {all same}]"
	if os.Geteuid() != 0 {
		want = "[{plain same} {date same} {all same}]"
	}
	if fmt.Sprint(got.Results) != want {
		t.Errorf("got %v, want %s", got.Results, want)
	}
	nothingLeft(t)
}

// buildProbe builds without some pins and returns the output directory.
func buildProbe(t *testing.T, recipe, off string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	args = append([]string{"build", recipe, "-o", out}, args...)
	if off != "" {
		args = append(args, "--unpin", off)
	}
	if code, stdout, stderr := runCommand(t, args...); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	return out
}
