/*
 * witness.c reports the kernel's release and version, loads modules, and measures how long sockets are in TIME_WAIT. Its lines,
 * besides those of guest.h, are:
 *   release R        the release of uname
 *   version TEXT     /proc/version
 *   fin-timeout N    the default of net.ipv4.tcp_fin_timeout
 *   module N E       module /modules/N was loaded (E is 0) or refused (E is the errno)
 *   socket N A L     the timer of socket N was set to A ms, and it was gone after L ms of CLOCK_MONOTONIC
 *   tainted N        /proc/sys/kernel/tainted at the end
 * It loads the modules /modules/0, /modules/1, ..., and times sockets if the file /time-wait exists.
 */

#include "guest.h"

/* load loads /modules/n and returns 1, or returns 0 if the file does not exist. */
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
	send_line();
	return 1;
}

/* waiting is a socket in TIME_WAIT: its port in host order, when TIME_WAIT began, what its timer was set to, in how many readings
 * in a row it was missing, and when it was gone. */
struct waiting { int port, missed; s64 began, armed, gone; };

#define MOST 128
static struct waiting sockets[MOST];

/* hex parses a number and moves *s behind it. */
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

/* time_left returns how many ms the timer of a port's socket in TIME_WAIT has left, by /proc/net/tcp in page, or -1 if there is no
 * such socket. A line is "  0: LOCAL:PORT REMOTE:PORT ST TX:RX TR:WHEN ...", WHEN in hundredths of a second (USER_HZ). */
static s64 time_left(int port)
{
	const char *s = skip(page, '\n');

	for (; *s; s = skip(s, '\n')) {
		const char *p = skip(skip(skip(s, ':'), ' '), ':'); /* after LOCAL: */
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

/* wait_one opens a connection to the listener and closes it from the client's side first. TIME_WAIT begins when the server's half
 * is closed. By then the client is shut down and still open, so nothing else starts the timer. */
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
	if ((*error = read_file("/proc/net/tcp", page, sizeof page)) < 0)
		return "/proc/net/tcp";
	w->armed = time_left(w->port);
	*error = -62; /* ETIME */
	return w->armed < 0 ? "finding the socket in TIME_WAIT" : 0;
}

/* watch polls until every socket is gone, or until a given time. A socket is gone when two readings in a row do not have it,
 * because /proc/net/tcp is read in pieces, and one reading may miss a line between two of them. */
static void watch(int n, s64 every, s64 until)
{
	int i, left = n;

	while (left > 0 && now() < until) {
		s64 at = now();
		read_file("/proc/net/tcp", page, sizeof page);
		for (left = 0, i = 0; i < n; i++) {
			struct waiting *w = &sockets[i];
			if (w->missed >= 2)
				continue;
			if (time_left(w->port) >= 0) {
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

/* time_wait measures how long sockets are in TIME_WAIT. Kernels round this for their timer wheels: 2.6.32 ends TIME_WAIT up to an
 * eighth of its length early (but not for the first socket after idle time), and kernels since 4.8 up to an eighth late. So sockets
 * are opened at short intervals for more than an eighth of the length, and for one of them the rounding is smallest. */
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
		send_line();
	}
	return 0;
}

static void work(void)
{
	static struct { char sysname[65], nodename[65], release[65], version[65], machine[65], domain[65]; } u;
	const char *failed;
	s64 error;
	int i;

	call1(SYS_uname, &u);
	begin("release ");
	text(u.release);
	send_line();
	mount_proc();
	report_file("version", "/proc/version");
	report_file("fin-timeout", "/proc/sys/net/ipv4/tcp_fin_timeout");
	for (i = 0; i < 1000 && load(i); i++)
		;
	error = open_file("/time-wait", 0);
	if (error >= 0 && (failed = time_wait(&error)))
		cannot(failed, error);
	report_file("tainted", "/proc/sys/kernel/tainted");
}
