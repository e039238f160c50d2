/* SPDX-License-Identifier: Apache-2.0 */
/* http_shake.c - a client connection before its first request: the TLS handshake.
 *
 * A handshake costs a signature and a key agreement, about as much as hundreds of requests, and
 * comes from strangers. So it has a deadline; only so many may be unfinished, and one more ends
 * the oldest; and a turn of the loop takes few steps of them, so that the calls of those who are
 * connected go on in between. What waits for its step is simply not looked at: it stays ready.
 */
#include "runtime/base/log.h"
#include "runtime/net/http_conn.h"

#include <sys/socket.h>

enum { STEPS_A_TURN = 4 };

/* The 1st, 2nd, 4th, 8th ... time is logged: clients can't flood the log. */
static void count_failure(struct http_server *server, const char *why)
{
    uint32_t count = ++server->shake_failures;
    if ((count & (count - 1)) == 0)
        log_info("TLS handshake failed why=%s count=%u", why, count);
}

static void on_turn_end(void *user)
{
    struct http_server *server = user;
    server->shake_steps = 0;
}

static bool may_step(struct http_server *server)
{
    if (server->shake_steps == 0)
        loop_defer(server->loop, on_turn_end, server);
    if (server->shake_steps >= STEPS_A_TURN)
        return false;
    server->shake_steps++;
    return true;
}

void conn_shake_begin(struct conn *conn)
{
    struct http_server *server = conn->server;
    conn_set_state(conn, CONN_SHAKE);
    conn->shake_wants = WATCH_READ;
    conn->shake_prev = server->shakes_last;
    if (conn->shake_prev)
        conn->shake_prev->shake_next = conn;
    else
        server->shakes_first = conn;
    server->shakes_last = conn;
    conn_arm(conn, CONN_SHAKE, server->config.handshake_timeout_ms);
    if (++server->shake_count > server->config.max_handshakes) {
        count_failure(server, "too many at once, the oldest is given up");
        conn_close(server->shakes_first);
    }
}

void conn_shake_leave(struct conn *conn)
{
    struct http_server *server = conn->server;
    if (conn->shake_prev)
        conn->shake_prev->shake_next = conn->shake_next;
    else
        server->shakes_first = conn->shake_next;
    if (conn->shake_next)
        conn->shake_next->shake_prev = conn->shake_prev;
    else
        server->shakes_last = conn->shake_prev;
    conn->shake_prev = conn->shake_next = NULL;
    server->shake_count--;
}

/* Does the client begin with a method, in the clear? Asked of the very first byte alone. */
static bool speaks_plain(struct conn *conn)
{
    char c = '\0';
    if (conn->has_begun)
        return false;
    conn->has_begun = recv(conn->channel.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    return conn->has_begun && c >= 'A' && c <= 'Z';
}

/* What it has sent went over the network readable, perhaps a token too: all it gets is a 400. */
static void refuse_plain(struct conn *conn)
{
    count_failure(conn->server, "the client speaks plain HTTP");
    conn_shake_leave(conn);
    tls_close(conn->channel.tls);
    conn->channel.tls = NULL;
    conn_set_state(conn, CONN_IDLE);
    conn_disarm(conn);
    conn_refuse(conn, 400, "plain HTTP to a TLS port");
}

static void finish(struct conn *conn)
{
    conn_shake_leave(conn);
    conn_set_state(conn, CONN_IDLE);
    conn_arm(conn, CONN_IDLE, conn->server->config.head_timeout_ms);
    conn_update_watch(conn);
}

void conn_shake(struct conn *conn)
{
    struct tls_error why = { .text = "" };
    if (!may_step(conn->server))
        return;
    if (speaks_plain(conn)) {
        refuse_plain(conn);
        return;
    }
    switch (tls_handshake(conn->channel.tls, &why)) {
    case TLS_DONE: finish(conn); break;
    case TLS_WANTS_READ: conn->shake_wants = WATCH_READ; break;
    case TLS_WANTS_WRITE: conn->shake_wants = WATCH_WRITE; break;
    case TLS_FAILED:
        count_failure(conn->server, why.text);
        conn_close(conn);
        break;
    }
    conn_update_watch(conn);
}
