/* SPDX-License-Identifier: Apache-2.0 */
/* bench_compile.c - what a policy costs before its first call: compiling it with the real mcpc,
 * the memory that takes, the bundle's size, and loading with verification, as mcpd does it; and
 * what comparing it with its next version costs, one rule of which is another.
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

enum { COMPILES = 5, LOADS = 15, DIFFS = 3, MEMORY_BYTES = 64 << 20, COPIES_TARGET = 100 };

static const double compile_target_ms = 1000, load_target_ms = 20; /* at 4,000 rules */
static const double diff_target_ms = 100;

struct bench {
    const char *mcpc;
    struct policy_parts parts;
    Str source, edited, bundle; /* paths */
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

/* One run of mcpc, which must exit with that code; its milliseconds, and what it used. */
static double run_mcpc(const struct bench *b, const char *const *argv, int code,
                       struct rusage *used)
{
    int status;
    double start = now_ms();
    (void)fflush(stdout); /* or the child would write it once more */
    pid_t child = fork();
    if (child == 0) {
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): execv's type is older than const */
        char *const *words = (char *const *)(uintptr_t)argv;
        if (freopen("/dev/null", "w", stdout))
            (void)execv(b->mcpc, words);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, used) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != code)
        fail("mcpc failed", str_of(argv[1]));
    return now_ms() - start;
}

static void compile_once(const struct bench *b, struct cost *cost)
{
    const char *const argv[] = { b->mcpc, "compile", b->source.p, "-o", b->bundle.p, NULL };
    struct rusage used;
    keep_least(&cost->compile_ms, run_mcpc(b, argv, 0, &used));
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

static void write_text(Str path, Str text)
{
    FILE *file = fopen(path.p, "w");
    if (!file || fwrite(text.p, 1, text.n, file) != text.n || fclose(file) != 0)
        fail("can't write", path);
}

/* The policy, and the same with a larger sum in one of its rules. */
static void write_source(const struct bench *b, enum growth growth, uint32_t copies)
{
    struct buf policy;
    buf_init(&policy, POLICY_BYTES);
    if (!policy_write(&policy, &b->parts, growth, copies))
        fail("can't write", b->source);
    write_text(b->source, buf_str(&policy));
    char *at = memmem(policy.p, policy.n, "<= 50.00", strlen("<= 50.00"));
    if (!at)
        fail("no rule to change in", b->source);
    at[3] = '6';
    write_text(b->edited, buf_str(&policy));
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

/* The whole of `mcpc diff`: both policies compiled, every name compared, the witness run. */
static void run_diffs(const struct bench *b)
{
    static const struct {
        enum growth growth;
        uint32_t copies;
    } rows[] = { { GROWTH_SERVERS, 1 }, { GROWTH_SERVERS, 10 }, { GROWTH_TEAMS, 10 } };
    const char *const argv[] = { b->mcpc, "diff", b->source.p, b->edited.p, NULL };
    printf("\nmcpc diff after the edit of one rule, as a process; it compiles both policies\n\n");
    printf("   rules differ by    diff ms     peak MiB\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rusage used;
        double least = 0;
        write_source(b, rows[i].growth, rows[i].copies);
        for (int k = 0; k < DIFFS; k++)
            keep_least(&least, run_mcpc(b, argv, 1, &used));
        printf("  %6u %-6s %10.1f %12.1f", rows[i].copies * RULES_IN_COPY,
               rows[i].copies == 1                ? "-"
               : rows[i].growth == GROWTH_SERVERS ? "server"
                                                  : "team",
               least, (double)used.ru_maxrss / 1024);
        if (rows[i].copies == 1)
            printf("   <= %.0f ms %s", diff_target_ms, least <= diff_target_ms ? "met" : "MISSED");
        printf("\n");
    }
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
    b.edited = arena_printf(&mem, "%s/edited.pol", folder);
    b.bundle = arena_printf(&mem, "%s/bench.polb", folder);
    run(&b);
    run_diffs(&b);
    (void)unlink(b.source.p);
    (void)unlink(b.edited.p);
    (void)unlink(b.bundle.p);
    (void)rmdir(folder);
    free(real);
    arena_reset(&mem);
    return 0;
}
