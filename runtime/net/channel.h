/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - one connection's bytes in and out, plain or through TLS (private to runtime/net).
 *
 * All that a connection receives comes by channel_recv, all that it sends goes by channel_send;
 * what a call did not take must be offered again first. Plain, each is one system call and a
 * branch.
 */
#ifndef RUNTIME_NET_CHANNEL_H
#define RUNTIME_NET_CHANNEL_H

#include "runtime/base/str.h"
#include "runtime/net/tls.h"

struct channel {
    int fd;          /* non-blocking; the channel's */
    struct tls *tls; /* NULL: plain */
};

/* Like recv: 0 when the peer has ended, -1 with errno EAGAIN or another. */
ssize_t channel_recv(struct channel *channel, void *bytes, size_t room);

/* How many bytes of head and then body were taken; 0: none now; -1: broken. */
ssize_t channel_send(struct channel *channel, Str head, Str body);

/* Received and not read yet, of which no event will tell. */
static inline bool channel_has_more(const struct channel *channel)
{
    return channel->tls && tls_has_more(channel->tls);
}

/* Throws away up to max bytes of what has come, without looking at them. Like channel_recv. */
ssize_t channel_drop(struct channel *channel, size_t max);

/* Tells the peer that nothing more comes; it may still send. False: broken. */
bool channel_end(struct channel *channel);

/* Closes the descriptor; in order: all that was meant for the peer was taken. */
void channel_close(struct channel *channel, bool is_in_order);

#endif
