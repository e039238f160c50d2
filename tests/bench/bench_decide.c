/* SPDX-License-Identifier: Apache-2.0 */
/* bench_decide.c - what a decision costs, and how that grows with the policy.
 *
 * One policy of 40 rules over 90 tools, and policies of 400, 4,000 and 40,000 rules made from it:
 * each copy of the 40 has its own server, or its own team on the same tools. Every policy must
 * judge the same 1,000 calls the same way, or the figures would compare different work.
 *
 * Timing: calls in a shuffled order, each timed by itself; what reading the clock costs is
 * subtracted. "parsed" starts from a document that was just read; "bytes" reads it within the time.
 * Of a few repeats the quietest counts: other work on the machine only ever adds.
 * Usage: bench_decide FOLDER-OF-rules40.pol (without a slash at its end)
 */
#include "compiler/command/driver.h"
#include "tests/bench/policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    CALLS = 1000,
    REPEATS = 5,
    ROUNDS = 25,
    ROUNDS_LEAST = 3,
    ROUNDS_MS = 300, /* no further round after so long */
    PASSES = 25,
    LOADS = 5,
    CLOCK_READS = 20000,
    MEMORY_BYTES = 64 << 20,
};

static const double growth_most = 1.5; /* of the median, from 40 rules on */

/* ------------------------------ allocations ------------------------------ */

/* The program's own malloc counts, so that "no allocation in a decision" is a figure. */
/* NOLINTBEGIN(readability-identifier-naming, readability-inconsistent-declaration-parameter-name)
 */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
static uint64_t allocations;

void *malloc(size_t bytes)
{
    allocations++;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    allocations++;
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    allocations++;
    return __libc_realloc(memory, bytes);
}
/* NOLINTEND(readability-identifier-naming, readability-inconsistent-declaration-parameter-name) */

/* --------------------------------- clock --------------------------------- */

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static uint32_t percentile(const uint32_t *samples, size_t count, unsigned percent)
{
    size_t at = count * percent / 100;
    return samples[at < count ? at : count - 1];
}

/* What two readings that follow each other differ by. */
static uint32_t clock_cost(void)
{
    static uint32_t gaps[CLOCK_READS];
    for (size_t i = 0; i < CLOCK_READS; i++) {
        uint64_t start = now_ns();
        gaps[i] = (uint32_t)(now_ns() - start);
    }
    qsort(gaps, CLOCK_READS, sizeof gaps[0], by_value);
    return percentile(gaps, CLOCK_READS, 50);
}

/* -------------------------------- compiling ------------------------------ */

static NORETURN void fail(const char *what, Str detail)
{
    fprintf(stderr, "bench_decide: %s: %.*s\n", what, STR_ARG(detail));
    exit(1);
}

static void report_and_stop(struct compilation *c)
{
    struct buf text;
    buf_init(&text, POLICY_BYTES);
    diags_render(&c->diags, &c->sources, &text);
    fail("compilation", buf_str(&text));
}

/* What the policy costs before the first call. */
struct birth {
    double compile_ms, load_ms;
    size_t bytes;
};

static double milliseconds(uint64_t since)
{
    return (double)(now_ns() - since) / 1e6;
}

static double load_ms(Str bundle)
{
    double least = 0;
    for (int i = 0; i < LOADS; i++) {
        struct program *program;
        struct bundle_error error;
        uint64_t start = now_ns();
        if (program_load(bundle, &program, &error) != ST_OK)
            fail("load", str_of(error.text));
        double took = milliseconds(start);
        least = i == 0 || took < least ? took : least;
        program_release(program);
    }
    return least;
}

