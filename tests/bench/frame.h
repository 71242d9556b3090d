/* SPDX-License-Identifier: GPL-2.0 */
/* The frames that the sender sends. */
#ifndef FRAME_H
#define FRAME_H

#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdint.h>

#define TCP_PORT 80

struct frame {
	struct ether_header ethernet;
	struct iphdr ip;
	union {
		struct {
			struct udphdr udp;
			char payload[18];
		} __attribute__((packed));
		struct {
			struct tcphdr tcp;
			unsigned char options[40];
		} __attribute__((packed));
	};
} __attribute__((packed));

/* Where frames go. */
struct path {
	unsigned char mac[ETH_ALEN];
	in_addr_t destination;
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

/* The address of a number: in 10.0.0.0/8, neighbours far from each other. */
uint32_t address(uint32_t number);

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
