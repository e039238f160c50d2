/* SPDX-License-Identifier: Apache-2.0 */
/* lex.h - a source as tokens.
 *
 * The scanners in grammar/policy_lex.re cut bytes and know nothing else: no memory, no messages.
 * lex.c drives them: it knows what stood before (so where a '/' begins a pattern and a '{' JSON),
 * decodes strings, collects comments and reports what is no token. A bad token is reported and
 * stepped over, so that the parser sees a stream without holes it would have to explain.
 */
#ifndef COMPILER_SYNTAX_LEX_H
#define COMPILER_SYNTAX_LEX_H

#include "compiler/syntax/ast.h"

enum { LEX_STRINGS_MAX = 8 }; /* strings inside "${...}" of strings */

/* What a scanner saw. Numbers below SCAN_FIRST are the grammar's tokens (punctuation). */
enum scan {
    SCAN_FIRST = 1000,
    SCAN_END,           /* the end of the source */
    SCAN_SPACE,         /* white space */
    SCAN_WORD,          /* a name or a keyword */
    SCAN_NUMBER,        /* begins like a number, may not be one */
    SCAN_TIME,          /* hh:mm or hh:mm:ss */
    SCAN_DATE,          /* yyyy-mm-dd */
    SCAN_QUOTE,         /* the " that opens a string */
    SCAN_SLASH,         /* a '/' that opens no comment */
    SCAN_LINE_COMMENT,  /* without its line end */
    SCAN_BLOCK_COMMENT, /* whole */
    SCAN_OPEN_COMMENT,  /* a block comment up to the end of the source */
    SCAN_FOREIGN,       /* an operator of other languages */
    SCAN_SINGLE_QUOTE,  /* '...' on one line, whole */
    SCAN_BAD,           /* anything else, one byte */
    /* in a string */
    SCAN_TEXT,        /* plain bytes */
    SCAN_ESCAPE,      /* \ and one character */
    SCAN_CODE_POINT,  /* \u{...} whole */
    SCAN_INTERPOLATE, /* ${ */
    SCAN_CLOSE,       /* the closing mark */
    SCAN_LINE_END,    /* at a line end or the source's end: nothing taken */
};

struct token {
    int kind; /* TK_... of grammar/policy.h; 0 at the end */
    Span span;
    Str text; /* word: itself; string (piece): decoded; number, pattern, JSON: see ast.h;
               * time: seconds since midnight; date: days since 1970; duration: seconds */
};

struct lexer {
    const unsigned char *cursor, *marker, *limit, *begin, *token; /* the scanners' registers */
    uint32_t source;
    struct arena *mem;
    struct diags *diags;
    struct policy *policy; /* comments go here */
    struct comment *last_comment;
    struct buf scratch;    /* a string being decoded */
    struct token previous; /* kind 0 before the first */
    bool awaits_json;      /* behind `as`, `call`, `allow set`: the next '{' opens JSON */
    bool is_broken;        /* the last token swallowed the rest of its line */
    bool is_out_of_memory;
    bool is_quiet;    /* set by the parser while it skips: small slips are not reported */
    bool has_skipped; /* bytes that are no token stand before the last one */
    uint32_t strings; /* interpolations that are open, innermost last */
    uint32_t braces[LEX_STRINGS_MAX]; /* open braces inside each */
    Span opened[LEX_STRINGS_MAX];     /* the " of each string */
};

/* Scanners: take from cursor, leave token at what they took. */
int scan_token(struct lexer *lx);
int scan_string(struct lexer *lx);  /* one piece of a string */
int scan_pattern(struct lexer *lx); /* behind the opening '/': SCAN_CLOSE or SCAN_LINE_END */
int scan_json(struct lexer *lx);    /* behind '{': SCAN_CLOSE at its '}', else SCAN_LINE_END */

/* Borrows all; the source's text must have a NUL behind its end (sources have). */
void lexer_init(struct lexer *lx, const struct sources *sources, uint32_t source, struct arena *mem,
                struct diags *diags, struct policy *policy);
void lexer_free(struct lexer *lx);

/* False, with diagnostics, when the bytes are no text: then there is nothing to lex. */
bool lexer_check_bytes(struct lexer *lx);

/* The next token; kind 0 at the end, again and again. */
struct token lexer_next(struct lexer *lx);

/* True when nothing but white space stands between the offset's line start and it. */
bool lexer_is_line_start(const struct lexer *lx, uint32_t offset);

/* The token's spelling for messages ("';'"), or what it is ("a string"). */
Str token_word(int kind);
/* TK of a keyword, or 0; reserved words give TK_RESERVED. */
int keyword_kind(Str word);

#endif
