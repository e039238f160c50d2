/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c - the two ways in which a connection's bytes travel.
 *
 * Head and body leave by one system call, or in TLS by one record as far as they fit. Without a TLS
 * close_notify at its end an answer could have been cut by somebody in between, so it is sent
 * whenever all was said, and only then.
 */
#include "runtime/net/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static struct iovec to_iovec(Str s)
{
    struct iovec part = { .iov_len = s.n };
    memcpy(&part.iov_base, &s.p, sizeof s.p); /* it has no const, but sendmsg only reads */
    return part;
}

static ssize_t send_plain(int fd, Str head, Str body)
{
    struct iovec parts[] = { to_iovec(head), to_iovec(body) };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = body.n ? 2 : 1 };
    ssize_t n;
    do
        n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

ssize_t channel_send(struct channel *channel, Str head, Str body)
{
    return channel->tls ? tls_send(channel->tls, head, body) : send_plain(channel->fd, head, body);
}

ssize_t channel_recv(struct channel *channel, void *bytes, size_t room)
{
    if (channel->tls)
        return tls_recv(channel->tls, bytes, room);
    ssize_t n = recv(channel->fd, bytes, room, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR)
        errno = EAGAIN;
    return n;
}

ssize_t channel_drop(struct channel *channel, size_t max)
{
    /* MSG_TRUNC: the kernel drops the bytes without copying them. Encrypted ones as well: nobody
     * wants to know what they say. */
    ssize_t n = recv(channel->fd, NULL, max, MSG_TRUNC | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR)
        errno = EAGAIN;
    return n;
}

bool channel_end(struct channel *channel)
{
    if (channel->tls)
        tls_end(channel->tls);
    return shutdown(channel->fd, SHUT_WR) == 0;
}

void channel_close(struct channel *channel, bool is_in_order)
{
    if (channel->tls && is_in_order)
        tls_end(channel->tls);
    tls_close(channel->tls);
    (void)close(channel->fd);
    *channel = (struct channel){ .fd = -1 };
}
