/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_challenge.c - any bytes as WWW-Authenticate. What is accepted has token names, no parameter
 * twice and no control byte in a value; written out again, it reads as the same challenges. */
#include "fuzz/target.h"
#include "runtime/base/buf.h"
#include "runtime/wire/challenge.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 20, TEXT_MAX = 1 << 18 };

static void write_value(struct buf *out, Str value)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, value.p[i]);
    }
    buf_add_char(out, '"');
}

static void write_list(struct buf *out, const struct challenge_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct challenge *c = &list->items[i];
        buf_printf(out, "%s%.*s %.*s", i ? ", " : "", STR_ARG(c->scheme), STR_ARG(c->token68));
        for (size_t j = 0; j < c->param_count; j++) {
            buf_printf(out, "%s%.*s=", j ? "," : "", STR_ARG(c->params[j].name));
            write_value(out, c->params[j].value);
        }
    }
}

static void check(const struct challenge_list *list, struct arena *mem)
{
    struct challenge_list *again = ARENA_NEW(mem, struct challenge_list, 1);
    struct buf text;
    buf_init(&text, TEXT_MAX);
    write_list(&text, list);
    enum status status = again ? challenges_read(buf_str(&text), mem, again) : ST_LIMIT;
    ENSURE(status == ST_LIMIT || (status == ST_OK && again->count == list->count));
    for (size_t i = 0; status == ST_OK && i < list->count; i++) {
        const struct challenge *a = &list->items[i], *b = &again->items[i];
        ENSURE(str_eq(a->scheme, b->scheme) && str_eq(a->token68, b->token68));
        ENSURE(a->param_count == b->param_count);
        for (size_t j = 0; j < a->param_count; j++) {
            Str value = a->params[j].value;
            ENSURE(str_eq(challenge_param(b, a->params[j].name), value));
            for (size_t k = 0; k < value.n; k++)
                ENSURE((unsigned char)value.p[k] >= ' ' || value.p[k] == '\t');
        }
    }
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena mem;
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    arena_init(&mem, ARENA_BYTES);
    struct challenge_list *list = ARENA_NEW(&mem, struct challenge_list, 1);
    ENSURE(list);
    if (challenges_read((Str){ block, size }, &mem, list) == ST_OK)
        check(list, &mem);
    arena_reset(&mem);
    free(block);
    return 0;
}
