/* SPDX-License-Identifier: Apache-2.0 */
/* test_prove.c - comparisons against brute force: generated policies and one-edit mutants of them;
 * every finding is judged again from its printed call, and no sampled call may differ where a proof
 * says that none does. In half of the policies every condition is of a kind that is exact, and
 * there "unknown" is a failure too.
 *
 * "test_prove COUNT SEED" sets the number of pairs and the seed.
 */
#include "compiler/command/call.h"
#include "compiler/command/driver.h"
#include "compiler/prove/prove.h"
#include "tests/unit/check.h"
#include "tests/unit/prove_draft.h"

#include <stdlib.h>

enum { SAMPLES = 1500 };

static uint32_t pairs = 250;

static struct program *compile(const struct draft *draft, const char *name)
{
    struct buf source;
    buf_init(&source, 1 << 20);
    draft_write(draft, "", &source);
    struct program *program = draft_compile(buf_str(&source), name);
    buf_free(&source);
    return program;
}

/* ------------------------------- findings ------------------------------- */

struct result {
    struct program *programs[2];
    struct vm *vms[2];
    bool changed[2]; /* by direction: something was reported of any tool */
    bool of_tool[DRAFT_TOOLS][2];
    bool of_class[2]; /* of a tool that no rule names */
    uint32_t found, unknown;
    struct arena mem;
};

static uint32_t tool_index(Str tool)
{
    for (uint32_t i = 0; i < DRAFT_TOOLS; i++)
        if (str_eq(tool, str_of(draft_tools[i])))
            return i;
    return DRAFT_TOOLS;
}

static void check_found(struct result *r, const struct prove_finding *finding)
{
    struct call call;
    Str why = STR_INIT("");
    struct decision before, now;
    arena_reset(&r->mem);
    bool is_read = call_read(finding->call, &r->mem, &call, &why);
    CHECK_ROW(is_read, "%.*s: %.*s", STR_ARG(finding->call), STR_ARG(why));
    if (!is_read)
        return;
    vm_decide(r->vms[0], &call.vm, &before);
    vm_decide(r->vms[1], &call.vm, &now);
    bool shows =
        (now.verdict == VERDICT_ALLOW) == finding->newly_allowed && before.verdict != now.verdict;
    CHECK_ROW(shows, "a witness that shows nothing: %.*s", STR_ARG(finding->call));
}

static void take(void *user, const struct prove_finding *finding)
{
    struct result *r = user;
    uint32_t at = tool_index(finding->name), way = finding->newly_allowed;
    r->changed[way] = true;
    if (at < DRAFT_TOOLS)
        r->of_tool[at][way] = true;
    r->of_class[way] = true;
    r->found += finding->answer == PROVE_FOUND;
    r->unknown += finding->answer == PROVE_UNKNOWN;
    if (finding->answer == PROVE_FOUND)
        check_found(r, finding);
}

/* ------------------------------- sampling ------------------------------- */

static bool is_named(const struct result *r, Str tool)
{
    return program_known(r->programs[0], 0, tool) != B_NONE ||
           program_known(r->programs[1], 0, tool) != B_NONE;
}

static void sample(struct result *r)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        struct call call;
        struct decision before, now;
        Str why;
        uint32_t tool = roll(DRAFT_TOOLS);
        make_call(&text, tool);
        arena_reset(&r->mem);
        if (!call_read(buf_str(&text), &r->mem, &call, &why))
            continue;
        vm_decide(r->vms[0], &call.vm, &before);
        vm_decide(r->vms[1], &call.vm, &now);
        if (before.verdict == now.verdict)
            continue;
        uint32_t way = now.verdict == VERDICT_ALLOW;
        bool is_told = is_named(r, call.vm.name) ? r->of_tool[tool][way] : r->of_class[way];
        CHECK_ROW(is_told, "not told: %.*s", STR_ARG(buf_str(&text)));
        if (!is_told)
            break;
    }
    buf_free(&text);
}

static uint32_t total_found, total_unknown, total_same;

static void compare(const struct draft *old, const struct draft *mutant)
{
    struct result r = { .found = 0 };
    r.programs[0] = compile(old, "old.pol");
    r.programs[1] = compile(mutant, "new.pol");
    if (!r.programs[0] || !r.programs[1])
        return;
    arena_init(&r.mem, 1 << 24);
    CHECK(vm_open(r.programs[0], &r.vms[0]) == ST_OK && vm_open(r.programs[1], &r.vms[1]) == ST_OK);
    struct prove_visitor visitor = { .visit = take, .user = &r };
    CHECK(prove_compare(r.programs[0], r.programs[1], &visitor) == ST_OK);
    sample(&r);
    CHECK_ROW(!old->is_exact || r.unknown == 0, "unknown, though all is exact");
    if (!check_ok)
        for (uint32_t i = 0; i < RULES_MAX; i++)
            (void)printf("%s%s", i < old->count ? old->rules[i] : "",
                         i < mutant->count ? mutant->rules[i] : "");
    total_found += r.found;
    total_unknown += r.unknown;
    total_same += r.found + r.unknown == 0;
    for (uint32_t side = 0; side < 2; side++) {
        vm_close(r.vms[side]);
        program_release(r.programs[side]);
    }
    arena_reset(&r.mem);
}

static void one_edit_mutants(void)
{
    static struct draft old, mutant;
    for (uint32_t i = 0; i < pairs && check_ok; i++) {
        make_draft(&old);
        mutate(&old, &mutant);
        compare(&old, &mutant);
    }
    CHECK(total_found > pairs / 4 && total_same > 0);
}

int main(int argc, char **argv)
{
    draft_state = 20261124;
    if (argc > 1)
        pairs = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        draft_state = strtoull(argv[2], NULL, 10);
    RUN(one_edit_mutants);
    if (argc > 1)
        (void)printf("%u found, %u unknown, %u pairs the same\n", total_found, total_unknown,
                     total_same);
    return check_finish();
}
