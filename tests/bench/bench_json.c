/* SPDX-License-Identifier: Apache-2.0 */
/* bench_json.c - what one json_parse costs, on a rewound arena as in the daemon.
 *
 * Prints, for each message, its bytes and values and the median and 99th percentile over many
 * runs of a batch of parses. Not part of any test: figures depend on the machine. Build it with
 * the release flags and runtime/base, runtime/json, -lxxhash.
 */
#include "runtime/json/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 2001, BATCH = 200, LONG_BYTES = 10 * 1024 };

static const char call[] =
    "{\"jsonrpc\":\"2.0\",\"id\":4711,\"method\":\"tools/"
    "call\",\"params\":{\"name\":\"issue_create\","
    "\"arguments\":{\"owner\":\"acme-rockets\",\"repo\":\"guidance\",\"title\":\"Valve stays open "
    "after "
    "shutdown\",\"body\":\"Seen twice during the last run. Steps: arm, fire, shut "
    "down.\\nExpected: "
    "closed.\",\"labels\":[\"bug\",\"valves\",\"stage-2\"],\"priority\":2,\"draft\":false,"
    "\"estimate\":1.5,"
    "\"assignee\":null},\"_meta\":{\"progressToken\":17,\"io.example/"
    "trace\":\"00-4bf92f3577b34da6a3ce"
    "929d0e0e4736\",\"client\":{\"name\":\"bench\",\"version\":\"1.0.0\"}}}}";

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void bench(const char *name, Str text)
{
    static double took[RUNS];
    struct arena arena;
    struct json_doc doc = { .count = 0 };
    arena_init(&arena, (size_t)64 << 20);
    for (size_t run = 0; run < RUNS; run++) {
        double start = now_ns();
        for (int i = 0; i < BATCH; i++) {
            arena_rewind(&arena);
            ENSURE(json_parse(text, &json_limits_default, &arena, &doc, NULL) == JSON_ERR_NONE);
        }
        took[run] = (now_ns() - start) / BATCH;
    }
    arena_reset(&arena);
    qsort(took, RUNS, sizeof took[0], by_value);
    printf("%-14s %6zu bytes %5u values  p50 %8.0f ns  p99 %8.0f ns\n", name, text.n, doc.count,
           took[RUNS / 2], took[RUNS - RUNS / 100]);
}

int main(void)
{
    bench("tools/call", str_of(call));

    struct buf text;
    buf_init(&text, (size_t)1 << 20);
    buf_add(&text, STR("{\"text\":\""));
    while (text.n < LONG_BYTES)
        buf_add(&text, STR("The quick brown fox jumps over the lazy dog. "));
    buf_add(&text, STR("\"}"));
    bench("long string", buf_str(&text));

    buf_clear(&text);
    for (int i = 0; text.n < LONG_BYTES; i++)
        buf_printf(&text, "%c{\"id\":%d,\"ok\":true,\"x\":[%d,null]}", i ? ',' : '[', i, i * 3);
    buf_add(&text, STR("]"));
    bench("many values", buf_str(&text));

    buf_clear(&text);
    for (int i = 0; text.n < LONG_BYTES; i++)
        buf_printf(&text, "%c\"member_%d\":%d", i ? ',' : '{', i, i);
    buf_add(&text, STR("}"));
    bench("one object", buf_str(&text));
    buf_free(&text);
    return 0;
}
