/* SPDX-License-Identifier: Apache-2.0 */
/* slow_match.c - interprets a pattern directly: a piece of it maps the set of positions where it
 * may begin to the set where it may end. Positions are bits, so a text has at most 63 characters;
 * a repeat reads its piece over and over until nothing changes. */
#include "tests/unit/slow_match.h"

typedef uint64_t Spots;

struct slow {
    uint32_t pattern[SLOW_PATTERN_MAX], text[SLOW_TEXT_MAX];
    size_t pattern_count, text_count, at;
    bool is_regex, folds, slash_is_special;
    long fuel;
};

static bool decode(Str s, uint32_t *out, size_t room, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < s.n; (*count)++) {
        unsigned char c = (unsigned char)s.p[i++];
        unsigned more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
        uint32_t code = more == 3 ? c & 7U : more == 2 ? c & 15U : more == 1 ? c & 31U : c;
        while (more-- > 0)
            code = code * 64 + ((unsigned char)s.p[i++] & 63U);
        if (*count == room)
            return false;
        out[*count] = code;
    }
    return true;
}

static uint32_t peek(const struct slow *slow)
{
    return slow->at < slow->pattern_count ? slow->pattern[slow->at] : UINT32_MAX;
}

static bool in_range(const struct slow *slow, uint32_t code, uint32_t lo, uint32_t hi)
{
    if (lo <= code && code <= hi)
        return true;
    bool is_letter = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
    uint32_t other = code ^ 0x20;
    return slow->folds && is_letter && lo <= other && other <= hi;
}

static bool in_named(uint32_t name, uint32_t c)
{
    bool digit = c >= '0' && c <= '9';
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    switch (name) {
    case 'd': return digit;
    case 'D': return !digit;
    case 'w': return digit || letter || c == '_';
    case 'W': return !(digit || letter || c == '_');
    case 's': return c == ' ' || (c >= 9 && c <= 13);
    default: return !(c == ' ' || (c >= 9 && c <= 13));
    }
}

static bool is_set_name(uint32_t c)
{
    return c == 'd' || c == 'D' || c == 'w' || c == 'W' || c == 's' || c == 'S';
}

