/*
 * shuffle.so makes every program read directories in an order that depends on the ends of the names, as another file system
 * might. Below order.so it has no effect. Without order.so it shows which programs depend on the order.
 */
#define _GNU_SOURCE
#include <string.h>

/* backwards compares two names from their last bytes to their first, and puts the greater one first. */
static int backwards(const char *x, const char *y)
{
	size_t i = strlen(x), j = strlen(y);

	while (i > 0 && j > 0) {
		int d = (unsigned char)y[--j] - (unsigned char)x[--i];
		if (d != 0)
			return d;
	}
	return (i > 0) - (j > 0);
}

#define COMPARE backwards
#include "../common/pins/order.c"
