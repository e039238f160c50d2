/* SPDX-License-Identifier: Apache-2.0 */
/* test_vm.c - the machine at its bounds: loops of 1,024 elements and one more, nested ones too,
 * comparisons, membership and arithmetic of every pair of types, what the verifier must not let
 * into a loop, and list filters that are never stricter than calls.
 */
#include "compiler/command/driver.h"
#include "runtime/vm/vm.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 256 * 1024 };

static void compile(const char *rules, struct buf *out)
{
    struct compilation c;
    struct program *program = NULL;
    struct buf text;
    struct scratch_path path = scratch_path("vm.pol");
    buf_init(&text, TEXT_LIMIT);
    buf_init(out, BUNDLE_BYTES_MAX);
    buf_printf(&text, "policy \"p\" version 1;\nserver \"s\";\n%s", rules);
    scratch_write(path.text, buf_str(&text));
    compilation_init(&c);
    bool is_good = compilation_program(&c, str_of(path.text), &program);
    if (!is_good) {
        struct buf diags;
        buf_init(&diags, TEXT_LIMIT);
        diags_render(&c.diags, &c.sources, &diags);
        (void)fwrite(diags.p, 1, diags.n, stderr);
        buf_free(&diags);
    }
    ENSURE(is_good);
    buf_add(out, program->bytes);
    program_release(program);
    compilation_free(&c);
    buf_free(&text);
}

static struct vm *open_bytes(const struct buf *bytes)
{
    struct program *program;
    struct bundle_error error = { .text = "" };
    struct vm *vm;
    ENSURE(program_load(buf_str(bytes), &program, &error) == ST_OK);
    ENSURE(vm_open(program, &vm) == ST_OK);
    program_release(program);
    return vm;
}

static struct vm *open_rules(const char *rules)
{
    struct buf bytes;
    compile(rules, &bytes);
    struct vm *vm = open_bytes(&bytes);
    buf_free(&bytes);
    return vm;
}

static struct decision judge(struct vm *vm, Str arguments)
{
    struct arena mem;
    struct json_doc doc;
    struct decision decision;
    struct principal nobody = { .id = STR("somebody") };
    arena_init(&mem, 16 << 20);
    ENSURE(json_parse(arguments, &json_limits_default, &mem, &doc, NULL) == JSON_ERR_NONE);
    struct vm_call call = { .server = STR("s"),
                            .name = STR("t"),
                            .doc = &doc,
                            .principal = &nobody,
                            .method = STR("tools/call"),
                            .client_name = STR("ours") };
    vm_decide(vm, &call, &decision);
    arena_reset(&mem);
    return decision;
}

/* {"l":[[1,1],[1,1]]}: outer lists of inner elements, or with inner 0 a plain list; last is the
 * last element. */
static void write_lists(struct buf *out, uint32_t outer, uint32_t inner, const char *last)
{
    buf_clear(out);
    buf_add(out, STR("{\"l\":["));
    for (uint32_t i = 0; i < outer; i++) {
        buf_add(out, str_of(i ? "," : ""));
        if (!inner)
            buf_add(out, str_of(i + 1 == outer ? last : "1"));
        for (uint32_t k = 0; k < inner; k++)
            buf_printf(out, "%s%s", k ? "," : "[", k + 1 == inner ? "1]" : "1");
    }
    buf_add(out, STR("]}"));
}

struct bound {
    const char *condition;
    uint32_t outer, inner;
    const char *last;
    char want; /* t, f or u for unknown */
};

/* One condition as two policies: an allow acts if it is true, a deny unless it is false. */
struct question {
    struct vm *when_true, *unless_false;
};

static struct question ask(const char *condition)
{
    char rule[256];
    struct question question;
    (void)snprintf(rule, sizeof rule, "allow tool \"t\" when %s;", condition);
    question.when_true = open_rules(rule);
    (void)snprintf(rule, sizeof rule, "allow tool \"t\"; deny tool \"t\" when %s;", condition);
    question.unless_false = open_rules(rule);
    return question;
}

static void forget(struct question *question)
{
    vm_close(question->when_true);
    vm_close(question->unless_false);
}

