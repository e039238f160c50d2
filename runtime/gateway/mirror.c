/* SPDX-License-Identifier: Apache-2.0 */
/* mirror.c - marks read once per list, fields made and compared per call.
 *
 * Where a schema may hold another schema is a closed list: in data (`const`, `default`, `examples`)
 * the same key is no mark. The server chooses names and schemas, so the table's hash is seeded and
 * the walk goes no deeper than the document's own limit.
 */
#include "runtime/gateway/mirror.h"

#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"
#include "runtime/gateway/era.h"

#include <stdlib.h>
#include <xxhash.h>

enum {
    BUCKETS = 256,
    SCHEMA_DEPTH_MAX = 256, /* as deep as documents are ever read */
    DECIMAL_MAX = 32,       /* bytes of an integer's text */
};

static const Str mark_key = STR_INIT("x-mcp-header"), field_prefix = STR_INIT("Mcp-Param-");
static const Str sentinel = STR_INIT("=?base64?");
static const double safe_max = 9007199254740991.0;

struct mirror_param {
    Str path[MIRROR_PATH_MAX]; /* keys from the arguments on */
    uint32_t depth;
    Str field; /* "Mcp-Param-Name" */
    bool is_integer;
};

struct mirror {
    struct mirror *next;
    Str tool;
    bool is_valid;
    uint32_t count;
    struct mirror_param *params;
};

struct mirrors {
    struct mirror *buckets[BUCKETS];
    struct arena mem;
    uint64_t seed;
};

struct mirrors *mirrors_new(void)
{
    struct mirrors *mirrors = calloc(1, sizeof *mirrors);
    if (!mirrors)
        return NULL;
    arena_init(&mirrors->mem, MIRRORS_MEMORY_MAX);
    world_entropy(&mirrors->seed, sizeof mirrors->seed);
    return mirrors;
}

void mirrors_free(struct mirrors *mirrors)
{
    if (!mirrors)
        return;
    arena_reset(&mirrors->mem);
    free(mirrors);
}

static size_t bucket_of(const struct mirrors *mirrors, Str name)
{
    return XXH3_64bits_withSeed(name.p, name.n, mirrors->seed) % BUCKETS;
}

const struct mirror *mirrors_find(const struct mirrors *mirrors, Str name)
{
    const struct mirror *mirror = mirrors->buckets[bucket_of(mirrors, name)];
    while (mirror && !str_eq(mirror->tool, name))
        mirror = mirror->next;
    return mirror;
}

bool mirror_is_valid(const struct mirror *mirror)
{
    return mirror->is_valid;
}

/* ------------------------------ reading marks ------------------------------ */

/* The walk through one schema. */
struct walk {
    const struct json_doc *doc;
    struct mirror_param params[MIRROR_PARAMS_MAX]; /* slices into the document */
    uint32_t count;
    Str path[MIRROR_PATH_MAX];
    uint32_t depth; /* properties around; beyond MIRROR_PATH_MAX only counted */
    bool is_bad;
};

/* RFC 9110, section 5.6.2. */
static bool is_token(Str text)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && !(c && memchr(marks, c, sizeof marks - 1)))
            return false;
    }
    return text.n > 0;
}

static bool is_taken(const struct walk *walk, Str name)
{
    for (uint32_t i = 0; i < walk->count; i++)
        if (str_eq_nocase(walk->params[i].field, name))
            return true;
    return false;
}

/* field holds the bare name here; the prefix comes with the copy. */
static void take_mark(struct walk *walk, uint32_t schema, bool is_reachable)
{
    Str name = json_member_string(walk->doc, schema, mark_key);
    Str type = json_member_string(walk->doc, schema, STR("type"));
    bool is_integer = str_eq(type, STR("integer"));
    bool is_primitive = is_integer || str_eq(type, STR("string")) || str_eq(type, STR("boolean"));
    if (!is_reachable || !walk->depth || walk->depth > MIRROR_PATH_MAX || !is_token(name) ||
        !is_primitive || walk->count == MIRROR_PARAMS_MAX || is_taken(walk, name)) {
        walk->is_bad = true;
        return;
    }
    struct mirror_param *param = &walk->params[walk->count++];
    memcpy(param->path, walk->path, sizeof param->path);
    param->depth = walk->depth;
    param->field = name;
    param->is_integer = is_integer;
}

