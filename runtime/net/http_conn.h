/* SPDX-License-Identifier: Apache-2.0 */
/* http_conn.h - one client connection (private to the server part of runtime/net).
 *
 *   SHAKE ->                                            with TLS only; then
 *   IDLE -> HEAD -> BODY -> WAIT -> WRITE -> IDLE       the next request, or
 *                                         -> LINGER     shut down for writing, drained briefly
 *                                         -> CLOSED
 *   WAIT -> STREAM -> WRITE                       an answer of unknown length
 * Any state may go to WRITE (an answer, perhaps the server's own refusal) and to CLOSED (the
 * client left, a deadline passed). The exchange belongs to the handler while exchange.is_open,
 * which only BODY, WAIT and STREAM may have.
 */
#ifndef RUNTIME_NET_HTTP_CONN_H
#define RUNTIME_NET_HTTP_CONN_H

#include "runtime/net/channel.h"
#include "runtime/net/http_server.h"

enum {
    CONN_IN_BYTES = 32 * 1024,   /* read ahead: a head of 16 KiB and some of what follows */
    CONN_BODY_STEP = 64 * 1024,  /* one read into a body */
    CONN_KEEP_BYTES = 64 * 1024, /* an empty buffer larger than this is given back */
    CONN_LINGER_MS = 2000,       /* for the client to read a refusal while it still sends */
    CONN_LINGER_BYTES = 8 << 20, /* of the refused body, read and dropped meanwhile */
};

enum conn_state {
    CONN_SHAKE,
    CONN_IDLE,
    CONN_HEAD,
    CONN_BODY,
    CONN_WAIT,
    CONN_STREAM,
    CONN_WRITE,
    CONN_LINGER,
    CONN_CLOSED
};

struct conn;

struct exchange {
    struct conn *conn;
    struct http_head head; /* slices into conn->in */
    struct http_body reader;
    struct buf body;
    struct arena arena;
    void *user;
    bool is_open; /* the handler's, neither answered nor gone */
};

struct conn {
    struct http_server *server;
    struct conn *prev, *next;
    struct channel channel;
    struct conn *shake_prev, *shake_next; /* in SHAKE: among those, the oldest first */
    int shake_wants;                      /* in SHAKE: the events that it goes on at */
    struct watch *watch;
    struct timer *timer;
    enum conn_state state;
    enum conn_state armed; /* whose deadline the timer runs for; CLOSED: none */
    struct buf in;         /* reserved whole at the first read: it never moves */
    size_t in_at;          /* bytes of in that the current request has taken */
    size_t head_n;         /* bytes of in that the current head lies in */
    size_t scan;           /* see http_parse_request */
    struct buf out;
    size_t out_at;      /* bytes of out already sent */
    size_t waiting;     /* bytes of out that server->waiting_bytes has of this connection */
    int64_t taken_ms;   /* when the client last took something of out, or it was first filled */
    size_t linger_left; /* bytes to drop yet */
    bool is_processing; /* conn_process is on the stack */
    bool is_read_due;   /* reading what the channel still has is deferred */
    bool has_begun;     /* in SHAKE: its first byte was seen */
    bool keeps_alive;   /* after the answer that is being written */
    bool is_read_whole; /* the request was, so closing loses nothing of the answer */
    /* STREAM */
    Str keepalive;
    uint32_t keepalive_ms;
    bool is_chunked; /* else the end of the connection is the end of the stream */
    bool is_behind;  /* the handler was told */
    bool is_doomed;  /* it is lost; the handler hears of it at the end of the turn */
    struct exchange exchange;
};

struct http_server {
    struct loop *loop;
    struct http_server_config config;
    struct http_handler handler;
    void *user;
    int fd; /* -1 once drained */
    uint16_t port;
    struct watch *watch;
    struct timer *accept_timer; /* runs while accepting rests */
    bool is_resting, is_draining;
    struct conn *conns;
    size_t conn_count, busy_count;           /* busy: between on_head and the end of the answer */
    struct buf head_out;                     /* scratch for composing a head */
    size_t waiting_bytes;                    /* copied into out buffers and not all sent yet */
    uint32_t given_up;                       /* answers that were, for want of room */
    struct tls_context *tls;                 /* for connections from now on; NULL: plain */
    struct conn *shakes_first, *shakes_last; /* in SHAKE, the oldest first */
    size_t shake_count;
    uint32_t shake_steps; /* that were taken in this turn */
    uint32_t shake_failures;
};

/* Takes fd, also when it fails. */
void conn_open(struct http_server *server, int fd);
void conn_set_state(struct conn *conn, enum conn_state state);
/* Goes on with what is buffered: heads, bodies, callbacks. Harmless in every state. */
void conn_process(struct conn *conn);
/* The same when the turn ends: whoever answers one exchange must not find itself inside the next,
 * which might answer a third one, and so on. */
void conn_process_later(struct conn *conn);
/* Closes without a word; the memory goes at the end of the turn. */
void conn_close(struct conn *conn);
/* Takes the exchange from the handler if it has it, by on_gone. */
void conn_abandon(struct conn *conn);
void conn_arm(struct conn *conn, enum conn_state state, uint32_t delay_ms);
void conn_disarm(struct conn *conn);
/* Watches for what the state waits for. */
void conn_update_watch(struct conn *conn);
/* Makes ready for the next request on the connection. */
void conn_recycle(struct conn *conn);

/* http_shake.c */
/* A connection's first state with TLS. May close an older one of that state for its sake. */
void conn_shake_begin(struct conn *conn);
void conn_shake(struct conn *conn); /* on its events */
void conn_shake_leave(struct conn *conn);

/* http_respond.c */
/* Answers with an empty body and closes; why is for the log. */
void conn_refuse(struct conn *conn, int status, const char *why);
void conn_send_continue(struct conn *conn);
void conn_on_writable(struct conn *conn);
/* Nothing waits in out any more. */
void conn_forget_waiting(struct conn *conn);

/* Sends or queues both, in this order: the one way by which bytes leave. False when the connection
 * had to be given up: closed, or doomed if it streams. */
bool conn_put(struct conn *conn, Str head, Str body);
/* The head of an answer, up to the caller's own fields, in a scratch buffer. */
struct buf *conn_begin_head(struct conn *conn, int status);
/* After the last byte of an answer was put, in WRITE: ends it now or when it is taken. */
void conn_end_answer(struct conn *conn);

/* http_stream.c */
/* A stream that is lost where the handler can't be told: it is told when the turn ends. */
void conn_doom(struct conn *conn);
/* Arms the deadline of what comes next: progress, or the next sign of life. */
void conn_arm_stream(struct conn *conn);
void conn_on_stream_deadline(struct conn *conn);
/* All that waited is taken. */
void conn_on_stream_room(struct conn *conn);

/* http_server.c */
void http_server_update_accept(struct http_server *server);

#endif
