/* SPDX-License-Identifier: Apache-2.0 */
/* program.h - a verified bundle, ready to run. Bytes become a struct program in program_load or
 * nowhere: the VM relies on every range and jump proved there, and there is no way to skip it.
 */
#ifndef RUNTIME_BUNDLE_PROGRAM_H
#define RUNTIME_BUNDLE_PROGRAM_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/status.h"
#include "runtime/base/str.h"
#include "runtime/bundle/format.h"
#include "runtime/bundle/number.h"

enum { PROGRAM_ID_HEX = 64 };

/* Read-only after loading and so shared freely between threads. One reference each for whoever
 * keeps it. The arrays are the bundle's sections. */
struct program {
    Str bytes;                   /* the file, owned */
    char id[PROGRAM_ID_HEX + 1]; /* identity in hex */
#define SECTION(NAME, name, type, doc) const type *name;
#include "runtime/bundle/section.def"
#undef SECTION
    uint32_t counts[SECTION_COUNT];
    /* private */
    uint32_t *server_table; /* server + 1 by the hash of its alias; NULL: searched by halves */
    uint32_t server_mask;   /* slots - 1 */
    uint32_t server_probes; /* that a search takes at most */
    uint64_t server_seed;
    int references;
};

/* Why a bundle was refused: the rule that it breaks, and where. */
struct bundle_error {
    char text[160];
};

/* Copies bytes, checks everything, recomputes the cost. ST_INVALID with *error filled, ST_LIMIT,
 * ST_UNSUPPORTED (another format version), ST_NO_MEMORY. */
MUST_USE enum status program_load(Str bytes, struct program **out, struct bundle_error *error);

/* The same from a file (NUL-terminated path). ST_IO when it can't be read. */
MUST_USE enum status program_read(const char *path, struct program **out,
                                  struct bundle_error *error);

struct program *program_share(struct program *program); /* one reference more */
void program_release(struct program *program);          /* NULL is fine */

static inline Str program_text(const struct program *program, struct b_text text)
{
    return (Str){ .p = program->strings + text.offset, .n = text.length };
}

Str program_name(const struct program *program);

/* For the loader: a table that finds servers without halving. False: no memory. */
MUST_USE bool program_index_servers(struct program *program);

/* The server of that alias, else the one that stands for any, else B_NONE. */
uint32_t program_server(const struct program *program, Str alias);

/* The route of a server's messages of a kind. */
static inline uint32_t program_route(uint32_t server, enum message_kind kind)
{
    return server * (uint32_t)KIND_COUNT + (uint32_t)kind;
}

/* The name on a route (index into NAMES), or B_NONE. */
uint32_t program_known(const struct program *program, uint32_t route, Str name);

/* What a tool's definition must be on that server, or NULL: it may be any. */
const struct b_pin *program_pin(const struct program *program, Str alias, Str name);

/* Runs an automaton over text: the accept id, 0 for none. */
uint16_t program_match(const struct program *program, uint32_t dfa, Str text);

/* Is one of the words in text, and the forbidden byte not? At most two searches among the children
 * of a node for each byte. Both of these are false for text that is not UTF-8. */
bool program_match_words(const struct program *program, uint32_t trie, Str text);
/* Is text in the language of nfas[nfa]? Each byte costs a step a word of the masks, and as many for
 * each unchained position. */
bool program_match_nfa(const struct program *program, uint32_t nfa, Str text);

/* Is constants[constant] an element of the set? */
bool program_set_has(const struct program *program, uint32_t set, uint32_t constant);

/* Is there an element of that type and canonical text? */
bool program_set_find(const struct program *program, uint32_t set, enum b_const_type type,
                      bool truth, Str text);

/* The list that an index has for a string, or B_NONE. */
uint32_t program_index_find(const struct program *program, uint32_t index, Str text);

/* The hash of a constant for sets: of its type and canonical text. */
uint64_t bundle_const_hash(enum b_const_type type, bool truth, Str text);
uint64_t bundle_name_hash(uint32_t route, Str name);

/* Worst-case cost of a decision (cost.c says in what): the dearest of all lists, each part by
 * itself. What the loader recomputes and the compiler stores. False: no memory. */
struct bundle_cost {
    uint64_t fixed, per_byte;
};
MUST_USE bool program_cost(const struct program *program, struct bundle_cost *out);

/* For the compiler: fills in the identity and the checksum of a bundle whose bytes are complete. */
void bundle_seal(char *bytes, size_t count);
void bundle_identity(Str bytes, unsigned char identity[32]);

/* Lists the whole program for people. */
void program_disassemble(const struct program *program, struct buf *out);

#endif
