/* SPDX-License-Identifier: Apache-2.0 */
/* asker.c - questions in a list until they are answered, and one socket. */
#include "runtime/keeper/asker.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SERVERS_KEPT_MAX = 4096, ALIAS_BYTES_MAX = 64 };

struct ask {
    struct ask *next;
    struct asker *asker;
    uint64_t id;
    struct buf bytes;
    bool is_sent;
    ask_done_fn done;
    void *user;
};

/* What was said of a server before anybody listened. */
struct early {
    char alias[ALIAS_BYTES_MAX];
    size_t n;
    bool has_connections;
};

struct asker {
    struct loop *loop;
    int fd;
    struct watch *watch;
    struct timer *down; /* runs while there is no keeper */
    bool is_down, is_lost;
    struct ask *asks; /* oldest first */
    uint64_t next_id;
    const struct asker_events *events;
    void *user;
    struct early early[SERVERS_KEPT_MAX];
    size_t early_count;
    char inbox[MESSAGE_BYTES_MAX];
};

static void ask_free(struct ask *ask)
{
    buf_free(&ask->bytes);
    free(ask);
}

static void unlink_ask(struct ask *ask)
{
    struct ask **link = &ask->asker->asks;
    while (*link != ask)
        link = &(*link)->next;
    *link = ask->next;
}

static void finish(struct ask *ask, const struct message *message)
{
    unlink_ask(ask);
    ask->done(ask->user, message);
    ask_free(ask);
}

void ask_cancel(struct ask *ask)
{
    unlink_ask(ask);
    ask_free(ask);
}

/* ------------------------------- sending ------------------------------- */

static void flush(struct asker *asker)
{
    bool has_room = !asker->is_down;
    for (struct ask *ask = asker->asks; ask && has_room; ask = ask->next) {
        if (ask->is_sent)
            continue;
        ssize_t sent = send(asker->fd, ask->bytes.p, ask->bytes.n, MSG_NOSIGNAL);
        ask->is_sent = sent >= 0;
        has_room = sent >= 0;
    }
    watch_set(asker->watch, has_room || asker->is_down ? WATCH_READ : WATCH_READ | WATCH_WRITE);
}

struct ask *asker_ask(struct asker *asker, const struct message *message, ask_done_fn done,
                      void *user)
{
    struct ask *ask = calloc(1, sizeof *ask);
    struct message whole = *message;
    if (!ask)
        return NULL;
    whole.id = asker->next_id++;
    *ask = (struct ask){ .asker = asker, .id = whole.id, .done = done, .user = user };
    buf_init(&ask->bytes, MESSAGE_BYTES_MAX);
    message_write(&whole, &ask->bytes);
    if (ask->bytes.is_full) {
        ask_free(ask);
        return NULL;
    }
    struct ask **link = &asker->asks;
    while (*link)
        link = &(*link)->next;
    *link = ask;
    if (asker->is_lost)
        timer_start(asker->down, 0); /* refused, but not before this returns */
    flush(asker);
    return ask;
}

/* ------------------------------ receiving ------------------------------ */

static void keep_early(struct asker *asker, const struct message *message)
{
    Str alias = message->fields[0];
    if (alias.n > ALIAS_BYTES_MAX)
        return;
    for (size_t i = 0; i < asker->early_count; i++) {
        struct early *early = &asker->early[i];
        if (str_eq((Str){ .p = early->alias, .n = early->n }, alias)) {
            early->has_connections = message->number != 0;
            return;
        }
    }
    if (asker->early_count == SERVERS_KEPT_MAX)
        return;
    struct early *early = &asker->early[asker->early_count++];
    memcpy(early->alias, alias.p, alias.n);
    early->n = alias.n;
    early->has_connections = message->number != 0;
}

static void begin_anew(struct asker *asker)
{
    if (asker->is_down)
        log_info("the keeper is back");
    asker->is_down = asker->is_lost = false;
    timer_stop(asker->down);
    for (struct ask *ask = asker->asks; ask; ask = ask->next)
        ask->is_sent = false;
    flush(asker);
}

static void go_down(struct asker *asker)
{
    if (asker->is_down)
        return;
    asker->is_down = true;
    log_error("the keeper is gone; calls that need a token wait for the next one");
    timer_start(asker->down, ASKER_DOWN_MS);
}

