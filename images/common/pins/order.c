/*
 * order.so makes every program read directories in the order of the names' bytes. A file system has an order of its own: that
 * of hashes, or of creation. `find | while read …` in rpm's find-debuginfo.sh depends on it: it decides which of two equal
 * build-ids points where.
 *
 * A directory is read completely when its first entry is asked for. glibc sorts what it reads for itself (glob, scandir).
 * struct dirent is struct dirent64 on x86_64.
 *
 * images/vary/shuffle.c includes this file with another COMPARE.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifndef COMPARE
#define COMPARE strcmp
#endif

/* The oldest versions, so that a library compiled with a later glibc still runs with 2.12. */
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");
__asm__(".symver memcpy,memcpy@GLIBC_2.2.5");

/* listing is a directory that is being read. */
struct listing {
	struct listing *next;
	DIR *dir;
	struct dirent **entries;
	size_t count, at;
	int failed; /* errno of the reading, reported at the end of the directory */
};

static struct listing *listings;
static int lock;

static void enter(void)
{
	while (__sync_lock_test_and_set(&lock, 1))
		;
}

static void leave(void) { __sync_lock_release(&lock); }

static int before(const void *a, const void *b)
{
	return COMPARE((*(struct dirent *const *)a)->d_name, (*(struct dirent *const *)b)->d_name);
}

static struct dirent *next_of(DIR *dir)
{
	static struct dirent *(*next)(DIR *);

	if (next == NULL)
		next = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
	return next(dir);
}

static void empty(struct listing *l)
{
	while (l->count > 0)
		free(l->entries[--l->count]);
	free(l->entries);
	l->entries = NULL;
	l->at = 0;
}

static int add(struct listing *l, const struct dirent *d)
{
	struct dirent *copy = malloc(d->d_reclen);
	struct dirent **more = l->entries;

	if (copy == NULL)
		return -1;
	if ((l->count & (l->count - 1)) == 0) /* full: grow to the next power of two */
		more = realloc(l->entries, (l->count ? 2 * l->count : 1) * sizeof *more);
	if (more == NULL) {
		free(copy);
		return -1;
	}
	l->entries = more;
	l->entries[l->count++] = memcpy(copy, d, d->d_reclen);
	return 0;
}

static void fill(struct listing *l)
{
	struct dirent *d;

	errno = 0;
	while ((d = next_of(l->dir)) != NULL && add(l, d) == 0)
		;
	l->failed = errno;
	if (l->count > 0)
		qsort(l->entries, l->count, sizeof *l->entries, before);
}

static struct listing *find(DIR *dir)
{
	struct listing *l;

	for (l = listings; l != NULL && l->dir != dir; l = l->next)
		;
	return l;
}

/* of returns the listing of a directory, which it reads at the first call. */
static struct listing *of(DIR *dir)
{
	struct listing *l;

	enter();
	l = find(dir);
	leave();
	if (l != NULL)
		return l;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	l->dir = dir;
	fill(l);
	enter();
	l->next = listings;
	listings = l;
	leave();
	return l;
}

static void forget(DIR *dir)
{
	struct listing **at, *l = NULL;

	enter();
	for (at = &listings; *at != NULL; at = &(*at)->next)
		if ((*at)->dir == dir) {
			l = *at;
			*at = l->next;
			break;
		}
	leave();
	if (l != NULL) {
		empty(l);
		free(l);
	}
}

static struct dirent *take(DIR *dir)
{
	int saved = errno;
	struct listing *l = of(dir);

	if (l == NULL)
		return NULL;
	errno = saved;
	if (l->at < l->count)
		return l->entries[l->at++];
	if (l->failed)
		errno = l->failed;
	return NULL;
}

static int take_copy(DIR *dir, void *entry, void **result)
{
	int saved = errno, failed;
	struct dirent *d;

	errno = 0;
	d = take(dir);
	*result = d == NULL ? NULL : memcpy(entry, d, d->d_reclen);
	failed = errno;
	errno = saved;
	return failed;
}

struct dirent *readdir(DIR *dir) { return take(dir); }
struct dirent64 *readdir64(DIR *dir) { return (struct dirent64 *)take(dir); }
int readdir_r(DIR *dir, struct dirent *entry, struct dirent **result) { return take_copy(dir, entry, (void **)result); }
int readdir64_r(DIR *dir, struct dirent64 *entry, struct dirent64 **result) { return take_copy(dir, entry, (void **)result); }

void rewinddir(DIR *dir)
{
	void (*next)(DIR *) = (void (*)(DIR *)) dlsym(RTLD_NEXT, "rewinddir");

	forget(dir);
	next(dir);
}

long telldir(DIR *dir)
{
	struct listing *l = of(dir);

	return l == NULL ? -1 : (long)l->at;
}

void seekdir(DIR *dir, long at)
{
	struct listing *l = of(dir);

	if (l != NULL && at >= 0 && (size_t)at <= l->count)
		l->at = at;
}

int closedir(DIR *dir)
{
	int (*next)(DIR *) = (int (*)(DIR *)) dlsym(RTLD_NEXT, "closedir");

	forget(dir);
	return next(dir);
}
