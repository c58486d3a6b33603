/*
 * witness.c says what the kernel says of itself, loads modules and times sockets in TIME_WAIT. Its lines, beside those of guest.h:
 *   release R        uname's release
 *   version TEXT     /proc/version
 *   fin-timeout N    net.ipv4.tcp_fin_timeout, nobody has set it
 *   module N E       module /modules/N was loaded (E is 0) or refused (E is the errno)
 *   socket N A L     socket N: its timer was armed to A ms, it was gone after L ms by CLOCK_MONOTONIC
 *   tainted N        /proc/sys/kernel/tainted at the end
 * What it does is asked for by files: /modules/0, /modules/1, ... and /time-wait.
 */

#include "guest.h"


/* load loads /modules/n; 0: there is none. */
static int load(int n)
{
	char name[24] = "/modules/";
	s64 fd, size, data, result;
	int i = 9;

	if (n >= 100)
		name[i++] = (char)('0' + n / 100);
	if (n >= 10)
		name[i++] = (char)('0' + n / 10 % 10);
	name[i++] = (char)('0' + n % 10);
	name[i] = 0;
	fd = open_file(name, 0);
	if (fd < 0)
		return 0;
	size = call3(SYS_lseek, fd, 0, 2);
	data = call(SYS_mmap, 0, size, 1, 2, fd, 0); /* PROT_READ, MAP_PRIVATE */
	result = data < 0 && data > -4096 ? data : call3(SYS_init_module, data, size, "");
	call1(SYS_close, fd);
	begin("module");
	number(n);
	number(-result);
	say();
	return 1;
}

/* One socket: its port in host order, when TIME_WAIT began, what its timer was armed to, when it was seen to be gone. */
struct waiting { int port, missed; s64 began, armed, gone; };

#define MOST 128
static struct waiting sockets[MOST];

/* hex reads a number and leaves *s behind it. */
static u64 hex(const char **s)
{
	u64 n = 0;

	for (;; ++*s) {
		char c = **s;
		if (c >= '0' && c <= '9')
			n = n * 16 + (u64)(c - '0');
		else if (c >= 'A' && c <= 'F')
			n = n * 16 + (u64)(c - 'A' + 10);
		else
			return n;
	}
}

static const char *skip(const char *s, char to)
{
	while (*s && *s != to)
		s++;
	return *s ? s + 1 : s;
}

/* look reads /proc/net/tcp and gives what the timer of a port's socket in TIME_WAIT has left, in ms; -1: there is none.
 * A line is "  0: LOCAL:PORT REMOTE:PORT ST TX:RX TR:WHEN ...", WHEN in hundredths of a second (USER_HZ). */
static s64 look(int port)
{
	const char *s = skip(page, '\n');

	for (; *s; s = skip(s, '\n')) {
		const char *p = skip(skip(skip(s, ':'), ' '), ':'); /* behind LOCAL: */
		u64 local = hex(&p), state;

		p = skip(skip(p, ' '), ' ');
		state = hex(&p);
		if (state != 6 || (int)local != port)
			continue;
		p = skip(skip(skip(skip(p, ' '), ':'), ' '), ':');
		return (s64)hex(&p) * 10;
	}
	return -1;
}

/* wait_one opens a connection to the listener and closes it from the client's side first. TIME_WAIT begins when the
 * server's half is closed: the client is shut down by then and still open, so nothing else starts the timer. */
static const char *wait_one(s64 listener, struct address *server, struct waiting *w, s64 *error)
{
	struct address mine;
	int size = sizeof mine;
	s64 client = call3(SYS_socket, 2, 1, 0), peer;

	if ((*error = client) < 0)
		return "socket";
	if ((*error = call3(SYS_connect, client, server, sizeof *server)) < 0)
		return "connect";
	if ((*error = peer = call3(SYS_accept, listener, 0, 0)) < 0)
		return "accept";
	if ((*error = call3(SYS_getsockname, client, &mine, &size)) < 0)
		return "getsockname";
	w->port = (mine.port & 0xff) << 8 | mine.port >> 8;
	call2(SYS_shutdown, client, 1); /* SHUT_WR: FIN */
	w->began = now();
	call1(SYS_close, peer);
	call1(SYS_close, client);
	if ((*error = slurp("/proc/net/tcp", page, sizeof page)) < 0)
		return "/proc/net/tcp";
	w->armed = look(w->port);
	*error = -62; /* ETIME */
	return w->armed < 0 ? "finding the socket in TIME_WAIT" : 0;
}

/* watch polls until every socket is gone, or until a moment. Missing in one reading is not gone: /proc/net/tcp comes in
 * pieces, and a line may slip through between two of them. */
static void watch(int n, s64 every, s64 until)
{
	int i, left = n;

	while (left > 0 && now() < until) {
		s64 at = now();
		slurp("/proc/net/tcp", page, sizeof page);
		for (left = 0, i = 0; i < n; i++) {
			struct waiting *w = &sockets[i];
			if (w->missed >= 2)
				continue;
			if (look(w->port) >= 0) {
				w->missed = 0;
				left++;
				continue;
			}
			if (w->missed++ == 0)
				w->gone = at;
			left += w->missed < 2;
		}
		wait_until(at + every);
	}
}

static s64 between(s64 least, s64 n, s64 most) { return n < least ? least : n > most ? most : n; }

/* time_wait times sockets. Kernels round: 2.6.32 lets a socket go up to an eighth of the length early (but not the first
 * of an idle moment), since 4.8 up to an eighth late, for the sake of their timer wheels. So sockets are opened at
 * short intervals for more than an eighth of the length: one of them ends where the rounding is least. */
static const char *time_wait(s64 *error)
{
	struct address server = {2, 0x0900, LOOPBACK, ""}; /* port 9, discard */
	const char *failed;
	s64 listener = listen_at(&server, MOST, &failed, error), step, first, armed;
	int n = 0, i;

	if (failed)
		return failed;
	if ((failed = wait_one(listener, &server, &sockets[n++], error)))
		return failed;
	first = sockets[0].began;
	armed = sockets[0].armed;
	step = between(50, armed / 8 / 75, 60000);
	while (n < MOST && now() - first <= armed / 8 + step) {
		wait_until(first + n * step);
		if ((failed = wait_one(listener, &server, &sockets[n++], error)))
			return failed;
	}
	wait_until(first + armed * 13 / 16);
	watch(n, between(10, armed / 600, 500), first + 3 * armed + 10000);
	for (i = 0; i < n; i++) {
		begin("socket");
		number(i);
		number(sockets[i].armed);
		number(sockets[i].missed >= 2 ? sockets[i].gone - sockets[i].began : -1);
		say();
	}
	return 0;
}

static void testify(void)
{
	static struct { char sysname[65], nodename[65], release[65], version[65], machine[65], domain[65]; } u;
	const char *failed;
	s64 error;
	int i;

	call1(SYS_uname, &u);
	begin("release ");
	text(u.release);
	say();
	mount_proc();
	tell("version", "/proc/version");
	tell("fin-timeout", "/proc/sys/net/ipv4/tcp_fin_timeout");
	for (i = 0; i < 1000 && load(i); i++)
		;
	error = open_file("/time-wait", 0);
	if (error >= 0 && (failed = time_wait(&error)))
		cannot(failed, error);
	tell("tainted", "/proc/sys/kernel/tainted");
}
