/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - the parts of a path between its slashes, as path() and url() share them. Private to
 * runtime/domain. */
#ifndef RUNTIME_DOMAIN_PARTS_H
#define RUNTIME_DOMAIN_PARTS_H

#include "runtime/json/json_build.h"

enum { PARTS_MAX = 256 };

struct parts {
    Str items[PARTS_MAX]; /* never empty, "." or ".." */
    size_t count;
};

/* Takes the part in: nothing for "" and ".", one part away for "..". False for ".." above the
 * start and for more than PARTS_MAX. */
MUST_USE bool parts_add(struct parts *parts, Str part);

/* before, the parts with slashes between, behind; {NULL, 0} without memory. */
Str parts_join(const struct parts *parts, Str before, Str behind, struct arena *mem);

/* The member parts. */
void parts_build(const struct parts *parts, struct json_build *build);

#endif
