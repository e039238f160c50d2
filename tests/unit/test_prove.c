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
#include "tests/unit/scratch.h"

#include <stdlib.h>

static uint64_t state;
static uint32_t pairs = 250;

static uint32_t roll(uint32_t sides)
{
    ENSURE(sides > 0);
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % sides;
}

#define PICK(table) ((table)[roll(COUNT(table))])

static const char *const exact[] = {
    "args.s == \"ab\"",
    "args.s != \"a\"",
    "args.s in { \"a\", \"abc\", \"b\" }",
    "args.s starts with \"a\"",
    "args.s ends with \"b\"",
    "args.s contains \"ab\"",
    "args.s matches /a.*b?/",
    "args.s matches /[a-c]+/",
    "args.t like \"a*\"",
    "lower(args.s) == \"ab\"",
    "args.n <= 10",
    "args.n < 10",
    "args.n > 10",
    "args.n == 7.5",
    "args.n in { 1, 7.50, 10 }",
    "(args.n ?? 3) >= 2",
    "(args.s ?? \"a\") == \"a\"",
    "length(args.s) <= 2",
    "length(args.l) >= 2",
    "args.b",
    "has args.s",
    "has args.o.s",
    "args.o.s == \"a\"",
    "args.o.n < 1",
    "any v in args.l: v == \"a\"",
    "all v in args.l: v starts with \"a\"",
    "args.l contains \"b\"",
    "any v in args.l: v.s == \"a\"",
    "\"a\" in args.l",
    "\"eng\" in principal.groups",
    "principal.groups contains \"main\"",
    "principal.id == \"a\"",
    "client.name == \"c\"",
    "args.t == null",
};

static const char *const inexact[] = {
    "args.s == args.t",
    "args.n + args.m <= 10",
    "args.n < args.m",
    "\"${args.s}/${args.t}\" in { \"a/b\", \"ab/a\" }",
    "path(args.s) within \"/a\"",
    "trim(args.s) == \"a\"",
    "args.l[0] == \"a\"",
    "count(v in args.l: v == \"a\") >= 2",
    "args.s in principal.groups",
    "all g in principal.groups: g in { \"eng\", \"main\" }",
    "any v in args.l: v == args.s",
    "args.n * 2 == 20",
};

static const char *const tool_patterns[] = { "\"read_x\"",   "\"read_*\"", "\"*_x\"",
                                             "\"delete_x\"", "\"*\"",      "\"other\"" };
static const char *const tools[] = { "read_x", "read_y", "delete_x", "other", "z_x" };

enum { RULES_MAX = 8, RULE_BYTES = 512, SAMPLES = 1500 };

struct draft {
    char rules[RULES_MAX][RULE_BYTES];
    uint32_t count;
    bool is_exact;
};

static const char *condition(const struct draft *draft)
{
    return draft->is_exact || roll(3) ? PICK(exact) : PICK(inexact);
}

static void make_rule(const struct draft *draft, char *out)
{
    const char *effect = roll(3) ? "allow" : "deny", *joint = roll(2) ? "and" : "or";
    switch (roll(4)) {
    case 0:
        (void)snprintf(out, RULE_BYTES, "%s tool %s when %s;\n", effect, PICK(tool_patterns),
                       condition(draft));
        break;
    case 1:
        (void)snprintf(out, RULE_BYTES, "%s tool %s unless %s;\n", effect, PICK(tool_patterns),
                       condition(draft));
        break;
    default:
        (void)snprintf(out, RULE_BYTES, "%s tool %s when (%s) %s not (%s);\n", effect,
                       PICK(tool_patterns), condition(draft), joint, condition(draft));
        break;
    }
}

static void make_draft(struct draft *draft)
{
    *draft = (struct draft){ .count = 2 + roll(RULES_MAX - 2), .is_exact = roll(2) };
    for (uint32_t i = 0; i < draft->count; i++)
        make_rule(draft, draft->rules[i]);
}

static void mutate(const struct draft *from, struct draft *to)
{
    *to = *from;
    uint32_t at = roll(to->count);
    if (roll(4) == 0)
        memcpy(to->rules[at], to->rules[--to->count], RULE_BYTES);
    else
        make_rule(to, to->rules[at]);
}

