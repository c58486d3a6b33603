/*
 * stat.so hides from rpmbuild which file system the build is on: every file is on device 0:1, every directory has 4096 bytes
 * and one link, and the files to be packaged have the inodes 1, 2, 3... in the order in which rpmbuild asks for them. rpm 4.8
 * writes device and inode into the header and the payload. The device differs from container to container; inodes and the
 * size of a directory depend on the file system. In programs of other names stat.so changes nothing.
 *
 * Compiled with -DDATE, this file hides nothing. It is then a part of date.so (images/vary/date.c), which shifts the times of
 * files; where stat.so is loaded above date.so, programs get the shifted times through it.
 *
 * glibc 2.12 has __xstat and its family, and stat itself only as a static function; glibc 2.33 and later have both. The file
 * uses system calls and not dlsym: on x86_64, and only there, the kernel's struct stat and glibc's, under both names, are the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* date.so defines it, where that is loaded. */
void namibuild_shift_status(struct stat *st) __attribute__((weak));

#ifdef DATE
static int hide(const char *path, struct stat *st)
{
	(void)path, (void)st;
	return 0;
}
#else
/* numbered is a file that has a number. number is 0 in a free place of the table. A search begins at the place of the inode. */
struct numbered {
	dev_t device;
	ino_t inode, number;
};

static struct numbered *table;
static size_t places, taken; /* places is 0 or a power of 2 */
static int lock;

static struct numbered *place(dev_t device, ino_t inode)
{
	size_t i = inode & (places - 1);

	while (table[i].number != 0 && (table[i].inode != inode || table[i].device != device))
		i = (i + 1) & (places - 1);
	return &table[i];
}

/* grow keeps half of the table free. It returns 0, or -1 when memory is short. */
static int grow(void)
{
	struct numbered *old = table, *n;
	size_t before = places, after = before ? 2 * before : 4096;

	if (2 * taken < before)
		return 0;
	n = calloc(after, sizeof *n);
	if (n == NULL)
		return -1;
	table = n;
	places = after;
	for (n = old; n < old + before; n++)
		if (n->number != 0)
			*place(n->device, n->inode) = *n;
	free(old);
	return 0;
}

/*
 * packaged tells whether a file is below one of the folders whose files exist as long as rpmbuild looks at them, so that an
 * inode belongs to one file only. The inodes of temporary files are used again on some file systems and not on others.
 */
static int packaged(const char *path)
{
	return path != NULL && (strstr(path, "/BUILDROOT/") || strstr(path, "/SOURCES/") || strstr(path, "/SPECS/"));
}

/* number replaces the inode of a packaged file by its number. A file that was only asked for by descriptor keeps its inode. */
static int number(const char *path, struct stat *st)
{
	struct numbered *n;

	if (grow() != 0)
		return -1;
	n = place(st->st_dev, st->st_ino);
	if (n->number == 0) {
		if (!packaged(path))
			return 0;
		n->device = st->st_dev;
		n->inode = st->st_ino;
		n->number = ++taken;
	}
	st->st_ino = n->number;
	return 0;
}

static int hide(const char *path, struct stat *st)
{
	int failed;

	if (strcmp(program_invocation_short_name, "rpmbuild") != 0)
		return 0;
	while (__sync_lock_test_and_set(&lock, 1))
		;
	failed = number(path, st);
	__sync_lock_release(&lock);
	st->st_dev = 1;
	if (S_ISDIR(st->st_mode)) {
		st->st_size = 4096;
		st->st_nlink = 1;
	}
	return failed;
}
#endif

static int result(long failed, const char *path, struct stat *st)
{
	if (failed)
		return failed;
	if (namibuild_shift_status)
		namibuild_shift_status(st);
	return hide(path, st);
}

static int by_path(const char *path, void *st) { return result(syscall(SYS_stat, path, st), path, st); }
static int by_link(const char *path, void *st) { return result(syscall(SYS_lstat, path, st), path, st); }
static int by_file(int fd, void *st) { return result(syscall(SYS_fstat, fd, st), NULL, st); }
static int by_folder(int fd, const char *path, void *st, int flags)
{
	return result(syscall(SYS_newfstatat, fd, path, st, flags), path, st);
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
