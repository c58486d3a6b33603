package namibuild_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/hosttest"
)

// lookC prints what a program sees: the time, by every call that returns it; and
// of a folder the status, by every call, and the entries.
const lookC = `#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct oldtime { time_t time; unsigned short ms; short zone, dst; };

static void show(const char *call, int failed, struct stat *st)
{
	printf("%s %d dev %ld size %ld links %ld\n", call, failed, (long)st->st_dev, (long)st->st_size, (long)st->st_nlink);
	memset(st, 0, sizeof *st);
}

int main(int argc, char **argv)
{
	struct timeval tv;
	struct timespec ts, mono;
	struct stat st;
	struct dirent *d;
	struct oldtime old = {0};
	void *old_ftime = dlsym(RTLD_DEFAULT, "ftime");
	int (*xstat)(int, const char *, struct stat *) = dlsym(RTLD_DEFAULT, "__xstat");
	int (*lxstat)(int, const char *, struct stat *) = dlsym(RTLD_DEFAULT, "__lxstat64");
	DIR *dir;
	long first;

	gettimeofday(&tv, NULL);
	clock_gettime(CLOCK_REALTIME, &ts);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	((int (*)(struct oldtime *))old_ftime)(&old);
	printf("time %ld %ld %ld %ld, a monotonic one: %s\n", (long)time(NULL), (long)tv.tv_sec, (long)ts.tv_sec, (long)old.time,
		mono.tv_sec == ts.tv_sec ? "no" : "yes");
	show("stat", stat(argv[1], &st), &st);
	show("lstat", lstat(argv[1], &st), &st);
	show("fstatat", fstatat(AT_FDCWD, argv[1], &st, 0), &st);
	show("__xstat", xstat(1, argv[1], &st), &st);
	show("__lxstat64", lxstat(1, argv[1], &st), &st);
	dir = opendir(argv[1]);
	show("fstat", fstat(dirfd(dir), &st), &st);
	printf("entries");
	while ((d = readdir(dir)) != NULL)
		printf(" %s", d->d_name);
	rewinddir(dir);
	readdir(dir);
	first = telldir(dir);
	readdir(dir);
	seekdir(dir, first);
	printf("\nsecond %s\n", readdir(dir)->d_name);
	return closedir(dir);
}
`

// TestPins compiles the pins as the images do and checks what a program sees
// through them.
func TestPins(t *testing.T) {
	hosttest.Program(t, "gcc") // build.sh calls it
	dir := t.TempDir()
	run(t, nil, "sh", "images/common/pins/build.sh", dir)
	preloaded(t, dir, "shuffle")
	look := filepath.Join(dir, "look")
	if err := os.WriteFile(look+".c", []byte(lookC), 0o666); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "gcc", "-o", look, look+".c", "-ldl")
	run(t, nil, "cp", look, filepath.Join(dir, "rpmbuild"))
	run(t, nil, "cp", look, filepath.Join(dir, "make"))
	names := []string{"b", "ab", "c", "B", "z", "aa", "cb"}
	folder := filepath.Join(dir, "folder")
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	see := func(program string, epoch string, pins ...string) string {
		for i, p := range pins {
			pins[i] = filepath.Join(dir, p+".so")
		}
		return run(t, []string{"SOURCE_DATE_EPOCH=" + epoch, "LD_PRELOAD=" + strings.Join(pins, ":")}, filepath.Join(dir, program), folder)
	}
	const stopped = "time 77 77 77 77, a monotonic one: yes\n"
	const ordered = "entries . .. B aa ab b c cb z\nsecond ..\n"
	status := regexp.MustCompile(`(?m)^\S+ 0 dev 1 size 4096 links 1$`)
	tests := []struct {
		name, saw             string
		clock, status, sorted bool
	}{
		{"all, rpmbuild", see("rpmbuild", "77", "clock", "stat", "order"), true, true, true},
		{"all, another program", see("look", "77", "clock", "stat", "order"), true, false, true},
		{"all, make", see("make", "77", "clock", "stat", "order"), false, false, true},
		{"no epoch", see("rpmbuild", "", "clock", "stat", "order"), false, true, true},
		{"no number", see("rpmbuild", "77a", "clock", "stat", "order"), false, true, true},
		{"above shuffle", see("look", "77", "order", "shuffle"), false, false, true},
		{"shuffle alone", see("look", "77", "shuffle"), false, false, false},
		{"nothing", see("rpmbuild", "77"), false, false, false},
	}
	for _, test := range tests {
		if got := strings.HasPrefix(test.saw, stopped); got != test.clock {
			t.Errorf("%s: the clock is stopped: %v\n%s", test.name, got, test.saw)
		}
		if got := len(status.FindAllString(test.saw, -1)); got != map[bool]int{true: 6}[test.status] {
			t.Errorf("%s: %d of 6 calls hide the file system\n%s", test.name, got, test.saw)
		}
		if got := strings.HasSuffix(test.saw, ordered); test.name != "nothing" && got != test.sorted {
			t.Errorf("%s: the entries are sorted: %v\n%s", test.name, got, test.saw)
		}
	}
}

