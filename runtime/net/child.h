/* SPDX-License-Identifier: Apache-2.0 */
/* child.h - one stdio server as a supervised child process.
 *
 * Started by argv without a shell, in its own process group, with exactly the given environment,
 * every descriptor but 0-2 closed, signals reset, and told by the kernel to die with us
 * (PR_SET_PDEATHSIG). Its standard error goes to our log, a line each, cut and escaped. Stopping:
 * close its input, wait, SIGTERM to the group, wait, SIGKILL to the group. Restarting is the
 * caller's decision.
 */
#ifndef RUNTIME_NET_CHILD_H
#define RUNTIME_NET_CHILD_H

#include "runtime/base/str.h"
#include "runtime/net/loop.h"

struct child;

enum { CHILD_STOP_WAIT_MS = 2000, CHILD_TERM_WAIT_MS = 2000 };

struct child_spec {
    Str name;        /* for the log: the server's alias */
    const Str *argv; /* NUL-terminated behind n; argv[0] is looked up in the environment's PATH */
    size_t argc;
    const Str *env; /* "NAME=value" */
    size_t env_count;
    Str cwd;                    /* empty: ours */
    size_t max_line, max_queue; /* bytes */
};

struct child_events {
    void (*on_line)(void *user, Str line);
    /* It will say no more: it exited, closed its output, or broke the line cap. Called once; the
     * child must be given to child_stop afterwards. why is for the log. */
    void (*on_gone)(void *user, const char *why);
};

/* ST_NOT_FOUND when argv[0] can't be executed (told by exec itself, not by a look beforehand). */
MUST_USE enum status child_start(struct loop *loop, const struct child_spec *spec,
                                 const struct child_events *events, void *user, struct child **out);
MUST_USE enum status child_write(struct child *child, Str line);
/* Of what was written to it, in bytes: see lines.h. Also legal in on_gone. What a process that may
 * still be running has not read yet counts as taken. */
uint64_t child_queued(const struct child *child);
uint64_t child_taken(const struct child *child);

/* Backpressure: no on_line until resumed. A process that ends meanwhile loses what it said last. */
void child_pause(struct child *child, bool paused);

/* Takes the child; no callback afterwards. Goes on in the background until it is reaped. */
void child_stop(struct child *child);

/* Children of this process that are started and not yet reaped: 0 before a clean exit. */
size_t child_count(void);
/* SIGKILL to every group at once, and reaps: the last resort at shutdown. */
void child_kill_all(void);

#endif
