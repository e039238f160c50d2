/* SPDX-License-Identifier: Apache-2.0 */
/* print.h - the pen of the printer: lines, indents and the comments between them. Private to
 * print*.c.
 *
 * Whoever prints a piece of the source first calls pen_comments with the piece's offset: comments
 * that stand before it come out there. Spaces are wished for and appear only between two things
 * on one line, so no line ends in one.
 */
#ifndef COMPILER_SYNTAX_PRINT_H
#define COMPILER_SYNTAX_PRINT_H

#include "compiler/syntax/syntax.h"

enum { PRINT_COLUMNS = 100, PRINT_INDENT = 2 };

struct pen {
    struct buf *out;
    const struct source *source;
    const struct comment *comment; /* the next to come out */
    uint32_t base, indent;         /* of the next line: of the block around, and in it */
    bool is_fresh;                 /* nothing is on this line yet */
    bool wants_space;
    bool is_block_start; /* behind a '{': no blank line there */
    uint32_t end;        /* where in the source the last piece ended; for blank lines */
};

void pen_text(struct pen *pen, Str text);
void pen_space(struct pen *pen);
void pen_line(struct pen *pen); /* the next text begins a line; twice is as once */
/* Comments that begin before the offset. */
void pen_comments(struct pen *pen, uint32_t before);
/* As pen_comments, then a blank line if the source has one there. */
void pen_gap(struct pen *pen, uint32_t before);
bool pen_has_comment(const struct pen *pen, uint32_t before);
/* Columns of the line being written. */
uint32_t pen_column(const struct pen *pen);

/* A string literal for text. */
void pen_string(struct pen *pen, Str text);

/* Priorities of expressions, loosest first. */
enum print_level { LEVEL_CHAIN, LEVEL_NOT, LEVEL_COMPARISON, LEVEL_VALUE, LEVEL_PRIMARY };

/* On one line but for what comments break; with parentheses if it binds looser than level. */
void print_expr(struct pen *pen, const struct expr *expr, enum print_level level);
/* The offsets at which what is printed of an expression begins and ends in the source. */
uint32_t expr_begin(const struct expr *expr);
uint32_t expr_end(const struct expr *expr);
/* and, or. */
bool expr_is_chain(const struct expr *expr);
/* { ... } or [ ... ], one element a line. */
void print_group_lines(struct pen *pen, const struct expr *group);
/* As print_expr, but what is too long is broken: a comparison at its group, a chain at its
 * operators. */
void print_fitted(struct pen *pen, const struct expr *expr, enum print_level level);
/* A chain, one operand a line, the operators at indent. */
void print_chain_lines(struct pen *pen, const struct expr *chain, uint32_t indent);

/* ------------------------------- statements ------------------------------ */

void begin_statement(struct pen *pen, Span span, uint32_t indent);
void end_statement(struct pen *pen, Span span); /* the semicolon */
/* word "text", behind the comments before the text. */
void print_worded(struct pen *pen, Str word, Str text, Span span);

/* print_test.c: the braces of a block that stands behind `before`, and a test. */
void open_block(struct pen *pen, Span before);
void close_block(struct pen *pen, Span span);
void print_test(struct pen *pen, const struct test *test);

#endif
