/* SPDX-License-Identifier: Apache-2.0 */
/* test_differential.c - generated policies and calls: the whole way (parse, check, emit, load, VM)
 * against the reference evaluator, and what list filtering promises against what calls get. Some
 * policies have quantifiers over lists of about as many elements as a condition may go over.
 *
 * "test_differential COUNT SEED" sets the number of policies and the seed; 60 calls each.
 */
#include "compiler/command/driver.h"
#include "compiler/command/same_json.h"
#include "tests/unit/check.h"
#include "tests/unit/ref_eval.h"

#include <stdlib.h>

static uint64_t state;

static uint32_t roll(uint32_t sides)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % sides;
}

#define PICK(table) ((table)[roll(COUNT(table))])

static const char *const fields[] = { "args.s",       "args.t",           "args.n",
                                      "args.m",       "args.b",           "args.l",
                                      "args.o.s",     "args.o.n",         "args.\"x-y\"",
                                      "principal.id", "principal.groups", "lower(args.s)",
                                      "args.l[0]",    "args.l[1].s" };
static const char *const strings[] = { "\"\"",
                                       "\"a\"",
                                       "\"ab\"",
                                       "\"abc\"",
                                       "\"a/b\"",
                                       "\"é\"",
                                       "\"main\"",
                                       "\"eng\"",
                                       "\"${args.s}/${args.t}\"",
                                       "\"${args.s}-${args.n}\"",
                                       "\"x${prefix}\"",
                                       "prefix" };
static const char *const locals[] = { "name", "low", "part", "deep" }; /* see add_locals */
static const char *const numbers[] = { "0", "1", "-1", "10", "0.5", "1_000", "50.00", "bound" };
static const char *const patterns[] = { "/a.*/", "/main|release\\/.*/", "/[a-c]+/", "/\\d{1,3}/",
                                        "/.?/" };
static const char *const globs[] = { "\"a*\"", "\"*\"", "\"**/b\"", "\"{a,ab}*\"", "\"?\"" };
static const char *const tools[] = { "read_x", "write_x", "delete_x", "other", "read_y" };
static const char *const tool_patterns[] = { "\"read_x\"",   "\"read_*\"",        "\"*_x\"",
                                             "\"delete_x\"", "\"write_x\"",       "\"*\"",
                                             "\"other\"",    "\"{read,write}_?\"" };

static bool has_locals; /* the rule at hand names values */
/* Messages of other kinds; of resources, whether their URI is canonical. */
static const struct sample {
    enum message_kind kind;
    const char *name;
    bool is_odd;
} samples[] = {
    { KIND_RESOURCE, "file:///work/a", false },
    { KIND_RESOURCE, "file:///work/b/a", false },
    { KIND_RESOURCE, "memo://insights", false },
    { KIND_RESOURCE, "https://a.example/?q=1", false },
    { KIND_RESOURCE, "file:///work/../a", true },
    { KIND_RESOURCE, "FILE:///work/a", true },
    { KIND_PROMPT, "review", false },
    { KIND_PROMPT, "sum/up", false },
    { KIND_PROMPT, "read_x", false },
    { KIND_COMPLETION, "review", false },
    { KIND_COMPLETION, "file:///work/{path}", false },
    { KIND_COMPLETION, "file:///work/../{path}", true },
    { KIND_LOGGING, "", false },
    { KIND_SAMPLING, "", false },
    { KIND_ELICITATION, "form", false },
    { KIND_ELICITATION, "url", false },
    { KIND_ROOTS, "", false },
};
static const char *const selectors[] = {
    "resource",
    "resource \"file:///work/*\"",
    "resource \"file:///work/**\", \"memo://*\"",
    "resource \"file:///work/a\"",
    "resource \"https://a.example/?q=1\"",
    "prompt",
    "prompt \"review\", \"read_x\"",
    "prompt \"*u*\"",
    "completion",
    "completion \"re*\"",
    "completion \"file:///work/{path}\"",
    "completion \"file:///*/{path}\"",
    "logging",
    "sampling",
    "elicitation",
    "elicitation \"url\"",
    "elicitation \"f*\"",
    "roots",
};

