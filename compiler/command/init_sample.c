/* SPDX-License-Identifier: Apache-2.0 */
/* init_sample.c - arguments that a schema takes, for the tests of a first policy. They need not
 * satisfy every keyword of the schema, only be of its shape: no server sees them. */
#include "compiler/command/init_policy.h"
#include "compiler/source/text.h"

enum { SAMPLE_DEPTH_MAX = 8, SURROGATES = 0x10000 };

struct sampling {
    struct buf *out;
    Str folder;
};

static void write_value(const struct sampling *s, const struct schema *schema, enum init_role role,
                        uint32_t depth);

/* A JSON string in ASCII: what a schema's author hid in a key shows. */
static void write_string(struct buf *out, Str text)
{
    buf_add_char(out, '"');
    for (size_t at = 0, length = 0; at < text.n; at += length) {
        uint32_t code = text_decode(text, at, &length);
        if (code >= 0x20 && code < 0x7F && code != '"' && code != '\\')
            buf_add_char(out, (char)code);
        else if (code < SURROGATES)
            buf_printf(out, "\\u%04x", code);
        else
            buf_printf(out, "\\u%04x\\u%04x", 0xD800 + ((code - SURROGATES) >> 10),
                       0xDC00 + ((code - SURROGATES) & 0x3FF));
    }
    buf_add_char(out, '"');
}

static void write_text(const struct sampling *s, const struct schema *schema, enum init_role role)
{
    if (role == INIT_ROLE_PATH) {
        buf_add_char(s->out, '"');
        buf_add(s->out, s->folder);
        buf_add(s->out, STR("/x\""));
    } else {
        write_string(s->out, schema->enum_count ? schema->enum_strings[0] : STR("x"));
    }
}

/* Would a condition of ours ask for it? Then the sample has it, required or not. */
static bool has_path(const struct schema_member *member, uint32_t depth)
{
    const struct schema *schema = member->schema;
    if (init_role_of(member) == INIT_ROLE_PATH)
        return true;
    if (schema->types & SCHEMA_ARRAY && schema->items)
        schema = schema->items;
    for (uint32_t i = 0; i < schema->member_count && depth < INIT_DEPTH_MAX; i++)
        if (has_path(&schema->members[i], depth + 1))
            return true;
    return false;
}

static void write_object(const struct sampling *s, const struct schema *schema, uint32_t depth)
{
    bool is_first = true;
    buf_add_char(s->out, '{');
    for (uint32_t i = 0; i < schema->member_count && depth < SAMPLE_DEPTH_MAX; i++) {
        const struct schema_member *member = &schema->members[i];
        if (!member->is_required && !has_path(member, depth))
            continue;
        if (!is_first)
            buf_add(s->out, STR(", "));
        is_first = false;
        write_string(s->out, member->key);
        buf_add(s->out, STR(": "));
        write_value(s, member->schema, init_role_of(member), depth + 1);
    }
    buf_add_char(s->out, '}');
}

static void write_list(const struct sampling *s, const struct schema *schema, enum init_role role,
                       uint32_t depth)
{
    buf_add_char(s->out, '[');
    if (schema->items && depth < SAMPLE_DEPTH_MAX)
        write_value(s, schema->items, role, depth + 1);
    buf_add_char(s->out, ']');
}

/* A string where one may stand: that is what conditions are about. */
static void write_value(const struct sampling *s, const struct schema *schema, enum init_role role,
                        uint32_t depth)
{
    uint32_t types = schema->types;
    bool is_list = types & SCHEMA_ARRAY && (role != INIT_ROLE_NONE || !(types & SCHEMA_STRING));
    if (is_list)
        write_list(s, schema, role, depth);
    else if (types & SCHEMA_STRING)
        write_text(s, schema, role);
    else if (types & SCHEMA_OBJECT)
        write_object(s, schema, depth);
    else if (types & (SCHEMA_INTEGER | SCHEMA_NUMBER))
        buf_add(s->out, schema->minimum.text.n ? schema->minimum.text : STR("1"));
    else
        buf_add(s->out, types & SCHEMA_BOOL ? STR("false") : STR("null"));
}

void init_write_sample(const struct schema *arguments, Str folder, struct buf *out)
{
    struct sampling s = { .out = out, .folder = folder };
    write_object(&s, arguments, 0);
}
