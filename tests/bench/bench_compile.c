/* SPDX-License-Identifier: Apache-2.0 */
/* bench_compile.c - what a policy costs before its first call: compiling it with the real mcpc,
 * the memory that takes, the bundle's size, and loading with verification, as mcpd does it.
 *
 * mcpc runs as a process of its own, so that the time is what a person waits and the peak
 * memory is what the kernel counted for it. Of a few runs the quickest counts.
 * Usage: bench_compile FOLDER-OF-rules40.pol MCPC (the folder without a slash at its end)
 */
#include "tests/bench/policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMPILES = 5, LOADS = 15, MEMORY_BYTES = 64 << 20, COPIES_TARGET = 100 };

static const double compile_target_ms = 1000, load_target_ms = 20; /* at 4,000 rules */

struct bench {
    const char *mcpc;
    struct policy_parts parts;
    Str source, bundle; /* paths */
};

struct cost {
    double compile_ms, load_ms;
    size_t bytes;
    long peak_kib;
};

static NORETURN void fail(const char *what, Str detail)
{
    fprintf(stderr, "bench_compile: %s: %.*s\n", what, STR_ARG(detail));
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void keep_least(double *least, double value)
{
    if (*least <= 0 || value < *least)
        *least = value;
}

/* One run of the compiler, which must succeed. */
static void compile_once(const struct bench *b, struct cost *cost)
{
    struct rusage used;
    int status;
    double start = now_ms();
    (void)fflush(stdout); /* or the child would write it once more */
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout))
            (void)execl(b->mcpc, b->mcpc, "compile", b->source.p, "-o", b->bundle.p, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        fail("mcpc failed to compile", b->source);
    keep_least(&cost->compile_ms, now_ms() - start);
    cost->peak_kib = used.ru_maxrss > cost->peak_kib ? used.ru_maxrss : cost->peak_kib;
}

static void load_once(Str bundle, struct cost *cost)
{
    struct program *program;
    struct bundle_error error;
    double start = now_ms();
    if (program_load(bundle, &program, &error) != ST_OK)
        fail("load", str_of(error.text));
    keep_least(&cost->load_ms, now_ms() - start);
    program_release(program);
}

static void write_source(const struct bench *b, enum growth growth, uint32_t copies)
{
    struct buf policy;
    buf_init(&policy, POLICY_BYTES);
    FILE *file = fopen(b->source.p, "w");
    if (!file || !policy_write(&policy, &b->parts, growth, copies) ||
        fwrite(policy.p, 1, policy.n, file) != policy.n || fclose(file) != 0)
        fail("can't write", b->source);
    buf_free(&policy);
}

static struct cost measure(const struct bench *b, enum growth growth, uint32_t copies)
{
    struct cost cost = { .bytes = 0 };
    struct arena mem;
    Str bundle;
    arena_init(&mem, MEMORY_BYTES);
    write_source(b, growth, copies);
    for (int i = 0; i < COMPILES; i++)
        compile_once(b, &cost);
    if (file_read(b->bundle, MEMORY_BYTES / 2, &mem, &bundle) != ST_OK)
        fail("can't read", b->bundle);
    for (int i = 0; i < LOADS; i++)
        load_once(bundle, &cost);
    cost.bytes = bundle.n;
    arena_reset(&mem);
    return cost;
}

static void print_row(enum growth growth, uint32_t copies, struct cost cost)
{
    printf("  %6u %-6s %10.1f %12.1f %14.2f %11zu", copies * RULES_IN_COPY,
           copies == 1                ? "-"
           : growth == GROWTH_SERVERS ? "server"
                                      : "team",
           cost.compile_ms, (double)cost.peak_kib / 1024, cost.load_ms, cost.bytes / 1024);
    if (copies == COPIES_TARGET)
        printf("   compile <= %.0f ms %s, load <= %.0f ms %s", compile_target_ms,
               cost.compile_ms <= compile_target_ms ? "met" : "MISSED", load_target_ms,
               cost.load_ms <= load_target_ms ? "met" : "MISSED");
    printf("\n");
}

static void run(const struct bench *b)
{
    static const struct {
        enum growth growth;
        uint32_t copies;
    } rows[] = {
        { GROWTH_SERVERS, 1 },   { GROWTH_SERVERS, COPIES_TARGET },
        { GROWTH_SERVERS, 250 }, { GROWTH_TEAMS, COPIES_TARGET },
        { GROWTH_TEAMS, 250 },
    };
    printf("Compiling (mcpc as a process), quickest of %d; load with verification, of %d\n\n",
           COMPILES, LOADS);
    printf("   rules differ by compile ms     peak MiB  load+verify ms  bundle KiB\n");
    for (size_t i = 0; i < COUNT(rows); i++)
        print_row(rows[i].growth, rows[i].copies, measure(b, rows[i].growth, rows[i].copies));
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/bench-compile-XXXXXX";
    struct arena mem;
    if (argc != 3) {
        fprintf(stderr, "usage: bench_compile FOLDER-OF-rules40.pol MCPC\n");
        return 2;
    }
    arena_init(&mem, MEMORY_BYTES);
    char *real = realpath(argv[1], NULL);
    struct bench b = { .mcpc = argv[2] };
    if (!real || !policy_parts_read(str_of(real), &mem, &b.parts) || !mkdtemp(folder))
        fail("can't use rules40.pol in", str_of(argv[1]));
    b.source = arena_printf(&mem, "%s/bench.pol", folder);
    b.bundle = arena_printf(&mem, "%s/bench.polb", folder);
    run(&b);
    (void)unlink(b.source.p);
    (void)unlink(b.bundle.p);
    (void)rmdir(folder);
    free(real);
    arena_reset(&mem);
    return 0;
}
