/*
 * signfile.so runs /usr/lib/namibuild/modkey/sign-file in place of a program called sign-file, with the path of that program as
 * its first argument. The kernel's build compiles a sign-file of its own and calls it by its path, so that PATH cannot replace
 * it; but the container has no private key that it could read. With NAMIBUILD_SIGN_FILE in the environment the program itself runs.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The oldest version, so that a library compiled with a later glibc still runs with 2.12. */
__asm__(".symver memcpy,memcpy@GLIBC_2.2.5");

#define STAND_IN "/usr/lib/namibuild/modkey/sign-file"

/* glibc calls constructors with the arguments of main. */
static void __attribute__((constructor)) replace(int argc, char **argv, char **envp)
{
	static char own[4096];
	const char *name;
	char **list;

	if (argc < 1 || argv[0] == NULL)
		return;
	name = strrchr(argv[0], '/');
	if (strcmp(name == NULL ? argv[0] : name + 1, "sign-file") != 0 || getenv("NAMIBUILD_SIGN_FILE") != NULL)
		return;
	list = calloc(argc + 2, sizeof *list);
	if (list != NULL && readlink("/proc/self/exe", own, sizeof own - 1) > 0) {
		list[0] = STAND_IN;
		list[1] = own;
		memcpy(list + 2, argv + 1, (argc - 1) * sizeof *list);
		execve(STAND_IN, list, envp);
	}
	perror(STAND_IN);
	_exit(127);
}
