/* SPDX-License-Identifier: Apache-2.0 */
/* describe.h - Markdown about the words, values and tools of a policy. Texts that a server wrote
 * are cut and set so that they can't pass for ours. */
#ifndef COMPILER_LSP_DESCRIBE_H
#define COMPILER_LSP_DESCRIBE_H

#include "compiler/lsp/view.h"

/* What a keyword means; NULL when it is none. */
const char *keyword_doc(Str word);

void describe_tool(struct buf *out, const struct view_tool *tool, struct arena *mem);
void describe_schema(struct buf *out, const struct schema *schema, struct arena *mem);
void describe_meaning(struct buf *out, Str name, const struct meaning *meaning, struct arena *mem);
void describe_let(struct buf *out, const struct analysis *analysis, const struct let_decl *let);
void describe_function(struct buf *out, enum function function);
/* Words of the lists behind effect, flag and role; false when it is none of them. */
bool describe_class_word(struct buf *out, int clause, Str word);
/* A server's text as one quoted paragraph, cut. */
void describe_quoted(struct buf *out, Str text);

#endif
