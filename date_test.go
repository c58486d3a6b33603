package namibuild_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"namibuild/builder/hosttest"
)

// daysC prints what a program sees of another day. Its arguments are the time
// that it should be, and two files. It prints how many days the clock, and the
// times of the first file, are from that time, by every call that returns them.
// It then gives the first file's time to the second one, by every call that sets
// times, and prints how many seconds the result is off.
const daysC = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

struct oldtime { time_t time; unsigned short ms; short zone, dst; };

static long day;

static void show(const char *call, long seconds) { printf("%s %ld\n", call, (seconds - day) / 86400); }

static void show_status(const char *call, int failed, struct stat *st)
{
	show(call, failed ? -1 : st->st_mtime);
	show(call, failed ? -1 : st->st_ctime);
	show(call, failed ? -1 : st->st_atime);
	memset(st, 0, sizeof *st);
}

static void off(const char *call, int failed, const char *file, time_t written)
{
	struct stat st;

	failed |= stat(file, &st);
	printf("%s %ld\n", call, failed ? -1L : (long)(st.st_mtime - written));
	utime(file, &(struct utimbuf){1, 1});
}

int main(int argc, char **argv)
{
	const char *file = argv[2], *other = argv[3];
	int fd = open(file, O_RDONLY), fd2 = open(other, O_RDONLY);
	struct oldtime old;
	struct timeval tv, tvs[2] = {{0, 0}, {0, 0}};
	struct timespec ts, tss[2] = {{0, 0}, {0, 0}};
	struct stat st;
	struct statx stx;
	void *old_ftime = dlsym(RTLD_DEFAULT, "ftime");
	int (*xstat)(int, const char *, struct stat *) = dlsym(RTLD_DEFAULT, "__xstat64");
	int (*lxstat)(int, const char *, struct stat *) = dlsym(RTLD_DEFAULT, "__lxstat");
	int (*fxstat)(int, int, struct stat *) = dlsym(RTLD_DEFAULT, "__fxstat");
	int (*fxstatat)(int, int, const char *, struct stat *, int) = dlsym(RTLD_DEFAULT, "__fxstatat64");

	day = atol(argv[1]);
	show("time", time(NULL));
	gettimeofday(&tv, NULL), show("gettimeofday", tv.tv_sec);
	clock_gettime(CLOCK_REALTIME, &ts), show("clock_gettime", ts.tv_sec);
	clock_gettime(CLOCK_REALTIME_COARSE, &ts), show("coarse", ts.tv_sec);
	timespec_get(&ts, TIME_UTC), show("timespec_get", ts.tv_sec);
	((int (*)(struct oldtime *))old_ftime)(&old), show("ftime", old.time);
	printf("files\n");
	show_status("__xstat64", xstat(1, file, &st), &st);
	show_status("__lxstat", lxstat(1, file, &st), &st);
	show_status("__fxstat", fxstat(1, fd, &st), &st);
	show_status("__fxstatat64", fxstatat(1, AT_FDCWD, file, &st, 0), &st);
	show_status("lstat", lstat(file, &st), &st);
	show_status("fstat", fstat(fd, &st), &st);
	show_status("fstatat", fstatat(AT_FDCWD, file, &st, 0), &st);
	show("statx", statx(AT_FDCWD, file, 0, STATX_MTIME, &stx) ? -1 : stx.stx_mtime.tv_sec);
	show_status("stat", stat(file, &st), &st);
	stat(file, &st);
	tvs[1].tv_sec = tss[1].tv_sec = st.st_mtime;
	printf("written\n");
	off("utime", utime(other, &(struct utimbuf){0, st.st_mtime}), other, st.st_mtime);
	off("utimes", utimes(other, tvs), other, st.st_mtime);
	off("lutimes", lutimes(other, tvs), other, st.st_mtime);
	off("futimes", futimes(fd2, tvs), other, st.st_mtime);
	off("futimesat", futimesat(AT_FDCWD, other, tvs), other, st.st_mtime);
	off("utimensat", utimensat(AT_FDCWD, other, tss, 0), other, st.st_mtime);
	off("futimens", futimens(fd2, tss), other, st.st_mtime);
	return 0;
}
`

// TestDate checks that a new file has the other day's time in every program, also
// below the pins. The clock is the other day's in every program without the pins,
// and in make alone below them.
func TestDate(t *testing.T) {
	hosttest.Program(t, "gcc") // build.sh calls it
	dir := t.TempDir()
	run(t, nil, "sh", "images/common/pins/build.sh", dir)
	preloaded(t, dir, "shuffle", "date")
	look := filepath.Join(dir, "look")
	if err := os.WriteFile(look+".c", []byte(daysC), 0o666); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "gcc", "-o", look, look+".c", "-ldl")
	run(t, nil, "cp", look, filepath.Join(dir, "rpmbuild"))
	run(t, nil, "cp", look, filepath.Join(dir, "make"))
	now := time.Now()
	made, other, old := filepath.Join(dir, "made"), filepath.Join(dir, "other"), filepath.Join(dir, "old")
	run(t, nil, "touch", made, other)
	run(t, nil, "touch", "-d", "@1000000", old)
	see := func(program string, days int, libraries ...string) (clock, files, written []string) {
		for i, l := range libraries {
			libraries[i] = filepath.Join(dir, l+".so")
		}
		variable := "NAMIBUILD_DATE=" + strconv.Itoa(days*86400) + " " + strconv.FormatInt(now.Unix()-10, 10)
		day := strconv.FormatInt(now.AddDate(0, 0, days).Unix(), 10)
		saw := run(t, []string{"SOURCE_DATE_EPOCH=77", "LD_PRELOAD=" + strings.Join(libraries, ":"), variable}, filepath.Join(dir, program), day, made, other)
		lines, saw, _ := strings.Cut(saw, "files\n")
		clock = wrong(lines)
		lines, saw, _ = strings.Cut(saw, "written\n")
		return clock, wrong(lines), wrong(saw)
	}
	tests := []struct {
		name, program string
		libraries     []string
		clock         bool // the clock is the other day's
	}{
		{"alone", "look", []string{"date"}, true},
		{"below the pins, make", "make", []string{"clock", "stat", "order", "date"}, true},
		{"below the pins, rpmbuild", "rpmbuild", []string{"clock", "stat", "order", "shuffle", "date"}, false},
		{"below stat", "rpmbuild", []string{"stat", "date"}, true},
	}
	for _, test := range tests {
		for _, days := range []int{400, -30} {
			clock, files, written := see(test.program, days, slices.Clone(test.libraries)...)
			if (len(clock) == 0) != test.clock || len(files) > 0 || len(written) > 0 {
				t.Errorf("%s, %d days: not of that day: the clock %q, files %q; written, but not read again: %q", test.name, days, clock, files, written)
			}
		}
	}
	if clock, files, _ := see("look", 400); len(clock) != 6 || len(files) != 8*3+1 {
		t.Errorf("without the library: the clock %q, files %q", clock, files)
	}
	env := []string{"LD_PRELOAD=" + filepath.Join(dir, "date.so"), "NAMIBUILD_DATE=86400 1000001"}
	if got := run(t, env, "stat", "-c", "%Y", old); got != "1000000\n" {
		t.Errorf("an older file has the time %s, want 1000000", got)
	}
}

// wrong returns the lines that do not end with " 0".
func wrong(lines string) []string {
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(lines), "\n"), func(l string) bool { return strings.HasSuffix(l, " 0") })
}
