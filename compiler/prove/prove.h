/* SPDX-License-Identifier: Apache-2.0 */
/* prove.h - what two programs decide differently, tool by tool, with a call that shows it.
 *
 * Every finding was run through the VM with both programs before it is handed out. "No difference"
 * is a proof; where neither a call nor a proof is found, or a limit of search.h, space.h or text.h
 * is reached, the answer is unknown. docs/diff-and-prove.md says what is exact.
 */
#ifndef COMPILER_PROVE_PROVE_H
#define COMPILER_PROVE_PROVE_H

#include "runtime/base/buf.h"
#include "runtime/bundle/program.h"
#include "runtime/vm/vm.h"

#define PROVE_BYTES_MAX ((size_t)1 << 30) /* memory that one tool's comparison may take */

enum prove_doubt {
    DOUBT_NONE,
#define DOUBT(NAME, word, text) DOUBT_##NAME,
#include "compiler/prove/doubt.def"
#undef DOUBT
    DOUBT_COUNT
};
extern const struct doubt_info {
    const char *word, *text;
} doubt_table[DOUBT_COUNT];

enum prove_answer { PROVE_FOUND, PROVE_UNKNOWN };

/* Borrowed for the visit. */
struct prove_finding {
    Str server, name; /* name: of the tool, or what kind.def says */
    enum message_kind kind;
    bool newly_allowed;
    enum prove_answer answer;
    Str call;                     /* FOUND: as `mcpc eval --call` reads it */
    struct decision decisions[2]; /* FOUND: before, now */
    enum prove_doubt doubt;       /* UNKNOWN: why */
    uint32_t side, atom;          /* DOUBT_CONDITION: the condition, of that program */
};
typedef void (*prove_visit_fn)(void *user, const struct prove_finding *finding);

struct prove_visitor {
    prove_visit_fn visit;
    void *user;
    bool only_allowed; /* look only for what is newly allowed */
};

/* Compares. ST_NO_MEMORY, also when the programs are too large to be compared at all. */
MUST_USE enum status prove_compare(struct program *old, struct program *now,
                                   const struct prove_visitor *visitor);

#endif
