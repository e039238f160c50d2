/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json.c - the JSON reader against a slow and plain second reading.
 *
 * A small recursive acceptor says whether the grammar holds; the reader must agree on every
 * input within its limits. Of an accepted text the tape is walked (ranges, counts, unique
 * keys, numbers by strtod), written anew and read again: both tapes must be the same.
 */
#include "fuzz/target.h"
#include "runtime/json/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 64, ARENA_BYTES = 64 << 20, TEXT_BYTES = 32 << 20 };

struct slow {
    const char *at, *end;
};

static bool slow_byte(struct slow *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static void slow_space(struct slow *s)
{
    while (s->at < s->end && memchr(" \t\r\n", *s->at, 4))
        s->at++;
}

static bool slow_digits(struct slow *s)
{
    const char *start = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > start;
}

static bool slow_number(struct slow *s)
{
    (void)slow_byte(s, '-');
    if (!slow_byte(s, '0') && !slow_digits(s))
        return false;
    if (slow_byte(s, '.') && !slow_digits(s))
        return false;
    if (!slow_byte(s, 'e') && !slow_byte(s, 'E'))
        return true;
    if (!slow_byte(s, '+'))
        (void)slow_byte(s, '-');
    return slow_digits(s);
}

static bool slow_unit(struct slow *s, unsigned *unit)
{
    char hex[5] = { 0 };
    if (s->end - s->at < 4)
        return false;
    memcpy(hex, s->at, 4);
    if (strspn(hex, "0123456789abcdefABCDEF") != 4)
        return false;
    s->at += 4;
    *unit = (unsigned)strtoul(hex, NULL, 16);
    return true;
}

static bool slow_escape(struct slow *s)
{
    unsigned high, low;
    if (s->at < s->end && *s->at != 'u')
        return *s->at && strchr("\"\\/bfnrt", *s->at++);
    if (!slow_byte(s, 'u') || !slow_unit(s, &high) || high == 0)
        return false;
    if (high < 0xd800 || high > 0xdfff)
        return true;
    return high < 0xdc00 && slow_byte(s, '\\') && slow_byte(s, 'u') && slow_unit(s, &low) &&
           low >= 0xdc00 && low <= 0xdfff;
}

static bool slow_string(struct slow *s)
{
    if (!slow_byte(s, '"'))
        return false;
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at++;
        if (c == '"')
            return true;
        if (c < 0x20 || (c == '\\' && !slow_escape(s)))
            return false;
    }
    return false;
}

static bool slow_word(struct slow *s, Str word)
{
    if (!str_starts((Str){ .p = s->at, .n = (size_t)(s->end - s->at) }, word))
        return false;
    s->at += word.n;
    return true;
}

/* White space around it included. Bounded by DEPTH_MAX. */
static bool slow_value(struct slow *s, int depth);

static bool slow_items(struct slow *s, int depth, char close, bool is_object)
{
    slow_space(s);
    if (depth > DEPTH_MAX)
        return false;
    if (slow_byte(s, close))
        return true;
    do {
        slow_space(s);
        if (is_object) {
            if (!slow_string(s))
                return false;
            slow_space(s);
            if (!slow_byte(s, ':'))
                return false;
        }
        if (!slow_value(s, depth))
            return false;
    } while (slow_byte(s, ','));
    return slow_byte(s, close);
}

static bool slow_value(struct slow *s, int depth)
{
    bool is_good;
    slow_space(s);
    if (slow_byte(s, '{'))
        is_good = slow_items(s, depth + 1, '}', true);
    else if (slow_byte(s, '['))
        is_good = slow_items(s, depth + 1, ']', false);
    else if (s->at < s->end && *s->at == '"')
        is_good = slow_string(s);
    else
        is_good = slow_word(s, STR("null")) || slow_word(s, STR("true")) ||
                  slow_word(s, STR("false")) || slow_number(s);
    slow_space(s);
    return is_good;
}

static bool slow_accepts(Str text)
{
    struct slow s = { .at = text.p, .end = text.p + text.n };
    return utf8_is_valid(text) && slow_value(&s, 0) && s.at == s.end;
}

/* The double that other readers will make of a number is finite, and zero only for zero. */
static void check_number(Str literal)
{
    char *text = malloc(literal.n + 1);
    ENSURE(text);
    memcpy(text, literal.p, literal.n);
    text[literal.n] = '\0';
    double value = strtod(text, NULL);
    size_t mantissa = strcspn(text, "eE");
    text[mantissa] = '\0';
    bool is_zero = strpbrk(text, "123456789") == NULL;
    ENSURE(isfinite(value) && (value == 0) == is_zero);
    free(text);
}

