/* SPDX-License-Identifier: Apache-2.0 */
/* classes.h - what the tools of a server do: effect, flags, roles of arguments.
 *
 * Read from a class file: {"tools": {"NAME": {"effect": "write", "flags": ["egress"],
 * "roles": {"path": ["/path", "/files/N/path"]} (N: "*"), "variant": {"argument": "/method",
 * "values": {"get": "read"}, "otherwise": "admin"}}}}. A pointer is RFC 6901's with "*" for every
 * element of a list. "source", "confidence", "digest" and "why" say where a class comes from and
 * are kept for people. Unknown keys, words and pointers are errors.
 */
#ifndef COMPILER_SCHEMA_CLASSES_H
#define COMPILER_SCHEMA_CLASSES_H

#include "compiler/source/diag.h"
#include "runtime/json/json.h"

enum tool_effect {
#define EFFECT(NAME, word, doc) TOOL_##NAME,
#include "compiler/schema/effect.def"
#undef EFFECT
    TOOL_EFFECT_COUNT
};

enum tool_flag {
#define FLAG(NAME, word, doc) FLAG_##NAME,
#include "compiler/schema/flag.def"
#undef FLAG
    FLAG_COUNT
};

enum argument_role {
#define ROLE(NAME, word) ROLE_##NAME,
#include "compiler/schema/role.def"
#undef ROLE
    ROLE_COUNT
};

enum { POINTER_STEPS_MAX = 16 };

struct pointer {
    Str steps[POINTER_STEPS_MAX]; /* "*": every element */
    uint32_t count;
};

struct role_argument {
    enum argument_role role;
    struct pointer pointer;
    struct role_argument *next;
};

struct variant_value {
    Str value;
    enum tool_effect effect;
    struct variant_value *next;
};

struct tool_class {
    Str name;
    enum tool_effect effect; /* of a variant: of the values not listed */
    uint32_t flags;          /* a bit per enum tool_flag */
    struct role_argument *roles;
    struct pointer variant; /* the argument that picks the effect; count 0: none */
    struct variant_value *values;
};

struct class_table {
    struct tool_class *classes; /* sorted by name */
    uint32_t count;
};

/* False when there were errors; they are added at span, with the place in the message. */
bool classes_parse(Str text, Str path, Span span, struct arena *mem, struct diags *diags,
                   struct class_table *out);
/* NULL: the tool has no class. */
const struct tool_class *class_find(const struct class_table *table, Str name);

/* The number of a word; the COUNT of its list when it is none. */
enum tool_effect effect_of_word(Str word);
enum tool_flag flag_of_word(Str word);
enum argument_role role_of_word(Str word);
/* All words of a list, for suggestions. */
extern const Str effect_words[TOOL_EFFECT_COUNT], flag_words[FLAG_COUNT], role_words[ROLE_COUNT];

#endif