static bool is_keyed;      /* the policy at hand has long lists of rules */
static bool is_long;       /* the policy at hand is for long lists in the arguments */
static uint32_t variables; /* of the quantifiers around: v, then w */

static void add_text(struct buf *out, const char *text)
{
    buf_add(out, str_of(text));
}

static void add_comparison(struct buf *out)
{
    static const char *const orders[] = { " == ", " != ", " < ", " <= ", " > ", " >= " };
    static const char *const relations[] = { " starts with ", " ends with ", " contains " };
    static const char *const inner[] = { "v", "v.s", "v.n", "v[0]", "lower(v)" };
    const char *field = variables && roll(2)    ? PICK(inner)
                        : has_locals && roll(2) ? PICK(locals)
                                                : PICK(fields);
    switch (roll(12)) {
    case 9: buf_printf(out, "number(%s)%s%s", field, PICK(orders), PICK(numbers)); break;
    case 10: buf_printf(out, "%s contains %s", field, PICK(patterns)); break;
    case 11:
        if (has_locals && roll(2))
            add_text(out, roll(2) ? "good" : "has part");
        else
            buf_printf(out, "\"ab\" in (%s ?? [])", roll(2) ? "args.l" : "args.o.s");
        break;
    case 0: buf_printf(out, "%s%s%s", field, roll(2) ? " == " : " != ", PICK(strings)); break;
    case 1: buf_printf(out, "%s%s%s", PICK(fields), PICK(orders), PICK(numbers)); break;
    case 2: buf_printf(out, "%s%s%s", field, PICK(relations), PICK(strings)); break;
    case 3: buf_printf(out, "%s matches %s", field, PICK(patterns)); break;
    case 4: buf_printf(out, "%s like %s", field, PICK(globs)); break;
    case 5:
        buf_printf(out, "%s in { %s }", field, roll(3) ? "\"a\", \"ab\", \"main\"" : "1, 7.50, -1");
        break;
    case 6:
        buf_printf(out, "%s in %s", roll(2) ? PICK(strings) : field,
                   roll(2) ? "args.l" : "principal.groups");
        break;
    case 7: buf_printf(out, "length(%s ?? \"\")%s%u", PICK(fields), PICK(orders), roll(4)); break;
    default: buf_printf(out, "(%s ?? %s) == %s", field, PICK(strings), PICK(strings)); break;
    }
}

static void add_condition(struct buf *out, uint32_t depth);

/* Names for values of all kinds, the later ones by the earlier. */
static void add_locals(struct buf *out)
{
    add_text(out, " let name = \"${args.s}/${args.t}\", low = lower(name), part = args.o.s, "
                  "deep = part ?? args.l[1] ?? low, good = (deep == \"ab\" or ");
    add_condition(out, 2);
    add_text(out, ")");
}

/* any or all over a set or list of the policy's own. */
static void add_group_quantifier(struct buf *out, uint32_t depth)
{
    static const char *const groups[] = { "{ \"a\", \"ab\", \"main\" }",
                                          "[args.s, args.t, \"eng\"]",
                                          "words",
                                          "{ 1, 7.5 }",
                                          "[args.n, args.o.n]",
                                          "{}" };
    variables++;
    buf_printf(out, "%s %s in %s: (", roll(2) ? "any" : "all", variables == 1 ? "v" : "w",
               PICK(groups));
    add_condition(out, depth ? depth - 1 : 0);
    add_text(out, ")");
    variables--;
}

static const char *const lists[] = { "args.l",           "args.l",     "args.o.s",
                                     "principal.groups", "args.l[].s", "args.l[].s[]",
                                     "args.l[]",         "args.l[0]",  "args.o.n[].n" };