/* t, f or u for unknown. */
static char answer(const struct question *question, Str arguments)
{
    bool is_true = judge(question->when_true, arguments).verdict == VERDICT_ALLOW;
    bool is_false = judge(question->unless_false, arguments).verdict == VERDICT_ALLOW;
    ENSURE(!(is_true && is_false));
    return is_true ? 't' : is_false ? 'f' : 'u';
}

static char truth_of_condition(const char *condition, Str arguments)
{
    struct question question = ask(condition);
    char truth = answer(&question, arguments);
    forget(&question);
    return truth;
}

static void test_loop_bounds(void)
{
    static const struct bound rows[] = {
        { "all x in args.l: x == 1", 0, 0, "1", 't' },
        { "any x in args.l: x == 1", 0, 0, "1", 'f' },
        { "all x in args.l: x == 1", 1024, 0, "1", 't' },
        { "all x in args.l: x == 1", 1025, 0, "1", 'u' },
        { "all x in args.l: x == 1", 1024, 0, "2", 'f' },
        { "all x in args.l: x == 1", 1025, 0, "2", 'u' },
        { "any x in args.l: x == 2", 1024, 0, "2", 't' },
        { "any x in args.l: x == 2", 1025, 0, "2", 'u' },
        { "any x in args.l: x == 2", 1024, 0, "\"2\"", 'u' },
        { "any x in args.l: x == 1", 5000, 0, "1", 't' },
        { "not any x in args.l: x == 2", 1025, 0, "1", 'u' },
        { "count(x in args.l: x == 1) == 1024", 1024, 0, "1", 't' },
        { "count(x in args.l: x == 1) == 1025", 1025, 0, "1", 'u' },
        { "sum(x in args.l: x) == 1024", 1024, 0, "1", 't' },
        { "sum(x in args.l: x) == 1025", 1025, 0, "1", 'u' },
        /* Texts made in a body do not add up: a round has the whole allowance. */
        { "sum(x in args.l: x * 2 - x + 1 - 1) == 1024", 1024, 0, "1", 't' },
        { "count(x in args.l: max(x + 1, 2) == 2) == 1024", 1024, 0, "1", 't' },
        { "any x in args.l: \"0123456789012345678901234567890123456789012345678901234567890123"
          "456789${x}\" == \"\"",
          1024, 0, "1", 'f' },
        { "all y in args.l: all x in y: x == 1", 32, 31, "", 't' },
        { "all y in args.l: all x in y: x == 1", 32, 32, "", 'u' },
        { "any y in args.l: any x in y: x == 2", 32, 31, "", 'f' },
        { "any y in args.l: any x in y: x == 2", 32, 32, "", 'u' },
    };
    struct buf text;
    buf_init(&text, TEXT_LIMIT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_lists(&text, rows[i].outer, rows[i].inner, rows[i].last);
        char got = truth_of_condition(rows[i].condition, buf_str(&text));
        CHECK_ROW(got == rows[i].want, "%s, %u of %u: %c, not %c", rows[i].condition, rows[i].outer,
                  rows[i].inner, got, rows[i].want);
    }
    buf_free(&text);
}

/* {"a":...,"b":...}; an empty text is a member that is not there. */
static Str pair(char out[256], const char *a, const char *b)
{
    int n = snprintf(out, 256, "{%s%s%s%s%s}", *a ? "\"a\":" : "", a, *a && *b ? "," : "",
                     *b ? "\"b\":" : "", b);
    return (Str){ .p = out, .n = (size_t)n };
}

#define ONE_OF_EACH "null", "true", "1", "\"1\"", "[1]", "{\"a\":1}", ""
enum { OF_NULL, OF_BOOL, OF_NUMBER, OF_STRING, OF_LIST, OF_OBJECT, OF_NOTHING, TYPES };

