/* SPDX-License-Identifier: Apache-2.0 */
/* outlet.c - poll, then write no more than fits.
 *
 * The time is measured with the real clock: a test that stops the world's must not stop us. Another
 * process that fills the same pipe between the two calls can still make us wait for its reader;
 * nothing that POSIX offers for a shared descriptor closes that gap.
 */
#include "runtime/base/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* True when PIPE_BUF bytes can be written; else errno says why not. */
static bool await_room(int fd, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd room = { .fd = fd, .events = POLLOUT };
        int64_t left = deadline_ms - now_ms();
        int ready = poll(&room, 1, left > 0 ? (int)left : 0);
        if (ready > 0)
            return true; /* an error or hang-up, too: write tells which */
        if (ready == 0)
            errno = EAGAIN;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

size_t outlet_write(struct outlet *outlet, Str text)
{
    int64_t deadline_ms = now_ms() + (outlet->is_stuck ? 0 : OUTLET_WAIT_MS);
    size_t done = 0;
    while (done < text.n && await_room(outlet->fd, deadline_ms)) {
        size_t piece = text.n - done < PIPE_BUF ? text.n - done : PIPE_BUF;
        ssize_t n = write(outlet->fd, text.p + done, piece);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || (errno != EINTR && errno != EAGAIN))
            break;
    }
    outlet->is_stuck = done < text.n;
    return done;
}
