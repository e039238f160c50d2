/* SPDX-License-Identifier: Apache-2.0 */
/* definitions.h - the tools of one list of a server by name, with the digests of their definitions,
 * and how a tool stands against what the policy was compiled for.
 *
 * Belongs to nobody's policy: pins are asked of it. Bounded by the limit on a list's length and by
 * DEFINITIONS_MEMORY_MAX.
 */
#ifndef RUNTIME_GATEWAY_DEFINITIONS_H
#define RUNTIME_GATEWAY_DEFINITIONS_H

#include "runtime/bundle/format.h"
#include "runtime/pin/pin.h"

enum { DEFINITIONS_MEMORY_MAX = 64 << 20, TOOL_NAME_MAX = 128 };

/* 1-128 of [A-Za-z0-9_.-]: other names are neither shown nor callable, for they look alike. */
bool tool_name_is_plain(Str name);

enum standing_kind {
    STANDING_UNCHECKED, /* the server's list can't be had: not callable */
    STANDING_WAIT,      /* it is not known yet: not callable until it is */
    STANDING_UNLISTED,  /* the list does not have the tool: not callable */
    STANDING_CHANGED,   /* the definition is another than the accepted one: not callable */
    STANDING_FREE,      /* the policy holds no definition: any will do */
    STANDING_ACCEPTED,
};

struct standing {
    enum standing_kind kind;
    const char *why;        /* UNCHECKED: static text */
    uint32_t changed;       /* CHANGED: a bit per part (pin.h) that differs */
    const struct pin *live; /* CHANGED: what it is now; lent */
};

struct definition {
    Str name;
    struct pin pin;
    bool has_pin;      /* else it could not be made: the tool stands as changed */
    bool is_ambiguous; /* listed again with another definition */
    bool is_repeated;
};

struct definitions;

struct definitions *definitions_new(void); /* NULL: no memory */
void definitions_free(struct definitions *definitions);

/* Adds the tool at `tool`, an object with that plain name, and its digest if wanted. One that is
 * there already is marked instead, so nothing is lost by the order of a list. NULL: no memory. */
MUST_USE struct definition *definitions_add(struct definitions *definitions,
                                            const struct json_doc *doc, uint32_t tool, Str name,
                                            bool with_pin);

/* The tool of that name, or NULL. */
const struct definition *definitions_find(const struct definitions *definitions, Str name);

/* In the order of the list: *at is 0 at first. NULL at the end. */
const struct definition *definitions_next(const struct definitions *definitions, uint32_t *at);

/* pin: as the policy has it, not NULL. */
struct standing definition_standing(const struct definition *definition, const struct b_pin *pin);

#endif
