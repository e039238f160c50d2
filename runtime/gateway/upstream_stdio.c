/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_stdio.c - messages as lines to and from a child process.
 *
 * The command is the operator's, never a client's. A process that ends fails what is out; the next
 * request starts another one, after a rest.
 */
#include "runtime/base/log.h"
#include "runtime/gateway/leg.h"

enum {
    QUEUE_MESSAGES = 4, /* of the largest size may wait for a child that does not read */
    CANCEL_BYTES_MAX = 256,
};

static void on_line(void *user, Str line)
{
    if (line.n)
        upstream_take(user, line);
}

/* Requests that the process never took out of its pipe have not run: the next one gets them. */
static void keep_unread(struct upstream *upstream)
{
    uint64_t taken = child_taken(upstream->child);
    for (struct leg *leg = upstream->legs; leg; leg = leg->next) {
        if (!leg->is_sent || leg->is_notification || leg->has_moved || leg->stream_at < taken)
            continue;
        leg->is_sent = false;
        leg->has_moved = true;
    }
}

static void on_gone(void *user, const char *why)
{
    struct upstream *upstream = user;
    log_info("server ended server=%.*s why=%s", STR_ARG(upstream->server->spec->alias), why);
    if (upstream->state == UPSTREAM_PROBING) {
        upstream_probe_died(upstream);
        return;
    }
    if (upstream->state == UPSTREAM_READY)
        keep_unread(upstream);
    upstream_broken(upstream, FAILURE_GONE, "the server has ended");
}

static enum status stdio_start(struct upstream *upstream)
{
    static const struct child_events events = { .on_line = on_line, .on_gone = on_gone };
    const struct server_spec *spec = upstream->server->spec;
    const struct gateway_limits *limits = upstream->owner->limits;
    struct child_spec child = {
        .name = spec->alias,
        .argv = spec->argv,
        .argc = spec->argc,
        .env = spec->env,
        .env_count = spec->env_count,
        .cwd = spec->cwd,
        .max_line = limits->max_result_bytes,
        .max_queue = (size_t)limits->max_body_bytes * QUEUE_MESSAGES,
    };
    enum status status =
        child_start(upstream->owner->loop, &child, &events, upstream, &upstream->child);
    if (status != ST_OK)
        log_error("server can't be started server=%.*s command=%.*s why=%s", STR_ARG(spec->alias),
                  STR_ARG(spec->argv[0]), status_text(status));
    return status;
}

static enum status stdio_send(struct upstream *upstream, struct leg *leg, Str text)
{
    if (!upstream->child)
        return ST_CLOSED;
    leg->stream_at = child_queued(upstream->child);
    /* Line ends are white space between tokens here: inside a string JSON forbids them. */
    struct buf line;
    buf_init(&line, text.n);
    buf_add(&line, text);
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] == '\n' || line.p[i] == '\r')
            line.p[i] = ' ';
    enum status status = line.is_full ? ST_NO_MEMORY : child_write(upstream->child, buf_str(&line));
    buf_free(&line);
    return status;
}

static void stdio_release(struct leg *leg, bool was_cancelled)
{
    struct upstream *upstream = leg->upstream;
    if (!was_cancelled || !leg->is_sent || leg->is_notification || !upstream->child)
        return;
    struct buf members;
    buf_init(&members, CANCEL_BYTES_MAX);
    buf_printf(&members, "\"requestId\":%llu", (unsigned long long)leg->id);
    upstream_notify(upstream, STR("notifications/cancelled"), buf_str(&members));
    buf_free(&members);
}

/* The child's one pipe carries the answers of all. */
static void stdio_pause(struct leg *leg, bool paused)
{
    struct upstream *upstream = leg->upstream;
    uint32_t before = upstream->pauses;
    upstream->pauses = paused ? before + 1 : before - 1;
    if (upstream->child && (!before || !upstream->pauses))
        child_pause(upstream->child, paused);
}

static void stdio_stop(struct upstream *upstream)
{
    if (upstream->child)
        child_stop(upstream->child);
    upstream->child = NULL;
}

const struct transport transport_stdio = {
    .is_stdio = true,
    .start = stdio_start,
    .send = stdio_send,
    .release = stdio_release,
    .pause = stdio_pause,
    .stop = stdio_stop,
};
