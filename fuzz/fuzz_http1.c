/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http1.c - a connection's bytes through the codec, whole and cut.
 *
 * The first byte chooses request or response and the limits, the second how to cut. Property: the
 * cut changes nothing of what the codec says. */
#include "fuzz/target.h"
#include "fuzz/trace_http1.h"

enum { TRACE_MAX = 1 << 20, INPUT_MAX = 8192 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http_limits small = { .max_head = 96, .max_target = 16 };
    if (size < 2 || size > INPUT_MAX)
        return 0;
    bool is_request = (data[0] & 1) == 0;
    const struct http_limits *limits = data[0] & 2 ? &small : &http_limits_default;
    const uint64_t seeds[] = { PIECES_WHOLE, PIECES_OF_ONE, 2 + (uint64_t)data[1] };
    Str bytes = { .p = (const char *)data + 2, .n = size - 2 };
    struct buf traces[COUNT(seeds)];
    for (size_t i = 0; i < COUNT(seeds); i++) {
        buf_init(&traces[i], TRACE_MAX);
        trace_http1(bytes, is_request, limits, seeds[i], &traces[i]);
        ENSURE(!traces[i].is_full);
        ENSURE(str_eq(buf_str(&traces[i]), buf_str(&traces[0])));
    }
    for (size_t i = 0; i < COUNT(seeds); i++)
        buf_free(&traces[i]);
    /* The same bytes as a media type: it must only not misread them. */
    char *copy = pieces_copy(bytes);
    if (http_content_type_is((Str){ .p = copy, .n = bytes.n }, STR("application/json")))
        ENSURE(bytes.n >= 16);
    free(copy);
    return 0;
}