/* any, all, count, sum, with their variable among the fields of the body. */
static void add_quantifier(struct buf *out, uint32_t depth)
{
    static const char *const orders[] = { " == ", " != ", " < ", " >= " };
    static const char *const sums[] = { "v", "v.n", "v + 1", "args.n", "v * 2 - args.m" };
    variables++;
    const char *name = variables == 1 ? "v" : "w";
    uint32_t kind = roll(4);
    buf_printf(out, "%s%s in %s: ",
               kind == 0   ? "any "
               : kind == 1 ? "all "
               : kind == 2 ? "count("
                           : "sum(",
               name, roll(3) == 0 && variables == 2 ? "v" : PICK(lists));
    if (kind == 3) {
        add_text(out, PICK(sums));
    } else {
        add_text(out, "(");
        add_condition(out, depth ? depth - 1 : 0);
        add_text(out, ")");
    }
    if (kind >= 2)
        buf_printf(out, ")%s%s", PICK(orders), PICK(numbers));
    variables--;
}

static void add_sum(struct buf *out)
{
    static const char *const orders[] = { " == ", " != ", " < ", " >= " };
    static const char *const sums[] = { "args.n + args.m",         "args.n * 2 - 1",
                                        "min(args.n, args.o.n)",   "max(args.m, 1) * 10",
                                        "length(args.l) + args.n", "args.l[1] - 0.5" };
    buf_printf(out, "%s%s%s", PICK(sums), PICK(orders), PICK(numbers));
}

static void add_condition(struct buf *out, uint32_t depth)
{
    if (roll(is_long ? 2 : 6) == 0 && variables < (is_long ? 1 : 2)) {
        add_text(out, "(");
        if (roll(4) == 0)
            add_group_quantifier(out, depth);
        else
            add_quantifier(out, depth);
        add_text(out, ")");
        return;
    }
    if (roll(12) == 0) {
        add_sum(out);
        return;
    }
    uint32_t kind = roll(depth ? 8 : 4);
    if (kind < 2) {
        add_comparison(out);
    } else if (kind == 2) {
        buf_printf(out, "has %s", fields[roll(9)]);
    } else if (kind == 3) {
        add_text(out, roll(4) ? "args.b" : roll(2) ? "true" : "false");
    } else if (kind == 4) {
        add_text(out, "not (");
        add_condition(out, depth - 1);
        add_text(out, ")");
    } else {
        add_text(out, "(");
        add_condition(out, depth - 1);
        add_text(out, kind < 6 ? " or " : " and ");
        add_condition(out, depth - 1);
        add_text(out, ")");
    }
}

/* Something that long lists are indexed by. */
static void add_key(struct buf *out)
{
    static const char *const keys[] = { "args.s == \"ab\" and ",
                                        "args.s in { \"a\", \"abc\", \"main\" } and ",
                                        "\"abc\" == args.s and ",
                                        "\"eng\" in principal.groups and ",
                                        "principal.groups contains \"main\" and ",
                                        "principal.id == \"a\" and " };
    if (is_keyed && roll(4))
        add_text(out, roll(3) ? keys[roll(3)] : PICK(keys));
}

/* One place or two that lie apart; values that are there already, too. */
static void add_sets(struct buf *out)
{
    static const char *const places[] = { "args.s", "args.n",       "args.o.n",
                                          "args.o", "args.\"x-y\"", "args.t" };
    static const char *const others[] = { "args.m", "args.b", "args.l", "args.o.s.n" };
    static const char *const values[] = { "\"ab\"",
                                          "\"ab\"",
                                          "\"${args.s}/x\"",
                                          "lower(args.s)",
                                          "min(args.n ?? 1, 10)",
                                          "1_000",
                                          "50.00",
                                          "args.n + 1",
                                          "args.o.n",
                                          "args.l",
                                          "args.o",
                                          "principal.groups",
                                          "args.t ?? \"a\"",
                                          "null",
                                          "true",
                                          "length(args.l ?? \"\")",
                                          "sum(v in args.l: v)",
                                          "prefix",
                                          "args.l[0]" };
    buf_printf(out, " set %s = %s", PICK(places), PICK(values));
    if (roll(3) == 0)
        buf_printf(out, ", %s = %s", PICK(others), PICK(values));
}