// inodesC prints the inodes of the files that it is given, by their names and
// once opened.
const inodesC = `#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct stat named, opened;
	int fd;

	while (*++argv != NULL) {
		fd = open(*argv, O_RDONLY);
		if (lstat(*argv, &named) == 0 && fstat(fd, &opened) == 0)
			printf("%ld %ld\n", (long)named.st_ino, (long)opened.st_ino);
		close(fd);
	}
	return 0;
}
`

// TestPinnedInodes checks that rpmbuild sees the files of the buildroot numbered
// in the order in which it first asks for them, with one number for two names of
// a file, for any number of files and requests. Other files keep their inodes,
// and all files do in other programs.
func TestPinnedInodes(t *testing.T) {
	hosttest.Program(t, "gcc") // build.sh calls it
	dir := t.TempDir()
	run(t, nil, "sh", "images/common/pins/build.sh", dir)
	source := filepath.Join(dir, "inodes.c")
	if err := os.WriteFile(source, []byte(inodesC), 0o666); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "gcc", "-o", filepath.Join(dir, "other"), source)
	run(t, nil, "cp", filepath.Join(dir, "other"), filepath.Join(dir, "rpmbuild"))

	const many = 5000
	root := filepath.Join(dir, "BUILDROOT", "kernel")
	if err := os.MkdirAll(root, 0o777); err != nil {
		t.Fatal(err)
	}
	paths := []string{root}
	for i := range many {
		paths = append(paths, filepath.Join(root, strconv.Itoa(many-i)))
		if err := os.WriteFile(paths[i+1], nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(root, "link")
	if err := os.Link(paths[3], link); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(dir, "BUILD")
	if err := os.WriteFile(outside, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	paths = append(paths, link, paths[1], outside)

	see := func(program string) []string {
		pin := "LD_PRELOAD=" + filepath.Join(dir, "stat.so")
		return strings.Split(strings.TrimSpace(run(t, []string{pin}, filepath.Join(dir, program), paths...)), "\n")
	}
	real, seen := see("other"), see("rpmbuild")
	number := func(n int) string { return fmt.Sprintf("%d %d", n, n) }
	var want []string
	for i := range many + 1 {
		want = append(want, number(i+1))
	}
	want = append(want, number(4), number(2), real[len(real)-1])
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	if slices.Contains(real[:len(real)-1], number(1)) {
		t.Error("another program sees numbered inodes")
	}
}

// TestPinsNeedNoNewGlibc checks that libraries compiled with today's glibc would
// load with CentOS 6's 2.12, so that nothing in the sources needs a later one.
func TestPinsNeedNoNewGlibc(t *testing.T) {
	hosttest.Program(t, "gcc") // build.sh calls it
	dir := t.TempDir()
	run(t, nil, "sh", "images/common/pins/build.sh", dir)
	needs := regexp.MustCompile(`@GLIBC_2\.(\d+)`)
	preloaded(t, dir, "shuffle", "date")
	for _, pin := range []string{"clock", "stat", "order", "shuffle", "date", "signfile"} {
		found := needs.FindAllStringSubmatch(run(t, nil, "nm", "-D", "--undefined-only", filepath.Join(dir, pin+".so")), -1)
		for _, m := range found {
			if minor, _ := strconv.Atoi(m[1]); minor > 12 {
				t.Errorf("%s.so needs glibc 2.%d", pin, minor)
			}
		}
		if len(found) == 0 {
			t.Errorf("%s.so needs no version of glibc at all", pin)
		}
	}
}

// preloaded runs images/vary/preload.sh as a varied build does, and moves the
// libraries that it compiles to dir. It returns the LD_PRELOAD of the command.
func preloaded(t *testing.T, dir string, libraries ...string) string {
	t.Helper()
	copied := t.TempDir()
	run(t, nil, "cp", "-r", "images/common", "images/vary", copied)
	got := run(t, []string{"LD_PRELOAD=" + filepath.Join(dir, "order.so")},
		"sh", filepath.Join(copied, "vary", "preload.sh"), strings.Join(libraries, " "), "sh", "-c", "echo $LD_PRELOAD")
	for _, l := range libraries {
		run(t, nil, "mv", filepath.Join(copied, "vary", l+".so"), dir)
	}
	return strings.ReplaceAll(strings.TrimSpace(got), filepath.Join(copied, "vary"), dir)
}

// TestPreload checks that a varied build preloads the libraries below those that
// its container preloads already, and that it fails with a library that cannot
// be made.
func TestPreload(t *testing.T) {
	dir := t.TempDir()
	run(t, nil, "sh", "images/common/pins/build.sh", dir)
	got, want := preloaded(t, dir, "shuffle", "date"), ""
	for _, l := range []string{"order", "shuffle", "date"} {
		want += ":" + filepath.Join(dir, l+".so")
	}
	if got != want[1:] {
		t.Errorf("LD_PRELOAD is %s, want %s", got, want[1:])
	}
	out, err := exec.Command("sh", "images/vary/preload.sh", "clock", "true").CombinedOutput()
	if want := "preload.sh: no such library: clock\n"; err == nil || string(out) != want {
		t.Errorf("an unknown library: %v, %q, want %q", err, out, want)
	}
}

// run returns what a program prints, in the environment of the host with env.
func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.Command(hosttest.Program(t, name), args...)
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(c.Args, " "), err, out)
	}
	return string(out)
}
