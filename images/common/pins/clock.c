/*
 * clock.so stops the clock of every program that it is preloaded into, at SOURCE_DATE_EPOCH (seconds since 1970). Without
 * that variable, or if it is not a number, clock.so does nothing.
 *
 * Only the time of day stops. CLOCK_MONOTONIC and the other clocks go on, and with them sleep, select, poll and timers; so do
 * the times that the kernel gives to files. make keeps the real time, because it compares the times of files with the clock
 * and warns of a clock skew. gpg makes keys and signatures at the epoch. A program that waits until a time of day would wait
 * for ever; no kernel build contains one. Static programs are not affected.
 *
 * Compiled with -DDATE, this file stops nothing. It is then a part of date.so (images/vary/date.c), which shifts the real time;
 * where clock.so is loaded above date.so, make gets the shifted time through it.
 *
 * The file uses system calls and not dlsym, so that only libc.so.6 is loaded. It declares prototypes because glibc 2.12 and
 * 2.36 declare gettimeofday differently and 2.36 has no ftime. It is for x86_64 only.
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

/* date.so defines it, where that is loaded. */
void namibuild_shift_clock(struct timespec *now) __attribute__((weak));

/* The clocks of the time of day. glibc 2.12 has no name for the last one. */
enum { REALTIME = 0, REALTIME_COARSE = 5, TAI = 11 };

#ifdef DATE
static const time_t epoch;
static int stopped(void) { return 0; }
#else
static time_t epoch;
static int state; /* 0: the environment was not read yet; 1: the clock is stopped; -1: it is not */

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

/* stopped needs no lock: threads that read the environment at the same time find the same. */
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
	int time_of_day = clock == REALTIME || clock == REALTIME_COARSE || clock == TAI;
	int failed;

	if (time_of_day && stopped()) {
		ts->tv_sec = epoch;
		ts->tv_nsec = 0;
		return 0;
	}
	failed = syscall(SYS_clock_gettime, clock, ts);
	if (time_of_day && !failed && namibuild_shift_clock)
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
