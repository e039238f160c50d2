/* SPDX-License-Identifier: Apache-2.0 */
/* ending.h - coming to an end in order: what is open finishes or is cut, children are reaped, then
 * the loop stops. Used by both subcommands that stay. */
#ifndef RUNTIME_DAEMON_ENDING_H
#define RUNTIME_DAEMON_ENDING_H

#include "runtime/net/loop.h"

enum {
    ENDING_DRAIN_MS = 3000, /* for what is open */
    ENDING_REAP_MS = 6000,  /* for children, who are killed after that */
    ENDING_LOOK_MS = 10,
};

struct ending_steps {
    bool (*is_drained)(void *user); /* nothing is open any more */
    void (*cut)(void *user);        /* ends what is still open, and the servers */
};

struct ending;

struct ending *ending_open(struct loop *loop, const struct ending_steps *steps,
                           void *user);   /* NULL: no memory */
void ending_close(struct ending *ending); /* NULL is fine */

/* Begins, with at most drain_ms for what is open. Again: cuts at once. */
void ending_begin(struct ending *ending, int64_t drain_ms);
bool ending_has_begun(const struct ending *ending);

#endif
