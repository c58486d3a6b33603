/*
 * witness.c is process 1 of a booted kernel: it says what the kernel says of itself, loads modules, times sockets in
 * TIME_WAIT, and ends the machine. No libc and no header, system calls alone, in the C of 2009: gcc 4.4 to 14 compile it, and
 * Linux 2.6.32 to today's run it (x86_64).
 *
 * It speaks in lines that begin with "@namibuild ", through /dev/kmsg, so that none is torn by a line of the kernel:
 *   release R        uname's release
 *   version TEXT     /proc/version
 *   fin-timeout N    net.ipv4.tcp_fin_timeout, nobody has set it
 *   module N E       module /modules/N was loaded (E is 0) or refused (E is the errno)
 *   socket N A L     socket N: its timer was armed to A ms, it was gone after L ms by CLOCK_MONOTONIC
 *   tainted N        /proc/sys/kernel/tainted at the end
 *   cannot TEXT E    something failed with errno E
 *   end              all that was asked was done
 * What it does is asked for by files: /modules/0, /modules/1, ... and /time-wait.
 */

typedef unsigned long u64;
typedef long s64;

enum {
	SYS_read = 0, SYS_write = 1, SYS_open = 2, SYS_close = 3, SYS_lseek = 8, SYS_mmap = 9, SYS_ioctl = 16,
	SYS_nanosleep = 35, SYS_socket = 41, SYS_connect = 42, SYS_accept = 43, SYS_shutdown = 48, SYS_bind = 49,
	SYS_listen = 50, SYS_getsockname = 51, SYS_uname = 63, SYS_mount = 165, SYS_reboot = 169,
	SYS_init_module = 175, SYS_clock_gettime = 228
};