static void add_rule(struct buf *out, bool is_certain)
{
    bool is_allow = roll(3) != 0, is_tool = roll(3) > 0;
    const char *effect = is_allow ? "allow" : "deny", *selector = PICK(selectors);
    bool may_set = is_tool || strstr("prompt logging sampling roots", selector);
    if (is_tool)
        buf_printf(out, "%s tool %s", effect, PICK(tool_patterns));
    else
        buf_printf(out, "%s %s", effect, selector);
    if (is_tool && roll(3) == 0)
        buf_printf(out, ", %s", PICK(tool_patterns));
    has_locals = !is_certain && roll(4) == 0;
    if (has_locals) {
        has_locals = false; /* not yet, while they are given */
        add_locals(out);
        has_locals = true;
    }
    if (!is_certain) {
        add_text(out, roll(4) ? " when " : " unless ");
        add_key(out);
        add_condition(out, 3);
    }
    if (is_allow && may_set && roll(4) == 0)
        add_sets(out);
    if (roll(3) == 0)
        add_text(out, " reason \"because\"");
    add_text(out, ";\n");
}

static void make_policy(struct buf *out)
{
    buf_clear(out);
    add_text(out, "policy \"generated\";\n");
    if (roll(2))
        add_text(out, "server \"s\";\n");
    add_text(out, "let prefix = \"ab\";\nlet bound = 7.5;\n"
                  "let words = { \"a\", \"abc\" };\n");
    is_keyed = roll(6) == 0;
    is_long = !is_keyed && roll(16) == 0;
    uint32_t rules = is_keyed ? 10 + roll(30) : 1 + roll(6);
    for (uint32_t i = 0; i < rules; i++)
        add_rule(out, roll(10) == 0);
}

static void add_value(struct buf *out, uint32_t depth)
{
    static const char *const values[] = { "\"\"",
                                          "\"a\"",
                                          "\"ab\"",
                                          "\"abc\"",
                                          "\"a/b\"",
                                          "\"\\u00e9\"",
                                          "\"main\"",
                                          "\"eng\"",
                                          "\"release/1\"",
                                          "\"123\"",
                                          "0",
                                          "-0",
                                          "1",
                                          "1.0",
                                          "10e-1",
                                          "-1",
                                          "7.5",
                                          "7.50",
                                          "0.5",
                                          "1000",
                                          "1e3",
                                          "9007199254740993",
                                          "0.1234567890123456789",
                                          "true",
                                          "false",
                                          "null",
                                          "\"\\\"q\\\"\"" };
    uint32_t kind = roll(depth ? 12 : 10);
    if (kind < 10) {
        add_text(out, PICK(values));
    } else if (kind == 10) {
        add_text(out, "[");
        for (uint32_t i = roll(4); i > 0; i--) {
            add_value(out, depth - 1);
            add_text(out, i > 1 ? "," : "");
        }
        add_text(out, "]");
    } else {
        add_text(out, "{\"s\":");
        add_value(out, depth - 1);
        add_text(out, ",\"n\":");
        add_value(out, depth - 1);
        add_text(out, "}");
    }
}

/* As many elements as a condition may go over, or a few more or less; most of them alike, so that
 * loops do not end at once. */
static void add_long_list(struct buf *out)
{
    static const char *const common[] = { "1", "\"ab\"", "\"a\"", "0.5" };
    const char *element = PICK(common);
    uint32_t count = 1021 + roll(7), odd = roll(2) ? roll(count) : count;
    add_text(out, "[");
    for (uint32_t i = 0; i < count; i++) {
        add_text(out, i ? "," : "");
        if (i == odd)
            add_value(out, 1);
        else
            add_text(out, element);
    }
    add_text(out, "]");
}

static void make_arguments(struct buf *out)
{
    static const char *const keys[] = { "s", "t", "n", "m", "b", "l", "o", "x-y" };
    const char *between = "";
    buf_clear(out);
    add_text(out, "{");
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (roll(4) == 0)
            continue;
        buf_printf(out, "%s\"%s\":", between, keys[i]);
        if (is_long && keys[i][0] == 'l' && roll(4) == 0)
            add_long_list(out);
        else
            add_value(out, 2);
        between = ",";
    }
    add_text(out, "}");
}

