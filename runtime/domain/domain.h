/* SPDX-License-Identifier: Apache-2.0 */
/* domain.h - what a string means where it will be used: a path, a URL, SQL, a command line.
 *
 * domain_read reads text by the written rules of docs/domains.md and builds a document of what it
 * found, which a policy then judges like arguments: `url(args.url).host`. What can be read in two
 * ways, or not for certain, is refused: false, and the condition is unknown. The document's shape
 * is the schema in domain.def; the compiler types `url(x).hots` by it.
 *
 * Pure, total, deterministic: no allocation but from mem, no recursion without a bound, work at
 * most `touches` per byte of text, results at most `growth` times its bytes plus
 * DOMAIN_RESULT_FIXED. The verifier counts with these. Slices in the document point into text or
 * mem. mem running out is false too.
 */
#ifndef RUNTIME_DOMAIN_DOMAIN_H
#define RUNTIME_DOMAIN_DOMAIN_H

#include "runtime/json/json.h"

enum domain {
#define DOMAIN(NAME, word, touches, growth, doc, schema) DOMAIN_##NAME,
#include "runtime/domain/domain.def"
#undef DOMAIN
    DOMAIN_COUNT
};

enum {
    DOMAIN_TEXT_MAX = 256 * 1024, /* bytes of a text; longer is refused */
    DOMAIN_RESULT_FIXED = 64,     /* bytes of names and small values in a result */
};

struct domain_info {
    const char *word;   /* as policies write it */
    const char *schema; /* JSON Schema of the result */
    uint32_t touches;   /* steps per byte of the text, at most */
    uint32_t growth;    /* result bytes per byte of the text, at most */
};
extern const struct domain_info domain_table[DOMAIN_COUNT];

MUST_USE bool domain_read(enum domain domain, Str text, struct arena *mem, struct json_doc *out);

#endif
