/* SPDX-License-Identifier: Apache-2.0 */
/* pin.c - canonical JSON and the digest over it.
 *
 * A definition that was written again by another library, with other spaces, escapes or order of
 * members, is still the same definition; one that differs in a value never is.
 */
#include "runtime/pin/pin.h"

#include "runtime/crypto/sha256.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

enum { CANONICAL_BYTES_MAX = 64 << 20 };

/* ------------------------------- scalars -------------------------------- */

/* Escapes are only what JSON demands. */
static void write_string(struct buf *out, Str s)
{
    static const char letters[] = "btn\vfr"; /* U+0008 to U+000D; U+000B has none */
    buf_add_char(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\') {
            buf_add_char(out, '\\');
            buf_add_char(out, (char)c);
        } else if (c >= 0x08 && c <= 0x0D && c != 0x0B) {
            buf_add_char(out, '\\');
            buf_add_char(out, letters[c - 0x08]);
        } else if (c < 0x20) {
            buf_printf(out, "\\u%04x", c);
        } else {
            buf_add_char(out, (char)c);
        }
    }
    buf_add_char(out, '"');
}

/* The exponent of a literal, saturated: the JSON reader has bounded the value it stands for. */
static int64_t literal_exponent(Str literal, size_t mark)
{
    enum { EXPONENT_CAP = 1000000000 };
    int64_t value = 0;
    bool is_negative = false;
    for (size_t i = mark + 1; i < literal.n; i++) {
        char c = literal.p[i];
        is_negative = is_negative || c == '-';
        if (c >= '0' && c <= '9' && value < EXPONENT_CAP)
            value = value * 10 + (c - '0');
    }
    return is_negative ? -value : value;
}

/* -?digits e exponent, without zeros at either end of the digits; zero is 0e0. */
static void write_number(struct buf *out, Str literal)
{
    size_t mark = 0, zeros = 0;
    bool is_negative = str_starts(literal, STR("-")), has_digit = false, is_fraction = false;
    while (mark < literal.n && literal.p[mark] != 'e' && literal.p[mark] != 'E')
        mark++;
    int64_t exponent = mark < literal.n ? literal_exponent(literal, mark) : 0;
    size_t start = out->n;
    for (size_t at = is_negative ? 1 : 0; at < mark; at++) {
        char c = literal.p[at];
        if (c == '.') {
            is_fraction = true;
            continue;
        }
        exponent -= is_fraction;
        if (c == '0') {
            zeros += has_digit;
            continue;
        }
        if (!has_digit && is_negative)
            buf_add_char(out, '-');
        has_digit = true;
        for (; zeros; zeros--)
            buf_add_char(out, '0');
        buf_add_char(out, c);
    }
    if (out->n == start && !out->is_full)
        buf_add(out, STR("0e0"));
    else
        buf_printf(out, "e%" PRId64, exponent + (int64_t)zeros);
}

/* ------------------------------ containers ------------------------------ */

struct key_index {
    Str key;
    uint32_t index;
};

static int compare_keys(const void *left, const void *right)
{
    const struct key_index *a = left, *b = right;
    return str_cmp(a->key, b->key);
}

uint32_t *pin_sorted_members(const struct json_doc *doc, uint32_t index, struct arena *mem,
                             uint32_t *count)
{
    uint32_t n = 0, total = json_at(doc, index)->count;
    struct key_index *keys = ARENA_NEW(mem, struct key_index, total);
    uint32_t *out = ARENA_NEW(mem, uint32_t, total);
    *count = total;
    if (!keys || !out)
        return NULL;
    for (uint32_t i = json_first(doc, index); i != JSON_NONE; i = json_after(doc, index, i))
        keys[n++] = (struct key_index){ .key = json_key(json_at(doc, i)), .index = i };
    if (n > 1)
        qsort(keys, n, sizeof *keys, compare_keys);
    for (uint32_t i = 0; i < n; i++)
        out[i] = keys[i].index;
    return out;
}

struct writer {
    const struct json_doc *doc;
    struct arena *mem;
    struct buf *out;
};

static bool write_value(const struct writer *w, uint32_t index, uint32_t depth);

static bool write_members(const struct writer *w, uint32_t index, uint32_t depth)
{
    uint32_t count;
    const uint32_t *members = pin_sorted_members(w->doc, index, w->mem, &count);
    if (!members)
        return false;
    buf_add_char(w->out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_add_char(w->out, ',');
        write_string(w->out, json_key(json_at(w->doc, members[i])));
        buf_add_char(w->out, ':');
        if (!write_value(w, members[i], depth + 1))
            return false;
    }
    buf_add_char(w->out, '}');
    return true;
}

