/* SPDX-License-Identifier: Apache-2.0 */
/* trace_sse.h - reads an event stream, cut in some way, and writes down its events. */
#ifndef FUZZ_TRACE_SSE_H
#define FUZZ_TRACE_SSE_H

#include "fuzz/pieces.h"
#include "runtime/wire/sse.h"

#include <inttypes.h>

static inline void trace_event(const struct sse_event *event, size_t max_event, struct buf *out)
{
    ENSURE(event->type.n && event->data.n <= max_event && event->retry_ms >= -1);
    ENSURE(!event->id.n || !memchr(event->id.p, '\0', event->id.n));
    buf_add(out, STR("event "));
    buf_add(out, event->type);
    buf_add(out, STR("\nid "));
    buf_add(out, event->id);
    buf_printf(out, "\nretry %" PRId64 "\ndata ", event->retry_ms);
    buf_add(out, event->data);
    buf_add(out, STR("\n"));
}

/* Feeds one piece; false when the stream is bad. */
static inline bool trace_sse_piece(struct sse_reader *reader, Str piece, size_t max_event,
                                   struct buf *out)
{
    char *block = pieces_copy(piece);
    Str in = { .p = block, .n = piece.n };
    struct sse_event event;
    enum sse_result result = SSE_EVENT;
    while (result == SSE_EVENT) {
        result = sse_next(reader, &in, &event);
        if (result == SSE_EVENT)
            trace_event(&event, max_event, out);
    }
    ENSURE(result == SSE_BAD || in.n == 0);
    free(block);
    return result == SSE_MORE;
}

static inline void trace_sse(Str bytes, size_t max_event, uint64_t seed, struct buf *out)
{
    struct sse_reader reader;
    struct pieces pieces = { .seed = seed };
    bool is_good = true;
    sse_reader_init(&reader, max_event);
    while (bytes.n && is_good) {
        size_t n = pieces_next(&pieces, bytes.n);
        is_good = trace_sse_piece(&reader, str_sub(bytes, 0, n), max_event, out);
        bytes = str_sub(bytes, n, bytes.n);
    }
    buf_add(out, is_good ? STR("end\n") : STR("bad\n"));
    sse_reader_free(&reader);
}

#endif
