/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_scalar.c - scalars of one line: what they are, and what their text says.
 *
 * A plain scalar is a string only if no reader in use would make a number, a date, a truth or
 * nothing of it: that is decided by the characters it is made of, far more widely than any one
 * version's patterns, so that a pattern not thought of is refused rather than mistaken.
 */
#include "runtime/domain/yaml.h"

enum kind { KIND_UNCERTAIN, KIND_STRING, KIND_NUMBER, KIND_NULL, KIND_TRUE, KIND_FALSE };

enum { SIMPLE_ESCAPES = 8, DOTS_OF_VERSION = 2 };

/* ------------------------------ quoted ---------------------------------- */

static bool scan_single(struct yaml *y, Str *out)
{
    size_t start = ++y->at, n = 0;
    bool has_pair = false;
    for (; y->at < y->line_end; y->at++) {
        if (yaml_peek(y) != '\'')
            continue;
        if (yaml_ahead(y, 1) != '\'')
            break;
        has_pair = true;
        y->at++;
    }
    if (y->at >= y->line_end)
        return false;
    *out = str_sub(y->text, start, y->at++);
    if (!has_pair)
        return true;
    char *copy = arena_alloc_raw(y->mem, 1, 1, out->n);
    for (size_t i = 0; copy && i < out->n; i++) {
        copy[n++] = out->p[i];
        i += out->p[i] == '\'';
    }
    *out = (Str){ .p = copy, .n = n };
    return copy != NULL;
}

static bool take_hex(Str *rest, size_t digits, uint32_t *value)
{
    *value = 0;
    if (rest->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = rest->p[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return false;
        *value = *value << 4 | digit;
    }
    *rest = str_sub(*rest, digits, rest->n);
    return true;
}

static size_t put_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((0xF00 >> n & 0xFF) | c);
    return n;
}

/* The escape whose letter is first in *rest, which is then behind it. What versions read
 * differently, U+0000 and surrogates are refused; text never grows. */
static bool take_escape(Str *rest, char *out, size_t *n)
{
    static const char letters[SIMPLE_ESCAPES + 1] = "nrtbf\"\\/";
    static const char meanings[SIMPLE_ESCAPES + 1] = "\n\r\t\b\f\"\\/";
    if (!rest->n)
        return false;
    char letter = rest->p[0];
    const char *simple = memchr(letters, letter, SIMPLE_ESCAPES);
    *rest = str_sub(*rest, 1, rest->n);
    if (simple) {
        out[(*n)++] = meanings[simple - letters];
        return true;
    }
    uint32_t c;
    size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    if (!digits || !take_hex(rest, digits, &c))
        return false;
    if (c == 0 || (c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF)
        return false;
    *n += put_utf8(c, out + *n);
    return true;
}

static bool unescape(struct yaml *y, Str inside, Str *out)
{
    char *copy = arena_alloc_raw(y->mem, 1, 1, inside.n);
    size_t n = 0;
    if (!copy)
        return false;
    while (inside.n) {
        char c = inside.p[0];
        inside = str_sub(inside, 1, inside.n);
        if (c != '\\')
            copy[n++] = c;
        else if (!take_escape(&inside, copy, &n))
            return false;
    }
    *out = (Str){ .p = copy, .n = n };
    return true;
}

static bool scan_double(struct yaml *y, Str *out)
{
    size_t start = ++y->at;
    bool has_escape = false;
    for (; y->at < y->line_end && yaml_peek(y) != '"'; y->at++) {
        if (yaml_peek(y) != '\\')
            continue;
        has_escape = true;
        y->at++;
    }
    if (y->at >= y->line_end)
        return false;
    *out = str_sub(y->text, start, y->at++);
    return !has_escape || unescape(y, *out, out);
}

/* ------------------------------- plain ---------------------------------- */

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Indicators don't begin a plain scalar. Some may, before certain characters; of these only the
 * minus does here. */
static bool may_begin_plain(const struct yaml *y, bool is_flow)
{
    char c = yaml_peek(y), next = yaml_ahead(y, 1);
    if (c == '-')
        return next != ' ' && next != '\n' && !(is_flow && is_one_of(next, ",[]{}"));
    return !is_one_of(c, "?:,[]{}#&*!|>'\"%@`\n");
}

/* Up to what ends it; false at what might, or might not. */
static bool scan_plain(struct yaml *y, bool is_flow, Str *out)
{
    size_t start = y->at, end = y->at;
    if (!may_begin_plain(y, is_flow))
        return false;
    for (; y->at < y->line_end; y->at++) {
        char c = yaml_peek(y), next = yaml_ahead(y, 1);
        if (c == '\t')
            return false;
        if ((c == ':' && (next == ' ' || next == '\n')) || (c == ' ' && next == '#'))
            break;
        if (is_flow && is_one_of(c, ",[]{}"))
            break;
        if (is_flow && is_one_of(c, ":?"))
            return false;
        if (c != ' ')
            end = y->at + 1;
    }
    y->at = end;
    *out = str_sub(y->text, start, end);
    return true;
}

/* A JSON number without exponent, and no minus before zero alone. */
static bool is_plain_number(Str s)
{
    size_t i = s.p[0] == '-', start = i;
    bool is_zero = true;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        is_zero &= s.p[i] == '0';
    size_t whole = i - start;
    if (whole == 0 || (whole > 1 && s.p[start] == '0'))
        return false;
    if (i < s.n) {
        size_t point = i;
        for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
            is_zero &= s.p[i] == '0';
        if (s.p[point] != '.' || i - point < 2)
            return false;
    }
    return i == s.n && !(is_zero && start);
}

/* Digits with two points or more, as in versions and addresses: no number anywhere. */
static bool is_dotted(Str s)
{
    size_t dots = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool is_dot = s.p[i] == '.';
        bool is_inside = i > 0 && i + 1 < s.n && s.p[i - 1] != '.';
        if (!(is_dot && is_inside) && !(s.p[i] >= '0' && s.p[i] <= '9'))
            return false;
        dots += is_dot;
    }
    return dots >= DOTS_OF_VERSION;
}

