/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.c - a server's tools from a pinned tools/list: names, facts, and their schemas. */
#include "compiler/schema/schema_internal.h"

#include <stdlib.h>

enum {
    SNAPSHOT_DEPTH_MAX = 128,
    SNAPSHOT_NODES_MAX = 4 * 1024 * 1024,
    TOOL_NAME_BYTES_MAX = 256,
    DIGEST_MEMORY_MAX = 256 << 20,
};

struct reader {
    struct json_doc doc;
    struct schema_reader schemas;
    Str path;
    Span span;
    struct arena *mem;
    struct diags *diags;
    bool is_unpinned;
};

static bool is_type(const struct reader *r, uint32_t node, enum json_type type)
{
    return node != JSON_NONE && json_at(&r->doc, node)->type == type;
}

static bool shape_error(struct reader *r, const char *what, uint32_t index)
{
    Str text =
        index == UINT32_MAX ? str_of(what) : arena_printf(r->mem, "tools[%u] %s", index, what);
    diag_add(r->diags, DIAG_SNAPSHOT_SHAPE, r->span, STR_ARG(r->path), STR_ARG(text));
    return false;
}

static bool json_refused(struct reader *r, Str text, enum json_error error, uint32_t at)
{
    uint32_t line = 1, column = 1;
    for (uint32_t i = 0; i < at && i < text.n; i++) {
        column = text.p[i] == '\n' ? 1 : column + (((unsigned char)text.p[i] & 0xC0) != 0x80);
        line += text.p[i] == '\n';
    }
    diag_add(r->diags, DIAG_SNAPSHOT_JSON, r->span, STR_ARG(r->path), line, column,
             json_error_text(error));
    return false;
}

/* Where the list of tools is; JSON_NONE with *is_root when the root is the list itself. */
static uint32_t find_tools(const struct reader *r, bool *is_root)
{
    *is_root = json_at(&r->doc, 0)->type == JSON_ARRAY;
    if (*is_root)
        return 0;
    uint32_t holder = 0, result = json_member(&r->doc, 0, STR("result"));
    if (is_type(r, result, JSON_OBJECT))
        holder = result;
    uint32_t tools = json_member(&r->doc, holder, STR("tools"));
    return is_type(r, tools, JSON_ARRAY) ? tools : JSON_NONE;
}

/* A snapshot of one page would make every tool of the others unknown. */
static bool is_one_page(const struct reader *r)
{
    uint32_t holder = 0, result = json_member(&r->doc, 0, STR("result"));
    if (is_type(r, result, JSON_OBJECT))
        holder = result;
    uint32_t cursor = json_member(&r->doc, holder, STR("nextCursor"));
    return cursor != JSON_NONE && !is_type(r, cursor, JSON_NULL);
}

static enum schema_hint read_hint(const struct reader *r, uint32_t hints, Str key)
{
    uint32_t at = hints == JSON_NONE ? (uint32_t)JSON_NONE : json_member(&r->doc, hints, key);
    if (is_type(r, at, JSON_TRUE))
        return SCHEMA_HINT_TRUE;
    return is_type(r, at, JSON_FALSE) ? SCHEMA_HINT_FALSE : SCHEMA_HINT_ABSENT;
}

/* Sorting takes scratch memory that nobody needs afterwards. Out of it, out of memory. */
static bool digest_tool(struct reader *r, uint32_t node, struct pin *out)
{
    struct arena scratch;
    arena_init(&scratch, DIGEST_MEMORY_MAX);
    bool is_good = pin_digest(&r->doc, node, &scratch, out);
    arena_reset(&scratch);
    r->schemas.is_out_of_memory |= !is_good;
    return is_good;
}

static void read_facts(struct reader *r, uint32_t node, struct pinned_tool *out)
{
    uint32_t hints = json_member(&r->doc, node, STR("annotations"));
    out->node = node;
    out->title = json_member_string(&r->doc, node, STR("title"));
    out->description = json_member_string(&r->doc, node, STR("description"));
    out->has_digest = !r->is_unpinned && digest_tool(r, node, &out->pin);
    out->has_output_schema = json_member(&r->doc, node, STR("outputSchema")) != JSON_NONE;
    if (!is_type(r, hints, JSON_OBJECT))
        return;
    if (!out->title.n)
        out->title = json_member_string(&r->doc, hints, STR("title"));
    out->hints = (struct pinned_hints){
        .read_only = read_hint(r, hints, STR("readOnlyHint")),
        .destructive = read_hint(r, hints, STR("destructiveHint")),
        .idempotent = read_hint(r, hints, STR("idempotentHint")),
        .open_world = read_hint(r, hints, STR("openWorldHint")),
    };
}

/* {"unpinned": true, "tools": [...]}: names and arguments are known, definitions may be any. A list
 * that a server wrote is never taken for one: it would have to come without a single description.
 */