struct counts {
    uint64_t pairs, allowed, by_rule, rejected, rewritten, undone, too_many;
};

static bool rewrites_agree(const struct ref_result *want, const struct decision *got)
{
    const struct json_doc *doc = got->verdict == VERDICT_ALLOW ? got->rewritten : NULL;
    if (!want->rewritten || !doc)
        return !want->rewritten == !doc;
    return same_json(want->rewritten, 0, doc, 0);
}

static bool rules_agree(const struct policy *policy, const struct ref_result *want,
                        const struct decision *got)
{
    bool is_allowed = want->verdict == REF_ALLOW;
    if (is_allowed != (got->verdict == VERDICT_ALLOW))
        return false;
    if (got->cause != CAUSE_RULE)
        return !is_allowed;
    uint32_t index = 0;
    for (const struct rule *rule = policy->rules; rule != want->rule; rule = rule->next) {
        if (!rule)
            return false;
        index++;
    }
    return index == got->rule;
}

/* What is allowed is shown, and some prefix of its name could be. */
static void compare_lists(struct vm *vm, const struct vm_call *call,
                          const struct decision *decision, Str source)
{
    struct vm_question question = { .server = call->server,
                                    .kind = call->kind,
                                    .principal = call->principal };
    Str prefix = str_sub(call->name, 0, call->name.n ? roll((uint32_t)call->name.n + 1) : 0);
    bool is_shown = vm_may_allow(vm, &question, call->name);
    bool is_some_shown = vm_may_allow_some(vm, &question, prefix);
    CHECK_ROW(is_shown || decision->verdict == VERDICT_DENY, "hidden, but allowed: %.*s\n%.*s",
              STR_ARG(call->name), STR_ARG(source));
    CHECK_ROW(is_some_shown || !is_shown, "a name is shown, its prefix is not: %.*s, %zu\n%.*s",
              STR_ARG(call->name), prefix.n, STR_ARG(source));
}

static void compare_call(const struct compilation *c, struct vm *vm, struct buf *json, Str source,
                         struct counts *counts)
{
    static const Str all_groups[] = { STR_INIT("eng"), STR_INIT("main"), STR_INIT("ab") };
    static struct arena mem;
    struct json_doc doc;
    struct principal principal = { .id = roll(2) ? STR("a") : STR("main"),
                                   .groups = all_groups,
                                   .group_count = roll(4) };
    struct vm_call call = { .server = STR("s"),
                            .name = str_of(PICK(tools)),
                            .principal = &principal };
    const struct sample *sample = roll(3) ? NULL : &PICK(samples);
    if (sample) {
        call.kind = sample->kind;
        call.name = str_of(sample->name);
    }
    if (!mem.limit)
        arena_init(&mem, (size_t)1 << 24);
    arena_reset(&mem);
    make_arguments(json);
    if (roll(20)) {
        if (json_parse(buf_str(json), &json_limits_default, &mem, &doc, NULL) != JSON_ERR_NONE)
            return;
        call.doc = &doc;
    }
    struct decision decision, again;
    vm_decide(vm, &call, &decision);
    vm_decide(vm, &call, &again);
    struct ref_result want = ref_decide(c->policy, &call);
    if (sample && sample->is_odd)
        want = (struct ref_result){ .verdict = REF_REFUSED };
    CHECK(!sample || sample->is_odd == (decision.cause == CAUSE_NOT_CANONICAL));
    counts->pairs++;
    counts->allowed += decision.verdict == VERDICT_ALLOW;
    counts->by_rule += decision.cause == CAUSE_RULE;
    CHECK_ROW(rules_agree(c->policy, &want, &decision),
              "vm: verdict %d, rule %d; reference: verdict %d\n%.*s\n%.*s(%.*s)", decision.verdict,
              (int)decision.rule, want.verdict, STR_ARG(source), STR_ARG(call.name),
              STR_ARG(buf_str(json)));
    CHECK_ROW(rewrites_agree(&want, &again), "rewritten otherwise: %.*s\n%.*s(%.*s): %.*s",
              STR_ARG(source), STR_ARG(call.name), STR_ARG(buf_str(json)),
              STR_ARG(again.rewritten ? json_raw(again.rewritten, 0) : STR("as it is")));
    counts->too_many += decision.unknown == UNKNOWN_TOO_MANY;
    counts->rewritten += again.verdict == VERDICT_ALLOW && again.rewritten;
    counts->undone += again.verdict == VERDICT_DENY && again.rewritten;
    CHECK_ROW(decision.verdict == again.verdict && decision.rule == again.rule &&
                  decision.unknown_atom == again.unknown_atom,
              "the same call, another decision: %.*s", STR_ARG(source));
    compare_lists(vm, &call, &decision, source);
}

