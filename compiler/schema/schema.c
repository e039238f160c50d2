/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - from a tools/list snapshot to what the checker can say about arguments.
 *
 * Two mistakes are possible when a schema says more than is read here: to refuse a call that the
 * server takes, or to let an unknown argument pass. An object that lists its properties is closed
 * unless it says otherwise (additionalProperties, or a combinator that may add members); a value
 * whose schema is not understood is of any type.
 */
#include "compiler/schema/schema.h"

#include <stdlib.h>

enum {
    SNAPSHOT_DEPTH_MAX = 128,
    SNAPSHOT_NODES_MAX = 4 * 1024 * 1024,
    TOOL_NAME_BYTES_MAX = 256,
};

struct reader {
    struct json_doc doc;
    Str path;
    Span span;
    struct arena *mem;
    struct diags *diags;
    bool is_out_of_memory;
};

static const struct schema anything = { .types = SCHEMA_ANY, .is_open = true };

static const struct {
    Str word;
    uint32_t types;
} type_words[] = {
    // clang-format off
    { STR_INIT("null"), SCHEMA_NULL },
    { STR_INIT("boolean"), SCHEMA_BOOL },
    { STR_INIT("integer"), SCHEMA_INTEGER },
    { STR_INIT("number"), SCHEMA_NUMBER | SCHEMA_INTEGER },
    { STR_INIT("string"), SCHEMA_STRING },
    { STR_INIT("array"), SCHEMA_ARRAY },
    { STR_INIT("object"), SCHEMA_OBJECT },
    // clang-format on
};

static const struct schema *read_schema(struct reader *r, uint32_t node, uint32_t depth);

static void *take(struct reader *r, void *memory)
{
    r->is_out_of_memory |= memory == NULL;
    return memory;
}

static bool is_type(const struct reader *r, uint32_t node, enum json_type type)
{
    return node != JSON_NONE && json_at(&r->doc, node)->type == type;
}

static uint32_t types_of_word(Str word)
{
    for (size_t i = 0; i < COUNT(type_words); i++)
        if (str_eq(type_words[i].word, word))
            return type_words[i].types;
    return SCHEMA_ANY;
}

static uint32_t types_of_value(const struct json_node *value)
{
    static const uint32_t types[] = {
        [JSON_NULL] = SCHEMA_NULL,     [JSON_FALSE] = SCHEMA_BOOL,
        [JSON_TRUE] = SCHEMA_BOOL,     [JSON_NUMBER] = SCHEMA_NUMBER | SCHEMA_INTEGER,
        [JSON_STRING] = SCHEMA_STRING, [JSON_ARRAY] = SCHEMA_ARRAY,
        [JSON_OBJECT] = SCHEMA_OBJECT,
    };
    return types[value->type];
}

/* "type": a word or a list of words; 0 when absent. */
static uint32_t read_types(const struct reader *r, uint32_t node)
{
    uint32_t type = json_member(&r->doc, node, STR("type")), types = 0;
    if (type == JSON_NONE)
        return 0;
    if (is_type(r, type, JSON_STRING))
        return types_of_word(json_text(json_at(&r->doc, type)));
    if (!is_type(r, type, JSON_ARRAY))
        return SCHEMA_ANY;
    for (uint32_t i = json_first(&r->doc, type); i != JSON_NONE; i = json_after(&r->doc, type, i)) {
        bool is_word = is_type(r, i, JSON_STRING);
        types |= is_word ? types_of_word(json_text(json_at(&r->doc, i))) : (uint32_t)SCHEMA_ANY;
    }
    return types;
}

/* enum or const: the strings when all are strings, and the types that occur. */
static void read_enum(struct reader *r, uint32_t node, struct schema *out)
{
    uint32_t only = json_member(&r->doc, node, STR("const"));
    uint32_t list = json_member(&r->doc, node, STR("enum"));
    uint32_t count = only != JSON_NONE ? 1 : 0, types = 0, n = 0;
    if (!count && is_type(r, list, JSON_ARRAY))
        count = json_at(&r->doc, list)->count;
    if (!count)
        return;
    Str *strings = take(r, ARENA_NEW(r->mem, Str, count));
    uint32_t at = only != JSON_NONE ? only : json_first(&r->doc, list);
    for (; strings && n < count; n++) {
        types |= types_of_value(json_at(&r->doc, at));
        strings[n] = json_text(json_at(&r->doc, at));
        at = n + 1 < count ? json_after(&r->doc, list, at) : at;
    }
    out->types = out->types ? out->types & types : types;
    if (types == SCHEMA_STRING) {
        out->enum_strings = strings;
        out->enum_count = n;
    }
}

static int compare_members(const void *left, const void *right)
{
    const struct schema_member *a = left, *b = right;
    return str_cmp(a->key, b->key);
}

