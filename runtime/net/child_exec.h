/* SPDX-License-Identifier: Apache-2.0 */
/* child_exec.h - fork and exec with nothing inherited but what is given (private to runtime/net).
 *
 * The new process has descriptors 0-2 and no other, default signals, an empty signal mask, its own
 * process group, exactly the environment given, and dies when this process dies.
 */
#ifndef RUNTIME_NET_CHILD_EXEC_H
#define RUNTIME_NET_CHILD_EXEC_H

#include "runtime/net/child.h"

#include <sys/types.h>

/* Our ends of the three pipes; the caller's to close. */
struct child_process {
    pid_t pid;
    int in, out, err;
};

/* Returns when exec has succeeded, or failed and the process is reaped. ST_NOT_FOUND: no such
 * program; ST_INVALID: a NUL inside a string; ST_LIMIT: no process or descriptor to be had;
 * ST_IO: cwd can't be entered and the like. Failures are logged with the reason. */
MUST_USE enum status child_exec(const struct child_spec *spec, struct child_process *out);

#endif
