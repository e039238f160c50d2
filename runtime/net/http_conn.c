/* SPDX-License-Identifier: Apache-2.0 */
/* http_conn.c - the reading half of a client connection: bytes to heads, bodies and callbacks.
 *
 * conn_process is a loop, never re-entered: a handler that answers inside its callback only
 * changes the state, and the loop goes on with the next pipelined request. What the client may
 * cost is bounded in bytes by CONN_IN_BYTES and max_body_bytes and in time by one deadline a state.
 */
#include "runtime/net/http_conn.h"

#include "runtime/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_busy(enum conn_state state)
{
    return state == CONN_BODY || state == CONN_WAIT || state == CONN_STREAM || state == CONN_WRITE;
}

void conn_set_state(struct conn *conn, enum conn_state state)
{
    if (is_busy(conn->state) && !is_busy(state))
        conn->server->busy_count--;
    if (!is_busy(conn->state) && is_busy(state))
        conn->server->busy_count++;
    conn->state = state;
}

void conn_arm(struct conn *conn, enum conn_state state, uint32_t delay_ms)
{
    conn->armed = state;
    timer_start(conn->timer, delay_ms);
}

void conn_disarm(struct conn *conn)
{
    if (conn->armed != CONN_CLOSED)
        timer_stop(conn->timer);
    conn->armed = CONN_CLOSED;
}

/* In WAIT and STREAM the rest of the buffer is for pipelined requests; full, reading pauses. */
static bool wants_bytes(const struct conn *conn)
{
    switch (conn->state) {
    case CONN_IDLE:
    case CONN_HEAD:
    case CONN_BODY: return true;
    case CONN_WAIT:
    case CONN_STREAM: return conn->in.n < CONN_IN_BYTES && !conn->is_doomed;
    case CONN_SHAKE:
    case CONN_WRITE:
    case CONN_LINGER:
    case CONN_CLOSED: break;
    }
    return false;
}

static void conn_on_readable(struct conn *conn);

static void read_more(void *user)
{
    struct conn *conn = user;
    conn->is_read_due = false;
    if (wants_bytes(conn))
        conn_on_readable(conn);
}

void conn_update_watch(struct conn *conn)
{
    int events = 0;
    if (conn->state == CONN_CLOSED)
        return;
    if (conn->state == CONN_SHAKE)
        events = conn->shake_wants;
    if (wants_bytes(conn) || conn->state == CONN_LINGER)
        events |= WATCH_READ;
    if (conn->out.n)
        events |= WATCH_WRITE;
    watch_set(conn->watch, events);
    if (wants_bytes(conn) && channel_has_more(&conn->channel) && !conn->is_read_due) {
        conn->is_read_due = true;
        loop_defer(conn->server->loop, read_more, conn);
    }
}

static void conn_free(void *user)
{
    struct conn *conn = user;
    buf_free(&conn->in);
    buf_free(&conn->out);
    buf_free(&conn->exchange.body);
    arena_reset(&conn->exchange.arena);
    free(conn);
}

void conn_close(struct conn *conn)
{
    struct http_server *server = conn->server;
    if (conn->state == CONN_CLOSED)
        return;
    if (conn->state == CONN_SHAKE)
        conn_shake_leave(conn);
    conn_set_state(conn, CONN_CLOSED);
    conn_forget_waiting(conn);
    watch_close(conn->watch);
    timer_close(conn->timer);
    channel_close(&conn->channel, conn->out.n == 0);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    server->conn_count--;
    http_server_update_accept(server);
    loop_defer(server->loop, conn_free, conn);
}

void conn_abandon(struct conn *conn)
{
    if (!conn->exchange.is_open)
        return;
    conn->exchange.is_open = false;
    conn->server->handler.on_gone(conn->server->user, &conn->exchange);
}

static void conn_lose(struct conn *conn)
{
    conn_abandon(conn);
    conn_close(conn);
}

void conn_recycle(struct conn *conn)
{
    buf_drop(&conn->in, conn->in_at);
    conn->in_at = conn->head_n = conn->scan = 0;
    arena_reset(&conn->exchange.arena);
    buf_clear(&conn->exchange.body);
    if (conn->exchange.body.cap > CONN_KEEP_BYTES)
        buf_free(&conn->exchange.body);
    if (conn->out.cap > CONN_KEEP_BYTES)
        buf_free(&conn->out);
    conn_set_state(conn, CONN_IDLE);
}