static struct schema_member *find_member(struct schema_member *members, uint32_t count, Str key)
{
    struct schema_member probe = { .key = key };
    return count ? bsearch(&probe, members, count, sizeof *members, compare_members) : NULL;
}

/* "required" may name what "properties" does not: that exists too, of any type. */
static void read_required(struct reader *r, uint32_t node, struct schema *out, uint32_t room)
{
    uint32_t list = json_member(&r->doc, node, STR("required")), known = out->member_count;
    if (!is_type(r, list, JSON_ARRAY))
        return;
    for (uint32_t i = json_first(&r->doc, list); i != JSON_NONE; i = json_after(&r->doc, list, i)) {
        if (!is_type(r, i, JSON_STRING))
            continue;
        Str key = json_text(json_at(&r->doc, i));
        struct schema_member *member = find_member(out->members, known, key);
        if (member)
            member->is_required = true;
        else if (out->member_count < room)
            out->members[out->member_count++] =
                (struct schema_member){ .key = key, .schema = &anything, .is_required = true };
    }
    if (out->member_count == known)
        return;
    qsort(out->members, out->member_count, sizeof *out->members, compare_members);
    uint32_t kept = 1; /* "required" may repeat itself */
    for (uint32_t i = 1; i < out->member_count; i++)
        if (!str_eq(out->members[i].key, out->members[kept - 1].key))
            out->members[kept++] = out->members[i];
    out->member_count = kept;
}

static uint32_t array_count(const struct reader *r, uint32_t node)
{
    return is_type(r, node, JSON_ARRAY) ? json_at(&r->doc, node)->count : 0;
}

static void read_members(struct reader *r, uint32_t node, uint32_t depth, struct schema *out)
{
    uint32_t properties = json_member(&r->doc, node, STR("properties"));
    uint32_t count = is_type(r, properties, JSON_OBJECT) ? json_at(&r->doc, properties)->count : 0;
    uint32_t room = count + array_count(r, json_member(&r->doc, node, STR("required")));
    out->members = take(r, ARENA_NEW(r->mem, struct schema_member, room));
    if (!out->members || !room)
        return;
    uint32_t i = count ? json_first(&r->doc, properties) : JSON_NONE;
    for (; i != JSON_NONE; i = json_after(&r->doc, properties, i))
        out->members[out->member_count++] =
            (struct schema_member){ .key = json_key(json_at(&r->doc, i)),
                                    .schema = read_schema(r, i, depth + 1) };
    if (count)
        qsort(out->members, count, sizeof *out->members, compare_members);
    read_required(r, node, out, room);
}

/* A branch of a combinator that only demands (required, minProperties) adds no member. */
static bool adds_members(const struct reader *r, uint32_t branch)
{
    static const Str adders[] = {
        // clang-format off
        STR_INIT("properties"), STR_INIT("patternProperties"), STR_INIT("additionalProperties"),
        STR_INIT("$ref"), STR_INIT("$dynamicRef"), STR_INIT("allOf"), STR_INIT("anyOf"),
        STR_INIT("oneOf"), STR_INIT("if"), STR_INIT("then"), STR_INIT("else"),
        STR_INIT("dependentSchemas"),
        // clang-format on
    };
    if (!is_type(r, branch, JSON_OBJECT))
        return true;
    for (size_t i = 0; i < COUNT(adders); i++)
        if (json_member(&r->doc, branch, adders[i]) != JSON_NONE)
            return true;
    return false;
}

static bool has_adding_combinator(const struct reader *r, uint32_t node)
{
    static const Str lists[] = { STR_INIT("allOf"), STR_INIT("anyOf"), STR_INIT("oneOf") };
    static const Str others[] = { STR_INIT("then"), STR_INIT("else"), STR_INIT("dependentSchemas"),
                                  STR_INIT("dependencies"), STR_INIT("patternProperties") };
    for (size_t i = 0; i < COUNT(others); i++)
        if (json_member(&r->doc, node, others[i]) != JSON_NONE)
            return true;
    for (size_t i = 0; i < COUNT(lists); i++) {
        uint32_t list = json_member(&r->doc, node, lists[i]);
        if (list == JSON_NONE)
            continue;
        if (!is_type(r, list, JSON_ARRAY))
            return true;
        for (uint32_t k = json_first(&r->doc, list); k != JSON_NONE;
             k = json_after(&r->doc, list, k))
            if (adds_members(r, k))
                return true;
    }
    return false;
}

static bool is_open_object(const struct reader *r, uint32_t node, uint32_t depth)
{
    uint32_t more = json_member(&r->doc, node, STR("additionalProperties"));
    if (more != JSON_NONE)
        return !is_type(r, more, JSON_FALSE);
    if (has_adding_combinator(r, node))
        return true;
    /* A nested object that lists nothing is a free map; a tool that lists nothing takes nothing. */
    return depth > 0 && json_member(&r->doc, node, STR("properties")) == JSON_NONE;
}

