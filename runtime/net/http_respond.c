/* SPDX-License-Identifier: Apache-2.0 */
/* http_respond.c - the writing half of a client connection: answers, refusals and their end
 * (http_stream.c has the streams).
 *
 * Head and body leave together; only what the channel does not take is copied. Reading
 * stops while an answer waits to be taken, so a client that does not read holds one answer and no
 * more, until idle_timeout_ms pass without progress. All of them together hold max_waiting_bytes:
 * then the ones that have taken nothing for longest are given up, so that clients that don't read
 * never keep those from their answers that do. A client that was refused before it had sent
 * everything gets its answer all the same: the connection is shut down for writing and what still
 * comes is dropped for a short while (RFC 9112, section 9.6), since closing at once would make the
 * kernel reset it and the client lose the answer.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/net/http_conn.h"

enum { OUT_DROP_BYTES = 64 * 1024 }; /* sent bytes in front of waiting ones, before these move up */

/* Drops up to *count bytes of s, and counts them down. */
static Str skip(Str s, size_t *count)
{
    size_t n = *count < s.n ? *count : s.n;
    *count -= n;
    return str_sub(s, n, s.n);
}

/* So many bytes of what waited do so no more. */
static void count_taken(struct conn *conn, size_t bytes)
{
    conn->server->waiting_bytes -= bytes;
    conn->waiting -= bytes;
}

void conn_forget_waiting(struct conn *conn)
{
    count_taken(conn, conn->waiting);
}

/* The one besides conn that waits to be read for the longest time, or NULL. One in another state
 * holds a few bytes at most. */
static struct conn *find_slowest(const struct conn *conn)
{
    struct conn *slowest = NULL;
    for (struct conn *other = conn->server->conns; other; other = other->next)
        if (other != conn && other->waiting &&
            (other->state == CONN_WRITE || other->state == CONN_STREAM) &&
            (!slowest || other->taken_ms < slowest->taken_ms))
            slowest = other;
    return slowest;
}

/* Logs the 1st, 2nd, 4th, 8th ... time: clients can't flood the log. */
static void give_up(struct conn *conn)
{
    struct http_server *server = conn->server;
    server->given_up++;
    if ((server->given_up & (server->given_up - 1)) == 0)
        log_warn("an answer that was not read is given up: too many wait bytes=%zu count=%u",
                 conn->waiting, server->given_up);
    if (conn->state == CONN_STREAM)
        conn_doom(conn);
    else
        conn_close(conn);
}

/* Counts bytes that will wait; makes room by giving up slower ones. False: there is none. */
static bool count_waiting(struct conn *conn, size_t bytes)
{
    struct http_server *server = conn->server;
    size_t limit = server->config.max_waiting_bytes;
    if (bytes > limit)
        return false;
    while (server->waiting_bytes > limit - bytes) {
        struct conn *slowest = find_slowest(conn);
        if (!slowest)
            return false;
        give_up(slowest);
    }
    if (!conn->waiting)
        conn->taken_ms = world_mono_ms();
    server->waiting_bytes += bytes;
    conn->waiting += bytes;
    return true;
}

/* Appends what the channel did not take; false: there is no room for it. */
static bool queue(struct conn *conn, Str head, Str body)
{
    if (!(head.n + body.n))
        return true;
    if (!count_waiting(conn, head.n + body.n))
        return false;
    if (conn->out_at >= OUT_DROP_BYTES) { /* of a stream that is never taken whole */
        buf_drop(&conn->out, conn->out_at);
        conn->out_at = 0;
    }
    buf_add(&conn->out, head);
    buf_add(&conn->out, body);
    return !conn->out.is_full;
}

bool conn_put(struct conn *conn, Str head, Str body)
{
    if (conn->out.n == 0) {
        ssize_t n = channel_send(&conn->channel, head, body);
        if (n < 0) {
            if (conn->state == CONN_STREAM)
                conn_doom(conn);
            else
                conn_close(conn);
            return false;
        }
        size_t sent = (size_t)n;
        head = skip(head, &sent);
        body = skip(body, &sent);
    }
    if (!queue(conn, head, body))
        give_up(conn);
    return conn->state != CONN_CLOSED && !conn->is_doomed;
}

void conn_send_continue(struct conn *conn)
{
    if (conn_put(conn, STR("HTTP/1.1 100 Continue\r\n\r\n"), STR("")))
        conn_update_watch(conn);
    else
        conn_abandon(conn);
}

static void linger(struct conn *conn)
{
    if (!channel_end(&conn->channel)) {
        conn_close(conn);
        return;
    }
    conn_set_state(conn, CONN_LINGER);
    conn->linger_left = CONN_LINGER_BYTES;
    conn_arm(conn, CONN_LINGER, CONN_LINGER_MS);
    conn_update_watch(conn);
}

/* After the last byte of an answer. */
static void finish(struct conn *conn)
{
    if (conn->keeps_alive) {
        conn_recycle(conn);
        conn_process_later(conn);
    } else if (conn->is_read_whole && conn->in_at == conn->in.n) {
        conn_close(conn);
    } else {
        linger(conn);
    }
}

