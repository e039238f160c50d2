/* SPDX-License-Identifier: Apache-2.0 */
/* view.h - the statement around a place, as tokens: what can be known of text that is being typed,
 * and so is mostly no policy yet. A statement ends at its ';', at the brace of its test, or where a
 * word that begins statements begins a line.
 */
#ifndef COMPILER_LSP_VIEW_H
#define COMPILER_LSP_VIEW_H

#include "compiler/lsp/analysis.h"
#include "compiler/syntax/lex.h"

enum { VIEW_SCHEMAS_MAX = 64, VIEW_NONE = -1 };

struct view {
    struct analysis *analysis;
    struct arena *mem;
    const struct token *tokens; /* of the statement */
    int count;
    int at;          /* the token that holds or touches the place, else VIEW_NONE */
    int before;      /* the last token that ends at or before the place, or VIEW_NONE */
    uint32_t offset; /* the place */
    bool is_in_test, is_in_profile; /* the statement stands inside a test, inside a profile */
};

/* False: no memory, or bytes that no policy may hold. What the view holds lies in mem. */
MUST_USE bool view_open(struct analysis *analysis, uint32_t offset, struct arena *mem,
                        struct view *out);

/* All tokens of a source up to its end; false as above. */
MUST_USE bool view_tokens(const struct sources *sources, uint32_t source, struct arena *mem,
                          const struct token **tokens, int *count);

/* True where the token at i stands for itself: no key behind a dot. */
bool view_is_word(const struct view *view, int i);

/* The word that a list of strings or names around i follows: TK_TOOL for the "b" of `tool "a",
 * "b"`; 0 when there is none. */
int view_clause(const struct view *view, int i);

/* Is the token at i the allow, deny or ask that a rule or a claim begins with? */
bool view_is_effect(const struct token *tokens, int count, int i);
/* The token behind the word that a rule, a claim or a test's call begins with: a kind of message
 * or a selector; VIEW_NONE in other statements. */
int view_subject(const struct view *view);

/* ----------------------------- what is meant ----------------------------- */

/* A pinned tool that the statement may be about. */
struct view_tool {
    const struct server_decl *server;
    const struct pinned_tool *tool;
};

/* The tools of the statement's rule or call; of all its servers where it names none. */
void view_tools(const struct view *view, const struct view_tool **tools, uint32_t *count);

/* Does the statement cover the server? */
bool view_covers(const struct view *view, Str alias);

enum meaning_kind {
    MEANING_NONE,
    MEANING_ROOT,   /* principal, grant, client, call: root */
    MEANING_SCHEMA, /* schemas, one for each tool that has it */
};

struct meaning {
    enum meaning_kind kind;
    int root; /* token of the root */
    uint32_t count;
    const struct schema *schemas[VIEW_SCHEMAS_MAX];
    const struct pinned_tool *tools[VIEW_SCHEMAS_MAX]; /* NULL: of a function */
    bool is_required[VIEW_SCHEMAS_MAX];
};

/* What the value that ends with the token at i may look like. */
void view_meaning(const struct view *view, int i, struct meaning *out);

/* The token that declares a variable of that name in the statement, by a quantifier or by the
 * rule's own `let`; VIEW_NONE: there is none. */
int view_variable(const struct view *view, Str name);

/* "a string", "a list of strings", ... as far as the schema says it. */
Str schema_words(const struct schema *schema, struct arena *mem);

#endif
