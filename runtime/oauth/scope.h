/* SPDX-License-Identifier: Apache-2.0 */
/* scope.h - sets of scopes (RFC 6749, section 3.3) and which of them to ask for.
 *
 * A set keeps the order in which its members came; nothing is implied between scopes, since only
 * the authorization server knows which one contains which. Members borrow their bytes.
 */
#ifndef RUNTIME_OAUTH_SCOPE_H
#define RUNTIME_OAUTH_SCOPE_H

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

enum {
    SCOPES_MAX = 64,      /* members of a set */
    SCOPE_BYTES_MAX = 256 /* bytes of one */
};

struct scope_set {
    Str items[SCOPES_MAX];
    size_t count;
};

/* Adds one; a second time changes nothing. False: no scope-token, or the set is full. */
MUST_USE bool scope_add(struct scope_set *set, Str scope);

/* Adds those of a list between separators (the protocol's is a space; some providers answer with
 * commas). Empty parts count for nothing. On false the set may hold some of them. */
MUST_USE bool scope_add_list(struct scope_set *set, Str list, char separator);

MUST_USE bool scope_union(struct scope_set *set, const struct scope_set *other);

bool scope_has(const struct scope_set *set, Str scope);
bool scope_covers(const struct scope_set *set, const struct scope_set *wanted);

/* The members with the separator between. */
void scope_write(struct buf *out, const struct scope_set *set, char separator);

/* What is known when a login begins. NULL: nothing was said. */
struct scope_facts {
    const struct scope_set *configured; /* by the operator: overrides the rest */
    const struct scope_set *challenged; /* the server's challenge */
    const struct scope_set *resource;   /* scopes_supported of the resource's metadata */
    const struct scope_set *issuer;     /* scopes_supported of the authorization server's */
    const struct scope_set *held;       /* of the token that did not suffice: kept, in a step-up */
};

/* Configured, else challenged, else the resource's, else none (the server's default); with what was
 * held already; with offline_access when the authorization server lists it and anything is asked
 * for at all. False: more than SCOPES_MAX. */
MUST_USE bool scope_choose(const struct scope_facts *facts, struct scope_set *out);

#endif
