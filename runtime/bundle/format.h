/* SPDX-License-Identifier: Apache-2.0 */
/* format.h - the bundle file (.polb), byte for byte.
 *
 * Header, section table, sections. Integers are little-endian; sections start at multiples of
 * eight, follow each other in the order of section.def without gaps but zero padding, and hold
 * arrays of the records below, whose padding fields are zero. Nothing is a pointer: records refer
 * to each other by index. The same policy compiled by the same compiler gives the same bytes.
 *
 * Identity: SHA-256 over the file without the checksum and the identity themselves; it names the
 * policy everywhere. Checksum: XXH3-64 of the sections, seeded by XXH3-64 of the header's first 32
 * bytes, against accidents, checked first.
 */
#ifndef RUNTIME_BUNDLE_FORMAT_H
#define RUNTIME_BUNDLE_FORMAT_H

#include "runtime/bundle/kind.h"

#include <stdbool.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "bundles are read in place: a little-endian machine is needed"
#endif

enum {
    BUNDLE_FORMAT = 3,             /* raised whenever a released bundle would be read differently */
    BUNDLE_BYTES_MAX = 64 << 20,   /* of a file */
    BUNDLE_REGISTERS = 16,         /* value registers of an atom */
    BUNDLE_ATOM_INSNS_MAX = 256,   /* instructions of one atom */
    BUNDLE_RULE_INSNS_MAX = 65535, /* instructions of one rule */
    BUNDLE_SLOT_STEPS_MAX = 32,    /* keys on the way to one field */
    BUNDLE_SHAPE_DEPTH_MAX = 64,   /* nesting of shapes */
    BUNDLE_TEXT_MAX = 4096,        /* bytes of a name, a reason, a quoted source text */
    BUNDLE_CONCAT_MAX =
        64 * 1024,             /* bytes of the strings that one condition joins; more is unknown */
    BUNDLE_RUN_MAX = 256,      /* used slots of a hash table in a row */
    BUNDLE_LOOP_DEPTH_MAX = 4, /* loops inside each other */
    BUNDLE_ITERATIONS_MAX = 1024, /* of all loops of one atom together; more is unknown */
    BUNDLE_INDEX_VALUES_MAX =
        31,                     /* elements of a list that an index is asked for; more: all rules */
    BUNDLE_ELEMENT_MAX = 65535, /* index into a list */
    BUNDLE_REWRITES_MAX = 64,   /* places that the rules set in one call, and that one rule sets */
};

/* What the verifier walks in full more than once, so that loading is linear in the file's size: the
 * texts that the entries of one section name, together; and the code of all rules of all lists. */
#define BUNDLE_TEXTS_MAX       ((uint64_t)BUNDLE_BYTES_MAX)
#define BUNDLE_LIST_CODE_MAX   (UINT64_C(1) << 28)
#define BUNDLE_INDEX_RULES_MAX (UINT64_C(1) << 24) /* rules of all lists that indexes lead to */

/* The cost of a decision is at most fixed + per_byte * (bytes of the call: its name, the
 * arguments, the caller's identity). A unit is one instruction or one byte touched. */
#define BUNDLE_COST_FIXED_MAX    UINT64_C(16777216)
#define BUNDLE_COST_PER_BYTE_MAX UINT64_C(65536)

#define BUNDLE_MAGIC "\x8FMCPOLB\n"

struct bundle_header {
    uint8_t magic[8];
    uint32_t format;
    uint32_t section_count;
    uint64_t total_bytes;
    uint64_t reserved; /* zero */
    uint64_t checksum;
    uint8_t identity[32];
};
enum { BUNDLE_HASHED_HEAD = 32, BUNDLE_HASHED_REST = 72 }; /* what lies between is not hashed */
_Static_assert(sizeof(struct bundle_header) == BUNDLE_HASHED_REST, "header layout");

struct bundle_section {
    uint32_t kind; /* enum section_kind */
    uint32_t pad;
    uint64_t offset; /* from the file's start */
    uint64_t count;  /* elements */
};

struct b_text {
    uint32_t offset, length; /* in STRINGS */
};

#define B_NONE UINT32_MAX /* an index that refers to nothing */

struct b_meta {
    struct b_text name;           /* of the policy; "NAME/PROFILE" when it is one of several */
    struct b_text profile;        /* empty: the policy has none */
    struct b_text compiler;       /* "mcpc 0.1.0" */
    struct b_text default_reason; /* for calls that no rule allows; may be empty */
    uint32_t version;
    uint32_t pad;
    uint64_t cost_fixed, cost_per_byte; /* of the dearest tool */
};

enum b_server_flag { B_SERVER_PINNED = 1, B_SERVER_OPEN = 2 };

struct b_server {
    struct b_text alias;
    uint32_t flags; /* about its tools */
    uint32_t pad;
};

