/* SPDX-License-Identifier: Apache-2.0 */
/* sql_scan.c - the rule is that no dialect may see a string or a comment where another sees
 * statements. So a backslash in a string is refused (MySQL escapes with it), `#` (a comment or an
 * operator), `--` without a blank (no comment in MySQL), a comment in a comment (PostgreSQL nests),
 * executable comments and hints, $ quotes, [ ] and every prefix before a quote. */
#include "runtime/domain/sql_scan.h"

struct scanner {
    Str text;
    size_t at;
    struct arena *mem;
    struct sql_tokens *out;
    uint32_t room, depth;
};

static char peek(const struct scanner *s, size_t ahead)
{
    return str_byte(s->text, s->at + ahead);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool push(struct scanner *s, enum sql_kind kind, Str text)
{
    if (s->out->count == s->room)
        return false;
    s->out->items[s->out->count++] =
        (struct sql_token){ .kind = kind, .text = text, .depth = s->depth };
    return true;
}

/* To the line's end, which is a line feed for everybody. */
static bool line_comment(struct scanner *s)
{
    char next = peek(s, 2);
    if (next != ' ' && next != '\t' && next != '\n' && next != '\0')
        return false;
    while (s->at < s->text.n && s->text.p[s->at] != '\n') {
        if (s->text.p[s->at] == '\r' && peek(s, 1) != '\n')
            return false;
        s->at++;
    }
    return true;
}

static bool block_comment(struct scanner *s)
{
    char next = peek(s, 2);
    if (next == '!' || next == '+' || (next == 'M' && peek(s, 3) == '!'))
        return false;
    for (s->at += 2; s->at < s->text.n; s->at++) {
        if (peek(s, 0) == '*' && peek(s, 1) == '/') {
            s->at += 2;
            return true;
        }
        if (peek(s, 0) == '/' && peek(s, 1) == '*')
            return false;
    }
    return false;
}

/* 'text', "name" or `name`; the quote inside is doubled. */
static bool quoted(struct scanner *s, char quote)
{
    size_t from = s->at + 1;
    for (s->at++; s->at < s->text.n; s->at++) {
        char c = s->text.p[s->at];
        bool is_plain = is_letter(c) || is_digit(c) || c == '$';
        if (c == '\\' || (quote == '`' && c != '`' && !is_plain))
            return false;
        if (c != quote)
            continue;
        if (peek(s, 1) == quote) {
            if (quote != '\'')
                return false; /* a name with a quote in it: nobody needs one */
            s->at++;
            continue;
        }
        Str inside = str_sub(s->text, from, s->at++);
        if (quote != '\'' && inside.n == 0)
            return false;
        return push(s, quote == '\'' ? SQL_STRING : SQL_QUOTED, inside);
    }
    return false;
}

static bool word(struct scanner *s)
{
    size_t from = s->at;
    while (is_letter(peek(s, 0)) || is_digit(peek(s, 0)))
        s->at++;
    char next = peek(s, 0);
    if (next == '\'' || next == '"' || next == '`' || next == '$' || next == '&')
        return false; /* E'', N'', U&"": strings of their own kinds */
    char *at = arena_alloc_raw(s->mem, 1, 1, s->at - from + 1);
    if (!at)
        return false;
    for (size_t i = from; i < s->at; i++)
        at[i - from] = char_lower(s->text.p[i]);
    return push(s, SQL_WORD, (Str){ .p = at, .n = s->at - from });
}

static bool number(struct scanner *s)
{
    size_t from = s->at;
    while (is_digit(peek(s, 0)) || peek(s, 0) == '.')
        s->at++;
    if ((peek(s, 0) | 0x20) == 'e' && is_digit(peek(s, 1)))
        for (s->at++; is_digit(peek(s, 0));)
            s->at++;
    return !is_letter(peek(s, 0)) && push(s, SQL_NUMBER, str_sub(s->text, from, s->at));
}

/* $1 and its like: a parameter, unless a dollar quote begins there. */
static bool parameter(struct scanner *s)
{
    size_t from = s->at++;
    while (is_digit(peek(s, 0)))
        s->at++;
    bool is_name = is_letter(peek(s, 0)) || peek(s, 0) == '$';
    return s->at > from + 1 && !is_name && push(s, SQL_NUMBER, str_sub(s->text, from, s->at));
}

static bool sign(struct scanner *s)
{
    static const char operators[] = "().,;+-*/<>=~!|%^&?:";
    char c = peek(s, 0);
    if (!memchr(operators, c, sizeof operators - 1))
        return false;
    if (c == ')' && s->depth-- == 0)
        return false;
    bool is_good = push(s, SQL_SIGN, str_sub(s->text, s->at, s->at + 1));
    if (c == '(' && s->depth++ == SQL_DEPTH_MAX)
        return false;
    s->at++;
    return is_good && !(c == ';' && s->depth > 0);
}

static bool next_token(struct scanner *s)
{
    char c = peek(s, 0);
    if (c == ' ' || c == '\t' || c == '\n' || (c == '\r' && peek(s, 1) == '\n')) {
        s->at++;
        return true;
    }
    if (c == '-' && peek(s, 1) == '-')
        return line_comment(s);
    if (c == '/' && peek(s, 1) == '*')
        return block_comment(s);
    if (c == '\'' || c == '"' || c == '`')
        return quoted(s, c);
    if (is_letter(c))
        return word(s);
    if (is_digit(c))
        return number(s);
    return c == '$' ? parameter(s) : sign(s);
}

bool sql_scan(Str text, struct arena *mem, struct sql_tokens *out)
{
    struct scanner s = { .text = text, .mem = mem, .out = out };
    s.room = text.n < SQL_TOKENS_MAX ? (uint32_t)text.n : SQL_TOKENS_MAX;
    *out = (struct sql_tokens){ .items = ARENA_NEW(mem, struct sql_token, s.room) };
    if (!out->items)
        return false;
    while (s.at < text.n)
        if (!next_token(&s))
            return false;
    return s.depth == 0;
}
