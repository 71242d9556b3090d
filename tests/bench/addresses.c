// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the addresses that packets come from, a line each.
 *
 * addresses FIRST COUNT BEFORE AFTER
 *
 * The addresses have the numbers from FIRST on, as in the sender; BEFORE and AFTER are what else is on each line.
 */
#include "frame.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	uint32_t first, count;

	if (argc != 5)
		errx(2, "usage: addresses FIRST COUNT BEFORE AFTER");
	first = strtoul(argv[1], NULL, 10);
	count = strtoul(argv[2], NULL, 10);
	for (uint32_t i = 0; i < count; i++)
		printf("%s%s%s\n", argv[3], inet_ntoa(address(first + i)), argv[4]);
	if (fflush(stdout))
		err(1, "standard output");
	return 0;
}
