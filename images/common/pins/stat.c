/*
 * stat.so lets rpmbuild see nothing of the file system that its build lies on: every file is on device 0:1, every directory has
 * 4096 bytes and one link, and the files to be packaged have the inodes 1, 2, 3... as rpmbuild comes to them. rpm 4.8 writes
 * device and inode into the header and the payload. The device is another in every container, and inodes and a directory's
 * size are the file system's affair. In programs of other names it changes nothing.
 *
 * Compiled with -DDATE it hides nothing and is a part of date.so, which shifts the times of files: for itself, and where
 * this pin is above it.
 *
 * glibc 2.12 has __xstat and its family, and stat itself only as a static function; glibc 2.33 and later have both.
 * System calls and no dlsym: the kernel's struct stat is glibc's, under either name, on x86_64 only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* date.so has it, if that is loaded. */
void namibuild_shift_status(struct stat *st) __attribute__((weak));

#ifdef DATE
static int hide(const char *path, struct stat *st)
{
	(void)path, (void)st;
	return 0;
}
#else
/* numbered is a file that got its number; 0: a free place of the table, which is searched from the inode's own place on. */
struct numbered {
	dev_t device;
	ino_t inode, number;
};

static struct numbered *table;
static size_t places, taken; /* places: 0 or a power of 2 */
static int lock;

static struct numbered *place(dev_t device, ino_t inode)
{
	size_t i = inode & (places - 1);

	while (table[i].number != 0 && (table[i].inode != inode || table[i].device != device))
		i = (i + 1) & (places - 1);
	return &table[i];
}

/* grow keeps half of the table free; 0, or -1 without memory. */
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
 * packaged: what lies there is there as long as rpmbuild looks at it, so that no inode is two files'. Temporary files have
 * inodes that come back, on one file system and not on the other.
 */
static int packaged(const char *path)
{
	return path != NULL && (strstr(path, "/BUILDROOT/") || strstr(path, "/SOURCES/") || strstr(path, "/SPECS/"));
}

/* number gives a file its own; a file that nobody named keeps its inode. */
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

static int told(long failed, const char *path, struct stat *st)
{
	if (failed)
		return failed;
	if (namibuild_shift_status)
		namibuild_shift_status(st);
	return hide(path, st);
}

static int by_path(const char *path, void *st) { return told(syscall(SYS_stat, path, st), path, st); }
static int by_link(const char *path, void *st) { return told(syscall(SYS_lstat, path, st), path, st); }
static int by_file(int fd, void *st) { return told(syscall(SYS_fstat, fd, st), NULL, st); }
static int by_folder(int fd, const char *path, void *st, int flags)
{
	return told(syscall(SYS_newfstatat, fd, path, st, flags), path, st);
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
