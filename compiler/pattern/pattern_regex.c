/* SPDX-License-Identifier: Apache-2.0 */
/* pattern_regex.c - reads a regular expression into a tree.
 *
 * Literals, ".", classes, \d \w \s \D \W \S (ASCII), groups, "|", "* + ? {m} {m,} {m,n}" and (?i)
 * at the very start. All else that some dialect knows is refused by name, because a policy that
 * reads "^ab" or "\bab" and means another language than its author is worse than one refused.
 * The parser calls itself once per open group, at most AUTOMATON_NESTING_MAX deep.
 */
#include "compiler/pattern/pattern.h"

static struct pattern_node *parse_alternation(struct pattern_parser *parser);

static struct pattern_node *fail(struct pattern_parser *parser, const char *text, size_t lo)
{
    return pattern_fail(parser, ST_INVALID, text, lo, parser->at);
}

static bool refuse(struct pattern_parser *parser, const char *text, size_t lo)
{
    (void)pattern_fail(parser, ST_INVALID, text, lo, parser->at);
    return false;
}

struct refused {
    char key;
    const char *text;
};

static const char *refused_text(const struct refused *rows, size_t count, int key)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].key == key)
            return rows[i].text;
    }
    return NULL;
}

static const char back_reference[] = "back-references are not supported";
static const char word_boundary[] = "word boundaries are not supported";
static const char look_around[] = "look-around is not supported";
static const char named_group[] = "named groups are not supported; write (...)";
static const char anchor[] = "a pattern always matches the whole string; drop this anchor";

static const struct refused refused_escapes[] = {
    { 'b', word_boundary },
    { 'B', word_boundary },
    { 'A', anchor },
    { 'z', anchor },
    { 'Z', anchor },
    { 'G', anchor },
    { '0', "octal escapes are not supported; write \\x00" },
    { 'k', back_reference },
    { 'g', back_reference },
    { 'p', "Unicode properties such as \\p{L} are not supported" },
    { 'P', "Unicode properties such as \\p{L} are not supported" },
    { 'Q', "quoting by \\Q...\\E is not supported" },
    { 'E', "quoting by \\Q...\\E is not supported" },
};

static const struct refused refused_groups[] = {
    { '=', look_around },
    { '!', look_around },
    { 'P', named_group },
    { '\'', named_group },
    { '>', "atomic groups are not supported" },
    { '#', "comments are not supported" },
    { '|', "branch-reset groups are not supported" },
    { '(', "conditional groups are not supported" },
    { 'R', "recursion is not supported" },
    { '&', "recursion is not supported" },
};

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Hexadecimal digits, at most six: how many there were. */
static unsigned read_hex(struct pattern_parser *parser, unsigned most, uint32_t *code)
{
    unsigned count = 0;
    *code = 0;
    for (; count < most && hex_digit(pattern_peek(parser, 0)) >= 0; count++) {
        *code = *code << 4 | (uint32_t)hex_digit(pattern_peek(parser, 0));
        parser->at++;
    }
    return count;
}

static bool escape_x(struct pattern_parser *parser, uint32_t *code, size_t lo)
{
    if (pattern_peek(parser, 0) == '{')
        return refuse(parser, "write \\u{...} for a code point by its number", lo);
    if (read_hex(parser, 2, code) != 2)
        return refuse(parser, "\\x takes two hexadecimal digits", lo);
    return true;
}

static bool escape_u(struct pattern_parser *parser, uint32_t *code, size_t lo)
{
    enum { DIGITS_MAX = 6 };
    bool is_braced = pattern_accept(parser, '{');
    if (!is_braced || read_hex(parser, DIGITS_MAX, code) == 0 || !pattern_accept(parser, '}'))
        return refuse(parser, "\\u takes one to six hexadecimal digits in braces, as in \\u{e9}",
                      lo);
    if (*code > CODE_POINT_MAX)
        return refuse(parser, "there are no code points past \\u{10ffff}", lo);
    if (*code >= SURROGATE_LO && *code <= SURROGATE_HI)
        return refuse(parser, "a surrogate is not a character", lo);
    return true;
}

