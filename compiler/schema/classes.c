/* SPDX-License-Identifier: Apache-2.0 */
/* classes.c - reads a class file strictly: a slip in it would classify nothing and say nothing. */
#include "compiler/schema/classes.h"

#include <stdlib.h>

const Str effect_words[TOOL_EFFECT_COUNT] = {
#define EFFECT(NAME, word, doc) STR_INIT(word),
#include "compiler/schema/effect.def"
#undef EFFECT
};
const Str flag_words[FLAG_COUNT] = {
#define FLAG(NAME, word, doc) STR_INIT(word),
#include "compiler/schema/flag.def"
#undef FLAG
};
const Str role_words[ROLE_COUNT] = {
#define ROLE(NAME, word) STR_INIT(word),
#include "compiler/schema/role.def"
#undef ROLE
};

static uint32_t find_word(Str word, const Str *words, uint32_t count)
{
    uint32_t i = 0;
    while (i < count && !str_eq(words[i], word))
        i++;
    return i;
}

enum tool_effect effect_of_word(Str word)
{
    uint32_t i = find_word(word, effect_words, TOOL_EFFECT_COUNT);
    return (enum tool_effect)i;
}

enum tool_flag flag_of_word(Str word)
{
    uint32_t i = find_word(word, flag_words, FLAG_COUNT);
    return (enum tool_flag)i;
}

enum argument_role role_of_word(Str word)
{
    uint32_t i = find_word(word, role_words, ROLE_COUNT);
    return (enum argument_role)i;
}

struct reader {
    struct json_doc doc;
    Str path;
    Span span;
    struct arena *mem;
    struct diags *diags;
    Str tool; /* being read, for messages */
};

static bool fail(struct reader *r, const char *what, Str which)
{
    Str text =
        arena_printf(r->mem, "\"%.*s\": %s \"%.*s\"", STR_ARG(r->tool), what, STR_ARG(which));
    diag_add(r->diags, DIAG_SNAPSHOT_SHAPE, r->span, STR_ARG(r->path), STR_ARG(text));
    return false;
}

static const struct json_node *node_at(const struct reader *r, uint32_t i)
{
    return json_at(&r->doc, i);
}

static bool read_effect(struct reader *r, uint32_t node, enum tool_effect *effect)
{
    Str word = json_text(node_at(r, node));
    *effect = effect_of_word(word);
    if (node_at(r, node)->type != JSON_STRING || *effect >= TOOL_UNCLASSIFIED)
        return fail(r, "there is no effect", word);
    return true;
}

static bool read_flags(struct reader *r, uint32_t node, struct tool_class *class)
{
    if (node_at(r, node)->type != JSON_ARRAY)
        return fail(r, "a list of words must be", STR("flags"));
    for (uint32_t i = json_first(&r->doc, node); i != JSON_NONE; i = json_after(&r->doc, node, i)) {
        Str word = json_text(node_at(r, i));
        enum tool_flag flag = flag_of_word(word);
        if (node_at(r, i)->type != JSON_STRING || flag == FLAG_COUNT)
            return fail(r, "there is no flag", word);
        class->flags |= UINT32_C(1) << flag;
    }
    return true;
}

/* "/a/b": no escapes are needed for the names that tools have. */
static bool read_pointer(struct reader *r, uint32_t node, struct pointer *out)
{
    Str text = json_text(node_at(r, node));
    out->count = 0;
    if (node_at(r, node)->type != JSON_STRING || text.n < 2 || text.p[0] != '/' ||
        memchr(text.p, '~', text.n))
        return fail(r, "this is no pointer to an argument:", text);
    for (size_t from = 1; from <= text.n;) {
        const char *slash = from < text.n ? memchr(text.p + from, '/', text.n - from) : NULL;
        size_t to = slash ? (size_t)(slash - text.p) : text.n;
        if (to == from || out->count == POINTER_STEPS_MAX)
            return fail(r, "this is no pointer to an argument:", text);
        out->steps[out->count++] = str_sub(text, from, to);
        from = to + 1;
    }
    return !str_eq(out->steps[0], STR("*")) || fail(r, "arguments are no list:", text);
}

static bool read_roles(struct reader *r, uint32_t node, struct tool_class *class)
{
    if (node_at(r, node)->type != JSON_OBJECT)
        return fail(r, "an object must be", STR("roles"));
    for (uint32_t i = json_first(&r->doc, node); i != JSON_NONE; i = json_after(&r->doc, node, i)) {
        Str word = json_key(node_at(r, i));
        enum argument_role role = role_of_word(word);
        if (role == ROLE_COUNT || node_at(r, i)->type != JSON_ARRAY)
            return fail(r, "there is no role", word);
        for (uint32_t k = json_first(&r->doc, i); k != JSON_NONE; k = json_after(&r->doc, i, k)) {
            struct role_argument *one = ARENA_NEW(r->mem, struct role_argument, 1);
            if (!one || !read_pointer(r, k, &one->pointer))
                return false;
            one->role = role;
            one->next = class->roles;
            class->roles = one;
        }
    }
    return true;
}

