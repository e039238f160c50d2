/* SPDX-License-Identifier: Apache-2.0 */
/* syntax.h - a source to its tree, and the tree to the canonical layout. */
#ifndef COMPILER_SYNTAX_SYNTAX_H
#define COMPILER_SYNTAX_SYNTAX_H

#include "compiler/syntax/ast.h"

/* Parses one source. Always returns a policy (what could be read of it); errors are in diags.
 * Limits: nesting POLICY_NESTING_MAX, tokens POLICY_TOKENS_MAX. */
enum { POLICY_NESTING_MAX = 64, POLICY_TOKENS_MAX = 4 * 1024 * 1024 };
struct policy *policy_parse(struct sources *sources, uint32_t source, struct arena *mem,
                            struct diags *diags);

/* For editors: which tokens could follow those of a statement that has been begun. could has a
 * place for each token kind of the grammar; only kinds that policies spell (keywords, names,
 * literals, marks) are set. False when the tokens are no beginning of a statement, or no memory. */
enum { POLICY_KINDS_MAX = 256 };
struct token;
enum policy_block { BLOCK_NONE, BLOCK_TEST, BLOCK_PROFILE, BLOCK_TEST_OF_PROFILE };
MUST_USE bool policy_could_follow(const struct token *tokens, int count, enum policy_block block,
                                  struct arena *mem, bool could[POLICY_KINDS_MAX]);

/* Prints the policy in the canonical layout, comments kept. Parsing the result gives the same
 * policy, and printing that gives the same text. */
void policy_print(const struct policy *policy, const struct source *source, struct buf *out);

/* "never allow" and so on, by enum claim. */
extern const Str claim_words[];

/* The names of the policy's profiles, each once, as many as a policy may have; returns how many. */
uint32_t policy_profiles(const struct policy *policy, Str names[PROFILES_MAX]);
/* From now on the rules of that profile count, and of those that it extends. False: there is none
 * of that name. */
bool policy_choose(struct policy *policy, Str name);

#endif
