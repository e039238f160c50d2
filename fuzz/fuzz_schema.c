/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_schema.c - a server's tools as a hostile server might list them.
 *
 * Whatever is accepted keeps the promises of schema.h (types, sorted members, bounded depth), can
 * be laid out, and its layout read again has the same digests, so that nothing differs from it. */
#include "compiler/command/pin_write.h"
#include "fuzz/target.h"

#include <stdlib.h>

enum { ARENA_BYTES = 512 << 20, TEXT_BYTES = 64 << 20, WALK_MAX = 100000 };

static void check_schema(const struct schema *schema, uint32_t depth, uint32_t *left)
{
    ENSURE(schema && schema->types != 0 && schema->types <= SCHEMA_ANY);
    ENSURE(depth <= SCHEMA_DEPTH_MAX * 2 + 2);
    if (*left == 0)
        return;
    --*left;
    for (uint32_t i = 0; i < schema->member_count; i++) {
        if (i)
            ENSURE(str_cmp(schema->members[i - 1].key, schema->members[i].key) < 0);
        check_schema(schema->members[i].schema, depth + 1, left);
    }
    if (schema->items)
        check_schema(schema->items, depth + 1, left);
    for (uint32_t i = 0; i < schema->prefix_count; i++)
        check_schema(schema->prefix[i], depth + 1, left);
    for (uint32_t i = 0; i < schema->enum_count; i++)
        ENSURE(utf8_is_valid(schema->enum_strings[i]));
}

static bool read_text(Str text, struct arena *mem, struct diags *diags, struct snapshot *out)
{
    Span nowhere = { .source = 0, .lo = 0, .hi = 0 };
    diags_init(diags, mem);
    return snapshot_parse(text, STR("t"), nowhere, mem, diags, out);
}

static void check_snapshot(const struct snapshot *snapshot, struct arena *mem, struct diags *diags)
{
    struct snapshot again;
    struct buf text, words;
    uint32_t left = WALK_MAX;
    buf_init(&text, TEXT_BYTES);
    buf_init(&words, TEXT_BYTES);
    for (uint32_t i = 0; i < snapshot->tool_count; i++) {
        check_schema(snapshot->tools[i].arguments, 0, &left);
        ENSURE(snapshot_tool(snapshot, snapshot->tools[i].name) == &snapshot->tools[i]);
    }
    ENSURE(pin_write(snapshot, mem, &text));
    if (text.n <= SOURCE_BYTES_MAX) {
        ENSURE(read_text(buf_str(&text), mem, diags, &again));
        ENSURE(pin_describe(snapshot, &again, mem, &words) == 0 && words.n == 0);
    }
    buf_free(&words);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct diags diags;
    struct arena mem;
    struct snapshot snapshot;
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    arena_init(&mem, ARENA_BYTES);
    if (read_text((Str){ .p = block, .n = size }, &mem, &diags, &snapshot))
        check_snapshot(&snapshot, &mem, &diags);
    arena_reset(&mem);
    free(block);
    return 0;
}
