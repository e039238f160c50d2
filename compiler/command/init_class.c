/* SPDX-License-Identifier: Apache-2.0 */
/* init_class.c - reads a tool's name word by word and its arguments by theirs. Whatever is not on a
 * list is unclear, and what is unclear is not allowed. */
#include "compiler/command/init_class.h"

#include "compiler/source/text.h"

enum { NAME_WORDS_MAX = 16, NAME_WORD_BYTES_MAX = 32, SHOWN_BYTES = 128 };

enum place { FIRST, ANYWHERE };

static const struct {
    enum init_group group;
    enum place place;
    const char *words;
} name_rows[] = {
#define NAME_WORDS(GROUP, place, words) { INIT_##GROUP, place, words },
#define ARGUMENT_WORDS(ROLE, words)
#include "compiler/command/init_word.def"
#undef NAME_WORDS
#undef ARGUMENT_WORDS
};

static const struct {
    enum init_role role;
    const char *words;
} argument_rows[] = {
#define NAME_WORDS(GROUP, place, words)
#define ARGUMENT_WORDS(ROLE, words) { INIT_ROLE_##ROLE, words },
#include "compiler/command/init_word.def"
#undef NAME_WORDS
#undef ARGUMENT_WORDS
};

/* ------------------------------- names ---------------------------------- */

struct word {
    char text[NAME_WORD_BYTES_MAX];
    size_t n;
};

struct words {
    struct word items[NAME_WORDS_MAX];
    uint32_t count;
    bool is_odd; /* longer, or of more words, than is read */
};

static bool is_upper(char ch)
{
    return ch >= 'A' && ch <= 'Z';
}

static bool is_letter(char ch)
{
    return is_upper(ch) || (ch >= 'a' && ch <= 'z');
}

static void add_letter(struct words *words, char ch, bool is_first)
{
    if (is_first && words->count == NAME_WORDS_MAX) {
        words->is_odd = true;
        return;
    }
    if (is_first)
        words->items[words->count++].n = 0;
    struct word *word = &words->items[words->count - 1];
    if (word->n == sizeof word->text)
        words->is_odd = true;
    else
        word->text[word->n++] = char_lower(ch);
}

/* "getUserID_v2" gives get, user, id, v: digits and marks part words, so does a capital behind a
 * small letter. What is not ASCII makes the name odd. */
static struct words split(Str name)
{
    struct words words = { .count = 0 };
    char before = '\0';
    for (size_t i = 0; i < name.n; i++) {
        char ch = name.p[i];
        words.is_odd |= (unsigned char)ch >= 0x80;
        bool is_hump = is_upper(ch) && is_letter(before) &&
                       (!is_upper(before) ||
                        (is_letter(str_byte(name, i + 1)) && !is_upper(str_byte(name, i + 1))));
        if (is_letter(ch))
            add_letter(&words, ch, !is_letter(before) || is_hump);
        before = ch;
    }
    return words;
}

static Str word_text(const struct word *word)
{
    return (Str){ .p = word->text, .n = word->n };
}

static bool has_word(const char *list, Str word)
{
    Str rest = str_of(list);
    while (rest.n)
        if (str_eq(str_cut(&rest, ' '), word))
            return true;
    return false;
}

/* What a word says at its place; false when it says nothing. */
static bool look_up(Str word, bool is_verb, enum init_group *group)
{
    for (size_t i = 0; i < COUNT(name_rows); i++) {
        if ((name_rows[i].place == ANYWHERE || is_verb) && has_word(name_rows[i].words, word)) {
            *group = name_rows[i].group;
            return true;
        }
    }
    return false;
}

Str init_prefix(const struct snapshot *snapshot, struct arena *mem)
{
    if (snapshot->tool_count < 2)
        return (Str){ .p = NULL, .n = 0 };
    struct words first = split(snapshot->tools[0].name);
    for (uint32_t i = 1; i < snapshot->tool_count; i++) {
        struct words other = split(snapshot->tools[i].name);
        if (first.count < 2 || other.count < 2 ||
            !str_eq(word_text(&first.items[0]), word_text(&other.items[0])))
            return (Str){ .p = NULL, .n = 0 };
    }
    return arena_copy(mem, word_text(&first.items[0]));
}

