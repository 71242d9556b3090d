/* SPDX-License-Identifier: GPL-2.0 */
/* Connections of the sender's own, with no socket behind them. */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "frame.h"

/* Opens that many, one from each source from the first on, or ends the program. */
void establish(int fd, int interface, const struct path *path, uint32_t first, uint32_t count);

/* Resets all of them. */
void abandon(int fd, const struct path *path);

/*
 * A byte that the server has already got: it answers each with an acknowledgement, at once, and nobody
 * has to read anything.
 */
size_t build_old_byte(struct frame *frame, const struct path *path, uint32_t number);

#endif
