/* SPDX-License-Identifier: Apache-2.0 */
/* domain_rows.h - domain functions by tables. A row is a text, a member of the result and what it
 * says: strings as they are, [a b] for lists, {key=value key=value} for objects, and "?" for a text
 * that is refused. */
#ifndef TESTS_UNIT_DOMAIN_ROWS_H
#define TESTS_UNIT_DOMAIN_ROWS_H

#include "runtime/domain/domain.h"
#include "tests/unit/check.h"

struct domain_row {
    const char *text, *member, *want;
};

void domain_row_check(bool is_certain, const struct json_doc *doc, const struct domain_row *row);

/* Reads the text of each row; mem is emptied behind it. */
void domain_rows_check(struct arena *mem, enum domain domain, const struct domain_row *rows,
                       size_t count);

/* Each of the texts is refused. */
void domain_refused_check(struct arena *mem, enum domain domain, const Str *texts, size_t count);

/* Bytes of all keys and values of a result, and the most that domain.h allows for a text. */
size_t domain_result_size(const struct json_doc *doc);
size_t domain_result_limit(enum domain domain, Str text);

/* Numbers and texts that a seed (not 0) decides: up to twelve of the pieces; the bytes written. */
uint32_t domain_random(uint32_t *seed);
size_t domain_random_text(uint32_t *seed, const Str *pieces, size_t count, char *text, size_t room);

#endif
