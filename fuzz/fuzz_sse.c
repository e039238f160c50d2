/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sse.c - an event stream through the reader, whole and cut.
 *
 * The first byte chooses the cap, the second how to cut. Properties: the cut changes nothing;
 * what sse_write_message wrote reads back as one event. */
#include "fuzz/target.h"
#include "fuzz/trace_sse.h"

enum { TRACE_MAX = 1 << 20, INPUT_MAX = 8192, SMALL_EVENT = 24, LARGE_EVENT = 16384 };

/* Writes bytes (without what a line can't hold) as a message and reads it again. */
static void check_round_trip(Str bytes)
{
    struct buf line, out;
    buf_init(&line, TRACE_MAX);
    buf_init(&out, TRACE_MAX);
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] != '\r' && bytes.p[i] != '\n')
            buf_add_char(&line, bytes.p[i]);
    }
    sse_write_message(&out, STR("7"), buf_str(&line));
    sse_write_keepalive(&out);
    struct sse_reader reader;
    struct sse_event event;
    sse_reader_init(&reader, LARGE_EVENT);
    Str in = buf_str(&out);
    ENSURE(sse_next(&reader, &in, &event) == SSE_EVENT);
    ENSURE(str_eq(event.data, buf_str(&line)) && str_eq(event.id, STR("7")));
    ENSURE(sse_next(&reader, &in, &event) == SSE_MORE && in.n == 0);
    sse_reader_free(&reader);
    buf_free(&line);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX)
        return 0;
    size_t max_event = data[0] & 1 ? SMALL_EVENT : LARGE_EVENT;
    const uint64_t seeds[] = { PIECES_WHOLE, PIECES_OF_ONE, 2 + (uint64_t)data[1] };
    Str bytes = { .p = (const char *)data + 2, .n = size - 2 };
    struct buf traces[COUNT(seeds)];
    for (size_t i = 0; i < COUNT(seeds); i++) {
        buf_init(&traces[i], TRACE_MAX);
        trace_sse(bytes, max_event, seeds[i], &traces[i]);
        ENSURE(!traces[i].is_full || traces[0].is_full);
        ENSURE(str_eq(buf_str(&traces[i]), buf_str(&traces[0])));
    }
    for (size_t i = 0; i < COUNT(seeds); i++)
        buf_free(&traces[i]);
    check_round_trip(bytes);
    return 0;
}
