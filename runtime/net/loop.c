/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - libevent's event_base behind the shim of loop.h.
 *
 * Each turn waits for readiness once, runs what is ready, then runs what was deferred meanwhile.
 * libevent drops a stopped event from the batch in progress, so closing a watch or timer is final
 * at once. A descriptor that epoll refuses (a regular file, /dev/null) is polled by a timer:
 * callbacks must take EAGAIN in their stride anyway.
 */
#include "runtime/net/loop.h"

#include "runtime/base/log.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>

enum { QUEUE_FIRST = 64, FILE_POLL_MS = 1 };

struct deferred {
    void (*fn)(void *user);
    void *user;
};

struct deferred_queue {
    struct deferred *items;
    size_t count, cap;
};

struct signal_handler {
    struct signal_handler *next;
    struct event event;
    int signo;
    void (*fn)(void *user, int signo);
    void *user;
};

struct loop {
    struct event_base *base;
    struct deferred_queue queue; /* filled during the turn */
    struct deferred_queue spare; /* being run, or empty */
    struct signal_handler *signals;
    bool is_stopping;
};

struct watch {
    struct event read, write;
    struct timer *poller; /* in place of the events when epoll refuses the descriptor */
    int events;
    void (*fn)(void *user, int events);
    void *user;
};

struct timer {
    struct event event;
    void (*fn)(void *user);
    void *user;
};

static void on_libevent_log(int severity, const char *text)
{
    (void)severity;
    log_debug("libevent: %s", text);
}

enum status loop_open(struct loop **out)
{
    struct loop *loop = calloc(1, sizeof *loop);
    struct event_config *config = event_config_new();
    if (loop && config) {
        event_set_log_callback(on_libevent_log);
        (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
        loop->base = event_base_new_with_config(config);
    }
    if (config)
        event_config_free(config);
    if (!loop || !loop->base) {
        free(loop);
        return ST_NO_MEMORY;
    }
    /* A peer that closed early must be an error of write, not the end of the process. */
    (void)signal(SIGPIPE, SIG_IGN);
    *out = loop;
    return ST_OK;
}

/* Runs what was deferred before the call; what that defers in turn waits for the next turn. */
static void run_deferred(struct loop *loop)
{
    struct deferred_queue batch = loop->queue;
    loop->queue = loop->spare;
    loop->spare = (struct deferred_queue){ 0 };
    for (size_t i = 0; i < batch.count; i++)
        batch.items[i].fn(batch.items[i].user);
    batch.count = 0;
    loop->spare = batch;
}

void loop_close(struct loop *loop)
{
    while (loop->queue.count)
        run_deferred(loop);
    while (loop->signals) {
        struct signal_handler *handler = loop->signals;
        loop->signals = handler->next;
        (void)event_del(&handler->event);
        free(handler);
    }
    event_base_free(loop->base);
    free(loop->queue.items);
    free(loop->spare.items);
    free(loop);
}

void loop_run(struct loop *loop)
{
    while (!loop->is_stopping) {
        /* NONBLOCK alone would not return while anything is ready, and what is deferred would wait
         * as long. */
        int how = loop->queue.count ? EVLOOP_NONBLOCK | EVLOOP_ONCE : EVLOOP_ONCE;
        (void)event_base_loop(loop->base, how | EVLOOP_NO_EXIT_ON_EMPTY);
        run_deferred(loop);
    }
    loop->is_stopping = false;
}

void loop_stop(struct loop *loop)
{
    loop->is_stopping = true;
}

void loop_defer(struct loop *loop, void (*fn)(void *user), void *user)
{
    struct deferred_queue *queue = &loop->queue;
    if (queue->count == queue->cap) {
        size_t cap = queue->cap ? queue->cap * 2 : QUEUE_FIRST;
        struct deferred *items = reallocarray(queue->items, cap, sizeof *items);
        ENSURE(items); /* a deferral that is lost leaves a peer waiting or memory in use */
        queue->items = items;
        queue->cap = cap;
    }
    queue->items[queue->count++] = (struct deferred){ .fn = fn, .user = user };
}

static void on_signal_event(evutil_socket_t signo, short what, void *user)
{
    struct signal_handler *handler = user;
    (void)what;
    handler->fn(handler->user, (int)signo);
}

enum status loop_on_signal(struct loop *loop, int signo, void (*fn)(void *user, int signo),
                           void *user)
{
    for (struct signal_handler *old = loop->signals; old; old = old->next) {
        if (old->signo == signo)
            return ST_CONFLICT;
    }
    struct signal_handler *handler = calloc(1, sizeof *handler);
    if (!handler)
        return ST_NO_MEMORY;
    handler->signo = signo;
    handler->fn = fn;
    handler->user = user;
    short what = EV_SIGNAL | EV_PERSIST;
    if (event_assign(&handler->event, loop->base, signo, what, on_signal_event, handler) != 0 ||
        event_add(&handler->event, NULL) != 0) {
        free(handler);
        return ST_IO;
    }
    handler->next = loop->signals;
    loop->signals = handler;
    return ST_OK;
}

/* Touches nothing after fn: it may have closed the watch. */
static void on_ready(evutil_socket_t fd, short what, void *user)
{
    struct watch *watch = user;
    (void)fd;
    int readable = (what & EV_READ) ? WATCH_READ : 0;
    int writable = (what & EV_WRITE) ? WATCH_WRITE : 0;
    watch->fn(watch->user, readable | writable);
}

static void on_poll(void *user)
{
    struct watch *watch = user;
    timer_start(watch->poller, FILE_POLL_MS);
    watch->fn(watch->user, watch->events);
}

struct watch *watch_open(struct loop *loop, int fd, void (*fn)(void *user, int events), void *user)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    watch->fn = fn;
    watch->user = user;
    watch->poller = timer_open(loop, on_poll, watch);
    if (!watch->poller ||
        event_assign(&watch->read, loop->base, fd, EV_READ | EV_PERSIST, on_ready, watch) != 0 ||
        event_assign(&watch->write, loop->base, fd, EV_WRITE | EV_PERSIST, on_ready, watch) != 0) {
        timer_close(watch->poller);
        free(watch);
        return NULL;
    }
    return watch;
}