/* Compiles the policy from a file, as mcpc does, and loads it. */
static struct program *make_program(Str policy, Str path, struct birth *birth)
{
    static struct compilation c; /* holds the diagnostics: too large for a stack frame */
    struct program *program;
    struct bundle_error error;
    FILE *file = fopen(path.p, "w");
    if (!file || fwrite(policy.p, 1, policy.n, file) != policy.n || fclose(file) != 0)
        fail("can't write", path);
    uint64_t start = now_ns();
    compilation_init(&c);
    if (!compilation_check(&c, path) || !compilation_emit(&c))
        report_and_stop(&c);
    birth->compile_ms = milliseconds(start);
    birth->bytes = c.bundle.n;
    birth->load_ms = load_ms(buf_str(&c.bundle));
    if (program_load(buf_str(&c.bundle), &program, &error) != ST_OK)
        fail("load", str_of(error.text));
    compilation_free(&c);
    return program;
}

/* ------------------------------- measuring ------------------------------- */

struct bench {
    struct vm *vm;
    struct arena arena; /* of one message, rewound for the next */
    struct bench_call *calls;
    uint32_t *order;
    uint32_t *samples;
    uint32_t clock;
};

struct figures {
    double p50, p99, mean; /* nanoseconds */
};

static void read_call(struct bench *b, const struct bench_call *from, struct json_doc *doc,
                      struct vm_call *call)
{
    arena_rewind(&b->arena);
    ENSURE(json_parse(from->text, &json_limits_default, &b->arena, doc, NULL) == JSON_ERR_NONE);
    uint32_t params = json_member(doc, 0, STR("params"));
    *call = (struct vm_call){ .server = from->server,
                              .name = json_member_string(doc, params, STR("name")),
                              .doc = doc,
                              .arguments = json_member(doc, params, STR("arguments")),
                              .principal = &from->principal };
}

enum timed { TIMED_DECISION, TIMED_READING, TIMED_BOTH };

static uint32_t time_one(struct bench *b, const struct bench_call *from, enum timed timed)
{
    struct json_doc doc;
    struct vm_call call;
    struct decision decision;
    uint64_t start = now_ns();
    read_call(b, from, &doc, &call);
    if (timed == TIMED_DECISION)
        start = now_ns();
    if (timed != TIMED_READING)
        vm_decide(b->vm, &call, &decision);
    uint64_t took = now_ns() - start;
    return took > b->clock ? (uint32_t)(took - b->clock) : 0;
}

static void shuffle(struct bench *b, uint64_t *random)
{
    for (uint32_t i = CALLS - 1; i > 0; i--) {
        uint32_t other = bench_random(random, i + 1), kept = b->order[i];
        b->order[i] = b->order[other];
        b->order[other] = kept;
    }
}

static struct figures time_rounds(struct bench *b, enum timed timed, uint64_t *random)
{
    size_t count = 0;
    double sum = 0;
    uint64_t began = now_ns();
    for (int round = 0; round < ROUNDS; round++) {
        if (round >= ROUNDS_LEAST && now_ns() - began > ROUNDS_MS * UINT64_C(1000000))
            break;
        shuffle(b, random);
        for (size_t i = 0; i < CALLS; i++)
            b->samples[count++] = time_one(b, &b->calls[b->order[i]], timed);
    }
    for (size_t i = 0; i < count; i++)
        sum += b->samples[i];
    qsort(b->samples, count, sizeof *b->samples, by_value);
    return (struct figures){ .p50 = percentile(b->samples, count, 50),
                             .p99 = percentile(b->samples, count, 99),
                             .mean = sum / (double)count };
}

static struct figures time_calls(struct bench *b, enum timed timed)
{
    uint64_t random = UINT64_C(88172645463325252);
    struct figures quietest = time_rounds(b, timed, &random);
    for (int i = 1; i < REPEATS; i++) {
        struct figures next = time_rounds(b, timed, &random);
        if (next.mean < quietest.mean)
            quietest = next;
    }
    return quietest;
}

/* Messages a second from bytes to verdict, the clock read once a pass; the quietest pass counts. */
static double calls_per_second(struct bench *b)
{
    uint32_t passes[PASSES];
    for (size_t pass = 0; pass < PASSES; pass++) {
        uint64_t start = now_ns();
        for (size_t i = 0; i < CALLS; i++) {
            struct json_doc doc;
            struct vm_call call;
            struct decision decision;
            read_call(b, &b->calls[b->order[i]], &doc, &call);
            vm_decide(b->vm, &call, &decision);
        }
        passes[pass] = (uint32_t)(now_ns() - start);
    }
    qsort(passes, PASSES, sizeof passes[0], by_value);
    return CALLS * 1e9 / passes[0];
}