static bool read_values(struct reader *r, uint32_t node, struct tool_class *class)
{
    if (node_at(r, node)->type != JSON_OBJECT)
        return fail(r, "an object must be", STR("values"));
    for (uint32_t i = json_first(&r->doc, node); i != JSON_NONE; i = json_after(&r->doc, node, i)) {
        struct variant_value *value = ARENA_NEW(r->mem, struct variant_value, 1);
        if (!value || !read_effect(r, i, &value->effect))
            return false;
        value->value = json_key(node_at(r, i));
        value->next = class->values;
        class->values = value;
    }
    return true;
}

static bool read_variant(struct reader *r, uint32_t node, struct tool_class *class)
{
    bool has_argument = false, has_otherwise = false;
    for (uint32_t i = json_first(&r->doc, node); i != JSON_NONE; i = json_after(&r->doc, node, i)) {
        Str key = json_key(node_at(r, i));
        bool is_good = false;
        if (str_eq(key, STR("argument"))) {
            is_good = has_argument = read_pointer(r, i, &class->variant);
        } else if (str_eq(key, STR("values"))) {
            is_good = read_values(r, i, class);
        } else if (str_eq(key, STR("otherwise"))) {
            is_good = has_otherwise = read_effect(r, i, &class->effect);
        } else {
            return fail(r, "a variant has no", key);
        }
        if (!is_good)
            return false;
    }
    class->flags |= UINT32_C(1) << FLAG_VARIANT;
    return (has_argument && has_otherwise) ||
           fail(r, "a variant needs", STR("argument, values, otherwise"));
}

static bool read_class(struct reader *r, uint32_t node, struct tool_class *class)
{
    static const Str notes[] = { STR_INIT("source"), STR_INIT("confidence"), STR_INIT("digest"),
                                 STR_INIT("why") };
    bool has_effect = false;
    r->tool = class->name = json_key(node_at(r, node));
    if (node_at(r, node)->type != JSON_OBJECT)
        return fail(r, "a class must be an object, not", json_text(node_at(r, node)));
    for (uint32_t i = json_first(&r->doc, node); i != JSON_NONE; i = json_after(&r->doc, node, i)) {
        Str key = json_key(node_at(r, i));
        bool is_good = find_word(key, notes, COUNT(notes)) < COUNT(notes);
        if (str_eq(key, STR("effect")))
            is_good = has_effect = read_effect(r, i, &class->effect);
        else if (str_eq(key, STR("flags")))
            is_good = read_flags(r, i, class);
        else if (str_eq(key, STR("roles")))
            is_good = read_roles(r, i, class);
        else if (str_eq(key, STR("variant")))
            is_good = read_variant(r, i, class);
        else if (!is_good)
            return fail(r, "a class has no", key);
        if (!is_good)
            return false;
    }
    return has_effect || class->variant.count || fail(r, "a class needs an", STR("effect"));
}

static int class_order(const void *a, const void *b)
{
    const struct tool_class *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static bool read_classes(struct reader *r, struct class_table *out)
{
    uint32_t tools = json_member(&r->doc, 0, STR("tools"));
    if (tools == JSON_NONE || node_at(r, tools)->type != JSON_OBJECT)
        return fail(r, "the file has no object", STR("tools"));
    out->classes = ARENA_NEW(r->mem, struct tool_class, node_at(r, tools)->count);
    if (!out->classes)
        return fail(r, "out of memory for", STR("tools"));
    for (uint32_t i = json_first(&r->doc, tools); i != JSON_NONE;
         i = json_after(&r->doc, tools, i)) {
        if (!read_class(r, i, &out->classes[out->count]))
            return false;
        out->count++;
    }
    if (out->count)
        qsort(out->classes, out->count, sizeof *out->classes, class_order);
    return true;
}

bool classes_parse(Str text, Str path, Span span, struct arena *mem, struct diags *diags,
                   struct class_table *out)
{
    struct reader r = { .path = path, .span = span, .mem = mem, .diags = diags };
    uint32_t at = 0;
    r.tool = STR("the file");
    *out = (struct class_table){ .count = 0 };
    enum json_error error = json_parse(text, &json_limits_default, mem, &r.doc, &at);
    if (error == JSON_ERR_NONE)
        return read_classes(&r, out);
    Str why = arena_printf(mem, "byte %u: %s", at, json_error_text(error));
    diag_add(diags, DIAG_SNAPSHOT_SHAPE, span, STR_ARG(path), STR_ARG(why));
    return false;
}

const struct tool_class *class_find(const struct class_table *table, Str name)
{
    struct tool_class probe = { .name = name };
    return table && table->count
               ? bsearch(&probe, table->classes, table->count, sizeof *table->classes, class_order)
               : NULL;
}
