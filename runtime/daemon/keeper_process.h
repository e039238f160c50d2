/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_process.h - starting the token keeper beside the gateway, and keeping it started.
 *
 * A supervisor is forked before the gateway has parsed anything; it does nothing but fork keepers,
 * one after the other when they die, each from its own clean memory, and say so on the socket. It
 * ends when the gateway has ended and the keeper is through with what it was doing.
 */
#ifndef RUNTIME_DAEMON_KEEPER_PROCESS_H
#define RUNTIME_DAEMON_KEEPER_PROCESS_H

#include "runtime/base/status.h"
#include "runtime/oauth/settings.h"

#include <sys/types.h>

struct keeper_process {
    pid_t supervisor; /* 0: none */
    int fd;           /* the gateway's end of the line */
};

/* Call it before anything else is open or read. Afterwards no variable that holds a secret of
 * OAuth's is in this process's environment any more. */
MUST_USE enum status keeper_process_start(const struct keeper_settings *settings,
                                          struct keeper_process *out);

/* After the line was closed: waits, a little, for the end. */
void keeper_process_end(const struct keeper_process *process);

#endif
