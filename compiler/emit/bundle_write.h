/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_write.h - a bundle in the making: sections that grow, things that are stored once.
 *
 * Running out of memory is remembered (is_full) and reported once by bundle_finish, so the callers
 * need no checks in between; indexes handed out after that are 0.
 */
#ifndef COMPILER_EMIT_BUNDLE_WRITE_H
#define COMPILER_EMIT_BUNDLE_WRITE_H

#include "compiler/emit/intern.h"
#include "compiler/pattern/bit_nfa.h"
#include "compiler/pattern/words.h"
#include "runtime/bundle/program.h"

struct bundle {
    struct arena *mem;
    struct buf sections[SECTION_COUNT];
    struct intern strings, consts, slots, atoms, lists, sets, dfas, shapes, steps, nets, zones;
    bool is_full;
};

void bundle_init(struct bundle *bundle, struct arena *mem);
void bundle_free(struct bundle *bundle);

/* Appends one record and returns its index. */
uint32_t bundle_add(struct bundle *bundle, enum section_kind section, const void *record);
uint32_t bundle_count(const struct bundle *bundle, enum section_kind section);

struct b_text bundle_text(struct bundle *bundle, Str text);
/* number is any literal of the grammar; it is stored in canonical form. */
uint32_t bundle_const(struct bundle *bundle, enum b_const_type type, bool truth, Str text);
uint32_t bundle_slot(struct bundle *bundle, enum b_slot_root root, const Str *steps,
                     uint32_t count);
uint32_t bundle_step(struct bundle *bundle, Str key);
uint32_t bundle_nets(struct bundle *bundle, const struct b_net *nets, uint32_t count);
/* The zone of that name, or B_NONE. */
uint32_t bundle_zone_find(const struct bundle *bundle, Str name);
uint32_t bundle_zone(struct bundle *bundle, Str name, const struct b_zone_step *steps,
                     uint32_t count);
/* elements: indexes of constants, any order, duplicates allowed. */
uint32_t bundle_set(struct bundle *bundle, const uint32_t *elements, uint32_t count);
uint32_t bundle_dfa(struct bundle *bundle, const struct automaton *automaton);
uint32_t bundle_trie(struct bundle *bundle, const struct trie *trie, uint32_t forbidden);
uint32_t bundle_nfa(struct bundle *bundle, const struct bit_nfa *nfa);
/* A list of rules in the order of the file format, with its index and nearest rule or B_NONE: all
 * of the record but first. */
uint32_t bundle_list(struct bundle *bundle, const uint32_t *rules, const struct b_list *record);
/* A second key: count values, each a string constant and its list. */
uint32_t bundle_index(struct bundle *bundle, const struct b_index *record,
                      const struct b_index_entry *entries, uint32_t count);
/* The atom with that code; place and text are of its first occurrence. */
uint32_t bundle_atom(struct bundle *bundle, const struct b_insn *code, uint32_t count,
                     const struct b_atom *place);

/* Builds the dispatch table of names, puts the sections together, computes the cost, seals the file
 * and loads it through the verifier: a bundle that this compiler makes and the loader refuses is a
 * bug that must not leave the house. The bytes are appended to out. */
MUST_USE enum status bundle_finish(struct bundle *bundle, const struct b_meta *meta,
                                   struct buf *out, struct bundle_error *error);

#endif
