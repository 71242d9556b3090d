/* SPDX-License-Identifier: GPL-2.0 */
/* What a client says to the server first. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>

/*
 * A ClientHello of TLS has the request where its random is, and what comes after that is sent. It begins with a byte
 * that no request begins with, since so many bytes are not sent.
 */
#define HELLO 22
#define HELLO_REQUEST 11

/* Bytes, in network byte order. */
struct request {
	uint32_t sent;   /* that the client sends after this, before it gets any */
	uint32_t wanted; /* that it gets */
};

#endif
