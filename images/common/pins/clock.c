/*
 * clock.so stops the clock of every program that it is preloaded into, at SOURCE_DATE_EPOCH (seconds since 1970). Without
 * that variable, or with one that is no number, it does nothing.
 *
 * Stopped is the time of day alone. What must go on does: CLOCK_MONOTONIC and the other clocks, hence sleep, select, poll
 * and timers; the times that the kernel gives to files. make keeps the real time, for it compares files' times with the
 * clock and warns of a skew. gpg makes keys and signatures at the epoch. A program that waits for the time of day to
 * pass waits for ever; no kernel's build does. Static programs are not reached.
 *
 * Compiled with -DDATE it stops nothing and is a part of date.so, which shifts the real time: for itself, and for make
 * where this pin is above it.
 *
 * System calls and no dlsym, so that nothing but libc.so.6 is loaded. Prototypes are here because glibc 2.12 and
 * 2.36 write gettimeofday's differently and 2.36 has no ftime. x86_64 only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct timeb {
	time_t time;
	unsigned short millitm;
	short timezone;
	short dstflag;
};

int gettimeofday(struct timeval *tv, void *tz);
int ftime(struct timeb *tb);
int timespec_get(struct timespec *ts, int base);

/* date.so has it, if that is loaded. */
void namibuild_shift_clock(struct timespec *now) __attribute__((weak));

/* The clocks of the time of day; glibc 2.12 has no name for the last one. */
enum { REALTIME = 0, REALTIME_COARSE = 5, TAI = 11 };

#ifdef DATE
static const time_t epoch;
static int stopped(void) { return 0; }
#else
static time_t epoch;
static int state; /* 0: the environment was not read yet, 1: stopped, -1: the real time */

static int read_environment(void)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	char *end;
	long long value;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	if (strcmp(program_invocation_short_name, "make") == 0)
		return -1;
	value = strtoll(text, &end, 10);
	if (*end != '\0')
		return -1;
	epoch = value;
	return 1;
}

/* Two threads that are first at once both find the same. */
static int stopped(void)
{
	int saved = errno;

	if (state == 0)
		state = read_environment();
	errno = saved;
	return state > 0;
}
#endif

time_t time(time_t *t)
{
	struct timespec now;

	if (clock_gettime(REALTIME, &now) != 0)
		return -1;
	if (t != NULL)
		*t = now.tv_sec;
	return now.tv_sec;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int of_day = clock == REALTIME || clock == REALTIME_COARSE || clock == TAI;
	int failed;

	if (of_day && stopped()) {
		ts->tv_sec = epoch;
		ts->tv_nsec = 0;
		return 0;
	}
	failed = syscall(SYS_clock_gettime, clock, ts);
	if (of_day && !failed && namibuild_shift_clock)
		namibuild_shift_clock(ts);
	return failed;
}

int gettimeofday(struct timeval *tv, void *tz)
{
	struct timespec now;

	if (tv != NULL) {
		clock_gettime(REALTIME, &now);
		tv->tv_sec = now.tv_sec;
		tv->tv_usec = now.tv_nsec / 1000;
	}
	return tz == NULL ? 0 : syscall(SYS_gettimeofday, NULL, tz);
}

int ftime(struct timeb *tb)
{
	struct timespec now;

	clock_gettime(REALTIME, &now);
	memset(tb, 0, sizeof *tb);
	tb->time = now.tv_sec;
	tb->millitm = now.tv_nsec / 1000000;
	return 0;
}

int timespec_get(struct timespec *ts, int base)
{
	return base == 1 && clock_gettime(REALTIME, ts) == 0 ? base : 0;
}
