/*
 * traffic.c opens and closes connections at a constant rate through a small range of ports. It reports how many sockets are in
 * TIME_WAIT and how many connects fail because no port is free. Its lines, besides those of guest.h, are:
 *   fin-timeout N        the default of net.ipv4.tcp_fin_timeout, which is the length of TIME_WAIT in seconds
 *   sample T W C F       T ms after the start, W sockets are in TIME_WAIT, C connects have succeeded and F have failed
 *   sustained N T        of more connects than there are ports for, N succeeded within T ms
 * Its parameters are in the file /traffic: "PORTS RATE SECONDS", with RATE in connects per second.
 */

#include "guest.h"

/* FIRST_PORT is the first local port, above the ports of services and below the default range. */
#define FIRST_PORT 20000

#define EADDRNOTAVAIL 99

static struct address server = {2, 0x0900, LOOPBACK, ""}; /* port 9, discard */
static s64 listener;

static struct { s64 connected, failed; } count;

static s64 parse(const char **s)
{
	s64 n = 0;

	while (**s == ' ' || **s == '\t')
		++*s;
	for (; **s >= '0' && **s <= '9'; ++*s)
		n = n * 10 + (**s - '0');
	return n;
}

/* set writes numbers to a file of /proc/sys. */
static void set(const char *name, s64 a, s64 b)
{
	s64 fd = open_file(name, 1), result = fd; /* O_WRONLY */

	length = 0;
	number(a);
	if (b >= 0)
		number(b);
	if (fd >= 0) {
		result = call3(SYS_write, fd, line, length);
		call1(SYS_close, fd);
	}
	if (result < 0)
		cannot(name, result);
}

/* in_time_wait returns how many sockets are in TIME_WAIT. The line is "TCP: inuse 1 orphan 0 tw 250 alloc 2 mem 1". */
static s64 in_time_wait(void)
{
	const char *s = page;

	if (read_file("/proc/net/sockstat", page, sizeof page) < 0)
		return -1;
	for (; *s; s++)
		if (s[0] == ' ' && s[1] == 't' && s[2] == 'w' && s[3] == ' ') {
			s += 4;
			return parse(&s);
		}
	return -1;
}

/* attempt opens a connection and closes the client's side first, so that the client's port gets into TIME_WAIT. */
static void attempt(void)
{
	s64 client = call3(SYS_socket, 2, 1, 0), peer, result;

	result = call3(SYS_connect, client, &server, sizeof server);
	if (result == 0) {
		peer = call3(SYS_accept, listener, 0, 0);
		call2(SYS_shutdown, client, 1); /* SHUT_WR: FIN */
		call1(SYS_close, peer);
		count.connected++;
	} else {
		count.failed++;
		if (result != -EADDRNOTAVAIL)
			cannot("connecting", result);
	}
	call1(SYS_close, client);
}

static void sample(s64 t)
{
	begin("sample");
	number(t);
	number(in_time_wait());
	number(count.connected);
	number(count.failed);
	send_line();
}

/* at_rate makes attempts at a rate for a time, and writes a sample every second if samples is not 0. */
static void at_rate(s64 rate, s64 ms, int samples)
{
	s64 start = now(), n = 0, next = 0, t = 0;

	while (t <= ms) {
		s64 due = n * 1000 / rate;

		wait_until(start + (samples && next < due ? next : due));
		t = now() - start;
		if (samples && t >= next) {
			sample(next);
			next += 1000;
		}
		if (t >= due) {
			attempt();
			n++;
		}
	}
}

/* sustain measures how many connects the ports allow. It makes one and a half times as many as should be possible: for one length
 * of TIME_WAIT, until all ports are used, and then for two more, which are counted. */
static void sustain(s64 ports, s64 length_of_wait)
{
	s64 rate = ports * 3 / length_of_wait / 2 + 1, had, start;

	at_rate(rate, length_of_wait * 1000, 0);
	had = count.connected;
	start = now();
	at_rate(rate, length_of_wait * 2000, 0);
	begin("sustained");
	number(count.connected - had);
	number(now() - start);
	send_line();
}

static void work(void)
{
	char order[64], seconds[24];
	const char *s = order, *failed;
	s64 ports, rate, time, error, deadline;

	mount_proc();
	if ((error = read_file("/traffic", order, sizeof order)) < 0) {
		cannot("/traffic", error);
		return;
	}
	ports = parse(&s);
	rate = parse(&s);
	time = parse(&s);
	report_file("fin-timeout", "/proc/sys/net/ipv4/tcp_fin_timeout");
	s = seconds;
	if (read_file("/proc/sys/net/ipv4/tcp_fin_timeout", seconds, sizeof seconds) < 0)
		return;
	set("/proc/sys/net/ipv4/ip_local_port_range", FIRST_PORT, FIRST_PORT + ports - 1);
	/* Since 4.19 the loopback interface, and only it, reuses ports in TIME_WAIT after a second. */
	set("/proc/sys/net/ipv4/tcp_tw_reuse", 0, -1);
	/* On a small machine the kernel keeps few sockets in TIME_WAIT and drops the others at once. */
	set("/proc/sys/net/ipv4/tcp_max_tw_buckets", 2 * ports, -1);
	listener = listen_at(&server, 128, &failed, &error);
	if (failed) {
		cannot(failed, error);
		return;
	}
	at_rate(rate, time * 1000, 1);
	/* The ports of the first part are still in TIME_WAIT. All must be free before the next part. */
	for (deadline = now() + 600000; in_time_wait() > 0 && now() < deadline;)
		wait_until(now() + 500);
	sustain(ports, parse(&s));
}