/* Refused for what it may cost, or for its size once names are written out: what the checker can't
 * know. */
static bool is_too_dear(const struct compilation *c)
{
    for (uint32_t i = 0; i < c->diags.count; i++)
        if (c->diags.items[i].id == DIAG_POLICY_TOO_LARGE &&
            (str_contains(c->diags.items[i].message, STR("over the budget")) ||
             str_contains(c->diags.items[i].message, STR("too many parts"))))
            return true;
    return false;
}

static void compare_policy(struct buf *text, struct buf *json, struct counts *counts)
{
    struct compilation c;
    struct program *program;
    struct bundle_error error = { .text = "" };
    struct vm *vm;
    compilation_init(&c);
    make_policy(text);
    Str source = buf_str(text);
    ENSURE(source_add(&c.sources, STR("generated.pol"), source, &c.mem, &c.source) == ST_OK);
    c.policy = policy_parse(&c.sources, c.source, &c.mem, &c.diags);
    if (!policy_check(c.policy, &c.sources, c.source, &c.mem, &c.diags)) {
        counts->rejected++; /* a comparison that the checker knows to be wrong */
    } else if (!compilation_emit(&c)) {
        counts->rejected++;
        CHECK_ROW(is_too_dear(&c), "not emitted: %.*s", STR_ARG(source));
    } else if (CHECK(program_load(buf_str(&c.bundle), &program, &error) == ST_OK)) {
        ENSURE(vm_open(program, &vm) == ST_OK);
        for (int i = 0; i < 60 && check_ok; i++)
            compare_call(&c, vm, json, source, counts);
        vm_close(vm);
        program_release(program);
    }
    compilation_free(&c);
}

static uint32_t policies = 3000;

static void test_vm_is_reference(void)
{
    struct counts counts = { 0 };
    struct buf text, json;
    buf_init(&text, 1 << 20);
    buf_init(&json, 1 << 20);
    for (uint32_t i = 0; i < policies && check_ok; i++)
        compare_policy(&text, &json, &counts);
    printf("%llu calls of %u policies (%llu allowed, %llu of them rewritten, %llu denied once "
           "rewritten, %llu by a rule, %llu for too many elements; %llu policies rejected): ",
           (unsigned long long)counts.pairs, policies, (unsigned long long)counts.allowed,
           (unsigned long long)counts.rewritten, (unsigned long long)counts.undone,
           (unsigned long long)counts.by_rule, (unsigned long long)counts.too_many,
           (unsigned long long)counts.rejected);
    /* A generator that produces nothing of interest would prove nothing. */
    CHECK(counts.allowed > counts.pairs / 20 && counts.by_rule > counts.pairs / 5);
    CHECK(counts.rejected < policies * 3 / 4);
    CHECK(counts.too_many > policies / 600);
    CHECK(counts.rewritten > counts.allowed / 50 && counts.undone > counts.rewritten / 40);
    buf_free(&text);
    buf_free(&json);
}

int main(int argc, char **argv)
{
    policies = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : policies;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20261124;
    RUN(test_vm_is_reference);
    return check_finish();
}
