/* SPDX-License-Identifier: Apache-2.0 */
/* challenge.h - the challenges of a WWW-Authenticate field (RFC 9110, section 11.6.1).
 *
 * One field value may hold several challenges, and commas separate both them and their
 * parameters. A value that does not parse to its very end says nothing at all: half of a challenge
 * could be someone's way of hiding the other half. Slices borrow the value, or lie in the arena
 * where a quoted string had escapes.
 */
#ifndef RUNTIME_WIRE_CHALLENGE_H
#define RUNTIME_WIRE_CHALLENGE_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"
#include "runtime/base/str.h"

enum {
    CHALLENGES_MAX = 8,        /* in one field */
    CHALLENGE_PARAMS_MAX = 16, /* of one challenge */
    CHALLENGE_BYTES_MAX = 8192 /* of one field's value */
};

struct challenge_param {
    Str name, value; /* value without quotes and escapes, never with a control byte */
};

struct challenge {
    Str scheme;  /* as sent; compare with str_eq_nocase */
    Str token68; /* instead of parameters; empty: none */
    struct challenge_param params[CHALLENGE_PARAMS_MAX];
    size_t param_count;
};

struct challenge_list {
    struct challenge items[CHALLENGES_MAX];
    size_t count;
};

/* Reads a field's value. ST_INVALID: not the grammar, or a parameter twice in one challenge;
 * ST_LIMIT: more than one of the limits above, or the arena's. */
MUST_USE enum status challenges_read(Str value, struct arena *mem, struct challenge_list *out);

/* The parameter's value, its name in any case; {NULL, 0} when absent. */
Str challenge_param(const struct challenge *challenge, Str name);

#endif