enum holds { HOLDS_ONE, HOLDS_MANY, HOLDS_NAMED };

/* Keywords whose values are schemas that arguments do not reach by properties alone. */
static const struct {
    Str key;
    enum holds holds;
} branches[] = {
    { STR_INIT("items"), HOLDS_ONE },
    { STR_INIT("additionalItems"), HOLDS_ONE },
    { STR_INIT("contains"), HOLDS_ONE },
    { STR_INIT("additionalProperties"), HOLDS_ONE },
    { STR_INIT("unevaluatedProperties"), HOLDS_ONE },
    { STR_INIT("unevaluatedItems"), HOLDS_ONE },
    { STR_INIT("propertyNames"), HOLDS_ONE },
    { STR_INIT("not"), HOLDS_ONE },
    { STR_INIT("if"), HOLDS_ONE },
    { STR_INIT("then"), HOLDS_ONE },
    { STR_INIT("else"), HOLDS_ONE },
    { STR_INIT("contentSchema"), HOLDS_ONE },
    { STR_INIT("prefixItems"), HOLDS_MANY },
    { STR_INIT("allOf"), HOLDS_MANY },
    { STR_INIT("anyOf"), HOLDS_MANY },
    { STR_INIT("oneOf"), HOLDS_MANY },
    { STR_INIT("patternProperties"), HOLDS_NAMED },
    { STR_INIT("dependentSchemas"), HOLDS_NAMED },
    { STR_INIT("dependencies"), HOLDS_NAMED },
    { STR_INIT("$defs"), HOLDS_NAMED },
    { STR_INIT("definitions"), HOLDS_NAMED },
};

static void visit(struct walk *walk, uint32_t schema, bool is_reachable, uint32_t level);

static void visit_all(struct walk *walk, uint32_t container, uint32_t level)
{
    const struct json_doc *doc = walk->doc;
    for (uint32_t i = json_first(doc, container); i != JSON_NONE; i = json_after(doc, container, i))
        visit(walk, i, false, level);
}

static void visit_properties(struct walk *walk, uint32_t object, bool is_reachable, uint32_t level)
{
    const struct json_doc *doc = walk->doc;
    if (json_at(doc, object)->type != JSON_OBJECT)
        return;
    for (uint32_t i = json_first(doc, object); i != JSON_NONE; i = json_after(doc, object, i)) {
        if (walk->depth < MIRROR_PATH_MAX)
            walk->path[walk->depth] = json_key(json_at(doc, i));
        walk->depth++;
        visit(walk, i, is_reachable, level);
        walk->depth--;
    }
}

static void visit_member(struct walk *walk, uint32_t member, bool is_reachable, uint32_t level)
{
    Str key = json_key(json_at(walk->doc, member));
    if (str_eq(key, STR("properties"))) {
        visit_properties(walk, member, is_reachable, level);
        return;
    }
    for (size_t i = 0; i < COUNT(branches); i++) {
        if (!str_eq(key, branches[i].key))
            continue;
        bool is_array = json_at(walk->doc, member)->type == JSON_ARRAY;
        if (branches[i].holds == HOLDS_ONE && !is_array) /* items was an array once */
            visit(walk, member, false, level);
        else
            visit_all(walk, member, level);
        return;
    }
}

