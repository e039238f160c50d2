/* SPDX-License-Identifier: Apache-2.0 */
/* http_server.c - the listening socket and the set of its connections.
 *
 * At the cap of connections, and for a moment when the process is out of descriptors, the
 * listener is simply not watched: further clients wait in the kernel's queue instead of being
 * accepted and refused.
 */
#include "runtime/net/http_server.h"

#include "runtime/base/log.h"
#include "runtime/net/http_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 511,
    ACCEPTS_A_TURN = 64,
    REST_MS = 100,              /* without descriptors or memory */
    HEAD_OUT_BYTES = 64 * 1024, /* one response head */
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

void http_server_update_accept(struct http_server *server)
{
    if (!server->watch)
        return;
    bool is_open = !server->is_resting && server->conn_count < server->config.max_connections;
    watch_set(server->watch, is_open ? WATCH_READ : 0);
}

static void on_rested(void *user)
{
    struct http_server *server = user;
    server->is_resting = false;
    http_server_update_accept(server);
}

static void rest(struct http_server *server)
{
    log_warn("not accepting for a moment: %s", strerror(errno));
    server->is_resting = true;
    timer_start(server->accept_timer, REST_MS);
    http_server_update_accept(server);
}

static void on_acceptable(void *user, int events)
{
    struct http_server *server = user;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (server->conn_count >= server->config.max_connections)
            return;
        int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
            conn_open(server, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            rest(server);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
        /* Anything else is the end of one client before we took it. */
    }
}

static socklen_t parse_address(const char *host, uint16_t port, union address *out)
{
    *out = (union address){ .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
    if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1)
        return sizeof out->v6;
    *out = (union address){ .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
    return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1 ? sizeof out->v4 : 0;
}

static enum status status_of_errno(int error)
{
    switch (error) {
    case EADDRINUSE: return ST_CONFLICT;
    case EADDRNOTAVAIL: return ST_NOT_FOUND;
    case EACCES:
    case EPERM: return ST_DENIED;
    case EMFILE:
    case ENFILE: return ST_LIMIT;
    default: return ST_IO;
    }
}

static bool bind_and_listen(int fd, const union address *address, socklen_t size)
{
    const int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return false;
    if (address->any.sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return false;
    return bind(fd, &address->any, size) == 0 && listen(fd, BACKLOG) == 0;
}

static enum status open_listener(const struct http_server_config *config, int *fd, uint16_t *port)
{
    union address address;
    socklen_t size = parse_address(config->host, config->port, &address);
    if (size == 0)
        return ST_INVALID;
    int listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return status_of_errno(errno);
    if (!bind_and_listen(listener, &address, size) ||
        getsockname(listener, &address.any, &size) != 0) {
        enum status status = status_of_errno(errno);
        (void)close(listener);
        return status;
    }
    *fd = listener;
    *port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    return ST_OK;
}

static void close_listener(struct http_server *server)
{
    watch_close(server->watch);
    server->watch = NULL;
    timer_close(server->accept_timer);
    server->accept_timer = NULL;
    if (server->fd >= 0)
        (void)close(server->fd);
    server->fd = -1;
}

enum status http_server_open(struct loop *loop, const struct http_server_config *config,
                             const struct http_handler *handler, void *user,
                             struct http_server **out)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        return ST_NO_MEMORY;
    server->loop = loop;
    server->config = *config;
    server->handler = *handler;
    server->user = user;
    server->fd = -1;
    server->tls = tls_context_share(config->tls);
    server->config.tls = NULL; /* the share is the server's own field */
    buf_init(&server->head_out, HEAD_OUT_BYTES);
    enum status status = open_listener(config, &server->fd, &server->port);
    if (status == ST_OK) {
        server->watch = watch_open(loop, server->fd, on_acceptable, server);
        server->accept_timer = timer_open(loop, on_rested, server);
        if (!server->watch || !server->accept_timer)
            status = ST_NO_MEMORY;
    }
    if (status != ST_OK) {
        close_listener(server);
        tls_context_release(server->tls);
        free(server);
        return status;
    }
    http_server_update_accept(server);
    *out = server;
    return ST_OK;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_set_tls(struct http_server *server, struct tls_context *tls)
{
    ENSURE(server->tls && tls); /* a port never changes what it speaks */
    tls_context_release(server->tls);
    server->tls = tls_context_share(tls);
}

void http_server_drain(struct http_server *server)
{
    struct conn *next;
    server->is_draining = true;
    close_listener(server);
    for (struct conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        bool has_asked = conn->state != CONN_IDLE && conn->state != CONN_SHAKE;
        if (!has_asked && !conn->is_processing)
            conn_close(conn);
    }
}

size_t http_server_exchanges(const struct http_server *server)
{
    return server->busy_count;
}

static void server_free(void *user)
{
    struct http_server *server = user;
    buf_free(&server->head_out);
    tls_context_release(server->tls);
    free(server);
}

void http_server_close(struct http_server *server)
{
    close_listener(server);
    while (server->conns) {
        struct conn *conn = server->conns;
        conn_abandon(conn);
        conn_close(conn);
    }
    loop_defer(server->loop, server_free, server); /* behind its connections, which look at it */
}
