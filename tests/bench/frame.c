// SPDX-License-Identifier: GPL-2.0
#include "frame.h"

#include <arpa/inet.h>
#include <string.h>

#define CLIENT_TIME 1000 /* what a client's timestamp says */

static uint32_t sum(const void *data, size_t length)
{
	const unsigned char *byte = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? byte[i] : byte[i] << 8;
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return htons(~(sum + (sum >> 16)));
}

uint32_t address(uint32_t number)
{
	return 0x0a000000 | (number & 0xf00000) | (number * 0x9e3b1u & 0xfffff);
}

uint32_t first_sequence(uint32_t number)
{
	return number * 2654435761u + 12345;
}

/* Fills in all but what is after the IP header, of that length. */
static size_t build_ip(struct frame *frame, const struct path *path, uint32_t number,
		       uint8_t protocol, size_t length)
{
	frame->ethernet = (struct ether_header){
		.ether_type = htons(ETHERTYPE_IP),
		.ether_shost = { 2, 0, 0, 0, 0, 1 },
	};
	memcpy(frame->ethernet.ether_dhost, path->mac, ETH_ALEN);
	frame->ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons(sizeof(frame->ip) + length),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = protocol,
		.saddr = htonl(address(number)),
		.daddr = path->destination,
	};
	frame->ip.check = folded(sum(&frame->ip, sizeof(frame->ip)));
	return sizeof(frame->ethernet) + sizeof(frame->ip) + length;
}

size_t build_udp(struct frame *frame, const struct path *path, uint32_t number)
{
	size_t length = sizeof(frame->udp) + sizeof(frame->payload);

	memset(frame, 0, sizeof(*frame));
	frame->udp.source = htons(4000);
	frame->udp.dest = htons(9);
	frame->udp.len = htons(length);
	return build_ip(frame, path, number, IPPROTO_UDP, length);
}

size_t build_segment(struct frame *frame, const struct path *path, const struct segment *segment)
{
	size_t header = sizeof(frame->tcp) + segment->options_length;
	size_t length = header + segment->data;
	size_t whole;

	memset(frame, 0, sizeof(*frame));
	frame->tcp.source = htons(4000);
	frame->tcp.dest = htons(TCP_PORT);
	frame->tcp.seq = htonl(segment->sequence);
	frame->tcp.ack_seq = htonl(segment->acknowledgement);
	frame->tcp.doff = header / 4;
	frame->tcp.th_flags = segment->flags;
	frame->tcp.window = htons(64240);
	if (segment->options_length)
		memcpy(frame->options, segment->options, segment->options_length);
	whole = build_ip(frame, path, segment->number, IPPROTO_TCP, length);
	frame->tcp.check = folded(sum(&frame->ip.saddr, 8) + IPPROTO_TCP + length +
				  sum(&frame->tcp, length));
	return whole;
}

void timestamp_option(unsigned char option[12], uint32_t value, uint32_t echo)
{
	static const unsigned char start[] = { 1, 1, 8, 10 };

	value = htonl(value);
	echo = htonl(echo);
	memcpy(option, start, sizeof(start));
	memcpy(option + 4, &value, sizeof(value));
	memcpy(option + 8, &echo, sizeof(echo));
}

/* What Linux asks for: MSS 1460, SACK, timestamps, NOP, window scale 7. */
size_t build_syn(struct frame *frame, const struct path *path, uint32_t number)
{
	static const unsigned char options[] = {
		2, 4, 1460 >> 8, 1460 & 0xff, 4, 2, 8, 10,
		0, 0, CLIENT_TIME >> 8, CLIENT_TIME & 0xff, 0, 0, 0, 0, 1, 3, 3, 7,
	};

	return build_segment(frame, path, &(struct segment){
		.number = number, .sequence = first_sequence(number), .flags = TH_SYN,
		.options = options, .options_length = sizeof(options),
	});
}

/* The same from a Linux that has its timestamps turned off. */
size_t build_plain_syn(struct frame *frame, const struct path *path, uint32_t number)
{
	static const unsigned char options[] = {
		2, 4, 1460 >> 8, 1460 & 0xff, 1, 1, 4, 2, 1, 3, 3, 7,
	};

	return build_segment(frame, path, &(struct segment){
		.number = number, .sequence = first_sequence(number), .flags = TH_SYN,
		.options = options, .options_length = sizeof(options),
	});
}

/* The end of a handshake that never was. */
size_t build_bogus_ack(struct frame *frame, const struct path *path, uint32_t number)
{
	unsigned char options[12];

	timestamp_option(options, CLIENT_TIME, number * 40503u);
	return build_segment(frame, path, &(struct segment){
		.number = number, .sequence = first_sequence(number) + 1,
		.acknowledgement = number * 2246822519u + 1, .flags = TH_ACK,
		.options = options, .options_length = sizeof(options),
	});
}
