// SPDX-License-Identifier: GPL-2.0
/*
 * A server on port 80: who connects says in four bytes how many it wants, gets them, and is hung up on.
 * Who says nothing is kept.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64

static char bytes[65536];

static void serve(int client)
{
	uint32_t wanted;

	if (read(client, &wanted, sizeof(wanted)) == sizeof(wanted)) {
		for (wanted = ntohl(wanted); wanted;) {
			ssize_t done = write(client, bytes, wanted < sizeof(bytes) ? wanted : sizeof(bytes));

			if (done <= 0)
				break;
			wanted -= done;
		}
	}
	close(client);
}

static void watch(int queue, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll_ctl");
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), queue = epoll_create1(0), one = 1;

	signal(SIGPIPE, SIG_IGN);
	if (listener < 0 || queue < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 4096))
		err(1, "port 80");
	watch(queue, listener);
	puts("listening");
	fflush(stdout);
	for (;;) {
		struct epoll_event events[EVENTS];
		int count = epoll_wait(queue, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd != listener) {
				serve(fd);
				continue;
			}
			fd = accept(listener, NULL, NULL);
			if (fd >= 0)
				watch(queue, fd);
		}
	}
}