/* The way from a server and a kind of message (the route's place: server * KIND_COUNT + kind) and a
 * name to a list of rules. */
struct b_route {
    uint32_t dfa;          /* for names that are not known; B_NONE: they have the list `other` */
    uint32_t accept_first; /* ACCEPTS[accept_first + id - 1] is the list for accept id */
    uint32_t accept_count;
    uint32_t other; /* the list of a name that the DFA does not accept */
};

/* A name that rules or a snapshot know: of a tool, a resource, a prompt. */
struct b_name {
    struct b_text name;
    uint32_t route;
    uint32_t list;
    uint32_t shape; /* 0: arguments are not checked against a pin; of tools only */
    uint32_t pin;   /* in PINS; B_NONE: the tool's definition may be any; of tools only */
};

/* What a pinned tool's definition was when the policy was compiled: pin.h says of what. */
struct b_pin {
    uint8_t digest[32];
    uint32_t parts[6]; /* a short hash of each member, to say where a change is */
};

enum b_list_flag {
    /* Of one of its rules, or with an index of one of the index's list of all: */
    B_LIST_REWRITES = 1,   /* it sets */
    B_LIST_ADVERTISES = 2, /* it advertises */
};

struct b_list {
    uint32_t first, count; /* in LIST_RULES: the rules to look at in any case */
    uint32_t index;        /* in INDEXES: where the others are; B_NONE: there are no others */
    uint32_t near;         /* the allow rule that a default denial names; B_NONE: none */
    uint32_t flags;        /* enum b_list_flag, or'ed */
};

/* Rules of a list that can act only if a field has one of some values: by value. A field that is a
 * list (the caller's groups) finds the rules of each of its elements. */
struct b_index {
    uint32_t slot;         /* the field */
    uint32_t first, slots; /* in INDEX_TABLE: a hash table; slots is a power of two */
    uint32_t count;        /* entries in use */
    uint32_t otherwise;    /* the list for a value that is no string */
    uint32_t all;          /* the list of all rules, without an index */
};

struct b_index_entry {
    uint32_t constant; /* a string constant's index + 1; 0: a free slot */
    uint32_t list;     /* has no index of its own */
};

enum b_effect { B_DENY, B_ASK, B_ALLOW, B_EFFECT_COUNT };

enum b_rule_flag { B_RULE_ADVERTISES = 1 }; /* what it asks of arguments is shown to clients */

struct b_rule {
    uint32_t effect; /* enum b_effect */
    uint32_t code, code_count;
    uint32_t source, line, column; /* where the rule begins, from 1 */
    struct b_text reason;          /* may be empty */
    struct b_text text;            /* the rule's first source line, trimmed */
    uint32_t set_first, set_count; /* in REWRITES; only an ALLOW has some */
    uint32_t flags;                /* enum b_rule_flag, or'ed */
};

/* What an allow that acts sets: code like an atom's whose last instruction is a VALUE, the one that
 * the place gets. */
struct b_rewrite {
    uint32_t slot; /* the place: a field of the arguments */
    uint32_t code, code_count;
    uint32_t pad;
};

enum b_atom_flag { B_ATOM_VARIES = 1 }; /* reads what a list filter does not know */

struct b_atom {
    uint32_t code, code_count;
    uint32_t flags;
    uint32_t source, line, column;
    struct b_text text; /* the condition as written */
};

struct b_insn {
    uint8_t op; /* enum op */
    uint8_t a;
    uint16_t b;
    uint32_t c;
};
_Static_assert(sizeof(struct b_insn) == 8, "one instruction is eight bytes");

/* Truth values are bits, so that a set of them is a mask: B_MAYBE is "could be anything". */
enum b_truth { B_TRUE = 1, B_FALSE = 2, B_UNKNOWN = 4, B_MAYBE = 7 };

enum b_slot_root {
#define ROOT(NAME, text, steps, varies) B_SLOT_##NAME,
#include "runtime/bundle/slot_root.def"
#undef ROOT
    B_SLOT_ROOT_COUNT
};

struct slot_root_info {
    const char *text;
    bool has_steps, varies;
};
extern const struct slot_root_info slot_root_table[B_SLOT_ROOT_COUNT];

struct b_slot {
    uint32_t root;         /* enum b_slot_root */
    uint32_t first, count; /* in STEPS */
    uint32_t pad;
};

enum b_const_type {
    B_CONST_NULL,
    B_CONST_BOOL,
    B_CONST_NUMBER,
    B_CONST_STRING,
    B_CONST_TYPE_COUNT
};

struct b_const {
    uint32_t type;      /* enum b_const_type */
    uint32_t truth;     /* BOOL: 0 or 1; else 0 */
    struct b_text text; /* NUMBER: canonical literal (see number.h); STRING: bytes */
};

