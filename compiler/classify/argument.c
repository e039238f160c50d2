/* SPDX-License-Identifier: Apache-2.0 */
/* argument.c - walks an input schema and gives arguments their roles by the last word of their name
 * that means something. Pointers are those of class files: a star stands for every element. */
#include "compiler/classify/argument.h"

enum { KEY_BYTES_MAX = 64 };

/* ROLE_COUNT stands for a word that makes nothing of what stands before it. */
#define ROLE_NOTHING ROLE_COUNT

static const struct {
    enum argument_role role;
    const char *words;
} role_rows[] = {
#define ARGUMENT(NAME, words) { ROLE_##NAME, words },
#define WHOLE(KIND, names)
#include "compiler/classify/argument.def"
#undef ARGUMENT
#undef WHOLE
};

enum whole_kind { WHOLE_NONE, WHOLE_PICKER, WHOLE_WEAK_PICKER, WHOLE_RUNS, WHOLE_TARGET };

static const struct {
    enum whole_kind kind;
    const char *names;
} whole_rows[] = {
#define ARGUMENT(NAME, words)
#define WHOLE(KIND, names) { WHOLE_##KIND, names },
#include "compiler/classify/argument.def"
#undef ARGUMENT
#undef WHOLE
};

struct walk {
    struct classified *out;
    struct argument_facts *facts;
    struct arena *mem;
    bool has_memory;
};

static bool role_of_one(Str word, enum argument_role *role)
{
    for (size_t i = 0; i < COUNT(role_rows); i++) {
        if (words_listed(role_rows[i].words, word)) {
            *role = role_rows[i].role;
            return true;
        }
    }
    return false;
}

enum argument_role argument_role(Str name)
{
    struct words words;
    enum argument_role role = ROLE_COUNT;
    words_of_name(name, &words);
    for (uint32_t i = words.count; i-- > 0;)
        if (role_of_one(word_text(&words.items[i]), &role))
            return role;
    return ROLE_COUNT;
}

/* By the whole name, without marks and in small letters. */
static enum whole_kind whole_of(Str key)
{
    char text[KEY_BYTES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] == '_' || key.p[i] == '-' || key.p[i] == ' ')
            continue;
        if (n == sizeof text)
            return WHOLE_NONE;
        text[n++] = char_lower(key.p[i]);
    }
    for (size_t i = 0; i < COUNT(whole_rows); i++)
        if (words_listed(whole_rows[i].names, (Str){ .p = text, .n = n }))
            return whole_rows[i].kind;
    return WHOLE_NONE;
}

static bool holds_strings(const struct schema *schema)
{
    if (schema->types & SCHEMA_ARRAY && schema->items && schema->items->types & SCHEMA_STRING)
        return true;
    return (schema->types & SCHEMA_STRING) != 0;
}

/* What a class file's pointer can't write is left alone. */
static bool is_plain_key(Str key)
{
    return key.n > 0 && !memchr(key.p, '/', key.n) && !memchr(key.p, '~', key.n) &&
           !str_eq(key, STR("*"));
}

static void first_of(Str *place, Str pointer)
{
    if (!place->n)
        *place = pointer;
}

static void note_role(struct argument_facts *facts, enum argument_role role, Str pointer)
{
    if (role == ROLE_SHELL)
        first_of(&facts->shell, pointer);
    else if (role == ROLE_SQL)
        first_of(&facts->sql, pointer);
    else if (role == ROLE_URL)
        first_of(&facts->url, pointer);
    else if (role == ROLE_HOST)
        first_of(&facts->net, pointer);
    facts->has_path |= role == ROLE_PATH;
    facts->has_secret |= role == ROLE_SECRET;
    facts->has_text |= role == ROLE_TEXT;
    facts->has_recipient |= role == ROLE_RECIPIENT;
    facts->has_id |= role == ROLE_ID;
}

static void note_whole(struct argument_facts *facts, const struct schema_member *member,
                       Str pointer, uint32_t depth)
{
    enum whole_kind kind = whole_of(member->key);
    bool is_picker = kind == WHOLE_PICKER || kind == WHOLE_WEAK_PICKER;
    if (is_picker && depth == 0 && member->schema->enum_count > 1 &&
        (!facts->picker.n || kind == WHOLE_PICKER)) {
        facts->picker = pointer;
        facts->picker_values = member->schema;
        facts->is_picker_weak = kind == WHOLE_WEAK_PICKER;
    } else if (kind == WHOLE_PICKER && depth == 0 && member->schema->enum_count == 0) {
        first_of(&facts->open_picker, pointer);
    } else if (kind == WHOLE_RUNS && holds_strings(member->schema)) {
        first_of(&facts->runs, pointer);
    } else if (kind == WHOLE_TARGET) {
        first_of(&facts->target, pointer);
    }
}

static void add_role(struct walk *w, enum argument_role role, const struct schema *schema,
                     Str pointer)
{
    bool is_list = !(schema->types & SCHEMA_STRING) && schema->types & SCHEMA_ARRAY;
    if (w->out->role_count == CLASSIFY_ROLES_MAX) {
        w->out->is_partial = true;
        return;
    }
    note_role(w->facts, role, pointer);
    if (is_list)
        pointer = arena_printf(w->mem, "%.*s/*", STR_ARG(pointer));
    w->has_memory &= pointer.p != NULL;
    w->out->roles[w->out->role_count++] =
        (struct classified_role){ .role = role, .pointer = pointer };
}

static bool takes_numbers(enum argument_role role)
{
    return role == ROLE_AMOUNT || role == ROLE_ID;
}

/* Down to CLASSIFY_DEPTH_MAX, at deepest as deep as the schema reader goes. */
static void walk_members(struct walk *w, const struct schema *schema, Str at, uint32_t depth)
{
    w->out->is_partial |= depth == CLASSIFY_DEPTH_MAX && schema->member_count > 0;
    for (uint32_t i = 0; i < schema->member_count && w->has_memory && depth < CLASSIFY_DEPTH_MAX;
         i++) {
        const struct schema_member *member = &schema->members[i];
        const struct schema *value = member->schema;
        if (!is_plain_key(member->key)) {
            w->out->is_partial = true;
            continue;
        }
        Str here = arena_printf(w->mem, "%.*s/%.*s", STR_ARG(at), STR_ARG(member->key));
        w->has_memory &= here.p != NULL;
        enum argument_role role = argument_role(member->key);
        note_whole(w->facts, member, here, depth);
        bool fits = holds_strings(value) ||
                    (takes_numbers(role) && value->types & (SCHEMA_NUMBER | SCHEMA_INTEGER));
        if (role != ROLE_COUNT && fits && value->types != SCHEMA_ANY && value->enum_count == 0)
            add_role(w, role, value, here);
        if (value->types & SCHEMA_OBJECT)
            walk_members(w, value, here, depth + 1);
        if (!(value->types & SCHEMA_ARRAY) || !value->items ||
            !(value->items->types & SCHEMA_OBJECT))
            continue;
        here = arena_printf(w->mem, "%.*s/*", STR_ARG(here));
        w->has_memory &= here.p != NULL;
        walk_members(w, value->items, here, depth + 1);
    }
}

bool arguments_look(const struct pinned_tool *tool, struct arena *mem, struct argument_facts *facts,
                    struct classified *out)
{
    struct walk w = { .out = out, .facts = facts, .mem = mem, .has_memory = true };
    *facts = (struct argument_facts){ .has_path = false };
    walk_members(&w, tool->arguments, STR(""), 0);
    return w.has_memory;
}
