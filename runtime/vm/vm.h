/* SPDX-License-Identifier: Apache-2.0 */
/* vm.h - the decision: a verified program, one call, one verdict.
 *
 * vm_decide is the only function in which an allow can come into being. It does not block
 * or fail: whatever goes wrong inside is a deny with a cause. It allocates only for what domain
 * functions, keys and find make, up to VM_ARENA_BYTES_MAX, past which they are unknown. Its work is
 * bounded by the program's cost and the size of the call. Deny overrides ask overrides allow; a
 * deny acts unless its condition is false, an allow only if its condition is true. What allows that
 * act set is put into the arguments, which are read and judged again: only if they are allowed as
 * they stand, and nothing more would be set, is the call allowed, as rewritten.
 */
#ifndef RUNTIME_VM_VM_H
#define RUNTIME_VM_VM_H

#include "runtime/bundle/program.h"
#include "runtime/json/json.h"

enum verdict { VERDICT_DENY, VERDICT_ALLOW };

enum vm_cause {
#define CAUSE(name, word, doc) CAUSE_##name,
#include "runtime/vm/cause.def"
#undef CAUSE
    CAUSE_COUNT
};
const char *vm_cause_word(enum vm_cause cause); /* "rule", "unknown_tool": audit and answers */

/* Why an atom is unknown. */
enum vm_unknown {
#define UNKNOWN(name, text) UNKNOWN_##name,
#include "runtime/vm/unknown.def"
#undef UNKNOWN
    UNKNOWN_COUNT
};
const char *vm_unknown_text(enum vm_unknown unknown); /* "is missing" */

/* On whose behalf: borrowed for the call. */
struct principal {
    Str id;
    const Str *groups;
    size_t group_count;
    const struct json_doc *attributes; /* an object; NULL: none */
};

/* One message, as judged. A zeroed kind is a tool's call. */
struct vm_call {
    Str server; /* alias */
    enum message_kind kind;
    Str name; /* of the tool, the prompt; the URI of the resource; kind.def says what of the others
               */
    const struct json_doc *doc; /* holds the arguments; NULL when there are none */
    uint32_t arguments;         /* index of the object in doc; ignored when doc is NULL */
    const struct principal *principal;
    Str method;                                      /* "tools/call", "resources/read" */
    Str label;                                       /* of the grant; {NULL, 0}: none */
    Str client_name, client_version, client_address; /* {NULL, 0}: not known */
    int64_t now;                                     /* seconds since 1970, UTC */
};

struct decision {
    enum verdict verdict;
    enum vm_cause cause;
    uint32_t rule;         /* index into RULES, or B_NONE. For cause default: the first allow rule
                            * about the name whose condition does not hold, one with a reason first */
    Str reason;            /* the rule's or the default's; lent by the program; may be empty */
    Str argument;          /* unknown_argument: the key; unsafe_number: the condition as written;
                            * of the causes by rewriting: the place, lent until the next decision */
    uint32_t unknown_atom; /* the first atom that was unknown and mattered, or B_NONE */
    enum vm_unknown unknown;
    /* Of an allow: the arguments to forward in place of the call's; NULL: the call's as they are.
     * Of a deny: what was judged at last, if it was rewritten arguments. The root is the object.
     * They and the places live until the VM's next decision. */
    const struct json_doc *rewritten;
    const uint32_t
        *places; /* what was set otherwise than it was: in SLOTS, as they stand in the text */
    uint32_t place_count;
};

/* Working memory for one program, reused from call to call; one thread at a time. */
struct vm;
MUST_USE enum status vm_open(struct program *program, struct vm **out); /* shares the program */
/* For work that must end under the policy it began with. Each share is given back by vm_close. */
struct vm *vm_share(struct vm *vm);
void vm_close(struct vm *vm); /* NULL is fine */
struct program *vm_program(const struct vm *vm);

/* Fills *out. Slices in it live as long as the program and the call's document. */
void vm_decide(struct vm *vm, const struct vm_call *call, struct decision *out);

/* Instructions that the last judgement ran; the program's cost bounds them, which tests check. */
uint64_t vm_steps(const struct vm *vm);

/* What decisions looked at, for coverage: bits or'ed over all decisions. The arrays are the
 * caller's, an element for each rule, atom and instruction of the program. */
enum vm_seen { VM_SEEN_YES = 1, VM_SEEN_NO = 2 };
struct vm_trace {
    uint8_t *rules;    /* enum vm_seen: it acted, it did not */
    uint8_t *atoms;    /* enum b_truth */
    uint8_t *branches; /* enum vm_seen, of SKIP_IF and SKIP_UNLESS: skipped, went on */
};
void vm_set_trace(struct vm *vm, struct vm_trace *trace); /* borrowed; NULL ends it */

/* Decides, then shows the rules about the call one by one, in the order of judging, also those that
 * the decision did not have to look at. */
typedef void (*vm_visit_fn)(void *user, struct vm *vm, uint32_t rule, bool acts);
struct vm_visitor {
    vm_visit_fn visit;
    void *user;
    bool all; /* those rules too that the second key leaves out */
};
struct vm_explanation {
    uint32_t list;       /* the rules about the name, in LISTS; B_NONE when it has no rules */
    uint32_t total;      /* rules about the name */
    uint32_t candidates; /* of them, those that the second key left */
};
void vm_explain(struct vm *vm, const struct vm_call *call, struct decision *out,
                const struct vm_visitor *visitor, struct vm_explanation *explanation);
/* Within a visit: a condition's truth for the call, and why it is unknown. */
enum b_truth vm_visit_atom(struct vm *vm, uint32_t atom, enum vm_unknown *why);

/* For analysis: the truth of single conditions for a call, whatever rules they stand in. Between
 * begin and end only vm_judge_atom may be called. */
void vm_judge_begin(struct vm *vm, const struct vm_call *call);
enum b_truth vm_judge_atom(struct vm *vm, uint32_t atom);
void vm_judge_end(struct vm *vm);

/* Whose message of which kind on which server, when the rest is not known. */
struct vm_question {
    Str server;
    enum message_kind kind;
    const struct principal *principal;
};

/* Could any arguments make this principal's message of that name allowed? The same code, with every
 * atom that reads arguments taken as "could be anything". */
bool vm_may_allow(struct vm *vm, const struct vm_question *question, Str name);

/* Could it be allowed for any name that begins with prefix? Errs on the side of yes: whether such a
 * name could exist is not asked. For resource templates, whose URIs share the text up to the first
 * expression, and with "" for whether a kind is worth offering at all. */
bool vm_may_allow_some(struct vm *vm, const struct vm_question *question, Str prefix);

/* "filter.limit" of a place that rules set, appended to out. */
void vm_place_write(const struct program *program, uint32_t slot, struct buf *out);

/* "file.pol:14" of a rule, written into out (cut when longer); returns its length. */
size_t vm_rule_place(const struct program *program, uint32_t rule, char *out, size_t room);

#endif
