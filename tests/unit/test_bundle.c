/* SPDX-License-Identifier: Apache-2.0 */
/* test_bundle.c - what stands between a file and the VM: the loader and the verifier.
 *
 * The property that matters: whatever the bytes, program_load refuses, or the program runs without
 * leaving its bounds (which the sanitizers watch) and within its cost. So a good bundle is broken
 * in every way this file can think of, resealed so that checksum and identity hold, and run if it
 * loads.
 */
#include "compiler/command/driver.h"
#include "runtime/vm/vm.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static const char source_text[] =
    "policy \"p\" version 3;\n"
    "server \"a\";\n"
    "let ours = { \"x/y\", \"é\", \"z\" };\n"
    "allow tool \"read_*\", \"get\" when args.s matches /a+b|c/ and length(args.l) <= 3;\n"
    "allow tool \"write\" on \"a\" when \"${args.o.r}/${args.n}\" in ours or args.n in { 1, 2.5, "
    "1_000 }"
    " reason \"only ours\";\n"
    "deny tool \"*_all\", \"write\" unless \"admins\" in principal.groups and has args.why;\n"
    "deny tool \"get\" when (args.b ?? false) or args.s == null or args.n > 10 or args.t in "
    "[args.u, \"q\"];\n";

static const char *const calls[] = {
    "{\"s\":\"aab\",\"l\":[1,2,3]}",
    "{\"s\":\"c\",\"l\":[],\"n\":11,\"b\":true,\"t\":\"v\",\"u\":\"v\"}",
    "{\"o\":{\"r\":\"x\"},\"n\":1000,\"why\":\"z\"}",
    "{\"s\":null,\"o\":{\"r\":{\"r\":1}},\"n\":9007199254740993,\"l\":{\"a\":[[[]]]}}",
    "{}",
};
static const char *const tool_names[] = { "read_x", "get", "write", "drop_all", "", "other" };

static struct buf good; /* the sealed bundle of source_text */

static void compile(void)
{
    struct compilation c;
    struct buf diags;
    compilation_init(&c);
    buf_init(&good, BUNDLE_BYTES_MAX);
    buf_init(&diags, 1 << 20);
    ENSURE(source_add(&c.sources, STR("p.pol"), str_of(source_text), &c.mem, &c.source) == ST_OK);
    c.policy = policy_parse(&c.sources, c.source, &c.mem, &c.diags);
    bool is_good =
        policy_check(c.policy, &c.sources, c.source, &c.mem, &c.diags) && compilation_emit(&c);
    diags_render(&c.diags, &c.sources, &diags);
    if (!is_good)
        (void)fwrite(diags.p, 1, diags.n, stderr);
    ENSURE(is_good);
    buf_add(&good, buf_str(&c.bundle));
    buf_free(&diags);
    compilation_free(&c);
}

/* Every tool with every call: the sanitizers are the judge. Returns how many were allowed. */
static int run_calls(struct program *program)
{
    static const Str groups[] = { STR_INIT("eng"), STR_INIT("admins") };
    struct principal principal = { .id = STR("me"), .groups = groups, .group_count = 2 };
    struct vm *vm;
    struct arena mem;
    int allowed = 0;
    arena_init(&mem, 1 << 20);
    ENSURE(vm_open(program, &vm) == ST_OK);
    for (size_t t = 0; t < COUNT(tool_names); t++) {
        for (size_t i = 0; i < COUNT(calls); i++) {
            struct json_doc doc;
            struct decision decision;
            ENSURE(json_parse(str_of(calls[i]), &json_limits_default, &mem, &doc, NULL) == 0);
            struct vm_call call = { .server = STR("a"),
                                    .name = str_of(tool_names[t]),
                                    .doc = &doc,
                                    .principal = &principal };
            vm_decide(vm, &call, &decision);
            allowed += decision.verdict == VERDICT_ALLOW;
            struct vm_question question = { .server = STR("a"), .principal = &principal };
            (void)vm_may_allow(vm, &question, call.name);
            arena_reset(&mem);
        }
    }
    vm_close(vm);
    return allowed;
}

/* Loads an exact-size copy, so that a read past the end is seen. */
static enum status load_copy(const char *bytes, size_t n, struct program **program,
                             struct bundle_error *error)
{
    char *copy = malloc(n ? n : 1);
    ENSURE(copy);
    memcpy(copy, bytes, n);
    enum status status = program_load((Str){ .p = copy, .n = n }, program, error);
    free(copy);
    return status;
}

static void test_good(void)
{
    struct program *program;
    struct bundle_error error = { .text = "" };
    if (!CHECK_ROW(load_copy(good.p, good.n, &program, &error) == ST_OK, "%s", error.text))
        return;
    CHECK(run_calls(program) >= 3);
    CHECK_STR(program_name(program), STR("p"));
    struct buf text;
    buf_init(&text, 1 << 20);
    program_disassemble(program, &text);
    CHECK(str_contains(buf_str(&text), STR("principal.groups")) && !text.is_full);
    buf_free(&text);
    program_release(program);
}

static void test_deterministic(void)
{
    struct buf first = good;
    compile();
    CHECK(str_eq(buf_str(&first), buf_str(&good)));
    buf_free(&first);
}

static void test_every_byte_counts(void)
{
    for (size_t i = 0; i < good.n && check_ok; i++) {
        struct program *program;
        struct bundle_error error;
        char kept = good.p[i];
        good.p[i] = (char)(kept ^ 0x41);
        enum status status = load_copy(good.p, good.n, &program, &error);
        good.p[i] = kept;
        CHECK_ROW(status != ST_OK, "a bundle with byte %zu changed was accepted", i);
    }
}

