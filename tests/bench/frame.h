/* SPDX-License-Identifier: GPL-2.0 */
/* The frames that the sender sends. */
#ifndef FRAME_H
#define FRAME_H

#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TCP_PORT 80

/* What comes after IP's header. */
union transport {
	struct {
		struct udphdr udp;
		char payload[18];
	} __attribute__((packed));
	struct {
		struct tcphdr tcp;
		unsigned char options[40];
	} __attribute__((packed));
};

struct frame {
	struct ether_header ethernet;
	union {
		struct {
			struct iphdr header;
			union transport transport;
		} __attribute__((packed)) ip;
		struct {
			struct ip6_hdr header;
			union transport transport;
		} __attribute__((packed)) ipv6;
	};
} __attribute__((packed));

/* Where frames go: to an address of IPv4, or of IPv6. */
struct path {
	unsigned char mac[ETH_ALEN];
	sa_family_t family;
	union {
		struct in_addr destination;
		struct in6_addr destination6;
	};
};

struct segment {
	uint32_t number; /* of the source address */
	uint32_t sequence;
	uint32_t acknowledgement;
	uint8_t flags;
	const void *options;
	size_t options_length; /* a multiple of 4 */
	size_t data;           /* bytes of zeroes; options and these are 40 at most */
};

/* Finds out which it is; false if it is no address. */
bool read_destination(struct path *path, const char *text);

/* Whether a TCP segment is for the source of that number, and what it is. */
const union transport *segment_for(const struct frame *frame, const struct path *path, uint32_t number);

/* The address of IPv4 of a number: in 10.0.0.0/8, neighbours far from each other. */
struct in_addr address(uint32_t number);

/* The first sequence number of a source. */
uint32_t first_sequence(uint32_t number);

/* Two NOPs and a timestamp. */
void timestamp_option(unsigned char option[12], uint32_t value, uint32_t echo);

/* Each builds a frame and returns its length. */
size_t build_segment(struct frame *frame, const struct path *path, const struct segment *segment);
size_t build_udp(struct frame *frame, const struct path *path, uint32_t number);
size_t build_syn(struct frame *frame, const struct path *path, uint32_t number);
size_t build_plain_syn(struct frame *frame, const struct path *path, uint32_t number);
size_t build_bogus_ack(struct frame *frame, const struct path *path, uint32_t number);

#endif
