// SPDX-License-Identifier: GPL-2.0
#include "handshake.h"

#include <arpa/inet.h>
#include <err.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_TIME 1001 /* later than the SYN's */

static struct connection {
	uint32_t acknowledgement; /* what the client has got to */
	uint32_t time;            /* the server's last timestamp */
} *connections;
static uint32_t first_number, connection_count;

static void send_segment(int fd, const struct path *path, uint32_t number, uint8_t flags)
{
	const struct connection *connection = &connections[number - first_number];
	unsigned char options[12];
	struct frame frame;
	size_t length;

	timestamp_option(options, CLIENT_TIME, connection->time);
	length = build_segment(&frame, path, &(struct segment){
		.number = number, .sequence = first_sequence(number) + 1,
		.acknowledgement = connection->acknowledgement, .flags = flags,
		.options = options, .options_length = sizeof(options),
	});
	if (send(fd, &frame, length, 0) != (ssize_t)length)
		err(1, "send");
}

static void read_timestamp(const union transport *segment, struct connection *connection)
{
	const unsigned char *option = segment->options;
	const unsigned char *end = option + segment->tcp.doff * 4 - sizeof(segment->tcp);

	while (option < end && *option) {
		if (*option == 1) {
			option++;
			continue;
		}
		if (*option == 8) {
			memcpy(&connection->time, option + 2, sizeof(connection->time));
			connection->time = ntohl(connection->time);
			return;
		}
		if (option[1] < 2)
			break;
		option += option[1];
	}
	errx(1, "the server uses no timestamps");
}

/* Reads what the server sends, for so many milliseconds at most; true if it has these flags. */
static int receive(int fd, const struct path *path, uint32_t number, uint8_t flags, int patience)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct connection *connection = &connections[number - first_number];

	while (poll(&ready, 1, patience) > 0) {
		struct frame frame = { 0 };
		const union transport *segment;
		struct sockaddr_ll from;
		socklen_t from_length = sizeof(from);

		if (recvfrom(fd, &frame, sizeof(frame), 0, (struct sockaddr *)&from, &from_length) < 0)
			err(1, "recvfrom");
		segment = segment_for(&frame, path, number);
		if (from.sll_pkttype == PACKET_OUTGOING || !segment)
			continue;
		if (segment->tcp.th_flags & TH_RST)
			errx(1, "the server resets connections");
		read_timestamp(segment, connection);
		if (segment->tcp.th_flags & TH_SYN)
			connection->acknowledgement = ntohl(segment->tcp.seq) + 1;
		if (segment->tcp.th_flags == flags)
			return 1;
	}
	return 0;
}

void establish(int fd, int interface, const struct path *path, uint32_t first, uint32_t count)
{
	struct sockaddr_ll place = {
		.sll_family = AF_PACKET, .sll_ifindex = interface,
		.sll_protocol = htons(path->family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP),
	};
	int receiver = socket(AF_PACKET, SOCK_RAW, 0);

	if (receiver < 0 || bind(receiver, (struct sockaddr *)&place, sizeof(place)))
		err(1, "the receiving socket");
	connections = calloc(count, sizeof(*connections));
	if (!connections)
		err(1, "connections");
	first_number = first;
	connection_count = count;
	for (uint32_t number = first; number < first + count; number++) {
		struct frame frame;
		size_t length = build_syn(&frame, path, number);

		if (send(fd, &frame, length, 0) != (ssize_t)length)
			err(1, "send");
		if (!receive(receiver, path, number, TH_SYN | TH_ACK, 1000))
			errx(1, "the SYN was not answered");
		send_segment(fd, path, number, TH_ACK);
		/* A proxy has now connected to the server, and may tell the client of its window. */
		receive(receiver, path, number, TH_ACK, 0);
		/*
		 * The kernel's SYNPROXY echoes to the server a timestamp that the server did not send. A
		 * server that looks at that takes the client's next segment as the end of the handshake.
		 */
		send_segment(fd, path, number, TH_ACK);
	}
	close(receiver);
}

void abandon(int fd, const struct path *path)
{
	for (uint32_t i = 0; i < connection_count; i++)
		send_segment(fd, path, first_number + i, TH_RST | TH_ACK);
	free(connections);
	connection_count = 0;
}

size_t build_old_byte(struct frame *frame, const struct path *path, uint32_t number)
{
	const struct connection *connection = &connections[number - first_number];
	unsigned char options[12];

	timestamp_option(options, CLIENT_TIME, connection->time);
	return build_segment(frame, path, &(struct segment){
		.number = number, .sequence = first_sequence(number),
		.acknowledgement = connection->acknowledgement, .flags = TH_ACK,
		.options = options, .options_length = sizeof(options), .data = 1,
	});
}
