/* SPDX-License-Identifier: Apache-2.0 */
/* net_help.h - a loop that a test can turn by hand, and plain sockets to talk through. */
#ifndef TESTS_UNIT_NET_HELP_H
#define TESTS_UNIT_NET_HELP_H

#include "runtime/base/buf.h"
#include "runtime/base/world.h"
#include "runtime/net/loop.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELP_WAIT_MS = 3000 }; /* for what is expected to happen */

static inline void help_stop(void *loop)
{
    loop_stop(loop);
}

/* Lets the loop run for about that long. */
static inline void turn(struct loop *loop, int64_t ms)
{
    struct timer *timer = timer_open(loop, help_stop, loop);
    ENSURE(timer);
    timer_start(timer, ms);
    loop_run(loop);
    timer_close(timer);
}

/* Turns the loop until the claim holds or HELP_WAIT_MS are over. */
#define TURN_UNTIL(loop, claim)                                                                    \
    do {                                                                                           \
        int64_t until_ = world_mono_ms() + HELP_WAIT_MS;                                           \
        while (!(claim) && world_mono_ms() < until_)                                               \
            turn((loop), 1);                                                                       \
    } while (0)

static inline struct loop *new_loop(void)
{
    struct loop *loop = NULL;
    ENSURE(loop_open(&loop) == ST_OK);
    return loop;
}

static inline struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
}

/* A non-blocking socket, connected. */
static inline int dial(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ENSURE(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    ENSURE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

/* A non-blocking listener on a free port. */
static inline int listen_anywhere(int backlog, uint16_t *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ENSURE(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
           listen(fd, backlog) == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Writes all of text, turning the loop when the socket is full; false when the peer is gone. */
static inline bool say(struct loop *loop, int fd, Str text)
{
    int64_t until = world_mono_ms() + HELP_WAIT_MS;
    while (text.n && world_mono_ms() < until) {
        ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0)
            text = str_sub(text, (size_t)n, text.n);
        else
            turn(loop, 1);
    }
    return text.n == 0;
}

/* Reads what comes, turning the loop, until it holds `until` (empty: until the peer closes) or
 * HELP_WAIT_MS are over. *heard is cleared first; true when it happened. */
static inline bool hear(struct loop *loop, int fd, struct buf *heard, Str until)
{
    int64_t deadline = world_mono_ms() + HELP_WAIT_MS;
    buf_clear(heard);
    while (world_mono_ms() < deadline) {
        if (until.n && str_contains(buf_str(heard), until))
            return true;
        ENSURE(buf_reserve(heard, 65536));
        ssize_t n = recv(fd, heard->p + heard->n, 65536, MSG_DONTWAIT);
        if (n > 0)
            heard->n += (size_t)n;
        else if (n == 0)
            return until.n == 0;
        else if (errno != EAGAIN)
            return false;
        else
            turn(loop, 1);
    }
    return false;
}

#endif