/* Values of different types are never unequal, smaller or in each other: they are unknown. */
static void test_type_pairs(void)
{
    static const char *const values[TYPES] = { ONE_OF_EACH };
    static const char *const tests[] = { "==", "!=", "<",           "<=",
                                         ">",  ">=", "starts with", "ends with" };
    for (size_t t = 0; t < COUNT(tests); t++) {
        char condition[64], text[256];
        (void)snprintf(condition, sizeof condition, "args.a %s args.b", tests[t]);
        struct question question = ask(condition);
        for (size_t i = 0; i < TYPES; i++) {
            for (size_t k = 0; k < TYPES; k++) {
                Str arguments = pair(text, values[i], values[k]);
                bool is_scalar = i == k && i >= OF_BOOL && i <= OF_STRING;
                bool is_known = t < 2   ? is_scalar
                                : t < 6 ? is_scalar && i > OF_BOOL
                                        : i == k && i == OF_STRING;
                char got = answer(&question, arguments);
                CHECK_ROW((got != 'u') == is_known, "%s with %.*s: %c", condition,
                          STR_ARG(arguments), got);
            }
        }
        forget(&question);
    }
}

/* ------------------------------ membership ------------------------------ */

/* A value by a letter: n null, b true, B false, 1 and 2 numbers, x a number that no double holds,
 * s "1", S "2", l a list, o an object, - nothing. */
static const struct operand {
    const char *text;
    char letter;          /* of the value itself */
    const char *elements; /* of a list */
} operands[] = {
    { "null", 'n', "" },
    { "true", 'b', "" },
    { "1", '1', "" },
    { "\"1\"", 's', "" },
    { "{\"a\":1}", 'o', "" },
    { "", '-', "" },
    { "[]", 'l', "" },
    { "[1]", 'l', "1" },
    { "[1.0]", 'l', "1" },
    { "[2]", 'l', "2" },
    { "[\"1\"]", 'l', "s" },
    { "[\"2\"]", 'l', "S" },
    { "[true]", 'l', "b" },
    { "[false]", 'l', "B" },
    { "[null]", 'l', "n" },
    { "[[1]]", 'l', "l" },
    { "[{\"a\":1}]", 'l', "o" },
    { "[null,1]", 'l', "n1" },
    { "[\"1\",1]", 'l', "s1" },
    { "[2,false,\"2\"]", 'l', "2BS" },
    { "[2,2]", 'l', "22" },
    { "[9007199254740993]", 'l', "x" },
    { "9007199254740993", 'x', "" },
};

/* The types that can be compared. */
static char type_of(char letter)
{
    return letter == 'b' || letter == 'B'                    ? 'b'
           : letter == '1' || letter == '2' || letter == 'x' ? '1'
           : letter == 's' || letter == 'S'                  ? 's'
                                                             : '-';
}

/* An element equals it: true. Else one can't be compared with it: unknown. Else false, also of an
 * empty list. Only what can be compared at all is in anything. */
static char expected_in(const struct operand *value, const struct operand *list)
{
    char type = type_of(value->letter), result = 'f';
    if (list->letter != 'l' || type == '-')
        return 'u';
    for (const char *at = list->elements; *at; at++) {
        bool is_comparable = type_of(*at) == type && *at != 'x' && value->letter != 'x';
        if (is_comparable && *at == value->letter)
            return 't';
        if (!is_comparable)
            result = 'u';
    }
    return result;
}

static char expected_contains(const struct operand *value, const struct operand *whole)
{
    if (whole->letter == 's' && value->letter == 's')
        return 't';
    return expected_in(value, whole);
}

static void check_pairs(const char *condition,
                        char (*expected)(const struct operand *, const struct operand *))
{
    struct question question = ask(condition);
    for (size_t i = 0; i < COUNT(operands); i++) {
        for (size_t k = 0; k < COUNT(operands); k++) {
            char text[256], want = expected(&operands[i], &operands[k]);
            Str arguments = pair(text, operands[i].text, operands[k].text);
            char got = answer(&question, arguments);
            CHECK_ROW(got == want, "%s with %.*s: %c, not %c", condition, STR_ARG(arguments), got,
                      want);
        }
    }
    forget(&question);
}

static void test_membership(void)
{
    check_pairs("args.a in args.b", expected_in);
    check_pairs("args.b contains args.a", expected_contains);
}