/* False when the event can't be added. */
static bool set_event(struct event *event, bool was_on, bool is_on)
{
    if (was_on == is_on)
        return true;
    return (is_on ? event_add(event, NULL) : event_del(event)) == 0;
}

void watch_set(struct watch *watch, int events)
{
    int before = watch->events;
    watch->events = events;
    if (before == events)
        return;
    /* Writing first: going from reading to writing then never leaves epoll's set in between. */
    bool is_watched = set_event(&watch->write, before & WATCH_WRITE, events & WATCH_WRITE);
    is_watched &= set_event(&watch->read, before & WATCH_READ, events & WATCH_READ);
    if (!events)
        timer_stop(watch->poller);
    else if (!is_watched)
        timer_start(watch->poller, FILE_POLL_MS);
}

void watch_close(struct watch *watch)
{
    if (!watch)
        return;
    (void)event_del(&watch->read);
    (void)event_del(&watch->write);
    timer_close(watch->poller);
    free(watch);
}

static void on_timeout(evutil_socket_t fd, short what, void *user)
{
    struct timer *timer = user;
    (void)fd;
    (void)what;
    timer->fn(timer->user);
}

struct timer *timer_open(struct loop *loop, void (*fn)(void *user), void *user)
{
    struct timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    timer->fn = fn;
    timer->user = user;
    if (event_assign(&timer->event, loop->base, -1, 0, on_timeout, timer) != 0) {
        free(timer);
        return NULL;
    }
    return timer;
}

void timer_start(struct timer *timer, int64_t delay_ms)
{
    int64_t ms = delay_ms > 0 ? delay_ms : 0;
    struct timeval delay = { .tv_sec = (time_t)(ms / 1000),
                             .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
    ENSURE(event_add(&timer->event, &delay) == 0); /* a deadline that is lost never fires */
}

void timer_stop(struct timer *timer)
{
    (void)event_del(&timer->event);
}

void timer_close(struct timer *timer)
{
    if (!timer)
        return;
    (void)event_del(&timer->event);
    free(timer);
}