static void on_down(void *user)
{
    struct asker *asker = user;
    uint64_t last = asker->next_id;
    asker->is_lost = true;
    while (asker->asks && asker->asks->id < last) /* NOLINT(clang-analyzer-unix.Malloc) */
        finish(asker->asks, NULL);                /* it leaves the list */
}

static void take_answer(struct asker *asker, const struct message *message)
{
    struct ask *ask = asker->asks;
    while (ask && ask->id != message->id)
        ask = ask->next;
    if (ask)
        finish(ask, message); /* else it was cancelled meanwhile */
}

static void take(struct asker *asker, const struct message *message)
{
    switch (message->type) {
    case MESSAGE_HELLO: begin_anew(asker); return;
    case MESSAGE_DOWN: go_down(asker); return;
    case MESSAGE_SERVER:
        keep_early(asker, message);
        if (asker->events)
            asker->events->server(asker->user, message->fields[0], message->number != 0);
        return;
    case MESSAGE_CUT:
        if (asker->events)
            asker->events->cut(asker->user, message->fields[0], message->fields[1]);
        return;
    case MESSAGE_TOKEN:
    case MESSAGE_NO:
    case MESSAGE_PAGE:
    case MESSAGE_URL: take_answer(asker, message); return;
    default: log_error("the keeper sent a message that is the gateway's"); return;
    }
}

/* One packet; false when there is none. */
static bool receive(struct asker *asker)
{
    struct message message;
    ssize_t got = recv(asker->fd, asker->inbox, sizeof asker->inbox, MSG_TRUNC);
    if (got < 0 && errno == EINTR)
        return true;
    if (got < 0)
        return false;
    if (got == 0) { /* the supervisor is gone, too */
        watch_set(asker->watch, 0);
        go_down(asker);
        return false;
    }
    bool is_whole = (size_t)got <= sizeof asker->inbox;
    if (is_whole && message_read((Str){ .p = asker->inbox, .n = (size_t)got }, &message) == ST_OK)
        take(asker, &message);
    else
        log_error("the keeper sent something that is no message");
    secret_wipe(asker->inbox, is_whole ? (size_t)got : sizeof asker->inbox);
    return true;
}

static void on_ready(void *user, int events)
{
    struct asker *asker = user;
    if (events & WATCH_WRITE)
        flush(asker);
    bool has_more;
    do {
        has_more = receive(asker);
    } while (has_more);
}

/* The first packet, before there is anything to serve. */
static enum status await_hello(struct asker *asker)
{
    struct message message;
    struct pollfd wait = { .fd = asker->fd, .events = POLLIN };
    if (poll(&wait, 1, ASKER_START_MS) <= 0)
        return ST_TIMEOUT;
    ssize_t got = recv(asker->fd, asker->inbox, sizeof asker->inbox, 0);
    if (got <= 0 || message_read((Str){ .p = asker->inbox, .n = (size_t)got }, &message) != ST_OK)
        return ST_CLOSED;
    return message.type == MESSAGE_HELLO ? ST_OK : ST_CLOSED;
}

enum status asker_open(struct loop *loop, int fd, struct asker **out)
{
    struct asker *asker = calloc(1, sizeof *asker);
    if (!asker) {
        (void)close(fd);
        return ST_NO_MEMORY;
    }
    asker->loop = loop;
    asker->fd = fd;
    asker->next_id = 1;
    enum status status = await_hello(asker);
    if (status == ST_OK) {
        asker->watch = watch_open(loop, fd, on_ready, asker);
        asker->down = timer_open(loop, on_down, asker);
        status = asker->watch && asker->down ? ST_OK : ST_NO_MEMORY;
    }
    if (status != ST_OK) {
        asker_close(asker);
        return status;
    }
    watch_set(asker->watch, WATCH_READ);
    *out = asker;
    return ST_OK;
}

void asker_close(struct asker *asker)
{
    if (!asker)
        return;
    while (asker->asks)
        ask_cancel(asker->asks); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
    watch_close(asker->watch);
    timer_close(asker->down);
    (void)close(asker->fd);
    free(asker);
}

void asker_listen(struct asker *asker, const struct asker_events *events, void *user)
{
    asker->events = events;
    asker->user = user;
    for (size_t i = 0; i < asker->early_count; i++) {
        const struct early *early = &asker->early[i];
        events->server(user, (Str){ .p = early->alias, .n = early->n }, early->has_connections);
    }
}
