/* SPDX-License-Identifier: Apache-2.0 */
/* net_upstream.h - an upstream by script: the n-th request it gets, over whatever connection, is
 * answered by the n-th of the answers, byte for byte, however malformed. */
#ifndef TESTS_UNIT_NET_UPSTREAM_H
#define TESTS_UNIT_NET_UPSTREAM_H

#include "tests/unit/net_help.h"

#include <stdlib.h>

enum { PEERS_MAX = 16, ANSWERS_MAX = 8 };

struct upstream;

struct peer {
    struct upstream *upstream;
    int fd;
    struct watch *watch;
    struct buf in;
};

struct upstream {
    struct loop *loop;
    int fd;
    uint16_t port;
    struct watch *watch;
    struct peer peers[PEERS_MAX];
    size_t connections, requests;
    Str answers[ANSWERS_MAX]; /* the last one again for what follows; p == NULL: silence */
    size_t answer_count;
    bool closes;     /* after each answer */
    struct buf last; /* the last request */
};

static inline void hang_up(struct peer *peer)
{
    watch_close(peer->watch);
    if (peer->fd >= 0)
        (void)close(peer->fd);
    peer->watch = NULL;
    peer->fd = -1;
}

/* Bytes of the first whole request in the buffer, or 0. */
static inline size_t request_size(struct buf *in)
{
    if (!buf_reserve(in, 1))
        return 0;
    in->p[in->n] = '\0';
    const char *end = in->n ? strstr(in->p, "\r\n\r\n") : NULL;
    const char *length = end ? strstr(in->p, "Content-Length: ") : NULL;
    if (!end)
        return 0;
    size_t size = (size_t)(end - in->p) + 4;
    if (length && length < end)
        size += strtoul(length + 16, NULL, 10);
    return size <= in->n ? size : 0;
}

static inline void on_peer(void *user, int events)
{
    struct peer *peer = user;
    struct upstream *up = peer->upstream;
    (void)events;
    CHECK(buf_reserve(&peer->in, 65536));
    ssize_t n = recv(peer->fd, peer->in.p + peer->in.n, 65536, MSG_DONTWAIT);
    if (n <= 0) {
        hang_up(peer);
        return;
    }
    peer->in.n += (size_t)n;
    size_t size = request_size(&peer->in);
    if (!size)
        return;
    buf_clear(&up->last);
    buf_add(&up->last, str_sub(buf_str(&peer->in), 0, size));
    buf_drop(&peer->in, size);
    size_t index = up->requests++;
    Str answer = up->answers[index < up->answer_count ? index : up->answer_count - 1];
    if (answer.n)
        CHECK(send(peer->fd, answer.p, answer.n, MSG_NOSIGNAL) == (ssize_t)answer.n);
    if (up->closes)
        hang_up(peer);
}

static inline void on_dialled(void *user, int events)
{
    struct upstream *up = user;
    (void)events;
    int fd = accept4(up->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 || up->connections == PEERS_MAX)
        return;
    struct peer *peer = &up->peers[up->connections++];
    *peer = (struct peer){ .upstream = up, .fd = fd };
    buf_init(&peer->in, 1 << 24);
    peer->watch = watch_open(up->loop, fd, on_peer, peer);
    watch_set(peer->watch, WATCH_READ);
}

static inline void upstream_open(struct upstream *up, struct loop *loop, const Str *answers,
                                 size_t count)
{
    *up = (struct upstream){ .loop = loop, .answer_count = count };
    up->fd = listen_anywhere(16, &up->port);
    up->watch = watch_open(loop, up->fd, on_dialled, up);
    watch_set(up->watch, WATCH_READ);
    for (size_t i = 0; i < count; i++)
        up->answers[i] = answers[i];
    buf_init(&up->last, 1 << 24);
}

static inline void upstream_close(struct upstream *up)
{
    for (size_t i = 0; i < up->connections; i++) {
        hang_up(&up->peers[i]);
        buf_free(&up->peers[i].in);
    }
    watch_close(up->watch);
    (void)close(up->fd);
    buf_free(&up->last);
}

#endif
