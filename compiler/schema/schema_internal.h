/* SPDX-License-Identifier: Apache-2.0 */
/* schema_internal.h - what the parts of the schema reader share; nobody outside includes it. */
#ifndef COMPILER_SCHEMA_SCHEMA_INTERNAL_H
#define COMPILER_SCHEMA_SCHEMA_INTERNAL_H

#include "compiler/schema/schema.h"

struct schema_reader {
    const struct json_doc *doc;
    struct arena *mem;
    uint32_t root; /* of the tool's inputSchema: what "#" names */
    uint32_t active[SCHEMA_DEPTH_MAX + 1], active_count; /* references that are being followed */
    uint32_t nodes, anchors;                             /* spent, of the maxima */
    bool ignores_siblings; /* drafts before 2019-09: $ref stands alone */
    bool is_out_of_memory;
};

/* What can't be read, so any value may occur; and `true`, which says nothing. Beside something that
 * is said, the first opens objects and the second leaves them as they are. */
extern const struct schema schema_anything, schema_true;

/* The arguments of a tool from its inputSchema. Never NULL. */
const struct schema *schema_read_arguments(struct schema_reader *r, uint32_t node);
/* One schema; depth counts up to SCHEMA_DEPTH_MAX. Never NULL. */
const struct schema *schema_read(struct schema_reader *r, uint32_t node, uint32_t depth);

/* A schema to be filled, counted, which says nothing yet; NULL when the budget or the memory is
 * spent. */
struct schema *schema_new(struct schema_reader *r);
/* Sets is_open from what is said and listed. */
void schema_close(struct schema *schema);

/* schema_ref.c: the node that a reference names, or JSON_NONE with false. */
bool schema_resolve(struct schema_reader *r, Str reference, uint32_t *node);

/* schema_merge.c: what both allow, and what either allows (or more, never less). */
const struct schema *schema_both(struct schema_reader *r, const struct schema *a,
                                 const struct schema *b);
const struct schema *schema_either(struct schema_reader *r, const struct schema *a,
                                   const struct schema *b);

static inline bool schema_is(const struct schema_reader *r, uint32_t node, enum json_type type)
{
    return node != JSON_NONE && json_at(r->doc, node)->type == type;
}

static inline uint32_t schema_child(const struct schema_reader *r, uint32_t node, Str key)
{
    return json_member(r->doc, node, key);
}

static inline void *schema_take(struct schema_reader *r, void *memory)
{
    r->is_out_of_memory |= memory == NULL;
    return memory;
}

#endif
