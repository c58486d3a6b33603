/*
 * date.so makes programs run on another day. NAMIBUILD_DATE is "SHIFT SINCE". date.so adds SHIFT seconds to the time of day,
 * and to every file time that is SINCE (seconds since 1970; the start of the container) or later. Older file times, those of
 * the image and of the sources, stay as they are, as on a host of that day. A shifted time that a program gives to a file is
 * stored unshifted, so that reading returns what was written. This is wrong for times between the real day and a later one;
 * nothing in a build knows such a time. Without the variable date.so changes nothing.
 *
 * clock.c and stat.c of images/common/pins, compiled with -DDATE, are parts of date.so. Below the pins it has no effect. Without
 * the pins it shows what depends on the date. /proc has the real time, and static programs and timers use it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

/* The kernel's number; glibc 2.12 has no name for it. */
enum { STATX = 332 };

/* The kernel's struct statx: the times begin at its 64th byte. */
struct statx_times {
	char before[64];
	struct {
		long long sec;
		unsigned nsec, spare;
	} accessed, born, changed, modified;
};

static long shift, since;
static int state; /* 0: the environment was not read yet; 1: the day is shifted; -1: it is not */

static int read_environment(void)
{
	const char *text = getenv("NAMIBUILD_DATE");
	char *end;

	if (text == NULL)
		return -1;
	shift = strtol(text, &end, 10);
	if (end == text || *end != ' ')
		return -1;
	since = strtol(end + 1, &end, 10);
	return *end == '\0' ? 1 : -1;
}

static int shifts(void)
{
	int saved = errno;

	if (state == 0)
		state = read_environment();
	errno = saved;
	return state > 0;
}

/* shifted is the time that programs see; stored is the time that the file gets for a time that a program has written. */
static long shifted(long real) { return real >= since ? real + shift : real; }
static long stored(long written) { return written - shift >= since ? written - shift : written; }

/* The pins call these two functions on every answer of the kernel. */
void namibuild_shift_clock(struct timespec *now)
{
	if (shifts())
		now->tv_sec += shift;
}

void namibuild_shift_status(struct stat *st)
{
	if (!shifts())
		return;
	st->st_atime = shifted(st->st_atime);
	st->st_mtime = shifted(st->st_mtime);
	st->st_ctime = shifted(st->st_ctime);
}

int statx(int folder, const char *path, int flags, unsigned mask, void *st)
{
	struct statx_times *t = st;

	if (syscall(STATX, folder, path, flags, mask, st) != 0)
		return -1;
	if (shifts()) {
		t->accessed.sec = shifted(t->accessed.sec);
		t->born.sec = shifted(t->born.sec);
		t->changed.sec = shifted(t->changed.sec);
		t->modified.sec = shifted(t->modified.sec);
	}
	return 0;
}

static int set(int folder, const char *path, const struct timespec *written, int flags)
{
	struct timespec times[2];

	if (written == NULL || !shifts())
		return syscall(SYS_utimensat, folder, path, written, flags);
	times[0] = written[0];
	times[1] = written[1];
	times[0].tv_sec = stored(times[0].tv_sec);
	times[1].tv_sec = stored(times[1].tv_sec);
	return syscall(SYS_utimensat, folder, path, times, flags);
}

static int set_coarse(int folder, const char *path, const struct timeval *written, int flags)
{
	struct timespec times[2];
	int i;

	if (written == NULL)
		return set(folder, path, NULL, flags);
	for (i = 0; i < 2; i++) {
		times[i].tv_sec = written[i].tv_sec;
		times[i].tv_nsec = written[i].tv_usec * 1000;
	}
	return set(folder, path, times, flags);
}

int utimensat(int folder, const char *path, const struct timespec written[2], int flags) { return set(folder, path, written, flags); }
int futimens(int fd, const struct timespec written[2]) { return set(fd, NULL, written, 0); }
int utimes(const char *path, const struct timeval written[2]) { return set_coarse(AT_FDCWD, path, written, 0); }
int lutimes(const char *path, const struct timeval written[2]) { return set_coarse(AT_FDCWD, path, written, AT_SYMLINK_NOFOLLOW); }
int futimes(int fd, const struct timeval written[2]) { return set_coarse(fd, NULL, written, 0); }
int futimesat(int folder, const char *path, const struct timeval written[2]) { return set_coarse(folder, path, written, 0); }

int utime(const char *path, const struct utimbuf *written)
{
	struct timespec times[2] = {{0, 0}, {0, 0}};

	if (written == NULL)
		return set(AT_FDCWD, path, NULL, 0);
	times[0].tv_sec = written->actime;
	times[1].tv_sec = written->modtime;
	return set(AT_FDCWD, path, times, 0);
}
