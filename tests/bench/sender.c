// SPDX-License-Identifier: GPL-2.0
/*
 * Sends UDP packets from many source addresses out of an interface and prints how long that took, in
 * nanoseconds. Over a pair of virtual interfaces, a packet is through the rules of the other end when
 * sending it returns, on the same CPU.
 *
 * sender INTERFACE MAC DESTINATION FIRST ADDRESSES PACKETS [START]
 *
 * The source addresses have the numbers from FIRST on, ADDRESSES of them, over and over again; they lie
 * scattered. With START it begins at that time of the monotonic clock, in nanoseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#define BLOCK 65536 /* frames that are built at a time, while the clock stands */
#define BATCH 512   /* frames of one system call */

struct frame {
	struct ether_header ethernet;
	struct iphdr ip;
	struct udphdr udp;
	char payload[18];
} __attribute__((packed));

static struct frame frames[BLOCK];
static struct mmsghdr messages[BLOCK];
static struct iovec vectors[BLOCK];

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static uint16_t checksum(const void *data, size_t words)
{
	const uint16_t *word = data;
	uint32_t sum = 0;

	while (words--)
		sum += *word++;
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* The address of a number: in 10.0.0.0/8, neighbours far from each other. */
static uint32_t address(uint32_t number)
{
	return 0x0a000000 | (number & 0xf00000) | (number * 0x9e3b1u & 0xfffff);
}

static void build(struct frame *frame, const struct ether_addr *mac, in_addr_t destination,
		  uint32_t number)
{
	*frame = (struct frame){
		.ethernet = { .ether_type = htons(ETHERTYPE_IP), .ether_shost = { 2, 0, 0, 0, 0, 1 } },
		.ip = {
			.version = 4,
			.ihl = 5,
			.tot_len = htons(sizeof(*frame) - sizeof(frame->ethernet)),
			.frag_off = htons(IP_DF),
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.saddr = htonl(address(number)),
			.daddr = destination,
		},
		.udp = {
			.source = htons(4000),
			.dest = htons(9),
			.len = htons(sizeof(frame->udp) + sizeof(frame->payload)),
		},
	};
	memcpy(frame->ethernet.ether_dhost, mac, sizeof(frame->ethernet.ether_dhost));
	frame->ip.check = checksum((const char *)frame + sizeof(frame->ethernet),
				   sizeof(frame->ip) / 2);
}

static void send_all(int fd, unsigned int count)
{
	unsigned int sent = 0;

	while (sent < count) {
		unsigned int rest = count - sent;
		int done = sendmmsg(fd, messages + sent, rest < BATCH ? rest : BATCH, 0);

		if (done <= 0)
			err(1, "sendmmsg");
		sent += done;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_ll place = { .sll_family = AF_PACKET };
	uint64_t first, addresses, packets, start = 0, elapsed = 0;
	const struct ether_addr *mac;
	in_addr_t destination;
	int fd, one = 1;

	if (argc != 7 && argc != 8)
		errx(2, "usage: sender INTERFACE MAC DESTINATION FIRST ADDRESSES PACKETS [START]");
	mac = ether_aton(argv[2]);
	destination = inet_addr(argv[3]);
	first = strtoull(argv[4], NULL, 10);
	addresses = strtoull(argv[5], NULL, 10);
	packets = strtoull(argv[6], NULL, 10);
	if (argc == 8)
		start = strtoull(argv[7], NULL, 10);
	place.sll_ifindex = if_nametoindex(argv[1]);
	if (!mac || destination == INADDR_NONE || !addresses || !packets || !place.sll_ifindex)
		errx(2, "an argument is wrong");

	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&place, sizeof(place)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) ||
	    mlockall(MCL_CURRENT))
		err(1, "%s", argv[1]);

	for (unsigned int i = 0; i < BLOCK; i++) {
		vectors[i] = (struct iovec){ &frames[i], sizeof(frames[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &vectors[i], .msg_iovlen = 1 };
	}
	for (uint64_t sent = 0; sent < packets;) {
		unsigned int count = packets - sent < BLOCK ? packets - sent : BLOCK;
		uint64_t begin;

		for (unsigned int i = 0; i < count; i++)
			build(&frames[i], mac, destination, first + (sent + i) % addresses);
		while (now(CLOCK_MONOTONIC) < start)
			;
		begin = now(CLOCK_MONOTONIC_RAW);
		send_all(fd, count);
		elapsed += now(CLOCK_MONOTONIC_RAW) - begin;
		sent += count;
	}
	printf("%llu\n", (unsigned long long)elapsed);
	return 0;
}