/* Of a scalar that begins like a number. Integers of base 60, dates and times are made of these
 * characters; one character of another kind makes it a string for everybody. */
static enum kind numeric_kind(Str s, Str digits)
{
    if (is_plain_number(s))
        return KIND_NUMBER;
    if (digits.n > 1 && digits.p[0] == '0' && is_one_of(digits.p[1], "xXoObB"))
        return KIND_UNCERTAIN;
    for (size_t i = 0; i < digits.n; i++)
        if (!is_one_of(digits.p[i], "0123456789_:+-.,eETtZz "))
            return KIND_STRING;
    return is_dotted(s) ? KIND_STRING : KIND_UNCERTAIN;
}

/* An exponent without digits before it, which one reader takes for a number. */
static bool is_bare_exponent(Str s)
{
    if (s.n < 2 || !is_one_of(s.p[0], "eE"))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_one_of(s.p[i], "0123456789+-_."))
            return false;
    return true;
}

static enum kind plain_kind(Str s)
{
    static const struct {
        Str word;
        enum kind kind;
    } certain[] = {
        { STR_INIT("null"), KIND_NULL },
        { STR_INIT("~"), KIND_NULL },
        { STR_INIT("true"), KIND_TRUE },
        { STR_INIT("false"), KIND_FALSE },
    };
    static const Str uncertain[] = {
        STR_INIT("null"), STR_INIT("true"), STR_INIT("false"), STR_INIT("yes"),      STR_INIT("no"),
        STR_INIT("on"),   STR_INIT("off"),  STR_INIT("y"),     STR_INIT("n"),        STR_INIT("<<"),
        STR_INIT("="),    STR_INIT("inf"),  STR_INIT("nan"),   STR_INIT("infinity"),
    };
    Str bare = s;
    for (size_t i = 0; i < COUNT(certain); i++)
        if (str_eq(s, certain[i].word))
            return certain[i].kind;
    while (bare.n && is_one_of(bare.p[0], "+-."))
        bare = str_sub(bare, 1, bare.n);
    for (size_t i = 0; i < COUNT(uncertain); i++)
        if (str_eq_nocase(bare, uncertain[i]))
            return KIND_UNCERTAIN;
    if (!bare.n || is_bare_exponent(bare))
        return KIND_UNCERTAIN;
    return bare.p[0] >= '0' && bare.p[0] <= '9' ? numeric_kind(s, bare) : KIND_STRING;
}

/* ------------------------------- both ----------------------------------- */

bool yaml_scan_scalar(struct yaml *y, bool is_flow, struct yaml_scalar *out)
{
    size_t start = y->at;
    char c = yaml_peek(y);
    bool is_good = c == '"'    ? scan_double(y, &out->text)
                   : c == '\'' ? scan_single(y, &out->text)
                               : scan_plain(y, is_flow, &out->text);
    out->is_quoted = c == '"' || c == '\'';
    out->raw_n = y->at - start;
    return is_good;
}

bool yaml_takes_colon(struct yaml *y, bool is_flow, const struct yaml_scalar *scalar)
{
    size_t start = y->at;
    yaml_skip_spaces(y);
    char next = yaml_ahead(y, 1);
    bool is_spaced = next == ' ' || next == '\n' || (is_flow && scalar->is_quoted);
    if (yaml_peek(y) == ':' && is_spaced) {
        y->at++;
        return true;
    }
    y->at = start;
    return false;
}

bool yaml_add_scalar(struct yaml *y, const struct yaml_scalar *scalar)
{
    switch (scalar->is_quoted ? KIND_STRING : plain_kind(scalar->text)) {
    case KIND_STRING: json_build_string(&y->build, scalar->text); return true;
    case KIND_NUMBER: json_build_number_text(&y->build, scalar->text); return true;
    case KIND_NULL: json_build_null(&y->build); return true;
    case KIND_TRUE: json_build_bool(&y->build, true); return true;
    case KIND_FALSE: json_build_bool(&y->build, false); return true;
    case KIND_UNCERTAIN: break;
    }
    return false;
}

bool yaml_add_key(struct yaml *y, const struct yaml_scalar *scalar)
{
    bool is_string = scalar->is_quoted || plain_kind(scalar->text) == KIND_STRING;
    json_build_key(&y->build, scalar->text);
    /* Some readers merge at a quoted "<<" as well. */
    return is_string && scalar->raw_n <= YAML_KEY_MAX && !str_eq(scalar->text, STR("<<"));
}