/* anyOf or oneOf of a value without a type of its own: the types of all branches together, and the
 * one branch that is not null in full, which is how optional values are written. */
static const struct schema *read_union(struct reader *r, uint32_t node, uint32_t depth)
{
    uint32_t list = json_member(&r->doc, node, STR("anyOf"));
    if (list == JSON_NONE)
        list = json_member(&r->doc, node, STR("oneOf"));
    if (!is_type(r, list, JSON_ARRAY) || !array_count(r, list))
        return &anything;
    uint32_t types = 0, others = 0;
    struct schema *out = take(r, ARENA_NEW(r->mem, struct schema, 1));
    if (!out)
        return &anything;
    for (uint32_t i = json_first(&r->doc, list); i != JSON_NONE; i = json_after(&r->doc, list, i)) {
        const struct schema *branch = read_schema(r, i, depth + 1);
        types |= branch->types;
        if (branch->types == SCHEMA_NULL)
            continue;
        *out = others++ ? anything : *branch;
    }
    out->types = types;
    return out;
}

static const struct schema *read_schema(struct reader *r, uint32_t node, uint32_t depth)
{
    if (depth > SCHEMA_DEPTH_MAX || !is_type(r, node, JSON_OBJECT))
        return &anything;
    if (json_member(&r->doc, node, STR("$ref")) != JSON_NONE ||
        json_member(&r->doc, node, STR("$dynamicRef")) != JSON_NONE)
        return &anything;
    uint32_t types = read_types(r, node);
    bool has_members = json_member(&r->doc, node, STR("properties")) != JSON_NONE;
    if (!types && !has_members &&
        (json_member(&r->doc, node, STR("anyOf")) != JSON_NONE ||
         json_member(&r->doc, node, STR("oneOf")) != JSON_NONE))
        return read_union(r, node, depth);
    struct schema *out = take(r, ARENA_NEW(r->mem, struct schema, 1));
    if (!out)
        return &anything;
    out->types = types;
    read_enum(r, node, out);
    if (!out->types)
        out->types = SCHEMA_ANY;
    out->is_open = is_open_object(r, node, depth);
    read_members(r, node, depth, out);
    uint32_t items = json_member(&r->doc, node, STR("items"));
    if (is_type(r, items, JSON_OBJECT) &&
        json_member(&r->doc, node, STR("prefixItems")) == JSON_NONE)
        out->items = read_schema(r, items, depth + 1);
    return out;
}

/* The arguments are an object whatever the schema says; depth 0 marks them as the tool's own. */
static const struct schema *read_arguments(struct reader *r, uint32_t node)
{
    const struct schema *read = read_schema(r, node, 0);
    struct schema *out = take(r, ARENA_NEW(r->mem, struct schema, 1));
    if (!out)
        return &anything;
    *out = *read;
    out->types = SCHEMA_OBJECT;
    return out;
}

/* ------------------------------- snapshots ------------------------------ */

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

static bool read_tool(struct reader *r, uint32_t node, uint32_t index, struct pinned_tool *out)
{
    if (!is_type(r, node, JSON_OBJECT))
        return shape_error(r, "is no object", index);
    out->name = json_member_string(&r->doc, node, STR("name"));
    if (!out->name.n || out->name.n > TOOL_NAME_BYTES_MAX || memchr(out->name.p, 0, out->name.n))
        return shape_error(r, "has no name of 1 to 256 bytes", index);
    uint32_t schema = json_member(&r->doc, node, STR("inputSchema"));
    if (schema == JSON_NONE) {
        out->arguments = &anything;
        return true;
    }
    if (!is_type(r, schema, JSON_OBJECT))
        return shape_error(r, "has an inputSchema that is no object", index);
    out->arguments = read_arguments(r, schema);
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
    uint32_t count = json_at(&r->doc, list)->count;
    if (count > SCHEMA_TOOLS_MAX)
        return shape_error(r, "holds too many tools", UINT32_MAX);
    struct pinned_tool *tools = take(r, ARENA_NEW(r->mem, struct pinned_tool, count));
    if (!tools)
        return false;
    for (uint32_t i = json_first(&r->doc, list); i != JSON_NONE; i = json_after(&r->doc, list, i)) {
        is_good &= read_tool(r, i, index, &tools[index]);
        index++;
    }
    *out = (struct snapshot){ .tools = tools, .tool_count = count };
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
    bool is_good = read_tools(&r, out);
    if (!r.is_out_of_memory)
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

const struct schema_member *schema_member(const struct schema *schema, Str key)
{
    return find_member(schema->members, schema->member_count, key);
}