/* Sets written as lists by JSON Schema. What they hold are strings, else order counts. */
static bool is_string_set(const struct json_doc *doc, uint32_t index)
{
    const struct json_node *node = json_at(doc, index);
    Str key = json_key(node);
    if (!node->key || (!str_eq(key, STR("required")) && !str_eq(key, STR("type"))))
        return false;
    for (uint32_t i = json_first(doc, index); i != JSON_NONE; i = json_after(doc, index, i))
        if (json_at(doc, i)->type != JSON_STRING)
            return false;
    return true;
}

static bool write_string_set(const struct writer *w, uint32_t index)
{
    uint32_t n = 0, total = json_at(w->doc, index)->count;
    struct key_index *items = ARENA_NEW(w->mem, struct key_index, total);
    if (!items)
        return false;
    for (uint32_t i = json_first(w->doc, index); i != JSON_NONE; i = json_after(w->doc, index, i))
        items[n++] = (struct key_index){ .key = json_text(json_at(w->doc, i)), .index = i };
    if (n > 1)
        qsort(items, n, sizeof *items, compare_keys);
    buf_add_char(w->out, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_add_char(w->out, ',');
        write_string(w->out, items[i].key);
    }
    buf_add_char(w->out, ']');
    return true;
}

static bool write_list(const struct writer *w, uint32_t index, uint32_t depth)
{
    if (is_string_set(w->doc, index))
        return write_string_set(w, index);
    bool is_first = true;
    buf_add_char(w->out, '[');
    for (uint32_t i = json_first(w->doc, index); i != JSON_NONE; i = json_after(w->doc, index, i)) {
        if (!is_first)
            buf_add_char(w->out, ',');
        is_first = false;
        if (!write_value(w, i, depth + 1))
            return false;
    }
    buf_add_char(w->out, ']');
    return true;
}

/* Recursive down to PIN_DEPTH_MAX. */
static bool write_value(const struct writer *w, uint32_t index, uint32_t depth)
{
    const struct json_node *node = json_at(w->doc, index);
    if (depth > PIN_DEPTH_MAX || w->out->is_full)
        return false;
    switch ((enum json_type)node->type) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: buf_add(w->out, json_text(node)); return true;
    case JSON_NUMBER: write_number(w->out, json_text(node)); return true;
    case JSON_STRING: write_string(w->out, json_text(node)); return true;
    case JSON_ARRAY: return write_list(w, index, depth);
    case JSON_OBJECT: return write_members(w, index, depth);
    }
    return false;
}

bool pin_write_canonical(const struct json_doc *doc, uint32_t index, struct arena *mem,
                         struct buf *out)
{
    struct writer w = { .doc = doc, .mem = mem, .out = out };
    return write_value(&w, index, 0) && !out->is_full;
}

/* -------------------------------- digest -------------------------------- */

const char *const pin_part_names[PIN_PARTS] = { /* sorted */
                                                "annotations", "description",  "inputSchema",
                                                "name",        "outputSchema", "title"
};

/* Never 0, which says that the member is not there. */
static uint32_t part_hash(Str canonical)
{
    return (uint32_t)XXH3_64bits(canonical.p, canonical.n) | 1;
}

bool pin_digest(const struct json_doc *doc, uint32_t tool, struct arena *mem, struct pin *out)
{
    struct buf text;
    bool is_good = true;
    _Static_assert((int)PIN_BYTES == (int)SHA256_BYTES, "a pin is a SHA-256");
    *out = (struct pin){ .parts = { 0 } };
    buf_init(&text, CANONICAL_BYTES_MAX);
    buf_add_char(&text, '{');
    for (size_t i = 0; i < PIN_PARTS && is_good; i++) {
        uint32_t member = json_member(doc, tool, str_of(pin_part_names[i]));
        if (member == JSON_NONE)
            continue;
        if (text.n > 1)
            buf_add_char(&text, ',');
        write_string(&text, str_of(pin_part_names[i]));
        buf_add_char(&text, ':');
        size_t from = text.n;
        is_good = pin_write_canonical(doc, member, mem, &text);
        if (is_good)
            out->parts[i] = part_hash(str_sub(buf_str(&text), from, text.n));
    }
    buf_add_char(&text, '}');
    is_good = is_good && !text.is_full;
    if (is_good)
        sha256(buf_str(&text), out->digest);
    buf_free(&text);
    return is_good;
}
