/* SPDX-License-Identifier: GPL-2.0 */
/* Whom a client connects to. */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <netdb.h>

/* The server's port 80 at an address of IPv4 or IPv6; ends the program if it is none. */
const struct addrinfo *server_at(const char *text);

#endif
