/* SPDX-License-Identifier: Apache-2.0 */
/* pin.h - the digest of a tool's definition: what a pin remembers and a live server is held to.
 *
 * SHA-256 over the canonical JSON of an object with the tool's members `annotations`,
 * `description`, `inputSchema`, `name`, `outputSchema` and `title`, those it has. Other members
 * (icons, `_meta`, execution hints) may change without notice. Canonical as in RFC 8785: no white
 * space, members sorted, strings with the fewest escapes; but members are sorted by their UTF-8
 * bytes, and a number is written by its exact decimal value (PIN's own form: "-12e-1"), so
 * that 1.0, 1 and 10e-1 are alike and no digit is lost. The order of a list counts, except that of
 * `required` and of a list of types, which are sets.
 *
 * Beside the digest, which alone decides, stands a short hash of each member, so that who is told
 * of a change can be told where it is.
 *
 * Both mcpc (which writes digests into a bundle) and mcpd (which compares) call this.
 */
#ifndef RUNTIME_PIN_PIN_H
#define RUNTIME_PIN_PIN_H

#include "runtime/json/json.h"

enum {
    PIN_BYTES = 32,
    PIN_TEXT_BYTES = 64, /* as hex */
    PIN_DEPTH_MAX = 256, /* containers in a definition; deeper has no digest */
    PIN_PARTS = 6,       /* members that count */
};

/* The members that count, in order. */
extern const char *const pin_part_names[PIN_PARTS];

struct pin {
    unsigned char digest[PIN_BYTES];
    uint32_t parts[PIN_PARTS]; /* a hash of each member's canonical JSON; 0: it has none */
};

/* The digest of the tool at `tool`, an object. Needs scratch memory, which it takes from mem and
 * does not give back. False: too deep, or no memory. */
MUST_USE bool pin_digest(const struct json_doc *doc, uint32_t tool, struct arena *mem,
                         struct pin *out);

/* The canonical JSON of the value at `index`, appended to out: what is hashed, and what tells
 * whether two values are the same. False: too deep, no memory, or out is full. */
MUST_USE bool pin_write_canonical(const struct json_doc *doc, uint32_t index, struct arena *mem,
                                  struct buf *out);

/* The members of the object at `index` in canonical order; *count of them. NULL without memory. */
uint32_t *pin_sorted_members(const struct json_doc *doc, uint32_t index, struct arena *mem,
                             uint32_t *count);

#endif