struct b_set {
    uint32_t first; /* in SET_TABLE */
    uint32_t slots; /* a power of two, at least twice the elements: searches are short */
    uint32_t count; /* elements */
    uint32_t types; /* a bit per enum b_const_type that an element has */
};

/* Address ranges. An IPv4 address counts as its IPv4-mapped IPv6 address. */
struct b_nets {
    uint32_t first, count; /* in NET_RANGES */
};

struct b_net {
    uint8_t address[16]; /* zero behind the prefix */
    uint32_t bits;       /* of the prefix, 0 to 128 */
    uint32_t pad;
};

/* A time zone: from an instant on, local time is UTC plus an offset. */
struct b_zone {
    struct b_text name;
    uint32_t first, count; /* in ZONE_STEPS, at least one */
};

struct b_zone_step {
    int64_t from;   /* seconds since 1970; INT64_MIN for a zone's first, then ascending */
    int32_t offset; /* seconds, less than a day either way */
    uint32_t pad;
};

struct b_dfa {
    uint32_t states, class_count;
    uint32_t classes;    /* in DFA_CLASSES, 256 bytes */
    uint32_t next;       /* in DFA_NEXT, states * class_count */
    uint32_t accept;     /* in DFA_ACCEPT, states */
    uint32_t accept_max; /* largest accept id */
};

/* Words to look for in a text, all at once. Node 0 is the root; the others follow by depth. */
struct b_trie {
    uint32_t node, nodes; /* in TRIE_NODES */
    uint32_t roots;       /* in TRIE_ROOTS, 256: the root's child for a byte, or 0 */
    uint32_t forbidden;   /* a byte that the text must not have; B_TRIE_NO_BYTE: none */
};
enum { B_TRIE_NO_BYTE = 256, B_TRIE_NODES_MAX = 65535 };

struct b_trie_node {
    uint32_t child; /* the first of the children, ascending by byte */
    uint32_t fail;  /* the node to go on from when no child fits: less deep */
    uint16_t children;
    uint8_t byte;    /* on the way from the parent; 0 for the root */
    uint8_t accepts; /* 1: a word ends here */
};

/* A pattern as bits: each position consumes one byte of a class, then those may follow that its
 * mask names. For a chained position that is the next position and no other, so a shift does for
 * all of these at once; the rest are looked up one by one. Masks have (positions + 63) / 64 words.
 */
struct b_nfa {
    uint32_t positions; /* 1 to B_NFA_POSITIONS_MAX */
    uint32_t class_count;
    uint32_t classes;     /* in NFA_CLASSES, 256 bytes */
    uint32_t masks;       /* in NFA_MASKS: first, last, chained; then by class; then by position */
    uint32_t unchained;   /* positions that are not chained */
    uint32_t is_nullable; /* 1: the empty text matches */
};
enum { B_NFA_POSITIONS_MAX = 256, B_NFA_WORDS_MAX = B_NFA_POSITIONS_MAX / 64 };

enum b_shape_flag { B_SHAPE_OPEN = 1 }; /* an object may have members that are not listed */

struct b_shape {
    uint32_t flags;
    uint32_t first, count; /* in SHAPE_MEMBERS: what an object may hold */
    uint32_t items;        /* shape of a list's elements; B_NONE: a list has no place here */
};

struct b_member {
    struct b_text key;
    uint32_t shape;
    uint32_t pad;
};

enum section_kind {
#define SECTION(NAME, name, type, doc) SECTION_##NAME,
#include "runtime/bundle/section.def"
#undef SECTION
    SECTION_COUNT
};

enum op {
#define OP(name, kind, operands, doc) OP_##name,
#include "runtime/bundle/opcodes.def"
#undef OP
    OP_COUNT
};

enum op_kind { OP_VALUE, OP_LOOP, OP_TRUTH, OP_BRANCH, OP_END };

enum op_operands {
    OPERANDS_NONE,
    OPERANDS_D,
    OPERANDS_D_SLOT,
    OPERANDS_D_CONST,
    OPERANDS_D_RR,
    OPERANDS_D_R,
    OPERANDS_R,
    OPERANDS_RR,
    OPERANDS_R_SET,
    OPERANDS_R_DFA,
    OPERANDS_R_TRIE,
    OPERANDS_R_NFA,
    OPERANDS_D_R_STEP,
    OPERANDS_D_R_NUMBER,
    OPERANDS_D_R_DOMAIN,
    OPERANDS_D_R_SET,
    OPERANDS_D_ZONE,
    OPERANDS_R_NETS,
    OPERANDS_LOOP,
    OPERANDS_TEST,
    OPERANDS_SKIP,
};

struct op_info {
    const char *name;
    enum op_kind kind;
    enum op_operands operands;
    const char *doc;
};
extern const struct op_info op_table[OP_COUNT];

/* The element size of a section. */
extern const uint32_t section_element_bytes[SECTION_COUNT];
extern const char *const section_names[SECTION_COUNT];

#endif