/* False when the request was refused for what its head announces. */
static bool accept_head(struct conn *conn)
{
    const struct http_head *head = &conn->exchange.head;
    bool is_repeated = false;
    Str expected = http_header(head, STR("Expect"), &is_repeated);
    bool is_continue = str_eq_nocase(expected, STR("100-continue"));
    if (is_repeated || (expected.n && !is_continue)) {
        conn_refuse(conn, 417, "unknown expectation");
        return false;
    }
    if (head->framing == HTTP_BODY_LENGTH && head->length > conn->server->config.max_body_bytes) {
        conn_refuse(conn, 413, "body over the limit");
        return false;
    }
    /* HTTP/1.0 knows no 1xx; a body that is here already needs no leave (RFC 9110, 10.1.1). */
    bool has_body = head->framing == HTTP_BODY_CHUNKED || head->length > 0;
    if (is_continue && head->minor == 1 && has_body && conn->in_at == conn->in.n)
        conn_send_continue(conn);
    return conn->state == CONN_BODY;
}

/* Each step_... returns whether another step may be due. */
static bool step_head(struct conn *conn)
{
    struct http_server *server = conn->server;
    struct exchange *exchange = &conn->exchange;
    size_t used = 0;
    if (conn->in.n == 0) {
        if (server->is_draining)
            conn_close(conn);
        else if (conn->armed != CONN_IDLE)
            conn_arm(conn, CONN_IDLE, server->config.idle_timeout_ms);
        return false;
    }
    struct http_limits limits = http_limits_default;
    if (server->config.max_head_bytes)
        limits.max_head = server->config.max_head_bytes;
    enum http_result result =
        http_parse_request(buf_str(&conn->in), &limits, &conn->scan, &exchange->head, &used);
    if (result == HTTP_MORE) {
        conn_set_state(conn, CONN_HEAD);
        if (conn->armed != CONN_HEAD)
            conn_arm(conn, CONN_HEAD, server->config.head_timeout_ms);
        return false;
    }
    if (result == HTTP_BAD) {
        conn_refuse(conn, exchange->head.error_status, exchange->head.error);
        return false;
    }
    conn->in_at = conn->head_n = used;
    conn_set_state(conn, CONN_BODY);
    exchange->is_open = true;
    exchange->user = NULL;
    http_body_begin(&exchange->reader, &exchange->head);
    server->handler.on_head(server->user, exchange);
    return exchange->is_open ? accept_head(conn) : true;
}

/* Moves what is buffered into the body. HTTP_BAD: the request was refused. */
static enum http_result take_body(struct conn *conn)
{
    struct exchange *exchange = &conn->exchange;
    Str in = str_sub(buf_str(&conn->in), conn->in_at, conn->in.n), out;
    enum http_result result;
    do {
        result = http_body_next(&exchange->reader, &in, &out);
        if (result == HTTP_BAD) {
            conn_refuse(conn, 400, exchange->reader.error);
            return HTTP_BAD;
        }
        if (out.n > exchange->body.limit - exchange->body.n) {
            conn_refuse(conn, 413, "body over the limit");
            return HTTP_BAD;
        }
        buf_add(&exchange->body, out);
        if (exchange->body.is_full) {
            conn_refuse(conn, 503, "no memory for a body");
            return HTTP_BAD;
        }
    } while (result == HTTP_MORE && in.n);
    conn->in_at = conn->in.n - in.n;
    return result;
}

static bool step_body(struct conn *conn)
{
    struct http_server *server = conn->server;
    enum http_result result = take_body(conn);
    if (result == HTTP_BAD)
        return false;
    if (result == HTTP_MORE) {
        conn->in.n = conn->in_at = conn->head_n; /* all behind the head is used: read there again */
        if (conn->armed != CONN_BODY)
            conn_arm(conn, CONN_BODY, server->config.body_timeout_ms);
        return false;
    }
    conn_disarm(conn); /* from here on the handler has the deadlines */
    conn_set_state(conn, CONN_WAIT);
    server->handler.on_request(server->user, &conn->exchange);
    return true;
}

static bool step(struct conn *conn)
{
    switch (conn->state) {
    case CONN_IDLE:
    case CONN_HEAD: return step_head(conn);
    case CONN_BODY: return step_body(conn);
    case CONN_SHAKE:
    case CONN_WAIT:
    case CONN_STREAM:
    case CONN_WRITE:
    case CONN_LINGER:
    case CONN_CLOSED: break;
    }
    return false;
}

void conn_process(struct conn *conn)
{
    if (conn->is_processing)
        return;
    conn->is_processing = true;
    while (step(conn)) {
    }
    conn->is_processing = false;
    conn_update_watch(conn);
}

