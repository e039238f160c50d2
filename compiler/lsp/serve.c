/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c - the loop: take what has come, answer, and when nothing comes publish what was found. A
 * client that types faster than documents compile is told of the last state only. */
#include "compiler/lsp/lsp_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, FOREVER = -1 };

struct channel {
    int in, out;
    bool is_ended;
};

/* Is there something to read, or does something come within the time? */
static bool waits(const struct channel *channel, int timeout_ms)
{
    struct pollfd look = { .fd = channel->in, .events = POLLIN };
    int n;
    do
        n = poll(&look, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n != 0; /* an error shows when it is read */
}

static bool has_input(void *user)
{
    return waits(user, 0);
}

static bool write_out(struct lsp *lsp, struct channel *channel)
{
    Str rest = buf_str(&lsp->out);
    while (rest.n) {
        ssize_t n = write(channel->out, rest.p, rest.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        rest = str_sub(rest, (size_t)n, rest.n);
    }
    bool is_whole = !lsp->out.is_full;
    buf_clear(&lsp->out);
    return is_whole;
}

/* Everything that is there now, so that a request finds its own cancellation behind it. */
static bool read_in(struct lsp *lsp, struct channel *channel)
{
    static char bytes[READ_BYTES];
    do {
        ssize_t n = read(channel->in, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            channel->is_ended = true;
            return true;
        }
        if (!frame_feed(&lsp->frames, (Str){ .p = bytes, .n = (size_t)n }))
            return false;
    } while (lsp->frames.bytes.n < FRAME_BODY_MAX && waits(channel, 0));
    return true;
}

/* Handles all messages that are complete; false when the stream is broken. */
static bool take_messages(struct lsp *lsp, struct channel *channel)
{
    Str message;
    while (lsp->state != LSP_GONE) {
        switch (frame_next(&lsp->frames, &message)) {
        case FRAME_NONE: return true;
        case FRAME_BROKEN: return false;
        case FRAME_DROPPED: lsp_handle_lost(lsp); break;
        case FRAME_MESSAGE: lsp_handle(lsp, message); break;
        }
        if (!write_out(lsp, channel))
            return false;
    }
    return true;
}

/* Until input comes: findings first, then, after a rest, those that take longer. */
static bool use_the_pause(struct lsp *lsp, struct channel *channel)
{
    publish_pending(lsp, has_input, channel);
    if (!write_out(lsp, channel))
        return false;
    if (!waits(channel, LSP_IDLE_MS))
        publish_emitted(lsp);
    return write_out(lsp, channel) && waits(channel, FOREVER);
}

bool lsp_serve(int in, int out)
{
    struct channel channel = { .in = in, .out = out };
    struct lsp *lsp = lsp_open();
    if (!lsp)
        return false;
    (void)signal(SIGPIPE, SIG_IGN);
    while (lsp->state != LSP_GONE && !channel.is_ended) {
        if (!use_the_pause(lsp, &channel) || !read_in(lsp, &channel) ||
            !take_messages(lsp, &channel))
            break;
    }
    bool was_shut_down = lsp->was_shut_down && lsp->state == LSP_GONE;
    lsp_close(lsp);
    return was_shut_down;
}