static void visit(struct walk *walk, uint32_t schema, bool is_reachable, uint32_t level)
{
    const struct json_doc *doc = walk->doc;
    if (walk->is_bad || json_at(doc, schema)->type != JSON_OBJECT)
        return;
    if (level == SCHEMA_DEPTH_MAX) {
        walk->is_bad = true;
        return;
    }
    if (json_member(doc, schema, mark_key) != JSON_NONE)
        take_mark(walk, schema, is_reachable);
    for (uint32_t i = json_first(doc, schema); i != JSON_NONE; i = json_after(doc, schema, i))
        visit_member(walk, i, is_reachable, level + 1);
}

/* False: no memory. */
static bool keep_param(struct arena *mem, struct mirror_param *param)
{
    for (uint32_t i = 0; i < param->depth; i++) {
        Str key = param->path[i];
        param->path[i] = arena_copy(mem, key);
        if (param->path[i].n != key.n)
            return false;
    }
    param->field = arena_printf(mem, "%.*s%.*s", STR_ARG(field_prefix), STR_ARG(param->field));
    return param->field.n > 0;
}

static bool keep(struct mirrors *mirrors, Str name, const struct walk *walk)
{
    struct mirror *mirror = ARENA_NEW(&mirrors->mem, struct mirror, 1);
    struct mirror_param *params = ARENA_NEW(&mirrors->mem, struct mirror_param, walk->count);
    Str tool = arena_copy(&mirrors->mem, name);
    if (!mirror || (!params && walk->count) || tool.n != name.n)
        return false;
    for (uint32_t i = 0; i < walk->count; i++) {
        params[i] = walk->params[i];
        if (!keep_param(&mirrors->mem, &params[i]))
            return false;
    }
    struct mirror **bucket = &mirrors->buckets[bucket_of(mirrors, name)];
    *mirror = (struct mirror){ .next = *bucket,
                               .tool = tool,
                               .is_valid = !walk->is_bad,
                               .count = walk->count,
                               .params = params };
    *bucket = mirror;
    return true;
}

bool mirrors_add(struct mirrors *mirrors, const struct json_doc *doc, uint32_t tool, Str name,
                 bool *is_valid)
{
    const struct mirror *there = mirrors_find(mirrors, name);
    uint32_t schema = json_member(doc, tool, STR("inputSchema"));
    struct walk walk = { .doc = doc };
    if (schema != JSON_NONE)
        visit(&walk, schema, true, 0);
    *is_valid = !walk.is_bad && (!there || there->is_valid);
    if (there || (!walk.is_bad && !walk.count))
        return true;
    return keep(mirrors, name, &walk);
}

/* ------------------------------ making fields ------------------------------ */

void mirror_write_value(struct buf *out, Str value)
{
    bool is_plain = !(str_starts(value, sentinel) && str_ends(value, STR("?=")));
    for (size_t i = 0; i < value.n; i++)
        is_plain = is_plain && value.p[i] >= ' ' && value.p[i] <= '~';
    if (value.n)
        is_plain = is_plain && value.p[0] != ' ' && value.p[value.n - 1] != ' ';
    if (is_plain) {
        buf_add(out, value);
        return;
    }
    buf_add(out, sentinel);
    if (buf_reserve(out, BASE64_SIZE(value.n))) {
        base64_encode(value, out->p + out->n);
        out->n += BASE64_SIZE(value.n);
    }
    buf_add(out, STR("?="));
}

/* The value of a parameter, or JSON_NONE: absent, null or no primitive. */
static uint32_t find_value(const struct mirror_param *param, const struct json_doc *doc,
                           uint32_t arguments)
{
    uint32_t at = arguments;
    for (uint32_t i = 0; i < param->depth; i++) {
        at = json_member(doc, at, param->path[i]);
        if (at == JSON_NONE)
            return JSON_NONE;
    }
    enum json_type type = (enum json_type)json_at(doc, at)->type;
    bool is_primitive =
        type == JSON_STRING || type == JSON_NUMBER || type == JSON_TRUE || type == JSON_FALSE;
    return is_primitive ? at : JSON_NONE;
}

