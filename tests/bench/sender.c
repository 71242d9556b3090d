// SPDX-License-Identifier: GPL-2.0
/*
 * Sends packets from many source addresses out of an interface and prints how long that took, in
 * nanoseconds. Over a pair of virtual interfaces, a packet is through the rules of the other end when
 * sending it returns, on the same CPU, and so is what comes back.
 *
 * sender KIND INTERFACE MAC DESTINATION FIRST ADDRESSES PACKETS [START [RATE]]
 *
 * The source addresses have the numbers from FIRST on, ADDRESSES of them, over and over again; they lie
 * scattered, and are of IPv4 or IPv6, as DESTINATION is. With START it begins at that time of the
 * monotonic clock, in nanoseconds. RATE is packets a second; without it, or if it is 0, it is as fast as it
 * can. KIND held sends nothing but opens connections, says so, and keeps them until its input ends.
 */
#define _GNU_SOURCE
#include "handshake.h"

#include <err.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#define BLOCK 65536 /* frames that are built at a time, while the clock stands */
#define BATCH 512   /* frames of one system call */
#define BATCHES_A_SECOND 1000
#define SECOND 1000000000ull

static const struct kind {
	const char *name;
	size_t (*build)(struct frame *frame, const struct path *path, uint32_t number);
} kinds[] = {
	{ "udp", build_udp },
	{ "syn", build_syn },
	{ "plain-syn", build_plain_syn },
	{ "bogus-ack", build_bogus_ack },
	{ "established", build_old_byte }, /* of connections that are opened before */
	{ "held", NULL },
};

static struct frame frames[BLOCK];
static struct mmsghdr messages[BLOCK];
static struct iovec vectors[BLOCK];

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	errx(2, "%s is not a kind of packet", name);
}

/* Waits until so many frames may follow the last ones. Being late for long is not made up for. */
static void keep_pace(uint64_t rate, unsigned int count)
{
	static uint64_t due;
	struct timespec time;

	if (!rate)
		return;
	if (due + SECOND / 10 < now(CLOCK_MONOTONIC))
		due = now(CLOCK_MONOTONIC);
	time = (struct timespec){ .tv_sec = due / SECOND, .tv_nsec = due % SECOND };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
	due += count * SECOND / rate;
}

static void send_all(int fd, unsigned int count, uint64_t rate)
{
	unsigned int most = rate && rate < BATCH * BATCHES_A_SECOND ? rate / BATCHES_A_SECOND + 1 : BATCH;
	unsigned int sent = 0;

	while (sent < count) {
		unsigned int rest = count - sent;
		int done;

		keep_pace(rate, most);
		done = sendmmsg(fd, messages + sent, rest < most ? rest : most, 0);
		/* Where another CPU's queue is full, the frame is lost, and the interface counts it. */
		if (done < 0 && errno == ENOBUFS)
			done = 1;
		if (done <= 0)
			err(1, "sendmmsg");
		sent += done;
	}
}

static void hold(void)
{
	puts("open");
	fflush(stdout);
	getchar();
}

int main(int argc, char **argv)
{
	struct sockaddr_ll place = { .sll_family = AF_PACKET };
	uint64_t first, addresses, packets, start = 0, rate = 0, elapsed = 0;
	const struct ether_addr *mac;
	const struct kind *kind;
	struct path path;
	int fd, one = 1;

	if (argc < 8 || argc > 10)
		errx(2, "usage: sender KIND INTERFACE MAC DESTINATION FIRST ADDRESSES PACKETS [START [RATE]]");
	kind = find_kind(argv[1]);
	mac = ether_aton(argv[3]);
	first = strtoull(argv[5], NULL, 10);
	addresses = strtoull(argv[6], NULL, 10);
	packets = strtoull(argv[7], NULL, 10);
	if (argc > 8)
		start = strtoull(argv[8], NULL, 10);
	if (argc > 9)
		rate = strtoull(argv[9], NULL, 10);
	place.sll_ifindex = if_nametoindex(argv[2]);
	if (!mac || !read_destination(&path, argv[4]) || !addresses || !packets || !place.sll_ifindex)
		errx(2, "an argument is wrong");
	memcpy(path.mac, mac, sizeof(path.mac));

	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&place, sizeof(place)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) ||
	    mlockall(MCL_CURRENT))
		err(1, "%s", argv[2]);
	if (kind->build == build_old_byte || !kind->build)
		establish(fd, place.sll_ifindex, &path, first, addresses);
	if (!kind->build) {
		hold();
		packets = 0;
	}

	for (unsigned int i = 0; i < BLOCK; i++) {
		vectors[i].iov_base = &frames[i];
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &vectors[i], .msg_iovlen = 1 };
	}
	for (uint64_t sent = 0; sent < packets;) {
		unsigned int count = packets - sent < BLOCK ? packets - sent : BLOCK;
		uint64_t begin;

		/* The same sources have the same frames, which are built already. */
		for (unsigned int i = 0; i < count && (!sent || BLOCK % addresses); i++)
			vectors[i].iov_len = kind->build(&frames[i], &path, first + (sent + i) % addresses);
		while (now(CLOCK_MONOTONIC) < start)
			;
		begin = now(CLOCK_MONOTONIC_RAW);
		send_all(fd, count, rate);
		elapsed += now(CLOCK_MONOTONIC_RAW) - begin;
		sent += count;
	}
	abandon(fd, &path);
	printf("%llu\n", (unsigned long long)elapsed);
	return 0;
}
