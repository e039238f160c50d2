/* SPDX-License-Identifier: Apache-2.0 */
/* pattern_class.c - classes, "[a-z]", of regular expressions and globs.
 *
 * Stricter than most: what other dialects read in another way (a class in a class, "[:alpha:]",
 * "&&", a bare "-" or "]") has to be quoted, so that a pattern brought from elsewhere is refused
 * and never quietly means something else.
 */
#include "compiler/pattern/pattern.h"

struct class_reader {
    struct pattern_parser *parser;
    pattern_escape_fn escape;
    struct code_set set;
    size_t open; /* where the "[" is */
};

static bool fail(struct class_reader *reader, const char *text, size_t lo)
{
    (void)pattern_fail(reader->parser, ST_INVALID, text, lo, reader->parser->at);
    return false;
}

/* One code point, or a set such as \d, which goes into the reader's set at once. */
static bool read_member(struct class_reader *reader, uint32_t *code, bool *is_set)
{
    struct pattern_parser *parser = reader->parser;
    size_t lo = parser->at;
    *is_set = false;
    if (pattern_accept(parser, '\\'))
        return reader->escape(parser, &reader->set, code, is_set);
    *code = pattern_next(parser);
    if (*code == '[' && pattern_accept(parser, ':'))
        return fail(reader, "POSIX classes such as [:alpha:] are not supported", lo);
    if (*code == '[')
        return fail(reader, "a class within a class is not supported; write \\[ for the character",
                    lo);
    if (*code == '&' && pattern_accept(parser, '&'))
        return fail(reader, "set operations are not supported; write \\& for the character", lo);
    return true;
}

/* Adds a range; in a glob of paths a "/" written in a class is a slip, since it cannot match. */
static bool add_range(struct class_reader *reader, uint32_t from, uint32_t to, size_t lo)
{
    if (reader->parser->syntax == AUTOMATON_GLOB && (from == '/' || to == '/'))
        return fail(reader, "a class never matches / in a glob of paths", lo);
    if (from > to)
        return fail(reader, "the ends of this range are the wrong way round", lo);
    return code_set_add(reader->parser, &reader->set, from, to);
}

/* "a" or "a-z". A bare "-" stands for itself only first or last. */
static bool read_item(struct class_reader *reader, bool is_first)
{
    struct pattern_parser *parser = reader->parser;
    size_t lo = parser->at;
    uint32_t from, to;
    bool is_set;
    if (!is_first && pattern_peek(parser, 0) == '-' && pattern_peek(parser, 1) != ']') {
        parser->at++;
        return fail(reader, "write \\- for the character", lo);
    }
    if (!read_member(reader, &from, &is_set))
        return false;
    if (pattern_peek(parser, 0) != '-' || pattern_peek(parser, 1) == ']')
        return is_set || add_range(reader, from, from, lo);
    parser->at++;
    if (is_set)
        return fail(reader, "a set of characters cannot begin a range", lo);
    if (pattern_peek(parser, 0) < 0)
        return fail(reader, "this [ is never closed", reader->open);
    if (!read_member(reader, &to, &is_set))
        return false;
    if (is_set)
        return fail(reader, "a set of characters cannot end a range", lo);
    return add_range(reader, from, to, lo);
}

static bool is_negator(struct pattern_parser *parser, const char *negators)
{
    for (; *negators; negators++) {
        if (pattern_accept(parser, *negators))
            return true;
    }
    return false;
}

/* Applies case, negation and, in globs of paths, that no class matches "/". */
static bool finish_set(struct class_reader *reader, bool negated)
{
    struct pattern_parser *parser = reader->parser;
    if (parser->folds_case && !code_set_fold_ascii(parser, &reader->set))
        return false;
    if (negated && !code_set_negate(parser, &reader->set))
        return false;
    return parser->syntax != AUTOMATON_GLOB || code_set_remove(parser, &reader->set, '/');
}

struct pattern_node *pattern_class(struct pattern_parser *parser, const char *negators,
                                   pattern_escape_fn escape)
{
    struct class_reader reader = { .parser = parser, .escape = escape, .open = parser->at - 1 };
    bool negated = is_negator(parser, negators);
    if (pattern_peek(parser, 0) == ']') {
        parser->at++;
        (void)fail(&reader, "an empty class; write \\] for the character", reader.open);
        return NULL;
    }
    for (bool is_first = true; !pattern_accept(parser, ']'); is_first = false) {
        if (pattern_peek(parser, 0) < 0) {
            (void)fail(&reader, "this [ is never closed", reader.open);
            return NULL;
        }
        if (!read_item(&reader, is_first))
            return NULL;
    }
    if (!finish_set(&reader, negated))
        return NULL;
    return pattern_leaf(parser, reader.set, reader.open);
}