struct verdict_of_name {
    enum init_group group;
    Str word; /* that decided; empty: none did */
};

/* The words in order; a word that acts outweighs the one that reads. */
static struct verdict_of_name judge_name(const struct words *words, Str prefix)
{
    struct verdict_of_name found = { .group = INIT_UNCLEAR, .word = { .p = NULL, .n = 0 } };
    uint32_t verb = words->count > 1 && str_eq(word_text(&words->items[0]), prefix) ? 1 : 0;
    for (uint32_t i = 0; i < words->count; i++) {
        enum init_group group;
        if (!look_up(word_text(&words->items[i]), i == verb, &group))
            continue;
        bool is_first = found.word.n == 0;
        if (is_first || (found.group == INIT_READ && group != INIT_READ))
            found = (struct verdict_of_name){ .group = group, .word = word_text(&words->items[i]) };
    }
    if (words->is_odd && found.group == INIT_READ)
        found = (struct verdict_of_name){ .group = INIT_UNCLEAR, .word = { .p = NULL, .n = 0 } };
    return found;
}

/* ------------------------------ arguments ------------------------------- */

static bool holds_strings(const struct schema *schema)
{
    if (schema->types & SCHEMA_ARRAY && schema->items && schema->items->types & SCHEMA_STRING)
        return true;
    return (schema->types & SCHEMA_STRING) != 0;
}

enum init_role init_role_of(const struct schema_member *member)
{
    struct words words = split(member->key);
    enum init_role role = INIT_ROLE_NONE;
    if (!holds_strings(member->schema))
        return INIT_ROLE_NONE;
    for (uint32_t i = 0; i < words.count; i++)
        for (size_t k = 0; k < COUNT(argument_rows); k++)
            if (has_word(argument_rows[k].words, word_text(&words.items[i])))
                role = argument_rows[k].role;
    return role;
}

struct walk {
    struct init_class *out;
    struct arena *mem;
    bool has_memory;
};

static bool is_plain_key(Str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!is_letter(key.p[i]) && key.p[i] != '_' && (i == 0 || key.p[i] < '0' || key.p[i] > '9'))
            return false;
    return key.n > 0;
}

/* A key that would need escapes is left alone: nobody is helped by a rule about it. */
static bool is_quotable(Str key)
{
    for (size_t i = 0; i < key.n; i++)
        if ((unsigned char)key.p[i] < 0x20 || (unsigned char)key.p[i] > 0x7E ||
            memchr("\"\\$", key.p[i], 3))
            return false;
    return key.n > 0;
}

static Str join(struct walk *w, Str left, Str key)
{
    Str text = arena_printf(w->mem, is_plain_key(key) ? "%.*s.%.*s" : "%.*s.\"%.*s\"",
                            STR_ARG(left), STR_ARG(key));
    w->has_memory &= text.p != NULL;
    return text;
}

static void add_argument(struct walk *w, const struct init_argument *argument)
{
    if (w->out->argument_count < INIT_ARGUMENTS_MAX)
        w->out->arguments[w->out->argument_count++] = *argument;
    else
        w->out->is_partial = true;
}

/* The members of an object, and of what lies in it, down to INIT_DEPTH_MAX. at.guard: what may be
 * missing so far. Behind a list nothing can be asked for by `has`, and a missing element fails the
 * condition by itself. */
static void walk_members(struct walk *w, const struct schema *schema, struct init_argument at,
                         uint32_t depth)
{
    w->out->is_partial |= depth == INIT_DEPTH_MAX && schema->member_count > 0;
    for (uint32_t i = 0; i < schema->member_count && w->has_memory && depth < INIT_DEPTH_MAX; i++) {
        const struct schema_member *member = &schema->members[i];
        const struct schema *value = member->schema;
        struct init_argument here = at;
        if (!is_quotable(member->key)) {
            w->out->is_partial = true;
            continue;
        }
        here.text = join(w, at.text, member->key);
        bool may_lack = !member->is_required || value->types & SCHEMA_NULL;
        if (may_lack && !here.is_repeated)
            here.guard = here.text;
        here.role = init_role_of(member);
        bool is_list = (value->types & SCHEMA_ARRAY) != 0;
        if (here.role != INIT_ROLE_NONE) {
            here.text = is_list && at.is_repeated
                            ? arena_printf(w->mem, "%.*s[]", STR_ARG(here.text))
                            : here.text;
            here.is_repeated |= is_list;
            add_argument(w, &here);
            continue;
        }
        if (value->types & SCHEMA_OBJECT)
            walk_members(w, value, here, depth + 1);
        if (!is_list || !value->items || !(value->items->types & SCHEMA_OBJECT))
            continue;
        here.text = arena_printf(w->mem, "%.*s[]", STR_ARG(here.text));
        here.is_repeated = true;
        walk_members(w, value->items, here, depth + 1);
    }
}