/* What is in a set of the policy, one letter for each of ONE_OF_EACH: a value of a type that the
 * set has none of is no answer. */
static void test_sets(void)
{
    static const char *const values[TYPES] = { ONE_OF_EACH };
    static const struct {
        const char *condition, *want;
    } rows[] = {
        { "args.a in { 1 }", "uutuuuu" },
        { "args.a not in { 1 }", "uufuuuu" },
        { "args.a in { \"1\" }", "uuutuuu" },
        { "args.a in { \"2\", 2 }", "uuffuuu" },
        { "args.a in { 1, \"1\", true }", "utttuuu" },
        { "args.a in { false }", "ufuuuuu" },
        { "args.a in { 1.00 }", "uutuuuu" },
        { "args.a in principal.groups", "uuufuuu" },
        { "args.a contains \"1\"", "uuutuuu" },
        { "args.a contains 1", "uuuutuu" },
        { "args.a contains \"2\"", "uuufuuu" },
        { "args.a contains 2", "uuuufuu" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct question question = ask(rows[i].condition);
        for (size_t k = 0; k < TYPES; k++) {
            char text[256];
            char got = answer(&question, pair(text, values[k], ""));
            CHECK_ROW(got == rows[i].want[k], "%s, %s: %c, not %c", rows[i].condition, values[k],
                      got, rows[i].want[k]);
        }
        forget(&question);
    }
}

/* ------------------------------ arithmetic ------------------------------ */

/* Numbers alone have a sum; of all else the comparison around it is unknown. */
static void test_arithmetic(void)
{
    static const char *const values[TYPES] = { ONE_OF_EACH };
    static const char *const sums[] = { "args.a + args.b", "args.a - args.b", "args.a * args.b",
                                        "min(args.a, args.b)", "max(args.a, args.b)" };
    for (size_t s = 0; s < COUNT(sums); s++) {
        char condition[64], text[256];
        (void)snprintf(condition, sizeof condition, "%s <= 2", sums[s]);
        struct question question = ask(condition);
        for (size_t i = 0; i < TYPES; i++) {
            for (size_t k = 0; k < TYPES; k++) {
                Str arguments = pair(text, values[i], values[k]);
                char got = answer(&question, arguments);
                char want = i == OF_NUMBER && k == OF_NUMBER ? 't' : 'u';
                CHECK_ROW(got == want, "%s with %.*s: %c", condition, STR_ARG(arguments), got);
            }
        }
        forget(&question);
    }
}

/* Exact, or unknown: never rounded, never wrapped. */
static void test_arithmetic_bounds(void)
{
    static const struct {
        const char *condition, *a, *b;
        char want;
    } rows[] = {
        { "args.a + args.b == 0.3", "0.1", "0.2", 't' },
        { "args.a - args.b == 0", "1.10", "1.1", 't' },
        { "args.a * args.b == 0.01", "0.1", "1e-1", 't' },
        { "args.a + args.b > 0", "9007199254740991", "9007199254740991", 't' },
        { "args.a * args.b > 0", "999999999999999", "1000", 't' },
        { "args.a * args.b > 0", "999999999999999", "1001", 'u' },
        { "args.a * args.b < 0", "-999999999999999", "1000", 't' },
        { "args.a * args.b < 0", "-999999999999999", "1001", 'u' },
        { "args.a + args.b > 0", "9007199254740993", "1", 'u' },
        { "args.a + args.b > 0", "1e300", "1", 'u' },
        { "args.a + args.b > 0", "1e15", "0.00001", 'u' },
        { "min(args.a, args.b) == 1", "1", "9007199254740993", 'u' },
        { "args.a * args.b == 0", "0", "9007199254740993", 'u' },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256];
        char got = truth_of_condition(rows[i].condition, pair(text, rows[i].a, rows[i].b));
        CHECK_ROW(got == rows[i].want, "%s with %s and %s: %c, not %c", rows[i].condition,
                  rows[i].a, rows[i].b, got, rows[i].want);
    }
}

/* ------------------------------- programs ------------------------------- */

