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

struct in_addr address(uint32_t number)
{
	return (struct in_addr){ htonl(0x0a000000 | (number & 0xf00000) | (number * 0x9e3b1u & 0xfffff)) };
}

/* The same in 2001:db8::/96. */
static struct in6_addr address6(uint32_t number)
{
	struct in6_addr address6 = { { { 0x20, 0x01, 0x0d, 0xb8 } } };

	address6.s6_addr32[3] = address(number).s_addr;
	return address6;
}

bool read_destination(struct path *path, const char *text)
{
	path->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(path->family, text, &path->destination) == 1;
}

uint32_t first_sequence(uint32_t number)
{
	return number * 2654435761u + 12345;
}

const union transport *segment_for(const struct frame *frame, const struct path *path, uint32_t number)
{
	struct in6_addr source6 = address6(number);

	if (path->family == AF_INET6)
		return frame->ipv6.header.ip6_nxt == IPPROTO_TCP &&
		       !memcmp(&frame->ipv6.header.ip6_dst, &source6, sizeof(source6)) ?
			       &frame->ipv6.transport : NULL;
	return frame->ip.header.protocol == IPPROTO_TCP &&
	       frame->ip.header.daddr == address(number).s_addr ? &frame->ip.transport : NULL;
}

/* Both build all but what is in IP, and return the sum of that for its checksum. */
static uint32_t build_ip(struct frame *frame, const struct path *path, uint32_t number,
			 uint8_t protocol, size_t length)
{
	frame->ethernet.ether_type = htons(ETHERTYPE_IP);
	frame->ip.header = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons(sizeof(frame->ip.header) + length),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = protocol,
		.saddr = address(number).s_addr,
		.daddr = path->destination.s_addr,
	};
	frame->ip.header.check = folded(sum(&frame->ip.header, sizeof(frame->ip.header)));
	return sum(&frame->ip.header.saddr, 8);
}

static uint32_t build_ipv6(struct frame *frame, const struct path *path, uint32_t number,
			   uint8_t protocol, size_t length)
{
	frame->ethernet.ether_type = htons(ETHERTYPE_IPV6);
	frame->ipv6.header = (struct ip6_hdr){
		.ip6_flow = htonl(6u << 28),
		.ip6_plen = htons(length),
		.ip6_nxt = protocol,
		.ip6_hlim = 64,
		.ip6_src = address6(number),
		.ip6_dst = path->destination6,
	};
	return sum(&frame->ipv6.header.ip6_src, 32);
}

/* The frame with so much of that, whose checksum is at an offset of it and 0 as yet. */
static size_t build(struct frame *frame, const struct path *path, uint32_t number, uint8_t protocol,
		    const union transport *transport, size_t length, size_t checksum)
{
	bool is_ipv6 = path->family == AF_INET6;
	unsigned char *place = is_ipv6 ? (unsigned char *)&frame->ipv6.transport :
					 (unsigned char *)&frame->ip.transport;
	uint32_t addresses;
	uint16_t check;

	memcpy(frame->ethernet.ether_dhost, path->mac, ETH_ALEN);
	memcpy(frame->ethernet.ether_shost, (const unsigned char[]){ 2, 0, 0, 0, 0, 1 }, ETH_ALEN);
	addresses = (is_ipv6 ? build_ipv6 : build_ip)(frame, path, number, protocol, length);
	memcpy(place, transport, length);
	check = folded(addresses + protocol + length + sum(place, length));
	memcpy(place + checksum, &check, sizeof(check));
	return place + length - (unsigned char *)frame;
}

size_t build_udp(struct frame *frame, const struct path *path, uint32_t number)
{
	union transport transport = { 0 };
	size_t length = sizeof(transport.udp) + sizeof(transport.payload);

	transport.udp.source = htons(4000);
	transport.udp.dest = htons(9);
	transport.udp.len = htons(length);
	return build(frame, path, number, IPPROTO_UDP, &transport, length, offsetof(struct udphdr, check));
}

size_t build_segment(struct frame *frame, const struct path *path, const struct segment *segment)
{
	union transport transport = { 0 };
	size_t header = sizeof(transport.tcp) + segment->options_length;

	transport.tcp.source = htons(4000);
	transport.tcp.dest = htons(TCP_PORT);
	transport.tcp.seq = htonl(segment->sequence);
	transport.tcp.ack_seq = htonl(segment->acknowledgement);
	transport.tcp.doff = header / 4;
	transport.tcp.th_flags = segment->flags;
	transport.tcp.window = htons(64240);
	if (segment->options_length)
		memcpy(transport.options, segment->options, segment->options_length);
	return build(frame, path, segment->number, IPPROTO_TCP, &transport, header + segment->data,
		     offsetof(struct tcphdr, check));
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

static size_t build_opening(struct frame *frame, const struct path *path, uint32_t number,
			    unsigned char *options, size_t options_length)
{
	/* The first option is the greatest segment that an Ethernet frame has room for. */
	uint16_t segment_size = htons(path->family == AF_INET6 ? 1440 : 1460);

	memcpy(options + 2, &segment_size, sizeof(segment_size));
	return build_segment(frame, path, &(struct segment){
		.number = number, .sequence = first_sequence(number), .flags = TH_SYN,
		.options = options, .options_length = options_length,
	});
}

/* What Linux asks for: MSS, SACK, timestamps, NOP, window scale 7. */
size_t build_syn(struct frame *frame, const struct path *path, uint32_t number)
{
	unsigned char options[] = {
		2, 4, 0, 0, 4, 2, 8, 10, 0, 0, CLIENT_TIME >> 8, CLIENT_TIME & 0xff, 0, 0, 0, 0, 1, 3, 3, 7,
	};

	return build_opening(frame, path, number, options, sizeof(options));
}

/* The same from a Linux that has its timestamps turned off. */
size_t build_plain_syn(struct frame *frame, const struct path *path, uint32_t number)
{
	unsigned char options[] = { 2, 4, 0, 0, 1, 1, 4, 2, 1, 3, 3, 7 };

	return build_opening(frame, path, number, options, sizeof(options));
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
