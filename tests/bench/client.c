// SPDX-License-Identifier: GPL-2.0
/*
 * client ADDRESS CONNECTIONS BYTES [MSS [SENT [HELLO]]]: connects so often to the server, one connection after another,
 * sends SENT bytes at once, or the ClientHello in a file, gets so many bytes each time, in segments of at most so many,
 * and prints how long each took, in nanoseconds. One that gets nothing for a while is given up.
 */
#include "request.h"
#include "server_address.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char bytes[65536], sent_bytes[1 << 17];
static size_t hello; /* its length, if these bytes are one, which has the request in it */

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void fetch(const struct addrinfo *server, uint32_t wanted, int mss, uint32_t sent)
{
	static const struct timeval patience = { .tv_sec = 2 };
	static const struct linger reset = { .l_onoff = 1 };
	struct request request = { .sent = htonl(sent), .wanted = htonl(wanted) };
	const struct iovec all[] = { { &request, hello ? 0 : sizeof(request) }, { sent_bytes, hello ? hello : sent } };
	uint64_t got = 0;
	ssize_t done;
	int fd = socket(server->ai_family, SOCK_STREAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    (mss && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss))) ||
	    connect(fd, server->ai_addr, server->ai_addrlen))
		err(1, "connect");
	if (hello)
		memcpy(sent_bytes + HELLO_REQUEST, &request, sizeof(request));
	if (writev(fd, all, 2) != (ssize_t)(all[0].iov_len + all[1].iov_len))
		err(1, "write");
	while ((done = read(fd, bytes, sizeof(bytes))) > 0)
		got += done;
	if (done < 0) {
		if (errno != EAGAIN || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
			err(1, "read");
	} else if (got != wanted) {
		errx(1, "the server sent %llu bytes", (unsigned long long)got);
	}
	close(fd);
}

/* The bytes of it that come after the request. */
static size_t read_hello(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		err(1, "%s", path);
	hello = fread(sent_bytes, 1, sizeof(sent_bytes), file);
	if (hello <= HELLO_REQUEST + sizeof(struct request) || sent_bytes[0] != HELLO)
		errx(1, "%s is no ClientHello", path);
	fclose(file);
	return hello - HELLO_REQUEST - sizeof(struct request);
}

int main(int argc, char **argv)
{
	const struct addrinfo *server;
	unsigned long connections, wanted, sent;
	uint64_t *times;

	if (argc < 4 || argc > 7)
		errx(2, "usage: client ADDRESS CONNECTIONS BYTES [MSS [SENT [HELLO]]]");
	server = server_at(argv[1]);
	connections = strtoul(argv[2], NULL, 10);
	wanted = strtoul(argv[3], NULL, 10);
	sent = argc > 5 ? strtoul(argv[5], NULL, 10) : 0;
	if (sent > sizeof(sent_bytes))
		errx(2, "no more than %zu bytes are sent", sizeof(sent_bytes));
	if (argc > 6)
		sent = read_hello(argv[6]);
	times = calloc(connections, sizeof(*times));
	/* Nothing has to be read from a disk while the clock runs. */
	if (!times || mlockall(MCL_CURRENT))
		err(1, "memory");
	for (unsigned long i = 0; i < connections; i++) {
		uint64_t begin = now();

		fetch(server, wanted, argc > 4 ? atoi(argv[4]) : 0, sent);
		times[i] = now() - begin;
	}
	for (unsigned long i = 0; i < connections; i++)
		printf("%llu\n", (unsigned long long)times[i]);
	return 0;
}
