/*
 * guest.h has what the programs that run as process 1 of a booted kernel share: system calls, lines of text, the clock, and the
 * loopback interface. It uses neither libc nor headers and is written in the C of 2009: gcc 4.4 to 14 compile it, and Linux from
 * 2.6.32 on runs it (x86_64). A program defines work(), which run() calls.
 *
 * A program writes lines that begin with "@namibuild ", through /dev/kmsg, so that lines of the kernel do not get into them. All
 * programs write these:
 *   cannot TEXT E    something failed with errno E
 *   end              everything requested is done
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

/* gcc may call these two functions for a loop or an initialiser. */
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

/* line is collected and then written at once. printk takes up to 992 bytes. */
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

static void send_line(void)
{
	line[length++] = '\n';
	call3(SYS_write, out, line, length);
}

static void cannot(const char *what, s64 result)
{
	begin("cannot ");
	text(what);
	number(-result);
	send_line();
}

static s64 open_file(const char *name, int flags) { return call3(SYS_open, name, flags, 0); }

/* read_file reads a file to its end and returns the number of bytes, or the negative errno. */
static s64 read_file(const char *name, char *to, s64 size)
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

/* report_file writes a line with the first line of a file. */
static void report_file(const char *word, const char *name)
{
	s64 n = read_file(name, page, sizeof page);

	if (n < 0) {
		cannot(name, n);
		return;
	}
	begin(word);
	text(" ");
	text(page);
	send_line();
}

struct timespec { s64 sec, nsec; };

/* now returns CLOCK_MONOTONIC in milliseconds. */
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

struct address {
	unsigned short family, port; /* port in network order */
	unsigned int ip;
	char zero[8];
};

#define LOOPBACK 0x0100007f /* 127.0.0.1 in network order */

/* bring_up brings the loopback interface up. */
static s64 bring_up(s64 fd)
{
	struct { char name[16]; short flags; char rest[22]; } request = {"lo", 1, ""}; /* IFF_UP */

	return call3(SYS_ioctl, fd, 0x8914, &request); /* SIOCSIFFLAGS */
}

/* listen_at brings the loopback interface up and returns a socket that listens on a port of 127.0.0.1. If something fails, it
 * returns 0, *failed says what, and *error is the negative errno. */
static s64 listen_at(struct address *server, int backlog, const char **failed, s64 *error)
{
	s64 fd = call3(SYS_socket, 2, 1, 0); /* AF_INET, SOCK_STREAM */

	*failed = "socket";
	if ((*error = fd) < 0)
		return 0;
	*failed = "bringing lo up";
	if ((*error = bring_up(fd)) < 0)
		return 0;
	*failed = "bind";
	if ((*error = call3(SYS_bind, fd, server, sizeof *server)) < 0)
		return 0;
	*failed = "listen";
	if ((*error = call2(SYS_listen, fd, backlog)) < 0)
		return 0;
	*failed = 0;
	return fd;
}

static void mount_proc(void)
{
	s64 error = call(SYS_mount, (s64)"proc", (s64)"/proc", (s64)"proc", 0, 0, 0);

	if (error < 0)
		cannot("mounting /proc", error);
}

static void work(void);

/* The kernel starts the program here. Nothing on the stack is needed, but it must be aligned. */
__asm__(".globl _start\n_start:\n\txorl %ebp, %ebp\n\tandq $-16, %rsp\n\tcall run\n\thlt\n");

void run(void);
void run(void)
{
	s64 fd = open_file("/dev/kmsg", 1);

	if (fd >= 0)
		out = (int)fd;
	work();
	begin("end");
	send_line();
	/* This is RESTART, because POWER_OFF halts forever without ACPI. QEMU ends at the first restart. */
	call3(SYS_reboot, 0xfee1dead, 672274793, 0x01234567);
	for (;;)
		wait_until(now() + 3600000);
}