/* A number that is an integer within +-(2^53-1), however it is written. */
static bool read_integer(Str literal, double *out)
{
    char text[DECIMAL_MAX];
    if (!literal.n || literal.n >= sizeof text)
        return false;
    for (size_t i = 0; i < literal.n; i++)
        if (!literal.p[i] || !strchr("0123456789+-.eE", literal.p[i]))
            return false;
    memcpy(text, literal.p, literal.n);
    text[literal.n] = '\0';
    char *end = NULL;
    *out = strtod(text, &end);
    return end == text + literal.n && *out >= -safe_max && *out <= safe_max &&
           *out == (double)(int64_t)*out;
}

/* What the field says: an integer as digits, anything else as it is written. */
static Str text_of(const struct json_node *node, char digits[DECIMAL_MAX])
{
    double value;
    if (node->type == JSON_TRUE || node->type == JSON_FALSE)
        return node->type == JSON_TRUE ? STR("true") : STR("false");
    if (node->type == JSON_STRING || !read_integer(json_text(node), &value))
        return json_text(node);
    int n = snprintf(digits, DECIMAL_MAX, "%lld", (long long)value);
    return (Str){ .p = digits, .n = (size_t)n };
}

void mirror_write(const struct mirror *mirror, const struct json_doc *doc, uint32_t arguments,
                  struct buf *out)
{
    char digits[DECIMAL_MAX];
    for (uint32_t i = 0; i < mirror->count; i++) {
        uint32_t at = find_value(&mirror->params[i], doc, arguments);
        if (at == JSON_NONE)
            continue;
        buf_add(out, mirror->params[i].field);
        buf_add_char(out, ':');
        mirror_write_value(out, text_of(json_at(doc, at), digits));
        buf_add_char(out, '\n');
    }
}

/* ----------------------------- comparing fields ---------------------------- */

static bool is_field(Str name)
{
    return name.n >= field_prefix.n &&
           str_eq_nocase(str_sub(name, 0, field_prefix.n), field_prefix);
}

bool mirror_has_fields(const struct http_head *head)
{
    uint32_t i = 0;
    while (i < head->header_count && !is_field(head->headers[i].name))
        i++;
    return i < head->header_count;
}

void mirror_copy_fields(const struct http_head *head, struct buf *out)
{
    for (uint32_t i = 0; i < head->header_count; i++) {
        Str name = head->headers[i].name;
        if (!is_field(name))
            continue;
        buf_add(out, name);
        buf_add_char(out, ':');
        buf_add(out, head->headers[i].value);
        buf_add_char(out, '\n');
    }
}

/* False: there is no such field. */
static bool find_field(Str fields, Str name, Str *value)
{
    while (fields.n) {
        Str line = str_cut(&fields, '\n');
        Str one = str_cut(&line, ':');
        if (!str_eq_nocase(one, name))
            continue;
        *value = line;
        return true;
    }
    return false;
}

static bool agrees(const struct mirror_param *param, const struct json_node *node, Str value)
{
    char digits[DECIMAL_MAX];
    double ours, theirs;
    if (param->is_integer && node->type == JSON_NUMBER && read_integer(json_text(node), &ours) &&
        read_integer(value, &theirs))
        return ours == theirs;
    return mcp_header_means(value, text_of(node, digits));
}

const char *mirror_fault(const struct mirror *mirror, const struct json_doc *doc,
                         uint32_t arguments, Str fields)
{
    for (uint32_t i = 0; i < mirror->count; i++) {
        const struct mirror_param *param = &mirror->params[i];
        uint32_t at = doc ? find_value(param, doc, arguments) : JSON_NONE;
        Str value;
        bool is_there = find_field(fields, param->field, &value);
        if (at == JSON_NONE && is_there)
            return "an Mcp-Param header stands for an argument that the body does not have";
        if (at != JSON_NONE && !is_there)
            return "an Mcp-Param header is missing for an argument that the body has";
        if (at != JSON_NONE && !agrees(param, json_at(doc, at), value))
            return "an Mcp-Param header does not agree with the body";
    }
    return NULL;
}
