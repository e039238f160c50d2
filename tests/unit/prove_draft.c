/* SPDX-License-Identifier: Apache-2.0 */
/* prove_draft.c - conditions are drawn from two tables: those that the analysis decides exactly,
 * and those of which it tries values. Calls hold the constants of both, values of other types and
 * nothing at all. */
#include "tests/unit/prove_draft.h"

#include "compiler/command/driver.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

uint64_t draft_state;

uint32_t roll(uint32_t sides)
{
    ENSURE(sides > 0);
    draft_state = draft_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(draft_state >> 33) % sides;
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
    "path(args.s) within \"/a/b\"",
    "path(args.s) within { \"/a\", \"/ab\" }",
    "trim(args.s) in { \"a\", \"ab\" }",
    "trim(args.s) starts with \"a\"",
    "trim(args.s) < \"b\"",
    "trim(args.s) matches /a.*/",
    "args.n + args.m > 20",
    "args.n + args.m == 7.5",
    "1 < args.n * 2",
    "url(args.s).host == \"a.b\"",
    "url(args.s).host within \"b\"",
};

static const char *const tool_patterns[] = { "\"read_x\"",   "\"read_*\"", "\"*_x\"",
                                             "\"delete_x\"", "\"*\"",      "\"other\"" };
const char *const draft_tools[DRAFT_TOOLS] = { "read_x", "read_y", "delete_x", "other", "z_x" };

static const char *condition(const struct draft *draft)
{
    return draft->is_exact || roll(3) ? PICK(exact) : PICK(inexact);
}

void make_target(const struct draft *draft, char *out)
{
    const char *joint = roll(2) ? "and" : "or";
    switch (roll(4)) {
    case 0:
        (void)snprintf(out, TARGET_BYTES, "tool %s when %s", PICK(tool_patterns), condition(draft));
        break;
    case 1:
        (void)snprintf(out, TARGET_BYTES, "tool %s unless %s", PICK(tool_patterns),
                       condition(draft));
        break;
    default:
        (void)snprintf(out, TARGET_BYTES, "tool %s when (%s) %s not (%s)", PICK(tool_patterns),
                       condition(draft), joint, condition(draft));
        break;
    }
}

static void make_rule(const struct draft *draft, char *out)
{
    const char *effect = roll(3) ? "allow" : "deny";
    char target[TARGET_BYTES];
    make_target(draft, target);
    (void)snprintf(out, RULE_BYTES, "%s %s;\n", effect, target);
}

void make_draft(struct draft *draft)
{
    *draft = (struct draft){ .count = 2 + roll(RULES_MAX - 2), .is_exact = roll(2) };
    for (uint32_t i = 0; i < draft->count; i++)
        make_rule(draft, draft->rules[i]);
}

void mutate(const struct draft *from, struct draft *to)
{
    *to = *from;
    uint32_t at = roll(to->count);
    if (roll(4) == 0)
        memcpy(to->rules[at], to->rules[--to->count], RULE_BYTES);
    else
        make_rule(to, to->rules[at]);
}

void draft_write(const struct draft *draft, const char *more, struct buf *out)
{
    buf_clear(out);
    buf_printf(out, "policy \"generated\";\n");
    for (uint32_t i = 0; i < draft->count; i++)
        buf_printf(out, "%s", draft->rules[i]);
    buf_printf(out, "%s", more);
}

struct program *draft_compile(Str source, const char *name)
{
    static struct compilation c;
    struct program *program = NULL;
    struct scratch_path file = scratch_path(name);
    scratch_write(file.text, source);
    compilation_init(&c);
    bool is_good = compilation_program(&c, str_of(file.text), &program);
    CHECK_ROW(is_good, "%s: %.*s", name, STR_ARG(source));
    compilation_free(&c);
    return is_good ? program : NULL;
}

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
                                          "\"eng\"",
                                          "\"/a/b/c\"",
                                          "\"/ab\"",
                                          "\"https://a.b/\"",
                                          "\"https://b/\"" };
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

void make_call(struct buf *out, uint32_t tool)
{
    static const char *const keys[] = { "s", "t", "n", "m", "b", "l", "o" };
    static const char *const groups[] = { "[]", "[\"eng\"]", "[\"eng\",\"main\"]", "[\"a\"]" };
    const char *between = "";
    buf_clear(out);
    buf_printf(out, "{\"tool\":\"%s\",\"arguments\":{", draft_tools[tool]);
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