/* All verdicts in one number, with the count of those that allow; false when a call is judged for
 * another reason than the rules. */
static bool judge_all(struct bench *b, uint32_t *allowed, uint64_t *digest)
{
    *allowed = 0;
    *digest = 0;
    for (size_t i = 0; i < CALLS; i++) {
        struct json_doc doc;
        struct vm_call call;
        struct decision decision;
        read_call(b, &b->calls[i], &doc, &call);
        vm_decide(b->vm, &call, &decision);
        if (decision.cause != CAUSE_RULE && decision.cause != CAUSE_DEFAULT)
            return false;
        bool is_allow = decision.verdict == VERDICT_ALLOW;
        *allowed += is_allow;
        *digest = *digest * 31 + is_allow;
    }
    return true;
}

/* -------------------------------- reporting ------------------------------ */

struct row {
    enum growth growth;
    uint32_t copies;
    struct birth birth;
    struct figures parsed, reading, bytes;
    double per_second;
    uint32_t allowed;
    uint64_t digest, allocations;
};

static void measure(struct bench *b, const struct policy_parts *parts, Str path, struct row *row)
{
    struct arena mem;
    struct buf policy;
    arena_init(&mem, MEMORY_BYTES);
    buf_init(&policy, POLICY_BYTES);
    if (!policy_write(&policy, parts, row->growth, row->copies))
        fail("the policy is", STR("too long"));
    struct program *program = make_program(buf_str(&policy), path, &row->birth);
    buf_free(&policy);
    b->calls = ARENA_NEW(&mem, struct bench_call, CALLS);
    if (!b->calls || !calls_make(&mem, row->growth, row->copies, CALLS, b->calls) ||
        vm_open(program, &b->vm) != ST_OK)
        fail("out of", STR("memory"));
    if (!judge_all(b, &row->allowed, &row->digest))
        fail("a call is refused before the rules in", path);
    uint64_t before = allocations;
    row->parsed = time_calls(b, TIMED_DECISION);
    row->reading = time_calls(b, TIMED_READING);
    row->bytes = time_calls(b, TIMED_BOTH);
    row->per_second = calls_per_second(b);
    row->allocations = allocations - before;
    vm_close(b->vm);
    program_release(program);
    arena_reset(&mem);
}

static void print_target(const char *what, double value, const char *unit, double target,
                         bool is_most)
{
    bool is_met = is_most ? value <= target : value >= target;
    printf("  %-44s %10.2f %-5s %s %8.2f   %s\n", what, value, unit, is_most ? "<=" : ">=", target,
           is_met ? "met" : "MISSED");
}

static void print_growth(const struct row *base, const struct row *row, const char *what)
{
    print_target(what, row->parsed.p50 / base->parsed.p50, "x", growth_most, true);
}

static void print_targets(const struct row *rows)
{
    const struct row *base = &rows[0];
    printf("\n  %-44s %16s %11s\n", "target", "measured", "wanted");
    print_target("decide, parsed, 40 rules, p50", base->parsed.p50, "ns", 100, true);
    print_target("decide, parsed, 40 rules, p99", base->parsed.p99 / 1e3, "us", 1, true);
    print_target("decide, from bytes, 40 rules, p50", base->bytes.p50, "ns", 500, true);
    print_target("messages a second, one core, 40 rules", base->per_second / 1e6, "M/s", 2, false);
    print_growth(base, &rows[2], "growth of p50, 40 to 4,000 rules, by server");
    print_growth(base, &rows[3], "growth of p50, 40 to 40,000 rules, by server");
    print_growth(base, &rows[5], "growth of p50, 40 to 4,000 rules, by team");
    print_growth(base, &rows[6], "growth of p50, 40 to 40,000 rules, by team");
}

