/*
 * stat.so lets rpmbuild see nothing of the file system that its build lies on: every file is on device 0:1, every directory has
 * 4096 bytes and one link. rpm 4.8 writes the device into each file's entry of the payload, and in a container that
 * number is another in every run; a directory's size is the file system's affair. In programs of other names it
 * changes nothing.
 *
 * Compiled with -DDATE it hides nothing and is a part of date.so, which shifts the times of files: for itself, and where
 * this pin is above it.
 *
 * glibc 2.12 has __xstat and its family, and stat itself only as a static function; glibc 2.33 and later have both.
 * System calls and no dlsym: the kernel's struct stat is glibc's, under either name, on x86_64 only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* date.so has it, if that is loaded. */
void namibuild_shift_status(struct stat *st) __attribute__((weak));

#ifdef DATE
static void hide(struct stat *st) { (void)st; }
#else
static void hide(struct stat *st)
{
	if (strcmp(program_invocation_short_name, "rpmbuild") != 0)
		return;
	st->st_dev = 1;
	if (S_ISDIR(st->st_mode)) {
		st->st_size = 4096;
		st->st_nlink = 1;
	}
}
#endif

static int told(long failed, struct stat *st)
{
	if (failed)
		return failed;
	if (namibuild_shift_status)
		namibuild_shift_status(st);
	hide(st);
	return 0;
}

static int by_path(const char *path, void *st) { return told(syscall(SYS_stat, path, st), st); }
static int by_link(const char *path, void *st) { return told(syscall(SYS_lstat, path, st), st); }
static int by_file(int fd, void *st) { return told(syscall(SYS_fstat, fd, st), st); }
static int by_folder(int fd, const char *path, void *st, int flags)
{
	return told(syscall(SYS_newfstatat, fd, path, st, flags), st);
}

#define UNUSED __attribute__((unused))

int __xstat(int version UNUSED, const char *path, struct stat *st) { return by_path(path, st); }
int __lxstat(int version UNUSED, const char *path, struct stat *st) { return by_link(path, st); }
int __fxstat(int version UNUSED, int fd, struct stat *st) { return by_file(fd, st); }
int __fxstatat(int version UNUSED, int fd, const char *path, struct stat *st, int flags) { return by_folder(fd, path, st, flags); }
int __xstat64(int version UNUSED, const char *path, struct stat64 *st) { return by_path(path, st); }
int __lxstat64(int version UNUSED, const char *path, struct stat64 *st) { return by_link(path, st); }
int __fxstat64(int version UNUSED, int fd, struct stat64 *st) { return by_file(fd, st); }
int __fxstatat64(int version UNUSED, int fd, const char *path, struct stat64 *st, int flags) { return by_folder(fd, path, st, flags); }

int stat(const char *path, struct stat *st) { return by_path(path, st); }
int lstat(const char *path, struct stat *st) { return by_link(path, st); }
int fstat(int fd, struct stat *st) { return by_file(fd, st); }
int fstatat(int fd, const char *path, struct stat *st, int flags) { return by_folder(fd, path, st, flags); }
int stat64(const char *path, struct stat64 *st) { return by_path(path, st); }
int lstat64(const char *path, struct stat64 *st) { return by_link(path, st); }
int fstat64(int fd, struct stat64 *st) { return by_file(fd, st); }
int fstatat64(int fd, const char *path, struct stat64 *st, int flags) { return by_folder(fd, path, st, flags); }
