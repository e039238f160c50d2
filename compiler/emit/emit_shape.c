/* SPDX-License-Identifier: Apache-2.0 */
/* emit_shape.c - the keys that a pinned schema knows, at every depth: the closed world of a pin.
 * Types and required members are the server's to check; what it has never heard of is ours. */
#include "compiler/emit/emit_internal.h"

/* Equal shapes are one; a shape's children exist before it, so indexes only point down. */
static uint32_t shape_index(struct emitter *e, struct b_shape *shape,
                            const struct b_member *members)
{
    struct buf key;
    buf_init(&key, BUNDLE_BYTES_MAX);
    struct b_shape head = *shape;
    head.first = 0;
    buf_add(&key, (Str){ .p = (const char *)&head, .n = sizeof head });
    buf_add(&key, (Str){ .p = (const char *)members, .n = shape->count * sizeof *members });
    e->bundle.is_full |= key.is_full;
    uint32_t index = 0;
    const uint32_t *known = key.is_full ? NULL : intern_get(&e->bundle.shapes, buf_str(&key));
    if (known) {
        index = *known;
    } else if (!key.is_full) {
        shape->first = bundle_count(&e->bundle, SECTION_SHAPE_MEMBERS);
        for (uint32_t i = 0; i < shape->count; i++)
            (void)bundle_add(&e->bundle, SECTION_SHAPE_MEMBERS, &members[i]);
        index = bundle_add(&e->bundle, SECTION_SHAPES, shape);
        e->bundle.is_full |= !intern_put(&e->bundle.shapes, buf_str(&key), index);
    }
    buf_free(&key);
    return index;
}

uint32_t emit_shape(struct emitter *e, const struct schema *schema, uint32_t depth)
{
    if (!schema || depth > SCHEMA_DEPTH_MAX)
        return 0;
    bool is_object = (schema->types & SCHEMA_OBJECT) != 0;
    bool is_list = (schema->types & SCHEMA_ARRAY) != 0;
    struct b_shape shape = { .flags = is_object && schema->is_open ? (uint32_t)B_SHAPE_OPEN : 0,
                             .count = is_object ? schema->member_count : 0 };
    struct b_member *members = ARENA_NEW(e->mem, struct b_member, shape.count);
    if (!members) {
        e->bundle.is_full = true;
        return 0;
    }
    shape.items = is_list ? emit_shape(e, schema->items, depth + 1) : B_NONE;
    for (uint32_t i = 0; i < shape.count; i++) {
        members[i].key = bundle_text(&e->bundle, schema->members[i].key);
        members[i].shape = emit_shape(e, schema->members[i].schema, depth + 1);
    }
    bool accepts_all = (shape.flags & B_SHAPE_OPEN) && shape.items == 0;
    for (uint32_t i = 0; i < shape.count; i++)
        accepts_all &= members[i].shape == 0;
    return accepts_all ? 0 : shape_index(e, &shape, members);
}