/* The instruction with that opcode, the nth from the start. */
static char *find_insn(const struct buf *bytes, enum op op, uint32_t nth)
{
    struct bundle_section entry;
    memcpy(&entry, bytes->p + sizeof(struct bundle_header) + SECTION_CODE * sizeof entry,
           sizeof entry);
    for (uint64_t i = 0; i < entry.count; i++) {
        char *at = bytes->p + entry.offset + i * sizeof(struct b_insn);
        if ((unsigned char)*at == op && nth-- == 0)
            return at;
    }
    return NULL;
}

/* A body that writes a register from outside of the loop, and reads it first: it would carry a
 * value from one element to the next, growing as the cost does not see. */
static void test_no_carry(void)
{
    struct buf bytes;
    struct program *program;
    struct bundle_error error = { .text = "" };
    compile("allow tool \"t\" when any x in args.l: (lower(x) == \"a\" and has args.b);", &bytes);
    char *at = find_insn(&bytes, OP_IS_TRUE, 0); /* of the hoisted condition, in the body */
    ENSURE(at && ((struct b_insn *)(void *)at)->b == 0);
    at[1] = 0; /* r3 = r0 becomes r0 = r0 */
    bundle_seal(bytes.p, bytes.n);
    enum status status = program_load(buf_str(&bytes), &program, &error);
    CHECK_ROW(status != ST_OK && strstr(error.text, "operand"), "got \"%s\"", error.text);
    buf_free(&bytes);
}

/* What a list filter is not told, it must take for anything. */
static void test_list_filter(void)
{
    static const char *const conditions[] = {
        "call.method == \"tools/call\"",
        "client.name == \"ours\"",
        "client.name != \"theirs\"",
        "call.name == \"t\"",
        "now < now + 1d",
        "args.x == 1 or true",
    };
    struct principal nobody = { .id = STR("somebody") };
    for (size_t i = 0; i < COUNT(conditions); i++) {
        char rules[256];
        (void)snprintf(rules, sizeof rules, "allow tool \"t\" when %s; deny tool \"t\" unless %s;",
                       conditions[i], conditions[i]);
        struct vm *vm = open_rules(rules);
        bool is_allowed = judge(vm, STR("{}")).verdict == VERDICT_ALLOW;
        bool may = vm_may_allow(
            vm, &(struct vm_question){ .server = STR("s"), .principal = &nobody }, STR("t"));
        CHECK_ROW(is_allowed && may, "%s: call %d, list %d", conditions[i], is_allowed, may);
        vm_close(vm);
    }
}

/* An index leads only to rules that its list of all has: the cost is that list's. */
static void test_index_within_all(void)
{
    struct buf rules, bytes;
    struct program *program;
    struct bundle_error error = { .text = "" };
    struct bundle_section entry;
    buf_init(&rules, TEXT_LIMIT);
    for (int i = 0; i < 12; i++)
        buf_printf(&rules, "allow tool \"t\" when args.k == \"v%d\" and args.n == %d;\n", i, i);
    buf_add(&rules, STR("allow tool \"u\";"));
    buf_add_char(&rules, '\0');
    compile(rules.p, &bytes);
    memcpy(&entry, bytes.p + sizeof(struct bundle_header) + SECTION_INDEXES * sizeof entry,
           sizeof entry);
    ENSURE(entry.count == 1);
    struct b_index *index = (struct b_index *)(void *)(bytes.p + entry.offset);
    index->all = index->otherwise; /* empty */
    bundle_seal(bytes.p, bytes.n);
    enum status status = program_load(buf_str(&bytes), &program, &error);
    CHECK_ROW(status != ST_OK && strstr(error.text, "list of all"), "got \"%s\"", error.text);
    buf_free(&rules);
    buf_free(&bytes);
}

int main(void)
{
    RUN(test_loop_bounds);
    RUN(test_type_pairs);
    RUN(test_membership);
    RUN(test_sets);
    RUN(test_arithmetic);
    RUN(test_arithmetic_bounds);
    RUN(test_no_carry);
    RUN(test_list_filter);
    RUN(test_index_within_all);
    return check_finish();
}
