/* SPDX-License-Identifier: Apache-2.0 */
/* same_json.h - whether two values are the same to a reader: numbers by exact value, members in any
 * order. */
#ifndef COMPILER_COMMAND_SAME_JSON_H
#define COMPILER_COMMAND_SAME_JSON_H

#include "runtime/json/json.h"

bool same_json(const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y);

/* Is `got` what `sent` becomes when the members of `set` take the place of its own? Each is an
 * object at index; sent may be NULL: an object without members. */
bool same_with(const struct json_doc *got, const struct json_doc *sent, uint32_t at,
               const struct json_doc *set);

#endif