static uint32_t hex_until(struct slow *slow, size_t end)
{
    uint32_t code = 0;
    for (; slow->at < end; slow->at++) {
        uint32_t c = slow->pattern[slow->at];
        code = code * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

/* After a backslash that does not name a set. */
static uint32_t escaped(struct slow *slow)
{
    uint32_t c = slow->pattern[slow->at++];
    if (!slow->is_regex)
        return c;
    switch (c) {
    case 'n': return 10;
    case 't': return 9;
    case 'r': return 13;
    case 'f': return 12;
    case 'x': return hex_until(slow, slow->at + 2);
    case 'u': break;
    default: return c;
    }
    size_t end = ++slow->at;
    while (slow->pattern[end] != '}')
        end++;
    c = hex_until(slow, end);
    slow->at++;
    return c;
}

/* Moves those spots on whose character is a hit. */
static Spots step(const struct slow *slow, Spots from, const bool *hit)
{
    Spots to = 0;
    for (size_t i = 0; i < slow->text_count; i++) {
        if ((from >> i & 1) && hit[i])
            to |= UINT64_C(1) << (i + 1);
    }
    return to;
}

static void hit_range(const struct slow *slow, bool *hit, uint32_t lo, uint32_t hi)
{
    for (size_t i = 0; i < slow->text_count; i++)
        hit[i] = hit[i] || in_range(slow, slow->text[i], lo, hi);
}

static void class_item(struct slow *slow, bool *hit)
{
    uint32_t lo = slow->pattern[slow->at++];
    if (lo == '\\' && slow->is_regex && is_set_name(peek(slow))) {
        for (size_t i = 0; i < slow->text_count; i++)
            hit[i] = hit[i] || in_named(peek(slow), slow->text[i]);
        slow->at++;
        return;
    }
    if (lo == '\\')
        lo = escaped(slow);
    uint32_t hi = lo;
    if (peek(slow) == '-' && slow->pattern[slow->at + 1] != ']') {
        slow->at++;
        hi = slow->pattern[slow->at++];
        if (hi == '\\')
            hi = escaped(slow);
    }
    hit_range(slow, hit, lo, hi);
}

static Spots class(struct slow *slow, Spots from)
{
    bool hit[SLOW_TEXT_MAX] = { false };
    bool negated = peek(slow) == '^' || (!slow->is_regex && peek(slow) == '!');
    slow->at += negated;
    while (peek(slow) != ']')
        class_item(slow, hit);
    slow->at++;
    for (size_t i = 0; i < slow->text_count; i++) {
        hit[i] = hit[i] != negated;
        if (slow->slash_is_special && slow->text[i] == '/')
            hit[i] = false;
    }
    return step(slow, from, hit);
}

static Spots any_but(const struct slow *slow, Spots from, uint32_t excluded)
{
    bool hit[SLOW_TEXT_MAX];
    for (size_t i = 0; i < slow->text_count; i++)
        hit[i] = slow->text[i] != excluded;
    return step(slow, from, hit);
}

static Spots one(const struct slow *slow, Spots from, uint32_t code)
{
    bool hit[SLOW_TEXT_MAX] = { false };
    hit_range(slow, hit, code, code);
    return step(slow, from, hit);
}

static Spots alternation(struct slow *slow, Spots from, uint32_t separator, uint32_t end);

static Spots regex_atom(struct slow *slow, Spots from)
{
    uint32_t c = slow->pattern[slow->at++];
    slow->fuel--;
    if (c == '(') {
        slow->at += peek(slow) == '?' ? 2 : 0;
        Spots to = alternation(slow, from, '|', ')');
        slow->at++;
        return to;
    }
    if (c == '[')
        return class(slow, from);
    if (c == '.')
        return any_but(slow, from, '\n');
    if (c != '\\')
        return one(slow, from, c);
    if (!is_set_name(peek(slow)))
        return one(slow, from, escaped(slow));
    bool hit[SLOW_TEXT_MAX];
    for (size_t i = 0; i < slow->text_count; i++)
        hit[i] = in_named(peek(slow), slow->text[i]);
    slow->at++;
    return step(slow, from, hit);
}

static long number(struct slow *slow)
{
    long n = 0;
    while (peek(slow) >= '0' && peek(slow) <= '9')
        n = n * 10 + (long)(slow->pattern[slow->at++] - '0');
    return n;
}

static bool counts(struct slow *slow, long *min, long *max)
{
    enum { FOREVER = 100000 };
    *min = 0;
    *max = FOREVER;
    switch (peek(slow)) {
    case '*': break;
    case '+': *min = 1; break;
    case '?': *max = 1; break;
    case '{':
        slow->at++;
        *min = *max = number(slow);
        if (peek(slow) == ',') {
            slow->at++;
            *max = peek(slow) == '}' ? FOREVER : number(slow);
        }
        break;
    default: return false;
    }
    slow->at++;
    return true;
}

static Spots repeated(struct slow *slow, Spots from)
{
    size_t atom = slow->at;
    long min, max;
    Spots once = regex_atom(slow, from);
    if (!counts(slow, &min, &max))
        return once;
    size_t after = slow->at;
    Spots now = from, to = min == 0 ? from : 0;
    for (long i = 1; i <= max && slow->fuel > 0; i++) {
        Spots before = now;
        slow->at = atom;
        now = regex_atom(slow, before);
        if (i >= min || now == before)
            to |= now;
        if (now == before)
            break;
    }
    slow->at = after;
    return to;
}

static Spots glob_piece(struct slow *slow, Spots from)
{
    uint32_t c = slow->pattern[slow->at++];
    uint32_t excluded = slow->slash_is_special ? '/' : UINT32_MAX;
    slow->fuel--;
    if (c == '{') {
        Spots to = alternation(slow, from, ',', '}');
        slow->at++;
        return to;
    }
    if (c == '[')
        return class(slow, from);
    if (c == '?')
        return any_but(slow, from, excluded);
    if (c != '*')
        return one(slow, from, c == '\\' ? escaped(slow) : c);
    if (peek(slow) == '*') {
        slow->at++;
        excluded = UINT32_MAX;
    }
    for (size_t i = 0; i <= slow->text_count; i++)
        from |= any_but(slow, from, excluded);
    return from;
}

/* Until the end character, which is left for the caller; only a nested one counts as the end. */
static Spots alternation(struct slow *slow, Spots from, uint32_t separator, uint32_t end)
{
    Spots to = 0, now = from;
    while (slow->at < slow->pattern_count && peek(slow) != end) {
        if (peek(slow) == separator) {
            slow->at++;
            to |= now;
            now = from;
        } else {
            now = slow->is_regex ? repeated(slow, now) : glob_piece(slow, now);
        }
    }
    return to | now;
}

enum slow_answer slow_match(Str pattern, enum automaton_syntax syntax, Str text)
{
    enum { FUEL = 200000 };
    struct slow slow = { .is_regex = syntax == AUTOMATON_REGEX,
                         .slash_is_special = syntax == AUTOMATON_GLOB,
                         .fuel = FUEL };
    if (!utf8_is_valid(text))
        return SLOW_NO;
    if (!decode(pattern, slow.pattern, SLOW_PATTERN_MAX, &slow.pattern_count) ||
        !decode(text, slow.text, SLOW_TEXT_MAX, &slow.text_count))
        return SLOW_UNKNOWN;
    if (slow.is_regex && str_starts(pattern, STR("(?i)"))) {
        slow.folds = true;
        slow.at = 4;
    }
    /* A comma outside braces is a character, so at the top a glob has no separator. */
    Spots to = alternation(&slow, 1, slow.is_regex ? '|' : UINT32_MAX - 1, UINT32_MAX);
    if (slow.fuel <= 0)
        return SLOW_UNKNOWN;
    return to >> slow.text_count & 1 ? SLOW_YES : SLOW_NO;
}
