// SPDX-License-Identifier: GPL-2.0
/*
 * visitors ADDRESS VISITORS SECONDS BYTES: so many visitors connect to the server, each again and again for
 * so long, and get so many bytes each time. A line tells of each connection how many nanoseconds it took,
 * or - where it failed: where not all had come after two seconds, or the server has reset it.
 */
#include "request.h"
#include "server_address.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull
#define PATIENCE (2 * SECOND)
#define PAUSE 10000 /* microseconds, after a connection that failed at once */

static char bytes[65536];

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

/* Whether the socket is ready before the time is over. */
static bool is_ready(int fd, short events, uint64_t end)
{
	struct pollfd ready = { .fd = fd, .events = events };
	uint64_t time = now();

	return time < end && poll(&ready, 1, (end - time) / 1000000 + 1) > 0;
}

static bool fetch(int fd, const struct addrinfo *server, uint32_t wanted, uint64_t end)
{
	struct request request = { .wanted = htonl(wanted) };
	uint64_t got = 0;

	if (connect(fd, server->ai_addr, server->ai_addrlen) && errno != EINPROGRESS)
		return false;
	if (!is_ready(fd, POLLOUT, end) || write(fd, &request, sizeof(request)) != sizeof(request))
		return false;
	while (is_ready(fd, POLLIN, end)) {
		ssize_t done = read(fd, bytes, sizeof(bytes));

		if (done <= 0)
			return !done && got == wanted;
		got += done;
	}
	return false;
}

static void visit(const struct addrinfo *server, uint32_t wanted)
{
	static const struct linger reset = { .l_onoff = 1 };
	uint64_t begin = now();
	int fd = socket(server->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		err(1, "socket");
	if (fetch(fd, server, wanted, begin + PATIENCE)) {
		printf("%llu\n", (unsigned long long)(now() - begin));
	} else {
		puts("-");
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		usleep(PAUSE);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	const struct addrinfo *server;
	unsigned long visitors, wanted;
	uint64_t end;
	int status, failed = 0;

	if (argc != 5)
		errx(2, "usage: visitors ADDRESS VISITORS SECONDS BYTES");
	server = server_at(argv[1]);
	visitors = strtoul(argv[2], NULL, 10);
	end = now() + strtoul(argv[3], NULL, 10) * SECOND;
	wanted = strtoul(argv[4], NULL, 10);
	/* So that a line is written at once, and not in the middle of another visitor's. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned long i = 0; i < visitors; i++) {
		pid_t child = fork();

		if (child < 0)
			err(1, "fork");
		if (child)
			continue;
		while (now() < end)
			visit(server, wanted);
		return 0;
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}
