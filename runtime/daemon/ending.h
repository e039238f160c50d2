/* SPDX-License-Identifier: Apache-2.0 */
/* ending.h - the signals of the subcommands that stay, and coming to an end in order: what is open
 * finishes or is cut, children are reaped, then the loop stops. SIGTERM and SIGINT begin the end, a
 * second one cuts; SIGHUP asks for a reload. */
#ifndef RUNTIME_DAEMON_ENDING_H
#define RUNTIME_DAEMON_ENDING_H

#include "runtime/net/loop.h"

enum {
    ENDING_REAP_MS = 6000, /* for children, who are killed after that */
    ENDING_LOOK_MS = 10,
};

struct ending_steps {
    int64_t drain_ms;               /* for what is open, when a signal begins the end */
    void (*asked)(void *user);      /* a signal begins the end: nothing new; NULL is fine */
    void (*reload)(void *user);     /* SIGHUP */
    bool (*is_drained)(void *user); /* nothing is open any more */
    void (*cut)(void *user);        /* ends what is still open, and the servers */
};

struct ending;

/* Listens to the signals from now on. steps and user are borrowed. */
MUST_USE enum status ending_open(struct loop *loop, const struct ending_steps *steps, void *user,
                                 struct ending **out);
void ending_close(struct ending *ending); /* NULL is fine */

/* Begins, with at most drain_ms for what is open. Again: cuts at once. */
void ending_begin(struct ending *ending, int64_t drain_ms);
bool ending_has_begun(const struct ending *ending);

#endif
