/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - readiness, timers, signals: a thin shim over libevent's core (no evhttp, no
 * bufferevents), so that another loop could stand here.
 *
 * One loop belongs to one thread. Callbacks may start and stop anything, also themselves; memory
 * that a callback still on the stack might touch is freed with loop_defer.
 */
#ifndef RUNTIME_NET_LOOP_H
#define RUNTIME_NET_LOOP_H

#include "runtime/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct watch;
struct timer;

enum { WATCH_READ = 1, WATCH_WRITE = 2 };

MUST_USE enum status loop_open(struct loop **out);
void loop_close(struct loop *loop); /* takes it; everything in it must be stopped before */

/* Runs until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Calls fn(user) once, at the end of this turn, in the order of deferral. */
void loop_defer(struct loop *loop, void (*fn)(void *user), void *user);

/* Calls fn for a signal until the loop is closed; one handler a signal. */
MUST_USE enum status loop_on_signal(struct loop *loop, int signo, void (*fn)(void *user, int signo),
                                    void *user);

/* Watches a descriptor (which stays the caller's). events starts empty. NULL: no memory. */
struct watch *watch_open(struct loop *loop, int fd, void (*fn)(void *user, int events), void *user);
void watch_set(struct watch *watch, int events);
void watch_close(struct watch *watch); /* NULL is fine; fn is never called afterwards */

/* A timer that fires once per start. NULL: no memory. */
struct timer *timer_open(struct loop *loop, void (*fn)(void *user), void *user);
void timer_start(struct timer *timer, int64_t delay_ms); /* again: moves it */
void timer_stop(struct timer *timer);
void timer_close(struct timer *timer); /* NULL is fine */

#endif
