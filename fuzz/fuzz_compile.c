/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_compile.c - the whole way from a source to a program.
 *
 * Whatever the checker lets pass and the emitter takes, the loader takes; compiled twice it gives
 * the same bytes. Laid out and read again it is the same policy, and that compiles to a program
 * with the same rules, conditions, code and tables.
 */
#include "compiler/check/check.h"
#include "compiler/emit/emit.h"
#include "fuzz/target.h"
#include "runtime/bundle/program.h"
#include "tests/unit/same_ast.h"

#include <stdlib.h>

enum { MEMORY = 512 * 1024 * 1024, OUTPUT_BYTES_MAX = 64 * 1024 * 1024, INPUT_BYTES_MAX = 16384 };

struct compiled {
    struct arena mem;
    struct sources sources;
    struct diags diags;
    struct policy *policy;
    uint32_t source;
    struct buf bundle;
    struct buf text; /* of a layout: what spans refer to */
    bool is_emitted;
};

static void begin(struct compiled *c, Str text)
{
    c->sources.count = 0;
    c->is_emitted = false;
    arena_init(&c->mem, MEMORY);
    diags_init(&c->diags, &c->mem);
    buf_init(&c->bundle, OUTPUT_BYTES_MAX);
    buf_init(&c->text, OUTPUT_BYTES_MAX);
    /* A folder that does not exist: a relative snapshot is never found. */
    enum status status =
        source_add(&c->sources, STR("/nowhere/at/all/fuzz.pol"), text, &c->mem, &c->source);
    ENSURE(status == ST_OK);
    c->policy = policy_parse(&c->sources, c->source, &c->mem, &c->diags);
}

static void finish(struct compiled *c)
{
    c->is_emitted = c->diags.errors == 0 &&
                    policy_check(c->policy, &c->sources, c->source, &c->mem, &c->diags) &&
                    policy_emit(c->policy, &c->sources, &c->mem, &c->diags, &c->bundle);
}

static void end(struct compiled *c)
{
    buf_free(&c->bundle);
    buf_free(&c->text);
    arena_reset(&c->mem);
}

static struct program *load(const struct compiled *c)
{
    struct program *program = NULL;
    struct bundle_error error;
    enum status status = program_load(buf_str(&c->bundle), &program, &error);
    ENSURE(status == ST_OK);
    return program;
}

/* The layout moves places and quotes, and nothing else. */
static void check_same_program(const struct compiled *a, const struct compiled *b)
{
    struct program *x = load(a), *y = load(b);
    for (int i = 0; i < SECTION_COUNT; i++)
        ENSURE(x->counts[i] == y->counts[i] || i == SECTION_STRINGS);
    for (uint32_t i = 0; i < x->counts[SECTION_CODE]; i++)
        ENSURE(memcmp(&x->code[i], &y->code[i], sizeof x->code[i]) == 0);
    ENSURE(x->meta->cost_fixed == y->meta->cost_fixed);
    ENSURE(x->meta->cost_per_byte == y->meta->cost_per_byte);
    program_release(x);
    program_release(y);
}

static void check_twice(const struct compiled *first, Str text)
{
    static struct compiled second;
    begin(&second, text);
    finish(&second);
    ENSURE(second.is_emitted == first->is_emitted);
    ENSURE(str_eq(buf_str(&second.bundle), buf_str(&first->bundle)));
    end(&second);
}

/* The layout, read again; before either is checked, which fills in the tree. */
static void read_layout(const struct compiled *first, struct compiled *again)
{
    struct buf out;
    buf_init(&out, OUTPUT_BYTES_MAX);
    policy_print(first->policy, &first->sources.items[first->source], &out);
    ENSURE(!out.is_full);
    ENSURE(out.n <= SOURCE_BYTES_MAX); /* INPUT_BYTES_MAX is far below */
    begin(again, buf_str(&out));
    again->text = out;
    ENSURE(again->diags.errors == 0);
    ENSURE(same_policy(first->policy, again->policy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct compiled first, again;
    if (size > INPUT_BYTES_MAX)
        return 0;
    char *copy = malloc(size ? size : 1); /* of its exact size, so that a read past it is seen */
    ENSURE(copy != NULL);
    if (size)
        memcpy(copy, data, size);
    Str text = { .p = copy, .n = size };
    begin(&first, text);
    if (first.diags.errors == 0) {
        read_layout(&first, &again);
        finish(&first);
        finish(&again);
        if (first.is_emitted) {
            check_twice(&first, text);
            ENSURE(again.is_emitted);
            check_same_program(&first, &again);
        }
        end(&again);
    }
    end(&first);
    free(copy);
    return 0;
}
