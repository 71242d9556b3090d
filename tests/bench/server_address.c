// SPDX-License-Identifier: GPL-2.0
#include "server_address.h"

#include <err.h>
#include <sys/socket.h>

const struct addrinfo *server_at(const char *text)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;

	if (getaddrinfo(text, "80", &hints, &found))
		errx(2, "%s is not an address", text);
	return found;
}
