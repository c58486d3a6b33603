/*
 * signfile.so runs /usr/lib/namibuild/modkey/sign-file in place of a program called sign-file, with that program's path before its
 * arguments. The kernel's build compiles its own sign-file and calls it by path, so that no PATH reaches it; and it has no
 * key that the private half could be read from. With NAMIBUILD_SIGN_FILE in the environment the program runs as it is.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The oldest version: what is compiled with a later glibc could run with 2.12. */
__asm__(".symver memcpy,memcpy@GLIBC_2.2.5");

#define STAND_IN "/usr/lib/namibuild/modkey/sign-file"

/* glibc gives constructors what main gets. */
static void __attribute__((constructor)) instead(int argc, char **argv, char **envp)
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