static void print_row(const struct row *row, const struct row *base)
{
    const char *shape = row->copies == 1 ? "-" : row->growth == GROWTH_SERVERS ? "server" : "team";
    printf("  %6u %-6s %7.0f %8.0f %7.0f %8.0f %7.2f %6.2fx %9.1f %8.2f %8.0f\n",
           row->copies * RULES_IN_COPY, shape, row->parsed.p50, row->parsed.p99, row->bytes.p50,
           row->bytes.p99, row->per_second / 1e6, row->parsed.p50 / base->parsed.p50,
           row->birth.compile_ms, row->birth.load_ms, (double)row->birth.bytes / 1024);
    (void)fflush(stdout);
}

static void print_head(const struct bench *b)
{
    printf(
        "Decisions: 40 rules over 90 tools, %d calls of about %d bytes; a clock reading of %u ns "
        "is subtracted\n\n",
        CALLS, CALL_BYTES, b->clock);
    printf("  %6s %-6s %16s %16s %7s %7s %9s %8s %8s\n", "rules", "differ", "parsed, ns",
           "from bytes, ns", "M/s", "growth", "compile", "load", "bundle");
    printf("  %6s %-6s %7s %8s %7s %8s %7s %7s %9s %8s %8s\n", "", "by", "p50", "p99", "p50", "p99",
           "", "of p50", "ms", "ms", "KiB");
}

static void run(struct bench *b, const struct policy_parts *parts, Str path)
{
    static struct row rows[] = {
        { .growth = GROWTH_SERVERS, .copies = 1 },   { .growth = GROWTH_SERVERS, .copies = 10 },
        { .growth = GROWTH_SERVERS, .copies = 100 }, { .growth = GROWTH_SERVERS, .copies = 1000 },
        { .growth = GROWTH_TEAMS, .copies = 10 },    { .growth = GROWTH_TEAMS, .copies = 100 },
        { .growth = GROWTH_TEAMS, .copies = 1000 },
    };
    uint64_t allocated = 0;
    print_head(b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        measure(b, parts, path, &rows[i]);
        print_row(&rows[i], &rows[0]);
        allocated += rows[i].allocations;
        if (rows[i].digest != rows[0].digest)
            fail("the larger policy judges otherwise:", path);
    }
    print_targets(rows);
    printf("  %-44s %10llu       ==     0.00   %s\n", "allocations in all timed decisions",
           (unsigned long long)allocated, allocated ? "MISSED" : "met");
    printf(
        "  reading one call from its bytes, without deciding, takes p50 %.0f ns and p99 %.0f ns\n",
        rows[0].reading.p50, rows[0].reading.p99);
    printf("  %u of %d calls are allowed, by every policy alike\n", rows[0].allowed, CALLS);
}

int main(int argc, char **argv)
{
    static uint32_t order[CALLS], samples[CALLS * ROUNDS];
    struct bench b = { .order = order, .samples = samples, .clock = clock_cost() };
    struct arena mem;
    char folder[] = "/tmp/bench-decide-XXXXXX";
    if (argc != 2) {
        fprintf(stderr, "usage: bench_decide FOLDER-OF-rules40.pol\n");
        return 2;
    }
    if (!mkdtemp(folder))
        fail("can't make", str_of(folder));
    arena_init(&mem, MEMORY_BYTES);
    arena_init(&b.arena, MEMORY_BYTES);
    for (uint32_t i = 0; i < CALLS; i++)
        order[i] = i;
    char *real = realpath(argv[1], NULL);
    struct policy_parts parts;
    if (!policy_parts_read(str_of(real ? real : argv[1]), &mem, &parts))
        fail("can't use rules40.pol in", str_of(argv[1]));
    Str path = arena_printf(&mem, "%s/bench.pol", folder);
    run(&b, &parts, path);
    free(real);
    (void)unlink(path.p);
    (void)rmdir(folder);
    arena_reset(&b.arena);
    arena_reset(&mem);
    return 0;
}
