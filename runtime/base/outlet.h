/* SPDX-License-Identifier: Apache-2.0 */
/* outlet.h - writing to a descriptor whose reader may be slow or gone, without waiting for it.
 *
 * For standard error and devices, which other processes share, so that O_NONBLOCK is not ours to
 * set. A write is made only after poll says that there is room, in pieces that fit into it (POSIX:
 * a pipe that polls writable takes PIPE_BUF bytes). A reader that lags is given OUTLET_WAIT_MS;
 * one that used them up gets none until it has read on.
 */
#ifndef RUNTIME_BASE_OUTLET_H
#define RUNTIME_BASE_OUTLET_H

#include "runtime/base/str.h"

enum { OUTLET_WAIT_MS = 20 };

struct outlet {
    int fd;        /* borrowed */
    bool is_stuck; /* the last write found no room in time */
};

/* Returns the bytes that were written; fewer than text has: errno says why (EAGAIN: no room). */
size_t outlet_write(struct outlet *outlet, Str text);

#endif
