// SPDX-License-Identifier: GPL-2.0
/*
 * A server on port 80, of IPv4 and IPv6: who connects says how many bytes it sends and how many it wants (request.h),
 * sends those, gets these, and is hung up on. Who says nothing is kept.
 */
#define _GNU_SOURCE
#include "request.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64

static char bytes[65536];

static size_t at_most(uint32_t count)
{
	return count < sizeof(bytes) ? count : sizeof(bytes);
}

/* What the client asks for, by itself or in a ClientHello. */
static bool get_request(int client, struct request *request)
{
	const ssize_t size = sizeof(*request), rest = HELLO_REQUEST - size;

	if (read(client, request, size) != size)
		return false;
	return *(char *)request != HELLO ||
	       (read(client, bytes, rest) == rest && read(client, request, size) == size);
}

static void serve(int client)
{
	struct request request;

	if (get_request(client, &request)) {
		uint32_t sent = ntohl(request.sent), wanted = ntohl(request.wanted);
		ssize_t done = 1;

		for (; sent && done > 0; sent -= done)
			done = read(client, bytes, at_most(sent));
		for (; wanted && done > 0; wanted -= done)
			done = write(client, bytes, at_most(wanted));
	}
	close(client);
}

static void watch(int queue, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll_ctl");
}

static int start_listening(const void *address, sa_family_t family, socklen_t length)
{
	int listener = socket(family, SOCK_STREAM, 0), one = 1;

	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (family == AF_INET6 && setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
	    bind(listener, address, length) || listen(listener, 4096))
		err(1, "port 80");
	return listener;
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct sockaddr_in6 address6 = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	int listener6 = start_listening(&address6, AF_INET6, sizeof(address6));
	int listener = start_listening(&address, AF_INET, sizeof(address));
	int queue = epoll_create1(0);

	signal(SIGPIPE, SIG_IGN);
	if (queue < 0)
		err(1, "epoll_create1");
	if (mlockall(MCL_CURRENT))
		err(1, "mlockall");
	watch(queue, listener);
	watch(queue, listener6);
	puts("listening");
	fflush(stdout);
	for (;;) {
		struct epoll_event events[EVENTS];
		int count = epoll_wait(queue, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd != listener && fd != listener6) {
				serve(fd);
				continue;
			}
			fd = accept(fd, NULL, NULL);
			if (fd >= 0)
				watch(queue, fd);
		}
	}
}