/* ------------------------------- judgement ------------------------------ */

static void say(struct walk *w, enum init_group group, Str why)
{
    w->has_memory &= why.p != NULL;
    w->out->group = group;
    w->out->why = why;
}

static Str shown(struct walk *w, Str text)
{
    char visible[SHOWN_BYTES];
    return arena_copy(w->mem,
                      (Str){ .p = visible, .n = text_visible(text, visible, sizeof visible) });
}

static void judge_arguments(struct walk *w, const struct init_class *class)
{
    for (uint32_t i = 0; i < class->argument_count; i++) {
        const struct init_argument *a = &class->arguments[i];
        switch (a->role) {
        case INIT_ROLE_URL:
        case INIT_ROLE_HOST:
            say(w, INIT_REACH,
                arena_printf(w->mem, "its name reads, but %.*s says where it goes",
                             STR_ARG(a->text)));
            return;
        case INIT_ROLE_SQL:
        case INIT_ROLE_SHELL:
        case INIT_ROLE_CODE:
            say(w, INIT_EXECUTE,
                arena_printf(w->mem, "its name reads, but it runs %.*s", STR_ARG(a->text)));
            return;
        case INIT_ROLE_METHOD:
            say(w, INIT_UNCLEAR,
                arena_printf(w->mem, "its name reads, but %.*s says what it does",
                             STR_ARG(a->text)));
            return;
        case INIT_ROLE_NONE:
        case INIT_ROLE_PATH:
        case INIT_ROLE_RECIPIENT: break;
        }
    }
}

static void judge_reader(struct walk *w, const struct pinned_tool *tool, Str word)
{
    const struct pinned_hints *hints = &tool->hints;
    if (hints->read_only == SCHEMA_HINT_FALSE)
        say(w, INIT_UNCLEAR, STR("its name reads, but the server says that it does more"));
    else if (hints->destructive == SCHEMA_HINT_TRUE)
        say(w, INIT_DESTROY, STR("its name reads, but the server says that it may destroy"));
    else if (tool->arguments->is_open || w->out->is_partial)
        say(w, INIT_UNCLEAR, STR("its name reads, but not all of its arguments are known"));
    else
        say(w, INIT_READ,
            arena_printf(w->mem, "named \"%.*s\"%s", STR_ARG(word),
                         hints->read_only == SCHEMA_HINT_TRUE ? "; the server says the same"
                                                              : "; the server does not say"));
    if (w->out->group == INIT_READ)
        judge_arguments(w, w->out);
}

bool init_classify(const struct pinned_tool *tool, Str prefix, struct arena *mem,
                   struct init_class *out)
{
    struct words words = split(tool->name);
    struct verdict_of_name name = judge_name(&words, prefix);
    struct init_argument root = { .text = STR("args") };
    *out = (struct init_class){ .tool = tool };
    struct walk w = { .out = out, .mem = mem, .has_memory = true };
    walk_members(&w, tool->arguments, root, 0);
    Str word = shown(&w, name.word);
    if (name.group == INIT_READ)
        judge_reader(&w, tool, word);
    else if (name.word.n)
        say(&w, name.group, arena_printf(mem, "named \"%.*s\"", STR_ARG(word)));
    else if (tool->hints.read_only == SCHEMA_HINT_TRUE)
        say(&w, INIT_UNCLEAR, STR("the server says that it only reads, but its name does not"));
    else
        say(&w, INIT_UNCLEAR, STR("its name does not say that it only reads"));
    return w.has_memory;
}