static s64 call(s64 n, s64 a, s64 b, s64 c, s64 d, s64 e, s64 f)
{
	register s64 r10 __asm__("r10") = d;
	register s64 r8 __asm__("r8") = e;
	register s64 r9 __asm__("r9") = f;
	s64 result;

	__asm__ volatile("syscall" : "=a"(result)
		: "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return result;
}

#define call1(n, a) call(n, (s64)(a), 0, 0, 0, 0, 0)
#define call2(n, a, b) call(n, (s64)(a), (s64)(b), 0, 0, 0, 0)
#define call3(n, a, b, c) call(n, (s64)(a), (s64)(b), (s64)(c), 0, 0, 0)

/* gcc may call these two for a loop or an initialiser. */
void *memset(void *to, int c, u64 n)
{
	char *p = to;
	while (n--)
		*p++ = (char)c;
	return to;
}

void *memcpy(void *to, const void *from, u64 n)
{
	char *p = to;
	const char *q = from;
	while (n--)
		*p++ = *q++;
	return to;
}

/* One line, put together and written at once. printk takes up to 992 bytes. */
static char line[960];
static u64 length;
static int out = 1;

static void text(const char *s)
{
	while (*s && *s != '\n' && length < sizeof line - 2)
		line[length++] = *s++;
}

static void number(s64 n)
{
	char digits[24];
	int i = sizeof digits - 1;
	u64 rest = n < 0 ? -(u64)n : (u64)n;

	digits[i] = 0;
	do
		digits[--i] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (n < 0)
		digits[--i] = '-';
	text(" ");
	text(digits + i);
}

static void begin(const char *word)
{
	length = 0;
	text("@namibuild ");
	text(word);
}

static void say(void)
{
	line[length++] = '\n';
	call3(SYS_write, out, line, length);
}

static void cannot(const char *what, s64 result)
{
	begin("cannot ");
	text(what);
	number(-result);
	say();
}

static s64 open_file(const char *name, int flags) { return call3(SYS_open, name, flags, 0); }

/* slurp reads a file of /proc to its end and gives the number of bytes. */
static s64 slurp(const char *name, char *to, s64 size)
{
	s64 had = 0, n, fd = open_file(name, 0);

	if (fd < 0)
		return fd;
	do {
		n = call3(SYS_read, fd, to + had, size - 1 - had);
		if (n > 0)
			had += n;
	} while (n > 0 && had < size - 1);
	call1(SYS_close, fd);
	to[had] = 0;
	return n < 0 ? n : had;
}

static char page[64 << 10];

static void tell(const char *word, const char *name)
{
	s64 n = slurp(name, page, sizeof page);

	if (n < 0) {
		cannot(name, n);
		return;
	}
	begin(word);
	text(" ");
	text(page);
	say();
}

struct timespec { s64 sec, nsec; };

/* now is CLOCK_MONOTONIC in milliseconds. */
static s64 now(void)
{
	struct timespec t = {0, 0};

	call2(SYS_clock_gettime, 1, &t);
	return t.sec * 1000 + t.nsec / 1000000;
}

static void wait_until(s64 ms)
{
	s64 left = ms - now();
	struct timespec t;

	if (left <= 0)
		return;
	t.sec = left / 1000;
	t.nsec = left % 1000 * 1000000;
	call2(SYS_nanosleep, &t, 0);
}

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

struct address {
	unsigned short family, port; /* port in network order */
	unsigned int ip;
	char zero[8];
};

#define LOOPBACK 0x0100007f /* 127.0.0.1 as it lies in memory */

/* up brings the loopback interface up. */
static s64 up(s64 fd)
{
	struct { char name[16]; short flags; char rest[22]; } request = {"lo", 1, ""}; /* IFF_UP */

	return call3(SYS_ioctl, fd, 0x8914, &request); /* SIOCSIFFLAGS */
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
	s64 listener = call3(SYS_socket, 2, 1, 0), step, first, armed;
	const char *failed;
	int n = 0, i;

	if ((*error = listener) < 0)
		return "socket";
	if ((*error = up(listener)) < 0)
		return "bringing lo up";
	if ((*error = call3(SYS_bind, listener, &server, sizeof server)) < 0)
		return "bind";
	if ((*error = call2(SYS_listen, listener, MOST)) < 0)
		return "listen";
	if ((failed = wait_one(listener, &server, &sockets[n++], error)))
		return failed;
	first = sockets[0].began;
	armed = sockets[0].armed;
	step = between(50, armed / 8 / (MOST - 8), 60000);
	while (n < MOST && now() - first <= armed / 8 + step) {
		wait_until(first + n * step);
		if ((failed = wait_one(listener, &server, &sockets[n++], error)))
			return failed;
	}
	wait_until(first + armed * 13 / 16);
	watch(n, between(10, armed / 1200, 500), first + 3 * armed + 10000);
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
	error = call(SYS_mount, (s64)"proc", (s64)"/proc", (s64)"proc", 0, 0, 0);
	if (error < 0)
		cannot("mounting /proc", error);
	tell("version", "/proc/version");
	tell("fin-timeout", "/proc/sys/net/ipv4/tcp_fin_timeout");
	for (i = 0; i < 1000 && load(i); i++)
		;
	error = open_file("/time-wait", 0);
	if (error >= 0 && (failed = time_wait(&error)))
		cannot(failed, error);
	tell("tainted", "/proc/sys/kernel/tainted");
	begin("end");
	say();
}

/* The kernel enters with the stack as the ABI has it; nothing on it is wanted but its alignment. */
__asm__(".globl _start\n_start:\n\txorl %ebp, %ebp\n\tandq $-16, %rsp\n\tcall run\n\thlt\n");

void run(void);
void run(void)
{
	s64 fd = open_file("/dev/kmsg", 1);

	if (fd >= 0)
		out = (int)fd;
	testify();
	/* RESTART and not POWER_OFF, which halts for ever where there is no ACPI; the machine ends with its first restart. */
	call3(SYS_reboot, 0xfee1dead, 672274793, 0x01234567);
	for (;;)
		wait_until(now() + 3600000);
}
