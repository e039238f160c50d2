/* SPDX-License-Identifier: Apache-2.0 */
/* test_explain.c - watching a decision never changes it, what an explanation shows adds up to the
 * verdict, its proposals hold, and coverage counts what tests reach and nothing else. */
#include "compiler/command/coverage.h"
#include "compiler/command/driver.h"
#include "compiler/command/explain.h"
#include "compiler/command/judge.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

enum { CALLS = 20000, MEMORY = 64 << 20 };

/* Shared conditions, unknowns, rules without conditions, a second key, and tools without rules. */
static const char policy[] =
    "policy \"x\" version 1;\n"
    "server \"s\";\n"
    "allow tool \"a\" when args.n > 3 and (args.t == \"x\" or args.t == \"y\");\n"
    "allow tool \"a\" when \"g1\" in principal.groups;\n"
    "deny tool \"a\" when args.n > 8;\n"
    "allow tool \"b\" when args.n > 3 or not (args.t starts with \"z\");\n"
    "deny tool \"b\" unless args.n < 9;\n"
    "deny tool \"b\" when args.t == \"x\" and \"g2\" in principal.groups;\n"
    "allow tool \"c\";\n"
    "deny tool \"c\" when args.t == \"x\" and args.t == \"y\";\n"
    "allow tool \"d*\" when args.n == 1;\n"
    "allow tool \"d*\" when args.n == 1 and args.t == \"x\";\n"
    "deny tool \"dd\" reason \"never\";\n";

static struct judge judge;

static uint32_t random_below(uint32_t limit)
{
    static uint64_t state = 0x9E3779B97F4A7C15U;
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(state >> 33) % limit;
}

static bool open_judge(void)
{
    struct scratch_path path = scratch_path("explain.pol");
    struct options options = { .file_count = 1 };
    scratch_write(path.text, str_of(policy));
    return CHECK(judge_open(&judge, &options, str_of(path.text)) == EXIT_OK);
}

static bool next_call(void)
{
    static const char *const tools[] = { "a", "b", "c", "dx", "dd", "none" };
    static const char *const numbers[] = { "1", "5", "9", "1e400000", "\"5\"", "null", "0.1" };
    static const char *const texts[] = { "\"x\"", "\"y\"", "\"z1\"", "7", "null" };
    static const char *const groups[] = { "", "\"g1\"", "\"g2\"", "\"g1\",\"g2\"" };
    static char json[512];
    bool has_n = random_below(6) != 0, has_t = random_below(6) != 0;
    int n = snprintf(json, sizeof json,
                     "{\"tool\":\"%s\",\"arguments\":{%s%s%s%s%s},\"principal\":{\"id\":\"p\","
                     "\"groups\":[%s]}}",
                     tools[random_below(COUNT(tools))], has_n ? "\"n\":" : "",
                     has_n ? numbers[random_below(COUNT(numbers))] : "", has_n && has_t ? "," : "",
                     has_t ? "\"t\":" : "", has_t ? texts[random_below(COUNT(texts))] : "",
                     groups[random_below(COUNT(groups))]);
    Str why;
    return judge_take_call(&judge, (Str){ .p = json, .n = (size_t)n }, &why);
}

static bool is_same(const struct decision *a, const struct decision *b)
{
    return a->verdict == b->verdict && a->cause == b->cause && a->rule == b->rule &&
           a->unknown_atom == b->unknown_atom && a->unknown == b->unknown &&
           str_eq(a->reason, b->reason);
}

/* All rules together give the verdict, whatever the order in which the decision met them. */
static bool adds_up(const struct explanation *e)
{
    bool allows = false, denies = false;
    for (uint32_t i = 0; i < e->rule_count; i++) {
        bool is_allow = e->program->rules[e->rules[i].rule].effect == B_ALLOW;
        allows = allows || (e->rules[i].acts && is_allow);
        denies = denies || (e->rules[i].acts && !is_allow);
    }
    return (e->decision.verdict == VERDICT_ALLOW) == (allows && !denies);
}

static bool ways_are_sound(const struct explanation *e)
{
    for (uint32_t i = 0; i < e->way_count; i++) {
        const struct way *way = &e->ways[i];
        if (way->count == 0 || (i > 0 && e->ways[i - 1].count > way->count))
            return false;
        for (uint32_t k = 0; k < way->count; k++) {
            const struct flip *flip = &way->flips[k];
            bool is_known = flip->wanted == B_TRUE || flip->wanted == B_FALSE;
            if (!is_known || e->truths[flip->atom] == (uint8_t)flip->wanted)
                return false;
        }
    }
    return e->way_count <= EXPLAIN_WAYS_MAX;
}

static void watching_changes_nothing(void)
{
    struct coverage coverage;
    struct arena mem;
    uint32_t calls = 0, ways = 0;
    if (!open_judge())
        return;
    CHECK(coverage_open(&coverage, judge.program) == ST_OK);
    arena_init(&mem, MEMORY);
    for (int i = 0; i < CALLS; i++) {
        struct decision plain, traced;
        struct explanation explanation;
        if (!next_call())
            continue; /* a number out of range: refused before any decision */
        calls++;
        vm_set_trace(judge.vm, NULL);
        vm_decide(judge.vm, &judge.call.vm, &plain);
        CHECK(explain_call(judge.vm, &judge.call.vm, &mem, &explanation));
        vm_set_trace(judge.vm, &coverage.trace);
        vm_decide(judge.vm, &judge.call.vm, &traced);
        CHECK_ROW(is_same(&plain, &traced), "call %d, traced", i);
        CHECK_ROW(is_same(&plain, &explanation.decision), "call %d, explained", i);
        CHECK_ROW(adds_up(&explanation), "call %d, sum", i);
        CHECK_ROW(ways_are_sound(&explanation), "call %d, ways", i);
        ways += explanation.way_count;
        arena_rewind(&mem);
    }
    CHECK(calls > CALLS / 2 && ways > calls / 2);
    coverage_count(&coverage);
    CHECK(coverage.branches.reached > coverage.branches.total * 3 / 4);
    CHECK(coverage.rules.reached <= coverage.rules.total && coverage_percent(&coverage) > 70);
    coverage_close(&coverage);
    arena_reset(&mem);
    judge_close(&judge);
}

static void nothing_seen_is_nothing_reached(void)
{
    struct coverage coverage;
    struct buf out;
    if (!open_judge())
        return;
    buf_init(&out, MEMORY);
    CHECK(coverage_open(&coverage, judge.program) == ST_OK);
    coverage_count(&coverage);
    CHECK(coverage.rules.reached == 0 && coverage.rules.total > 15);
    CHECK(coverage.conditions.reached == 0 && coverage.branches.reached == 0);
    CHECK(coverage_percent(&coverage) < 0.001);
    coverage_print(&coverage, "", &out);
    CHECK(str_contains(buf_str(&out), STR("rule never judged")));
    CHECK(str_contains(buf_str(&out), STR("branch never reached")));
    buf_free(&out);
    coverage_close(&coverage);
    judge_close(&judge);
}

int main(void)
{
    RUN(watching_changes_nothing);
    RUN(nothing_seen_is_nothing_reached);
    return check_finish();
}