static void write_value(const struct json_doc *doc, uint32_t index, struct buf *out);

static void write_items(const struct json_doc *doc, uint32_t index, struct buf *out)
{
    const struct json_node *node = json_at(doc, index);
    bool is_object = node->type == JSON_OBJECT;
    uint32_t count = 0;
    buf_add_char(out, is_object ? '{' : '[');
    for (uint32_t i = json_first(doc, index); i != JSON_NONE; i = json_after(doc, index, i)) {
        const struct json_node *item = json_at(doc, i);
        ENSURE(is_object == (item->key != NULL));
        ENSURE(item->raw > node->raw && item->raw + item->raw_n < node->raw + node->raw_n);
        if (count++)
            buf_add_char(out, ',');
        if (is_object) {
            ENSURE(json_member(doc, index, json_key(item)) == i); /* the first of its name */
            json_write_string(out, json_key(item));
            buf_add_char(out, ':');
        }
        write_value(doc, i, out);
    }
    ENSURE(count == node->count);
    buf_add_char(out, is_object ? '}' : ']');
}

/* The reader has bounded the depth. */
static void write_value(const struct json_doc *doc, uint32_t index, struct buf *out)
{
    const struct json_node *node = json_at(doc, index);
    ENSURE(node->next > index && node->next <= doc->count && node->raw_n > 0);
    if (node->type == JSON_OBJECT || node->type == JSON_ARRAY) {
        write_items(doc, index, out);
        return;
    }
    ENSURE(node->next == index + 1 && node->count == 0);
    if (node->type == JSON_STRING) {
        ENSURE(utf8_is_valid(json_text(node)));
        json_write_string(out, json_text(node));
        return;
    }
    ENSURE(str_eq(json_text(node), json_raw(doc, index)));
    if (node->type == JSON_NUMBER)
        check_number(json_text(node));
    buf_add(out, json_text(node));
}

static void compare(const struct json_doc *a, const struct json_doc *b)
{
    ENSURE(a->count == b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct json_node *x = &a->nodes[i], *y = &b->nodes[i];
        bool is_container = x->type == JSON_OBJECT || x->type == JSON_ARRAY;
        ENSURE(x->type == y->type && x->flags == y->flags);
        ENSURE(x->next == y->next && x->count == y->count);
        ENSURE((x->key == NULL) == (y->key == NULL));
        ENSURE(!x->key || str_eq(json_key(x), json_key(y)));
        ENSURE(is_container || str_eq(json_text(x), json_text(y)));
    }
}

static void check_accepted(const struct json_doc *doc, const struct json_limits *limits)
{
    struct json_limits wide = *limits;
    struct json_doc again;
    struct arena arena;
    struct buf text;
    wide.max_bytes = TEXT_BYTES; /* escapes may have made it longer */
    arena_init(&arena, ARENA_BYTES);
    buf_init(&text, TEXT_BYTES);
    ENSURE(doc->nodes[0].next == doc->count);
    write_value(doc, 0, &text);
    ENSURE(!text.is_full);
    ENSURE(json_parse(buf_str(&text), &wide, &arena, &again, NULL) == JSON_ERR_NONE);
    compare(doc, &again);
    buf_free(&text);
    arena_reset(&arena);
}

static bool is_beyond_grammar(enum json_error error)
{
    return error == JSON_ERR_DUPLICATE_KEY || error == JSON_ERR_NUMBER_RANGE ||
           error == JSON_ERR_TOO_LARGE || error == JSON_ERR_TOO_DEEP ||
           error == JSON_ERR_TOO_MANY_NODES || error == JSON_ERR_TOO_MANY_MEMBERS;
}

static void read_once(Str text, bool allow_nul)
{
    struct json_limits limits = json_limits_default;
    struct json_doc doc;
    struct arena arena;
    uint32_t at = 0;
    limits.allow_nul = allow_nul;
    arena_init(&arena, ARENA_BYTES);
    enum json_error error = json_parse(text, &limits, &arena, &doc, &at);
    ENSURE(error < JSON_ERROR_COUNT && error != JSON_ERR_NO_MEMORY && at <= text.n);
    ENSURE(error != JSON_ERR_TRUNCATED || at == text.n);
    if (error == JSON_ERR_NONE)
        check_accepted(&doc, &limits);
    if (!allow_nul && !is_beyond_grammar(error))
        ENSURE(slow_accepts(text) == (error == JSON_ERR_NONE));
    arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    Str text = { .p = block, .n = size };
    read_once(text, false);
    read_once(text, true);
    free(block);
    return 0;
}
