/* SPDX-License-Identifier: Apache-2.0 */
/* schema_ref.c - references inside one document: "#", "#/pointer", "#anchor" (RFC 6901; JSON Schema
 * 2020-12, 8.2). Nothing is ever fetched; a reference to elsewhere is not resolved. */
#include "compiler/schema/schema_internal.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The fragment without its percent-encoding. */
static bool decode_fragment(struct schema_reader *r, Str in, Str *out)
{
    char *text = schema_take(r, arena_alloc_raw(r->mem, 1, 1, in.n + 1));
    size_t n = 0;
    for (size_t i = 0; text && i < in.n; i++) {
        if (in.p[i] != '%') {
            text[n++] = in.p[i];
            continue;
        }
        if (in.n - i < 3)
            return false;
        int hi = hex_digit(in.p[i + 1]), lo = hex_digit(in.p[i + 2]);
        if (hi < 0 || lo < 0)
            return false;
        text[n++] = (char)(hi << 4 | lo);
        i += 2;
    }
    *out = (Str){ .p = text, .n = n };
    return text != NULL;
}

/* A step of a pointer with ~0 and ~1 decoded, in place of its own bytes. */
static bool decode_step(struct schema_reader *r, Str step, Str *out)
{
    if (!step.n || !memchr(step.p, '~', step.n)) {
        *out = step;
        return true;
    }
    char *text = schema_take(r, arena_alloc_raw(r->mem, 1, 1, step.n));
    size_t n = 0;
    for (size_t i = 0; text && i < step.n; i++) {
        if (step.p[i] != '~') {
            text[n++] = step.p[i];
            continue;
        }
        if (++i == step.n || (step.p[i] != '0' && step.p[i] != '1'))
            return false;
        text[n++] = step.p[i] == '0' ? '~' : '/';
    }
    *out = (Str){ .p = text, .n = n };
    return text != NULL;
}

static uint32_t element_at(const struct schema_reader *r, uint32_t list, Str step)
{
    uint64_t index;
    if (!str_to_u64(step, UINT32_MAX, &index))
        return JSON_NONE;
    uint32_t at = json_first(r->doc, list);
    for (; at != JSON_NONE && index; index--)
        at = json_after(r->doc, list, at);
    return at;
}

/* pointer begins behind its first slash. */
static bool follow_pointer(struct schema_reader *r, Str pointer, uint32_t *node)
{
    uint32_t at = r->root;
    for (bool is_last = false; !is_last && at != JSON_NONE;) {
        Str step;
        is_last = !pointer.n || !memchr(pointer.p, '/', pointer.n);
        if (!decode_step(r, str_cut(&pointer, '/'), &step))
            return false;
        if (schema_is(r, at, JSON_ARRAY))
            at = element_at(r, at, step);
        else
            at = json_member(r->doc, at, step);
    }
    *node = at;
    return at != JSON_NONE;
}

static bool find_anchor(struct schema_reader *r, Str name, uint32_t *node)
{
    uint32_t end = json_at(r->doc, r->root)->next;
    if (++r->anchors > SCHEMA_ANCHORS_MAX)
        return false;
    for (uint32_t i = r->root; i < end; i++) {
        if (json_at(r->doc, i)->type != JSON_OBJECT)
            continue;
        if (str_eq(json_member_string(r->doc, i, STR("$anchor")), name)) {
            *node = i;
            return true;
        }
    }
    return false;
}

bool schema_resolve(struct schema_reader *r, Str reference, uint32_t *node)
{
    Str fragment, own = json_member_string(r->doc, r->root, STR("$id"));
    if (own.n && str_starts(reference, own))
        reference = str_sub(reference, own.n, reference.n);
    if (reference.n == 0 && own.n) {
        *node = r->root;
        return true;
    }
    if (!str_starts(reference, STR("#")) ||
        !decode_fragment(r, str_sub(reference, 1, reference.n), &fragment))
        return false;
    if (fragment.n == 0) {
        *node = r->root;
        return true;
    }
    if (fragment.p[0] == '/')
        return follow_pointer(r, str_sub(fragment, 1, fragment.n), node);
    return find_anchor(r, fragment, node);
}