static void process_later(void *user)
{
    conn_process(user);
}

void conn_process_later(struct conn *conn)
{
    if (!conn->is_processing) /* else it goes on by itself */
        loop_defer(conn->server->loop, process_later, conn);
}

/* Where the next bytes go: straight into a body of known length, else behind what is buffered. */
static struct buf *choose_target(struct conn *conn, size_t *room)
{
    struct exchange *exchange = &conn->exchange;
    if (conn->state == CONN_BODY && exchange->reader.framing == HTTP_BODY_LENGTH) {
        uint64_t left = exchange->reader.left;
        *room = left < CONN_BODY_STEP ? (size_t)left : CONN_BODY_STEP;
        return &exchange->body;
    }
    *room = CONN_IN_BYTES - conn->in.n;
    return &conn->in;
}

/* Body bytes that were read in place: only their number has to be accounted for. */
static void account_body(struct conn *conn, size_t before)
{
    struct exchange *exchange = &conn->exchange;
    Str in = str_sub(buf_str(&exchange->body), before, exchange->body.n), out;
    enum http_result result = http_body_next(&exchange->reader, &in, &out);
    ENSURE(result != HTTP_BAD && in.n == 0);
}

static void drop_lingering(struct conn *conn)
{
    ssize_t n = channel_drop(&conn->channel, CONN_LINGER_BYTES);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || (size_t)n > conn->linger_left)
        conn_close(conn);
    else
        conn->linger_left -= (size_t)n;
}

static void conn_on_readable(struct conn *conn)
{
    size_t room;
    struct buf *target = choose_target(conn, &room);
    size_t before = target->n;
    if (room == 0) {
        conn_update_watch(conn);
        return;
    }
    if (!buf_reserve(target, room)) {
        conn_lose(conn);
        return;
    }
    ssize_t n = channel_recv(&conn->channel, target->p + before, room);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        conn_lose(conn);
        return;
    }
    target->n += (size_t)n;
    if (target != &conn->in)
        account_body(conn, before);
    conn_process(conn);
}

static void on_event(void *user, int events)
{
    struct conn *conn = user;
    if (conn->state == CONN_SHAKE)
        conn_shake(conn);
    else if (events & WATCH_WRITE)
        conn_on_writable(conn);
    else if (conn->state == CONN_LINGER)
        drop_lingering(conn);
    else
        conn_on_readable(conn);
}

static void on_deadline(void *user)
{
    struct conn *conn = user;
    conn->armed = CONN_CLOSED;
    if (conn->state == CONN_HEAD || conn->state == CONN_BODY)
        conn_refuse(conn, 408, "request not complete in time");
    else if (conn->state == CONN_STREAM)
        conn_on_stream_deadline(conn);
    else
        conn_close(conn);
}

/* The parts that may be refused for want of memory; what was made is freed by the caller. */
static bool equip(struct conn *conn, struct http_server *server, int fd)
{
    conn->watch = watch_open(server->loop, fd, on_event, conn);
    conn->timer = timer_open(server->loop, on_deadline, conn);
    if (server->tls)
        conn->channel.tls = tls_open(server->tls, fd);
    return conn->watch && conn->timer && (!server->tls || conn->channel.tls);
}

static void conn_begin(struct conn *conn)
{
    struct http_server *server = conn->server;
    conn->next = server->conns;
    if (conn->next)
        conn->next->prev = conn;
    server->conns = conn;
    server->conn_count++;
    conn->state = CONN_IDLE;
    if (conn->channel.tls)
        conn_shake_begin(conn);
    else /* Who connects has something to say: the time for a head, not that of a kept connection.
          */
        conn_arm(conn, CONN_IDLE, server->config.head_timeout_ms);
    conn_update_watch(conn);
}

void conn_open(struct http_server *server, int fd)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn || !equip(conn, server, fd)) {
        if (conn) {
            watch_close(conn->watch);
            timer_close(conn->timer);
            tls_close(conn->channel.tls);
        }
        free(conn);
        (void)close(fd);
        return;
    }
    conn->server = server;
    conn->channel.fd = fd;
    conn->exchange.conn = conn;
    buf_init(&conn->in, CONN_IN_BYTES);
    buf_init(&conn->out, server->config.max_waiting_bytes);
    buf_init(&conn->exchange.body, server->config.max_body_bytes);
    arena_init(&conn->exchange.arena, server->config.arena_limit);
    conn_begin(conn);
}