void conn_end_answer(struct conn *conn)
{
    if (conn->out.n == 0) {
        conn_disarm(conn);
        finish(conn);
        return;
    }
    conn_arm(conn, CONN_WRITE, conn->server->config.idle_timeout_ms);
    conn_update_watch(conn);
}

static void put_answer(struct conn *conn, Str head, Str body)
{
    conn_set_state(conn, CONN_WRITE);
    if (conn_put(conn, head, body))
        conn_end_answer(conn);
}

/* All of out is taken. */
static void on_taken(struct conn *conn)
{
    conn_forget_waiting(conn);
    buf_clear(&conn->out);
    conn->out_at = 0;
    if (conn->state == CONN_WRITE) {
        conn_disarm(conn);
        finish(conn);
    } else if (conn->state == CONN_STREAM) {
        conn_on_stream_room(conn);
    }
    /* At once: what is deferred waits for a turn without events, and this would be one of them. */
    conn_update_watch(conn);
}

void conn_on_writable(struct conn *conn)
{
    Str left = str_sub(buf_str(&conn->out), conn->out_at, conn->out.n);
    ssize_t n = channel_send(&conn->channel, left, STR(""));
    if (n < 0) {
        conn_abandon(conn); /* it was a 100 Continue that broke, or a stream */
        conn_close(conn);
        return;
    }
    if (n == 0)
        return;
    conn->out_at += (size_t)n;
    conn->taken_ms = world_mono_ms();
    count_taken(conn, (size_t)n);
    if (conn->out_at == conn->out.n)
        on_taken(conn);
    else if (conn->state == CONN_WRITE)
        conn_arm(conn, CONN_WRITE, conn->server->config.idle_timeout_ms);
    else if (conn->state == CONN_STREAM)
        conn_arm_stream(conn);
}

struct buf *conn_begin_head(struct conn *conn, int status)
{
    struct buf *out = &conn->server->head_out;
    buf_clear(out);
    http_write_status(out, status);
    http_write_header(out, STR("Cache-Control"), STR("no-store"));
    if (!conn->keeps_alive)
        http_write_header(out, STR("Connection"), STR("close"));
    return out;
}

void conn_refuse(struct conn *conn, int status, const char *why)
{
    conn_abandon(conn);
    if (conn->state == CONN_CLOSED)
        return;
    log_debug("request refused: %d %s", status, why ? why : "");
    conn->keeps_alive = false;
    conn->is_read_whole = false;
    struct buf *out = conn_begin_head(conn, status);
    http_write_header_u64(out, STR("Content-Length"), 0);
    http_write_end(out);
    if (out->is_full)
        conn_close(conn);
    else
        put_answer(conn, buf_str(out), STR(""));
}

/* An answer before on_request: passes over the body if all of it is here already. */
static bool skip_body(struct conn *conn)
{
    const struct http_body *reader = &conn->exchange.reader;
    if (conn->state == CONN_WAIT || reader->framing == HTTP_BODY_NONE)
        return true;
    if (reader->framing != HTTP_BODY_LENGTH || reader->left > conn->in.n - conn->in_at)
        return false;
    conn->in_at += (size_t)reader->left;
    return true;
}

const struct http_head *exchange_head(const struct exchange *exchange)
{
    return &exchange->head;
}

Str exchange_body(const struct exchange *exchange)
{
    return exchange->conn->state == CONN_WAIT ? buf_str(&exchange->body) : STR("");
}

void exchange_drop_body(struct exchange *exchange)
{
    ENSURE(exchange->conn->state == CONN_WAIT);
    buf_free(&exchange->body);
}

struct arena *exchange_arena(struct exchange *exchange)
{
    return &exchange->arena;
}

void exchange_set_user(struct exchange *exchange, void *user)
{
    exchange->user = user;
}

void *exchange_user(const struct exchange *exchange)
{
    return exchange->user;
}

void exchange_respond(struct exchange *exchange, int status, const struct http_header *headers,
                      size_t header_count, Str content_type, Str body)
{
    struct conn *conn = exchange->conn;
    const struct http_head *head = &exchange->head;
    bool has_content = status != 204 && status != 304;
    ENSURE(exchange->is_open && status >= 200 && (has_content || body.n == 0));
    exchange->is_open = false;
    conn->is_read_whole = skip_body(conn);
    conn->keeps_alive =
        conn->is_read_whole && head->keep_alive && head->minor == 1 && !conn->server->is_draining;
    struct buf *out = conn_begin_head(conn, status);
    if (content_type.n)
        http_write_header(out, STR("Content-Type"), content_type);
    for (size_t i = 0; i < header_count; i++)
        http_write_header(out, headers[i].name, headers[i].value);
    if (has_content)
        http_write_header_u64(out, STR("Content-Length"), body.n);
    http_write_end(out);
    if (out->is_full)
        conn_close(conn);
    else
        put_answer(conn, buf_str(out), str_eq(head->method_text, STR("HEAD")) ? STR("") : body);
}
