/* SPDX-License-Identifier: Apache-2.0 */
/* command_bench.c - bench: how long one decision takes on this machine, from the call's bytes to
 * the verdict, with the strict reading of the bytes in it. */
#include "compiler/command/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BENCH_COUNT = 20000, BENCH_COUNT_MAX = 10000000, BENCH_WARM_UP = 1000 };

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int compare_times(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Nanoseconds of each decision, sorted. */
static void measure(struct judge *judge, uint64_t *times, uint64_t count)
{
    Str json = buf_str(&judge->json), why;
    struct decision decision;
    for (uint64_t i = 0; i < count + BENCH_WARM_UP; i++) {
        uint64_t began = now_ns();
        if (judge_take_call(judge, json, &why))
            vm_decide(judge->vm, &judge->call.vm, &decision);
        if (i >= BENCH_WARM_UP)
            times[i - BENCH_WARM_UP] = now_ns() - began;
    }
    qsort(times, count, sizeof *times, compare_times);
}

static enum exit_code put_times(const uint64_t *times, uint64_t count,
                                const struct options *options)
{
    const struct {
        const char *name;
        uint64_t ns;
    } rows[] = { { "min", times[0] },
                 { "p50", times[count / 2] },
                 { "p99", times[count - 1 - count / 100] },
                 { "max", times[count - 1] } };
    struct buf out;
    buf_init(&out, 4096);
    if (options->json) {
        buf_printf(&out, "{\"decisions\":%llu", (unsigned long long)count);
        for (size_t i = 0; i < COUNT(rows); i++)
            buf_printf(&out, ",\"%s_ns\":%llu", rows[i].name, (unsigned long long)rows[i].ns);
        buf_add(&out, STR("}\n"));
    } else {
        buf_printf(&out, "%llu decisions from raw bytes\n", (unsigned long long)count);
        for (size_t i = 0; i < COUNT(rows); i++)
            buf_printf(&out, "  %s %9.2f us\n", rows[i].name, (double)rows[i].ns / 1000);
    }
    enum exit_code code = put_text(buf_str(&out));
    buf_free(&out);
    return code;
}

enum exit_code mcpc_bench(const struct options *options)
{
    struct judge judge;
    uint64_t count = BENCH_COUNT;
    if (options->count.n && (!str_to_u64(options->count, BENCH_COUNT_MAX, &count) || count == 0))
        return usage_error("--count takes a whole number from 1 to %d", BENCH_COUNT_MAX);
    uint64_t *times = calloc(count, sizeof *times);
    if (!times)
        return usage_error("out of memory");
    enum exit_code code = judge_open(&judge, options, options->files[0]);
    if (code == EXIT_OK)
        code = judge_read_call(&judge, options);
    if (code == EXIT_OK) {
        measure(&judge, times, count);
        code = put_times(times, count, options);
    }
    judge_close(&judge);
    free(times);
    return code;
}
