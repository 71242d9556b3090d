/* SPDX-License-Identifier: GPL-2.0 */
/* What a client says to the server first. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>

/* Bytes, in network byte order. */
struct request {
	uint32_t sent;   /* that the client sends after this, before it gets any */
	uint32_t wanted; /* that it gets */
};

#endif
