/* SPDX-License-Identifier: Apache-2.0 */
/* http_stream.c - answers of unknown length on a client connection.
 *
 * A stream holds little while it is idle: the request's buffers are given back when it begins. Each
 * piece that is written is a chunk of its own, sent at once; what the kernel does not take waits
 * and is counted like any answer, and the handler is told to pause. The connection's one timer
 * runs for progress while something waits, else for the next sign of life. A stream can break
 * inside a call of the handler's: then it is doomed, takes nothing more, and on_gone comes when the
 * turn ends.
 */
#include "runtime/base/log.h"
#include "runtime/net/http_conn.h"

enum { CHUNK_FRAME_MAX = 32 }; /* bytes of a chunk besides its data */

static void lose_doomed(void *user)
{
    struct conn *conn = user;
    conn_abandon(conn);
    conn_close(conn);
}

void conn_doom(struct conn *conn)
{
    if (conn->is_doomed)
        return;
    conn->is_doomed = true;
    conn_forget_waiting(conn);
    buf_clear(&conn->out);
    buf_free(&conn->out);
    conn->out_at = 0;
    conn_disarm(conn);
    conn_update_watch(conn);
    loop_defer(conn->server->loop, lose_doomed, conn);
}

void conn_arm_stream(struct conn *conn)
{
    if (conn->out.n)
        conn_arm(conn, CONN_STREAM, conn->server->config.idle_timeout_ms);
    else if (conn->keepalive_ms)
        conn_arm(conn, CONN_STREAM, conn->keepalive_ms);
    else
        conn_disarm(conn);
}

/* The request is read and done with: what it took is given back. */
static void drop_request(struct conn *conn)
{
    struct exchange *exchange = &conn->exchange;
    buf_free(&exchange->body);
    buf_drop(&conn->in, conn->in_at);
    conn->in_at = conn->head_n = conn->scan = 0;
    if (conn->in.n == 0)
        buf_free(&conn->in);
    exchange->head.header_count = 0;
    exchange->head.target = exchange->head.method_text = STR("");
}

void exchange_begin(struct exchange *exchange, const struct stream_head *head)
{
    struct conn *conn = exchange->conn;
    ENSURE(exchange->is_open && conn->state == CONN_WAIT && head->status == 200);
    conn->is_read_whole = true;
    conn->is_chunked = exchange->head.minor == 1;
    conn->keeps_alive = conn->is_chunked && exchange->head.keep_alive && !conn->server->is_draining;
    conn->keepalive = head->keepalive;
    conn->keepalive_ms = head->keepalive_ms;
    conn->is_behind = false;
    drop_request(conn);
    conn_set_state(conn, CONN_STREAM);
    struct buf *out = conn_begin_head(conn, head->status);
    if (head->content_type.n)
        http_write_header(out, STR("Content-Type"), head->content_type);
    for (size_t i = 0; i < head->header_count; i++)
        http_write_header(out, head->headers[i].name, head->headers[i].value);
    if (conn->is_chunked)
        http_write_header(out, STR("Transfer-Encoding"), STR("chunked"));
    http_write_end(out);
    if (out->is_full) {
        conn_doom(conn);
    } else if (conn_put(conn, buf_str(out), STR(""))) {
        conn_arm_stream(conn);
        conn_update_watch(conn);
    }
}

/* One chunk, or the bytes alone. False when the stream is lost. */
static bool put_piece(struct conn *conn, Str bytes)
{
    struct buf chunk;
    if (!conn->is_chunked)
        return conn_put(conn, bytes, STR(""));
    buf_init(&chunk, bytes.n + CHUNK_FRAME_MAX);
    http_write_chunk(&chunk, bytes);
    bool is_put = !chunk.is_full && conn_put(conn, buf_str(&chunk), STR(""));
    if (chunk.is_full)
        conn_doom(conn);
    buf_free(&chunk);
    return is_put;
}

bool exchange_write(struct exchange *exchange, Str bytes)
{
    struct conn *conn = exchange->conn;
    ENSURE(exchange->is_open && conn->state == CONN_STREAM && bytes.n > 0);
    if (conn->is_doomed || !put_piece(conn, bytes))
        return true; /* on_gone comes: nobody need wait for room */
    conn_arm_stream(conn);
    conn_update_watch(conn);
    if (conn->out.n - conn->out_at > STREAM_BEHIND_BYTES)
        conn->is_behind = true;
    return !conn->is_behind;
}

void exchange_end(struct exchange *exchange)
{
    struct conn *conn = exchange->conn;
    ENSURE(exchange->is_open && conn->state == CONN_STREAM);
    exchange->is_open = false;
    if (conn->is_doomed) {
        conn_close(conn);
        return;
    }
    conn_set_state(conn, CONN_WRITE);
    if (conn->is_chunked && !conn_put(conn, STR("0\r\n\r\n"), STR("")))
        return;
    conn_end_answer(conn);
}

void conn_on_stream_room(struct conn *conn)
{
    struct http_server *server = conn->server;
    if (conn->out.cap > CONN_KEEP_BYTES)
        buf_free(&conn->out);
    conn_arm_stream(conn);
    conn_update_watch(conn);
    if (!conn->is_behind)
        return;
    conn->is_behind = false;
    if (server->handler.on_room)
        server->handler.on_room(server->user, &conn->exchange);
}

void conn_on_stream_deadline(struct conn *conn)
{
    if (conn->out.n) {
        log_debug("a client that takes nothing of its stream has left");
        conn_abandon(conn);
        conn_close(conn);
    } else if (put_piece(conn, conn->keepalive)) {
        conn_arm_stream(conn);
        conn_update_watch(conn);
    }
}