static void write_draft(const struct draft *draft, Str *path, const char *name)
{
    static char paths[2][SCRATCH_PATH_MAX];
    char text[RULES_MAX * RULE_BYTES + 64];
    size_t n = (size_t)snprintf(text, sizeof text, "policy \"generated\";\n");
    for (uint32_t i = 0; i < draft->count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", draft->rules[i]);
    struct scratch_path file = scratch_path(name);
    char *kept = paths[name[0] == 'n'];
    memcpy(kept, file.text, sizeof file.text);
    scratch_write(kept, (Str){ .p = text, .n = n });
    *path = str_of(kept);
}

static struct program *compile(const struct draft *draft, const char *name)
{
    static struct compilation c;
    struct program *program = NULL;
    Str path;
    write_draft(draft, &path, name);
    compilation_init(&c);
    bool is_good = compilation_program(&c, path, &program);
    CHECK_ROW(is_good, "%s: %s", name, draft->rules[0]);
    compilation_free(&c);
    return is_good ? program : NULL;
}

/* ------------------------------- findings ------------------------------- */

struct result {
    struct program *programs[2];
    struct vm *vms[2];
    bool changed[2]; /* by direction: something was reported of any tool */
    bool of_tool[COUNT(tools)][2];
    bool of_class[2]; /* of a tool that no rule names */
    uint32_t found, unknown;
    struct arena mem;
};

static uint32_t tool_index(Str tool)
{
    for (uint32_t i = 0; i < COUNT(tools); i++)
        if (str_eq(tool, str_of(tools[i])))
            return i;
    return COUNT(tools);
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
    if (at < COUNT(tools))
        r->of_tool[at][way] = true;
    r->of_class[way] = true;
    r->found += finding->answer == PROVE_FOUND;
    r->unknown += finding->answer == PROVE_UNKNOWN;
    if (finding->answer == PROVE_FOUND)
        check_found(r, finding);
}

/* ------------------------------- sampling ------------------------------- */

static void add_value(struct buf *out, uint32_t depth)
{
    static const char *const values[] = { "\"\"",
                                          "\"a\"",
                                          "\"ab\"",
                                          "\"abc\"",
                                          "\"b\"",
                                          "\"Ab\"",
                                          "\"/a\"",
                                          "\" a\"",
                                          "0",
                                          "1",
                                          "2",
                                          "7.5",
                                          "10",
                                          "11",
                                          "5",
                                          "true",
                                          "false",
                                          "null",
                                          "9007199254740993",
                                          "\"a/b\"",
                                          "\"eng\"" };
    uint32_t kind = roll(depth ? 12 : 10);
    if (kind < 10) {
        buf_printf(out, "%s", PICK(values));
    } else if (kind == 10) {
        buf_add_char(out, '[');
        for (uint32_t i = roll(4); i > 0; i--) {
            add_value(out, depth - 1);
            buf_printf(out, "%s", i > 1 ? "," : "");
        }
        buf_add_char(out, ']');
    } else {
        buf_printf(out, "{\"s\":");
        add_value(out, depth - 1);
        buf_printf(out, ",\"n\":");
        add_value(out, depth - 1);
        buf_add_char(out, '}');
    }
}

static void make_call(struct buf *out, uint32_t tool)
{
    static const char *const keys[] = { "s", "t", "n", "m", "b", "l", "o" };
    static const char *const groups[] = { "[]", "[\"eng\"]", "[\"eng\",\"main\"]", "[\"a\"]" };
    const char *between = "";
    buf_clear(out);
    buf_printf(out, "{\"tool\":\"%s\",\"arguments\":{", tools[tool]);
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (roll(3) == 0)
            continue;
        buf_printf(out, "%s\"%s\":", between, keys[i]);
        add_value(out, 2);
        between = ",";
    }
    buf_printf(out, "},\"principal\":{\"id\":\"%s\",\"groups\":%s}%s}", roll(2) ? "a" : "b",
               PICK(groups), roll(2) ? ",\"client\":{\"name\":\"c\"}" : "");
}

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
        uint32_t tool = roll(COUNT(tools));
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
    state = 20261124;
    if (argc > 1)
        pairs = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        state = strtoull(argv[2], NULL, 10);
    RUN(one_edit_mutants);
    if (argc > 1)
        (void)printf("%u found, %u unknown, %u pairs the same\n", total_found, total_unknown,
                     total_same);
    return check_finish();
}
