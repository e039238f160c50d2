/* SPDX-License-Identifier: Apache-2.0 */
/* pattern_glob.c - reads a glob, of paths or of tool names, into a tree.
 *
 * In a glob of paths nothing but a written "/" and "**" matches "/"; in one of tool names there is
 * no such rule. No rule about leading dots exists: "*" hides nothing. "**" is any run and no more,
 * so a "/" beside it must be there in the text.
 * The parser calls itself once per open brace, at most AUTOMATON_NESTING_MAX deep.
 */
#include "compiler/pattern/pattern.h"

static struct pattern_node *parse_sequence(struct pattern_parser *parser);

static struct pattern_node *fail(struct pattern_parser *parser, const char *text, size_t lo)
{
    return pattern_fail(parser, ST_INVALID, text, lo, parser->at);
}

/* Any code point, but "/" when has_slash is false. */
static struct pattern_node *any_code(struct pattern_parser *parser, bool has_slash, size_t lo)
{
    struct code_set set = { .count = 0 };
    if (!code_set_add(parser, &set, 0, CODE_POINT_MAX))
        return NULL;
    if (!has_slash && !code_set_remove(parser, &set, '/'))
        return NULL;
    return pattern_leaf(parser, set, lo);
}

static struct pattern_node *parse_star(struct pattern_parser *parser, size_t lo)
{
    bool crosses = pattern_accept(parser, '*') || parser->syntax == AUTOMATON_TOOL;
    if (pattern_accept(parser, '*'))
        return fail(parser, "more than two * in a row", lo);
    struct pattern_node *any = any_code(parser, crosses, lo);
    return any ? pattern_repeat(parser, any, 0, PATTERN_UNBOUNDED, lo) : NULL;
}

/* A backslash quotes punctuation only: "\n" and "C:\dir" are slips, whoever wrote them. */
static bool read_quoted(struct pattern_parser *parser, struct code_set *set, uint32_t *code,
                        bool *is_set)
{
    (void)set;
    *is_set = false;
    size_t lo = parser->at - 1;
    int c = pattern_peek(parser, 0);
    if (c >= 0)
        *code = pattern_next(parser);
    bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (c > ' ' && c < 0x7F && !is_alnum)
        return true;
    (void)fail(parser,
               c < 0 ? "a backslash at the end; write \\\\ for the character"
                     : "a backslash quotes punctuation only; write \\\\ for the character",
               lo);
    return false;
}

static struct pattern_node *leaf_of_code(struct pattern_parser *parser, uint32_t code, size_t lo)
{
    struct code_set set = { .count = 0 };
    return code_set_add(parser, &set, code, code) ? pattern_leaf(parser, set, lo) : NULL;
}

static struct pattern_node *parse_quoted(struct pattern_parser *parser, size_t lo)
{
    struct code_set unused = { .count = 0 };
    uint32_t code;
    bool is_set;
    return read_quoted(parser, &unused, &code, &is_set) ? leaf_of_code(parser, code, lo) : NULL;
}

static struct pattern_node *parse_braces(struct pattern_parser *parser, size_t lo)
{
    static const char deep[] = "braces are nested more than 64 deep";
    _Static_assert(AUTOMATON_NESTING_MAX == 64, "the text says so");
    if (parser->depth >= AUTOMATON_NESTING_MAX)
        return pattern_fail(parser, ST_LIMIT, deep, lo, parser->at);
    struct pattern_node *braces = pattern_node_new(parser, PATTERN_ALT, lo);
    if (!braces)
        return NULL;
    uint32_t alternatives = 0;
    parser->depth++;
    do {
        struct pattern_node *node = parse_sequence(parser);
        if (!node || !pattern_add(parser, braces, node))
            return NULL;
        alternatives++;
    } while (pattern_accept(parser, ','));
    parser->depth--;
    if (!pattern_accept(parser, '}'))
        return pattern_fail(parser, ST_INVALID, "this { is never closed", lo, lo + 1);
    if (alternatives < 2)
        return fail(parser, "braces hold alternatives, {a,b}; write \\{ for the character", lo);
    return pattern_close(parser, braces);
}

static struct pattern_node *parse_piece(struct pattern_parser *parser)
{
    size_t lo = parser->at;
    uint32_t code = pattern_next(parser);
    switch (code) {
    case '*': return parse_star(parser, lo);
    case '?': return any_code(parser, parser->syntax == AUTOMATON_TOOL, lo);
    case '[': return pattern_class(parser, "!^", read_quoted);
    case '{': return parse_braces(parser, lo);
    case '\\': return parse_quoted(parser, lo);
    case ']': return fail(parser, "no [ is open here; write \\] for the character", lo);
    case '}': return fail(parser, "no { is open here; write \\} for the character", lo);
    default: return leaf_of_code(parser, code, lo);
    }
}

static struct pattern_node *parse_sequence(struct pattern_parser *parser)
{
    struct pattern_node *sequence = pattern_node_new(parser, PATTERN_CONCAT, parser->at);
    if (!sequence)
        return NULL;
    for (int c; (c = pattern_peek(parser, 0)) >= 0;) {
        if (parser->depth > 0 && (c == ',' || c == '}'))
            break;
        struct pattern_node *node = parse_piece(parser);
        if (!node || !pattern_add(parser, sequence, node))
            return NULL;
    }
    return pattern_close(parser, sequence);
}

struct pattern_node *pattern_parse_glob(struct pattern_parser *parser)
{
    return parse_sequence(parser);
}

bool pattern_is_glob(Str pattern)
{
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        if (c == '*' || c == '?' || c == '[' || c == ']' || c == '{' || c == '}' || c == '\\')
            return true;
    }
    return false;
}
