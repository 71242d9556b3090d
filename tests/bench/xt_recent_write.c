// SPDX-License-Identifier: GPL-2.0
/*
 * Enters what standard input says into a list of xt_recent, as fast as that can be: a line is one write, which
 * has to be at the beginning of the list's file.
 *
 * xt_recent_write FILE < LINES
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char line[64];
	int fd;

	if (argc != 2)
		errx(2, "usage: xt_recent_write FILE < LINES");
	fd = open(argv[1], O_WRONLY);
	if (fd < 0)
		err(1, "%s", argv[1]);
	while (fgets(line, sizeof(line), stdin)) {
		ssize_t length = strlen(line);

		if (lseek(fd, 0, SEEK_SET) || write(fd, line, length) != length)
			err(1, "%s: %s", argv[1], line);
	}
	return 0;
}
