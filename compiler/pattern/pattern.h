/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.h - what the parsers of regular expressions and globs share: the tree they make.
 *
 * A tree is in normal form: no PATTERN_EMPTY inside a concatenation or a repeat, at most one among
 * alternatives, no concatenation or alternation of one. So its size is linear in its positions,
 * and an expansion of repeats costs no more than AUTOMATON_POSITIONS_MAX leaves.
 * Everything lives in the parser's arena. The pattern is valid UTF-8 (pattern_parse sees to it).
 */
#ifndef COMPILER_PATTERN_PATTERN_H
#define COMPILER_PATTERN_PATTERN_H

#include "compiler/pattern/automaton.h"
#include "compiler/pattern/utf8_ranges.h"

enum { PATTERN_UNBOUNDED = AUTOMATON_REPEAT_MAX + 1 };

struct code_range {
    uint32_t lo, hi; /* code points, both included */
};

struct code_set {
    struct code_range *ranges; /* after code_set_normalise: ascending, apart, no surrogates */
    uint32_t count, capacity;
};

enum pattern_kind {
    PATTERN_EMPTY,  /* the empty string only */
    PATTERN_SET,    /* one code point of set */
    PATTERN_CONCAT, /* the children in order */
    PATTERN_ALT,    /* one of the children */
    PATTERN_REPEAT, /* the one child, min to max times */
};

struct pattern_node {
    enum pattern_kind kind;
    uint32_t positions;        /* leaves once repeats are expanded; 0 for PATTERN_EMPTY only */
    size_t lo, hi;             /* the bytes of the pattern it was made from */
    struct pattern_node *last; /* CONCAT, ALT: the last child; REPEAT: the child */
    struct pattern_node *prev; /* the sibling before this one */
    uint32_t min, max;         /* REPEAT; max may be PATTERN_UNBOUNDED */
    struct code_set set;       /* SET */
    uint32_t class_id;         /* SET: 1 + its class in the nfa, 0 before it has one */
    uint32_t weight;           /* REPEAT: in how many subsets it takes part (dfa_blame) */
    uint32_t last_weighed;     /* REPEAT: 1 + the last of them */
    bool has_empty;            /* ALT: an alternative is the empty string */
};

/* One pattern being read. The first failure is kept; after it the parser unwinds by NULL. */
struct pattern_parser {
    Str text;
    size_t at;
    enum automaton_syntax syntax;
    bool folds_case; /* regular expressions: (?i) */
    uint32_t depth;  /* of open groups */
    struct arena *mem;
    struct automaton_error *error; /* text, lo and hi are set on failure */
    enum status status;
};

/* One item of a class after a backslash: a code point, or a set added to *set. False on failure. */
typedef bool (*pattern_escape_fn)(struct pattern_parser *parser, struct code_set *set,
                                  uint32_t *code, bool *is_set);

/* The tree of text, NULL after a failure (parser->status, parser->error). */
struct pattern_node *pattern_parse(struct pattern_parser *parser);

/* The same per syntax; called by pattern_parse. */
struct pattern_node *pattern_parse_regex(struct pattern_parser *parser);
struct pattern_node *pattern_parse_glob(struct pattern_parser *parser);

/* Records the failure for the bytes from lo to hi of the pattern; always NULL. */
void *pattern_fail(struct pattern_parser *parser, enum status status, const char *text, size_t lo,
                   size_t hi);

/* True, moving on, when the next byte is c. */
bool pattern_accept(struct pattern_parser *parser, char c);
/* The byte ahead bytes on, or -1 past the end. */
int pattern_peek(const struct pattern_parser *parser, size_t ahead);
/* The next code point; not at the end. */
uint32_t pattern_next(struct pattern_parser *parser);

/* Nodes. Each returns NULL (false) after recording a failure. The source range of a new node is
 * from lo to where the parser is. */
struct pattern_node *pattern_node_new(struct pattern_parser *parser, enum pattern_kind kind,
                                      size_t lo);
struct pattern_node *pattern_leaf(struct pattern_parser *parser, struct code_set set, size_t lo);
struct pattern_node *pattern_repeat(struct pattern_parser *parser, struct pattern_node *child,
                                    uint32_t min, uint32_t max, size_t lo);
/* Adds a child to a CONCAT or ALT. */
bool pattern_add(struct pattern_parser *parser, struct pattern_node *parent,
                 struct pattern_node *child);
/* The parent in normal form: itself, its only child, or empty. */
struct pattern_node *pattern_close(struct pattern_parser *parser, struct pattern_node *parent);

/* A class, its "[" already read: one code point of it, normalised. */
struct pattern_node *pattern_class(struct pattern_parser *parser, const char *negators,
                                   pattern_escape_fn escape);

/* Sets of code points. False when the arena is spent, with the failure recorded. */
bool code_set_add(struct pattern_parser *parser, struct code_set *set, uint32_t lo, uint32_t hi);
bool code_set_fold_ascii(struct pattern_parser *parser, struct code_set *set);
bool code_set_negate(struct pattern_parser *parser, struct code_set *set);
bool code_set_remove(struct pattern_parser *parser, struct code_set *set, uint32_t code);
void code_set_normalise(struct code_set *set);

/* items with room for one more of size bytes each, moved when full; NULL when mem is spent. */
void *array_grow(struct arena *mem, void *items, uint32_t *capacity, uint32_t count, size_t size);

#endif
