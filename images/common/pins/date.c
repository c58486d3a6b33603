/*
 * date.so lets programs live on another day. NAMIBUILD_DATE is "SHIFT SINCE": the time of day is the real one and SHIFT seconds,
 * and so is every time that a file got at SINCE (seconds since 1970) or later, which is when the container began. Older
 * ones, of the image and of the sources, stay as they are, as on a host of that day. A time of that day that a program gives
 * to a file is kept as the real one, so that it is told as it was given; one between the real day and a later one, which nothing
 * in a build knows, would be told too late. Without the variable nothing is changed.
 *
 * clock.c and stat.c compiled with -DDATE are in it. Below the pins it must not be seen; without them, it shows what takes
 * the date over. /proc tells the real time, and so do programs that are static or that wait for a moment.
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
static int state; /* 0: the environment was not read yet, 1: another day, -1: this day */

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

static int another_day(void)
{
	int saved = errno;

	if (state == 0)
		state = read_environment();
	errno = saved;
	return state > 0;
}

static long told(long real) { return real >= since ? real + shift : real; }
static long kept(long given) { return given - shift >= since ? given - shift : given; }

/* These two the pins call for what they ask the kernel. */
void namibuild_shift_clock(struct timespec *now)
{
	if (another_day())
		now->tv_sec += shift;
}

void namibuild_shift_status(struct stat *st)
{
	if (!another_day())
		return;
	st->st_atime = told(st->st_atime);
	st->st_mtime = told(st->st_mtime);
	st->st_ctime = told(st->st_ctime);
}

int statx(int folder, const char *path, int flags, unsigned mask, void *st)
{
	struct statx_times *t = st;

	if (syscall(STATX, folder, path, flags, mask, st) != 0)
		return -1;
	if (another_day()) {
		t->accessed.sec = told(t->accessed.sec);
		t->born.sec = told(t->born.sec);
		t->changed.sec = told(t->changed.sec);
		t->modified.sec = told(t->modified.sec);
	}
	return 0;
}

static int set(int folder, const char *path, const struct timespec *given, int flags)
{
	struct timespec times[2];

	if (given == NULL || !another_day())
		return syscall(SYS_utimensat, folder, path, given, flags);
	times[0] = given[0];
	times[1] = given[1];
	times[0].tv_sec = kept(times[0].tv_sec);
	times[1].tv_sec = kept(times[1].tv_sec);
	return syscall(SYS_utimensat, folder, path, times, flags);
}

static int set_coarse(int folder, const char *path, const struct timeval *given, int flags)
{
	struct timespec times[2];
	int i;

	if (given == NULL)
		return set(folder, path, NULL, flags);
	for (i = 0; i < 2; i++) {
		times[i].tv_sec = given[i].tv_sec;
		times[i].tv_nsec = given[i].tv_usec * 1000;
	}
	return set(folder, path, times, flags);
}

int utimensat(int folder, const char *path, const struct timespec given[2], int flags) { return set(folder, path, given, flags); }
int futimens(int fd, const struct timespec given[2]) { return set(fd, NULL, given, 0); }
int utimes(const char *path, const struct timeval given[2]) { return set_coarse(AT_FDCWD, path, given, 0); }
int lutimes(const char *path, const struct timeval given[2]) { return set_coarse(AT_FDCWD, path, given, AT_SYMLINK_NOFOLLOW); }
int futimes(int fd, const struct timeval given[2]) { return set_coarse(fd, NULL, given, 0); }
int futimesat(int folder, const char *path, const struct timeval given[2]) { return set_coarse(folder, path, given, 0); }

int utime(const char *path, const struct utimbuf *given)
{
	struct timespec times[2] = {{0, 0}, {0, 0}};

	if (given == NULL)
		return set(AT_FDCWD, path, NULL, 0);
	times[0].tv_sec = given->actime;
	times[1].tv_sec = given->modtime;
	return set(AT_FDCWD, path, times, 0);
}