static void test_truncated(void)
{
    for (size_t n = 0; n < good.n && check_ok; n++) {
        struct program *program;
        struct bundle_error error;
        CHECK_ROW(load_copy(good.p, n, &program, &error) != ST_OK, "%zu of %zu bytes", n, good.n);
    }
    struct buf longer;
    struct program *program;
    struct bundle_error error;
    buf_init(&longer, 1 << 20);
    buf_add(&longer, buf_str(&good));
    buf_add_char(&longer, '\0');
    CHECK(load_copy(longer.p, longer.n, &program, &error) != ST_OK);
    buf_free(&longer);
}

/* Resealed: the checks behind checksum and identity are alone. */
static void mutate_and_run(char *bytes, size_t n, size_t at, char with, int *loaded)
{
    struct program *program;
    struct bundle_error error;
    char kept = bytes[at];
    bytes[at] = with;
    bundle_seal(bytes, n);
    if (load_copy(bytes, n, &program, &error) == ST_OK) {
        (*loaded)++;
        (void)run_calls(program);
        program_release(program);
    }
    bytes[at] = kept;
}

static void test_resealed_mutations(void)
{
    static const char values[] = { 0, 1, 2, 7, 15, 16, 127, (char)128, (char)255 };
    int loaded = 0, tried = 0;
    for (size_t i = BUNDLE_HASHED_REST; i < good.n; i++) {
        for (size_t k = 0; k < COUNT(values); k++, tried++)
            mutate_and_run(good.p, good.n, i, values[k], &loaded);
        for (int bit = 0; bit < 8; bit++, tried++)
            mutate_and_run(good.p, good.n, i, (char)(good.p[i] ^ 1 << bit), &loaded);
    }
    bundle_seal(good.p, good.n);
    printf("%d of %d resealed mutants load and run: ", loaded, tried);
    CHECK(loaded > 0 && loaded < tried);
}

/* The field of the first record of a section, by its offset in the record. */
static char *field(enum section_kind section, size_t record, size_t offset)
{
    struct bundle_section entry;
    memcpy(&entry, good.p + sizeof(struct bundle_header) + section * sizeof entry, sizeof entry);
    ENSURE(record < entry.count);
    return good.p + entry.offset + record * section_element_bytes[section] + offset;
}

static void refuse_u32(enum section_kind section, size_t record, size_t offset, uint32_t value,
                       const char *want)
{
    struct program *program;
    struct bundle_error error = { .text = "" };
    char *at = field(section, record, offset);
    char kept[4];
    memcpy(kept, at, 4);
    memcpy(at, &value, 4);
    bundle_seal(good.p, good.n);
    enum status status = load_copy(good.p, good.n, &program, &error);
    memcpy(at, kept, 4);
    bundle_seal(good.p, good.n);
    CHECK_ROW(status != ST_OK && strstr(error.text, want), "wanted \"%s\", got \"%s\"", want,
              status == ST_OK ? "accepted" : error.text);
    if (status == ST_OK)
        program_release(program);
}

static void test_named_refusals(void)
{
    refuse_u32(SECTION_META, 0, offsetof(struct b_meta, cost_fixed), 1, "stored cost");
    refuse_u32(SECTION_META, 0, offsetof(struct b_meta, cost_per_byte), 0, "stored cost");
    refuse_u32(SECTION_META, 0, offsetof(struct b_meta, pad), 1, "meta");
    refuse_u32(SECTION_RULES, 0, offsetof(struct b_rule, effect), 1, "effect");
    refuse_u32(SECTION_RULES, 0, offsetof(struct b_rule, code), 0, "misplaced");
    refuse_u32(SECTION_RULES, 0, offsetof(struct b_rule, line), 0, "place");
    refuse_u32(SECTION_ATOMS, 0, offsetof(struct b_atom, flags), 0, "flags");
    refuse_u32(SECTION_ATOMS, 0, offsetof(struct b_atom, code_count), 0, "1 to 256");
    refuse_u32(SECTION_CODE, 0, offsetof(struct b_insn, c), 4096, "operand");
    refuse_u32(SECTION_SLOTS, 0, offsetof(struct b_slot, count), 33, "slot");
    refuse_u32(SECTION_SETS, 0, offsetof(struct b_set, slots), 3, "set");
    refuse_u32(SECTION_SETS, 0, offsetof(struct b_set, count), 1, "set");
    refuse_u32(SECTION_DFAS, 0, offsetof(struct b_dfa, states), 0, "dfa");
    refuse_u32(SECTION_DFAS, 0, offsetof(struct b_dfa, class_count), 300, "dfa");
    refuse_u32(SECTION_NAMES, 0, offsetof(struct b_name, list), 99, "name");
    refuse_u32(SECTION_NAMES, 0, offsetof(struct b_name, route), 99, "name");
    refuse_u32(SECTION_NAMES, 0, offsetof(struct b_name, pin), 99, "pins are not in order");
    refuse_u32(SECTION_ROUTES, 0, offsetof(struct b_route, other), 99, "route");
    refuse_u32(SECTION_ROUTES, KIND_RESOURCE, offsetof(struct b_route, accept_count), 9, "route");
    refuse_u32(SECTION_LISTS, 0, offsetof(struct b_list, count), 99, "list");
    refuse_u32(SECTION_SERVERS, 0, offsetof(struct b_server, flags), 8, "server");
    refuse_u32(SECTION_SHAPES, 0, offsetof(struct b_shape, flags), 0, "shape 0");
}

int main(void)
{
    compile();
    RUN(test_good);
    RUN(test_deterministic);
    RUN(test_every_byte_counts);
    RUN(test_truncated);
    RUN(test_resealed_mutations);
    RUN(test_named_refusals);
    buf_free(&good);
    return check_finish();
}