/* \d \w \s and their opposites: ASCII only, so that "\d" means ten characters. */
static bool add_named_set(struct pattern_parser *parser, struct code_set *set, int name)
{
    static const struct code_range digits[] = { { '0', '9' } };
    static const struct code_range words[] = {
        { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' }
    };
    static const struct code_range spaces[] = { { '\t', '\r' }, { ' ', ' ' } };
    int kind = name | 0x20;
    const struct code_range *ranges = kind == 'd' ? digits : kind == 'w' ? words : spaces;
    size_t count = kind == 'd' ? COUNT(digits) : kind == 'w' ? COUNT(words) : COUNT(spaces);
    struct code_set named = { .count = 0 };
    for (size_t i = 0; i < count; i++) {
        if (!code_set_add(parser, &named, ranges[i].lo, ranges[i].hi))
            return false;
    }
    if (name != kind && !code_set_negate(parser, &named))
        return false;
    for (uint32_t i = 0; i < named.count; i++) {
        if (!code_set_add(parser, set, named.ranges[i].lo, named.ranges[i].hi))
            return false;
    }
    return true;
}

static bool is_punctuation(int c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~') || c == ' ';
}

static bool escape_other(struct pattern_parser *parser, uint32_t *code, int c, size_t lo)
{
    const char *text = refused_text(refused_escapes, COUNT(refused_escapes), c);
    if (!text && c >= '1' && c <= '9')
        text = back_reference;
    if (text)
        return refuse(parser, text, lo);
    if (!is_punctuation(c))
        return refuse(parser, "unknown escape", lo);
    *code = (uint32_t)c;
    return true;
}

/* What follows a backslash. */
static bool read_escape(struct pattern_parser *parser, struct code_set *set, uint32_t *code,
                        bool *is_set)
{
    size_t lo = parser->at - 1;
    if (pattern_peek(parser, 0) < 0)
        return refuse(parser, "a backslash at the end; write \\\\ for the character", lo);
    int c = (int)pattern_next(parser);
    *is_set = false;
    switch (c) {
    case 'n': *code = '\n'; return true;
    case 't': *code = '\t'; return true;
    case 'r': *code = '\r'; return true;
    case 'f': *code = '\f'; return true;
    case 'x': return escape_x(parser, code, lo);
    case 'u': return escape_u(parser, code, lo);
    case 'd':
    case 'w':
    case 's':
    case 'D':
    case 'W':
    case 'S': *is_set = true; return add_named_set(parser, set, c);
    default: return escape_other(parser, code, c, lo);
    }
}

static struct pattern_node *leaf_of_code(struct pattern_parser *parser, uint32_t code, size_t lo)
{
    struct code_set set = { .count = 0 };
    if (!code_set_add(parser, &set, code, code))
        return NULL;
    if (parser->folds_case && !code_set_fold_ascii(parser, &set))
        return NULL;
    return pattern_leaf(parser, set, lo);
}

static struct pattern_node *parse_escape(struct pattern_parser *parser, size_t lo)
{
    struct code_set set = { .count = 0 };
    uint32_t code = 0;
    bool is_set = false;
    if (!read_escape(parser, &set, &code, &is_set))
        return NULL;
    return is_set ? pattern_leaf(parser, set, lo) : leaf_of_code(parser, code, lo);
}

static struct pattern_node *parse_dot(struct pattern_parser *parser, size_t lo)
{
    struct code_set set = { .count = 0 };
    if (!code_set_add(parser, &set, '\n', '\n') || !code_set_negate(parser, &set))
        return NULL;
    return pattern_leaf(parser, set, lo);
}

/* After "(?": only ":" goes on. */
static struct pattern_node *refuse_group(struct pattern_parser *parser, size_t lo)
{
    int c = pattern_peek(parser, 0);
    int after = c >= 0 ? pattern_peek(parser, 1) : -1;
    const char *text = refused_text(refused_groups, COUNT(refused_groups), c);
    if (c == '<')
        text = after == '=' || after == '!' ? look_around : named_group;
    else if (c >= '0' && c <= '9')
        text = "recursion is not supported";
    else if (!text && ((c >= 'a' && c <= 'z') || c == '-' || c == '^'))
        text = "the only flag is (?i), at the very start of the pattern";
    if (c >= 0)
        (void)pattern_next(parser);
    return fail(parser, text ? text : "write (?:...) or (...) for a group", lo);
}

static struct pattern_node *parse_group(struct pattern_parser *parser, size_t lo)
{
    static const char deep[] = "groups are nested more than 64 deep";
    _Static_assert(AUTOMATON_NESTING_MAX == 64, "the text says so");
    if (pattern_accept(parser, '?') && !pattern_accept(parser, ':'))
        return refuse_group(parser, lo);
    if (parser->depth >= AUTOMATON_NESTING_MAX)
        return pattern_fail(parser, ST_LIMIT, deep, lo, parser->at);
    parser->depth++;
    struct pattern_node *node = parse_alternation(parser);
    if (!node)
        return NULL;
    parser->depth--;
    if (!pattern_accept(parser, ')'))
        return pattern_fail(parser, ST_INVALID, "this ( is never closed", lo, lo + 1);
    return node;
}

/* One thing that a repeat can follow. */
static struct pattern_node *parse_atom(struct pattern_parser *parser)
{
    size_t lo = parser->at;
    uint32_t code = pattern_next(parser);
    switch (code) {
    case '(': return parse_group(parser, lo);
    case '[': return pattern_class(parser, "^", read_escape);
    case '.': return parse_dot(parser, lo);
    case '\\': return parse_escape(parser, lo);
    case '*':
    case '+':
    case '?':
    case '{': return fail(parser, "nothing to repeat; quote the character with a backslash", lo);
    case '^':
        return fail(parser,
                    "a pattern always matches the whole string; drop ^ (or write \\^ for the "
                    "character)",
                    lo);
    case '$':
        return fail(parser,
                    "a pattern always matches the whole string; drop $ (or write \\$ for the "
                    "character)",
                    lo);
    case ']': return fail(parser, "no [ is open here; write \\] for the character", lo);
    case '}': return fail(parser, "no { is open here; write \\} for the character", lo);
    default: return leaf_of_code(parser, code, lo);
    }
}

/* A decimal number, held at one past AUTOMATON_REPEAT_MAX: how many digits it had. */
static size_t read_number(struct pattern_parser *parser, uint32_t *number)
{
    size_t start = parser->at;
    *number = 0;
    for (int c; (c = pattern_peek(parser, 0)) >= '0' && c <= '9'; parser->at++) {
        *number = *number * 10 + (uint32_t)(c - '0');
        if (*number > AUTOMATON_REPEAT_MAX)
            *number = AUTOMATON_REPEAT_MAX + 1;
    }
    return parser->at - start;
}

/* {m}, {m,} or {m,n}, the "{" already read. */
static bool read_counts(struct pattern_parser *parser, uint32_t *min, uint32_t *max)
{
    static const char form[] =
        "a repeat is written {m}, {m,} or {m,n}; write \\{ for the character";
    static const char large[] = "a repeat of more than 1,000";
    _Static_assert(AUTOMATON_REPEAT_MAX == 1000, "the text says so");
    size_t lo = parser->at - 1;
    if (read_number(parser, min) == 0)
        return refuse(parser, form, lo);
    uint32_t most = *min;
    bool is_bounded = !pattern_accept(parser, ',') || read_number(parser, &most) > 0;
    if (!pattern_accept(parser, '}'))
        return refuse(parser, form, lo);
    if (*min > AUTOMATON_REPEAT_MAX || (is_bounded && most > AUTOMATON_REPEAT_MAX)) {
        (void)pattern_fail(parser, ST_LIMIT, large, lo, parser->at);
        return false;
    }
    if (is_bounded && *min > most)
        return refuse(parser, "the first number of this repeat is the larger one", lo);
    *max = is_bounded ? most : PATTERN_UNBOUNDED;
    return true;
}

static bool read_repeat(struct pattern_parser *parser, uint32_t *min, uint32_t *max)
{
    *min = 0;
    *max = PATTERN_UNBOUNDED;
    switch (pattern_next(parser)) {
    case '*': return true;
    case '+': *min = 1; return true;
    case '?': *max = 1; return true;
    default: return read_counts(parser, min, max);
    }
}

static bool is_repeat(int c)
{
    return c == '*' || c == '+' || c == '?' || c == '{';
}

static struct pattern_node *parse_repeated(struct pattern_parser *parser)
{
    size_t lo = parser->at;
    struct pattern_node *atom = parse_atom(parser);
    if (!atom || !is_repeat(pattern_peek(parser, 0)))
        return atom;
    size_t mark = parser->at;
    uint32_t min, max;
    if (!read_repeat(parser, &min, &max))
        return NULL;
    if (pattern_accept(parser, '?'))
        return fail(parser,
                    "lazy repeats are not supported: a pattern always matches the whole string; "
                    "drop this ?",
                    mark);
    if (pattern_accept(parser, '+'))
        return fail(parser, "possessive repeats are not supported", mark);
    if (is_repeat(pattern_peek(parser, 0))) {
        parser->at++;
        return fail(parser, "a repeat of a repeat needs a group, as in (?:a+){2}", mark);
    }
    return pattern_repeat(parser, atom, min, max, lo);
}

static struct pattern_node *parse_branch(struct pattern_parser *parser)
{
    struct pattern_node *branch = pattern_node_new(parser, PATTERN_CONCAT, parser->at);
    if (!branch)
        return NULL;
    for (int c; (c = pattern_peek(parser, 0)) >= 0 && c != '|' && c != ')';) {
        struct pattern_node *node = parse_repeated(parser);
        if (!node || !pattern_add(parser, branch, node))
            return NULL;
    }
    return pattern_close(parser, branch);
}

static struct pattern_node *parse_alternation(struct pattern_parser *parser)
{
    struct pattern_node *alternation = pattern_node_new(parser, PATTERN_ALT, parser->at);
    if (!alternation)
        return NULL;
    do {
        struct pattern_node *branch = parse_branch(parser);
        if (!branch || !pattern_add(parser, alternation, branch))
            return NULL;
    } while (pattern_accept(parser, '|'));
    return pattern_close(parser, alternation);
}

struct pattern_node *pattern_parse_regex(struct pattern_parser *parser)
{
    static const Str fold_flag = STR_INIT("(?i)");
    if (str_starts(parser->text, fold_flag)) {
        parser->folds_case = true;
        parser->at = fold_flag.n;
    }
    struct pattern_node *node = parse_alternation(parser);
    if (node && parser->at < parser->text.n) {
        size_t lo = parser->at++;
        return fail(parser, "no ( is open here; write \\) for the character", lo);
    }
    return node;
}
