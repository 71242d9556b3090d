// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command, whose standard output goes to standard error, and prints the nanoseconds that it took, those
 * that a CPU worked for it, and the most bytes of it that were in memory.
 *
 * timed COMMAND...
 *
 * The program that starts a command counts as the command's memory, so it is a small one.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static uint64_t nanoseconds(struct timeval time)
{
	return time.tv_sec * 1000000000ull + time.tv_usec * 1000ull;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	uint64_t begin = now();
	int status;
	pid_t child;

	if (argc < 2)
		errx(2, "usage: timed COMMAND...");
	child = fork();
	if (!child) {
		dup2(2, 1);
		execvp(argv[1], argv + 1);
		err(127, "%s", argv[1]);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		err(1, "%s", argv[1]);
	if (status)
		errx(1, "%s failed", argv[1]);
	printf("%llu %llu %llu\n", (unsigned long long)(now() - begin),
	       (unsigned long long)(nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)),
	       usage.ru_maxrss * 1024ull);
	return 0;
}
