/* SPDX-License-Identifier: Apache-2.0 */
/* child_log.h - a child's standard error into our log (private to runtime/net).
 *
 * A line is cut at CHILD_LOG_LINE bytes, NULs become '?', and above CHILD_LOG_RATE lines a second
 * only their number is logged. The descriptor is read on regardless, so the child never blocks.
 */
#ifndef RUNTIME_NET_CHILD_LOG_H
#define RUNTIME_NET_CHILD_LOG_H

#include "runtime/base/str.h"
#include "runtime/net/loop.h"

struct child_log;

enum { CHILD_LOG_LINE = 1024, CHILD_LOG_RATE = 50 };

/* Takes fd when it succeeds; name is borrowed. */
MUST_USE enum status child_log_open(struct loop *loop, int fd, Str name, struct child_log **out);

/* Takes the log, after reading what is there; NULL is fine. Never from its own callback. */
void child_log_close(struct child_log *log);

#endif