static bool says_unpinned(const struct reader *r)
{
    return is_type(r, json_member(&r->doc, 0, STR("unpinned")), JSON_TRUE);
}

static bool has_names_only(const struct reader *r, uint32_t node)
{
    uint32_t known = json_member(&r->doc, node, STR("inputSchema")) != JSON_NONE ? 2 : 1;
    return json_at(&r->doc, node)->count == known;
}

static bool read_tool(struct reader *r, uint32_t node, uint32_t index, struct pinned_tool *out)
{
    if (!is_type(r, node, JSON_OBJECT))
        return shape_error(r, "is no object", index);
    out->name = json_member_string(&r->doc, node, STR("name"));
    if (!out->name.n || out->name.n > TOOL_NAME_BYTES_MAX || memchr(out->name.p, 0, out->name.n))
        return shape_error(r, "has no name of 1 to 256 bytes", index);
    if (r->is_unpinned && !has_names_only(r, node))
        return shape_error(r, "has more than name and inputSchema, in a list that is unpinned",
                           index);
    read_facts(r, node, out);
    uint32_t schema = json_member(&r->doc, node, STR("inputSchema"));
    if (schema == JSON_NONE) {
        out->arguments = &schema_anything;
        return true;
    }
    if (!is_type(r, schema, JSON_OBJECT))
        return shape_error(r, "has an inputSchema that is no object", index);
    out->arguments = schema_read_arguments(&r->schemas, schema);
    return true;
}

static int compare_tools(const void *left, const void *right)
{
    const struct pinned_tool *a = left, *b = right;
    return str_cmp(a->name, b->name);
}

static bool sort_tools(struct reader *r, struct snapshot *out)
{
    bool is_good = true;
    if (out->tool_count > 1)
        qsort(out->tools, out->tool_count, sizeof *out->tools, compare_tools);
    for (uint32_t i = 1; i < out->tool_count; i++) {
        if (!str_eq(out->tools[i - 1].name, out->tools[i].name))
            continue;
        diag_add(r->diags, DIAG_DUPLICATE_TOOL, r->span, STR_ARG(r->path),
                 STR_ARG(out->tools[i].name));
        is_good = false;
    }
    return is_good;
}

static bool read_tools(struct reader *r, struct snapshot *out)
{
    bool is_root = false, is_good = true;
    uint32_t list = find_tools(r, &is_root), index = 0;
    if (!is_root && list == JSON_NONE)
        return shape_error(r, "holds no list of tools", UINT32_MAX);
    if (!is_root && is_one_page(r))
        return shape_error(r, "is one page of several (it has a nextCursor)", UINT32_MAX);
    r->is_unpinned = says_unpinned(r);
    uint32_t count = json_at(&r->doc, list)->count;
    if (count > SCHEMA_TOOLS_MAX)
        return shape_error(r, "holds too many tools", UINT32_MAX);
    struct pinned_tool *tools =
        schema_take(&r->schemas, ARENA_NEW(r->mem, struct pinned_tool, count));
    if (!tools)
        return false;
    for (uint32_t i = json_first(&r->doc, list); i != JSON_NONE; i = json_after(&r->doc, list, i)) {
        is_good &= read_tool(r, i, index, &tools[index]);
        index++;
    }
    *out = (struct snapshot){ .tools = tools, .tool_count = count, .doc = r->doc };
    return is_good && sort_tools(r, out);
}

bool snapshot_parse(Str text, Str path, Span span, struct arena *mem, struct diags *diags,
                    struct snapshot *out)
{
    static const struct json_limits limits = {
        .max_bytes = SOURCE_BYTES_MAX,
        .max_depth = SNAPSHOT_DEPTH_MAX,
        .max_nodes = SNAPSHOT_NODES_MAX,
        .max_members = SCHEMA_TOOLS_MAX,
        .allow_nul = true,
    };
    struct reader r = { .path = path, .span = span, .mem = mem, .diags = diags };
    uint32_t at = 0;
    enum json_error error = json_parse(text, &limits, mem, &r.doc, &at);
    if (error != JSON_ERR_NONE)
        return json_refused(&r, text, error, at);
    r.schemas = (struct schema_reader){ .doc = &r.doc, .mem = mem };
    bool is_good = read_tools(&r, out);
    if (!r.schemas.is_out_of_memory)
        return is_good;
    diag_add(diags, DIAG_NO_MEMORY, span);
    return false;
}

const struct pinned_tool *snapshot_tool(const struct snapshot *snapshot, Str name)
{
    struct pinned_tool probe = { .name = name };
    return snapshot->tool_count ? bsearch(&probe, snapshot->tools, snapshot->tool_count,
                                          sizeof *snapshot->tools, compare_tools)
                                : NULL;
}
