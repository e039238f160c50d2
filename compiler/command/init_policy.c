/* SPDX-License-Identifier: Apache-2.0 */
/* init_policy.c - writes the policy group by group. Names and texts come from a server that nobody
 * trusts yet: in strings they are escaped, in comments control characters are spelled out. */
#include "compiler/command/init_policy.h"

#include "compiler/pattern/automaton.h"
#include "compiler/source/text.h"

enum { NAME_SHOWN_BYTES = 128, TEST_CALLS_MAX = 100, CONDITION_BYTES_MAX = 8192 };

#define FOLDER "/CHANGE-ME"

static const struct {
    const char *title, *reason, *test;
} groups[] = {
#define GROUP(NAME, title, reason, test) [INIT_##NAME] = { title, reason, test },
#include "compiler/command/init_group.def"
#undef GROUP
};

struct writer {
    struct buf *out;
    struct arena *mem;
    Str alias, file;
    const struct snapshot *snapshot;
    struct init_class *classes; /* one for each tool */
    Str *conditions;            /* what a rule about the tool asks or could ask; empty: nothing */
    bool has_folders;
};

/* A string of the language; what is not printable ASCII is spelled out. */
static void write_string(struct buf *out, Str text)
{
    buf_add_char(out, '"');
    for (size_t at = 0, length = 0; at < text.n; at += length) {
        uint32_t code = text_decode(text, at, &length);
        if (code < 0x20 || code > 0x7E) {
            buf_printf(out, "\\u{%x}", code);
            continue;
        }
        if (code == '"' || code == '\\' || code == '$')
            buf_add_char(out, '\\');
        buf_add_char(out, (char)code);
    }
    buf_add_char(out, '"');
}

static void write_shown(struct buf *out, Str text)
{
    char visible[NAME_SHOWN_BYTES];
    buf_add(out, (Str){ .p = visible, .n = text_visible(text, visible, sizeof visible) });
}

/* A name with glob characters can't be named in a rule; without one the tool stays denied. */
static bool is_nameable(const struct init_class *class)
{
    return !pattern_is_glob(class->tool->name);
}

/* ------------------------------ conditions ------------------------------ */

/* What would have to hold of one string x. */
static const char *test_of(enum init_role role, bool has_folders)
{
    switch (role) {
    case INIT_ROLE_PATH:
        return has_folders ? "path(%.*s) within folders" : "path(%.*s) within \"" FOLDER "\"";
    case INIT_ROLE_URL: return "url(%.*s).host in { \"example.com\" }";
    case INIT_ROLE_HOST: return "host(%.*s).name in { \"example.com\" }";
    case INIT_ROLE_SQL: return "sql(%.*s).verbs within { \"select\" }";
    case INIT_ROLE_SHELL: return "all c in shell(%.*s).commands: c.program in { \"ls\", \"cat\" }";
    case INIT_ROLE_RECIPIENT: return "email(%.*s).domain == \"example.com\"";
    case INIT_ROLE_NONE:
    case INIT_ROLE_CODE:
    case INIT_ROLE_METHOD: break;
    }
    return NULL;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats are those of test_of */
static void add_test(struct buf *out, const struct init_argument *a, const char *test)
{
    if (out->n)
        buf_add(out, STR(" and "));
    if (a->guard.n)
        buf_printf(out, "has %.*s and ", STR_ARG(a->guard));
    if (!a->is_repeated) {
        buf_printf(out, test, STR_ARG(a->text));
        return;
    }
    buf_printf(out, "all x in %.*s: ", STR_ARG(a->text));
    buf_printf(out, test, STR_ARG(STR("x")));
}
#pragma GCC diagnostic pop

static Str condition_of(struct writer *w, const struct init_class *class)
{
    struct buf text;
    buf_init(&text, CONDITION_BYTES_MAX);
    for (uint32_t i = 0; i < class->argument_count; i++) {
        const char *test = test_of(class->arguments[i].role, w->has_folders);
        if (test)
            add_test(&text, &class->arguments[i], test);
    }
    Str copy = text.is_full ? STR("") : arena_copy(w->mem, buf_str(&text));
    buf_free(&text);
    return copy;
}

/* -------------------------------- groups -------------------------------- */

static void write_heading(struct writer *w, enum init_group group)
{
    buf_printf(w->out, "\n# %s\n", groups[group].title);
    for (uint32_t i = 0; i < w->snapshot->tool_count; i++) {
        const struct init_class *class = &w->classes[i];
        if (class->group != group)
            continue;
        buf_add(w->out, STR("#   "));
        write_shown(w->out, class->tool->name);
        buf_printf(w->out, ": %.*s%s\n", STR_ARG(class->why),
                   is_nameable(class) ? "" : "; its name is a pattern, so no rule can name it");
    }
}

static void write_names(struct writer *w, const bool *is_in)
{
    bool is_first = true;
    for (uint32_t i = 0; i < w->snapshot->tool_count; i++) {
        if (!is_in[i])
            continue;
        buf_add(w->out, is_first ? STR(" ") : STR(", "));
        is_first = false;
        write_string(w->out, w->snapshot->tools[i].name);
    }
}

/* Marks the tools of a group that a rule can name, all of them or those with one condition. */
static uint32_t mark(const struct writer *w, enum init_group group, const Str *condition,
                     bool *is_in)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->snapshot->tool_count; i++) {
        const struct init_class *class = &w->classes[i];
        is_in[i] = class->group == group && is_nameable(class) &&
                   (!condition || str_eq(w->conditions[i], *condition));
        count += is_in[i];
    }
    return count;
}

/* One rule for all readers that are asked the same. */
static void write_allows(struct writer *w, bool *is_in)
{
    for (uint32_t i = 0; i < w->snapshot->tool_count; i++) {
        const struct init_class *class = &w->classes[i];
        bool is_done = class->group != INIT_READ || !is_nameable(class);
        for (uint32_t k = 0; k < i && !is_done; k++)
            is_done = w->classes[k].group == INIT_READ && is_nameable(&w->classes[k]) &&
                      str_eq(w->conditions[k], w->conditions[i]);
        if (is_done)
            continue;
        (void)mark(w, INIT_READ, &w->conditions[i], is_in);
        buf_add(w->out, STR("allow tool"));
        write_names(w, is_in);
        if (w->conditions[i].n)
            buf_printf(w->out, " when %.*s", STR_ARG(w->conditions[i]));
        buf_add(w->out, STR(";\n"));
    }
}

static void write_proposals(struct writer *w, const bool *is_in)
{
    bool is_first = true;
    for (uint32_t i = 0; i < w->snapshot->tool_count; i++) {
        if (!is_in[i] || !w->conditions[i].n)
            continue;
        if (is_first)
            buf_add(w->out, STR("#\n# To let one through, take its name out of the rule below and "
                                "write, for example:\n"));
        is_first = false;
        buf_add(w->out, STR("#   allow tool "));
        write_string(w->out, w->snapshot->tools[i].name);
        buf_printf(w->out, " when %.*s;\n", STR_ARG(w->conditions[i]));
    }
}

static void write_deny(struct writer *w, enum init_group group, bool *is_in)
{
    if (mark(w, group, NULL, is_in) == 0)
        return;
    write_proposals(w, is_in);
    buf_add(w->out, STR("deny tool"));
    write_names(w, is_in);
    buf_printf(w->out, " reason \"%s\";\n", groups[group].reason);
}

static bool has_group(const struct writer *w, enum init_group group)
{
    for (uint32_t i = 0; i < w->snapshot->tool_count; i++)
        if (w->classes[i].group == group)
            return true;
    return false;
}

static void write_rules(struct writer *w, bool *is_in)
{
    for (unsigned i = 0; i < INIT_GROUP_COUNT; i++) {
        enum init_group group = (enum init_group)i;
        if (!has_group(w, group))
            continue;
        write_heading(w, group);
        if (group == INIT_READ)
            write_allows(w, is_in);
        else
            write_deny(w, group, is_in);
    }
}

/* --------------------------------- tests -------------------------------- */

static void write_call(struct writer *w, const struct init_class *class, Str folder)
{
    buf_add(w->out, STR("  call "));
    write_string(w->out, class->tool->name);
    buf_add_char(w->out, ' ');
    init_write_sample(class->tool->arguments, folder, w->out);
    buf_add(w->out, STR(";\n"));
}

static void write_tests_of(struct writer *w, enum init_group group, bool *is_in)
{
    uint32_t calls = 0;
    if (mark(w, group, NULL, is_in) == 0)
        return;
    buf_printf(w->out, "\ntest \"%s\" {\n", groups[group].test);
    for (uint32_t i = 0; i < w->snapshot->tool_count && calls < TEST_CALLS_MAX; i++) {
        if (!is_in[i])
            continue;
        calls++;
        write_call(w, &w->classes[i], STR(FOLDER));
        if (group == INIT_READ)
            buf_add(w->out, STR("  expect allow;\n"));
        else
            buf_printf(w->out, "  expect deny \"%s\";\n", groups[group].reason);
    }
    buf_add(w->out, STR("}\n"));
}

/* The same reads elsewhere. */
static void write_outside(struct writer *w)
{
    uint32_t calls = 0;
    if (!w->has_folders)
        return;
    buf_add(w->out, STR("\ntest \"reading stays in the folders\" {\n"));
    for (uint32_t i = 0; i < w->snapshot->tool_count && calls < TEST_CALLS_MAX; i++) {
        const struct init_class *class = &w->classes[i];
        if (class->group != INIT_READ || !is_nameable(class) || !w->conditions[i].n)
            continue;
        calls++;
        write_call(w, class, STR(FOLDER "/../etc"));
        buf_add(w->out, STR("  expect deny;\n"));
    }
    buf_add(w->out, STR("}\n"));
}

/* ------------------------------- the whole ------------------------------ */

static bool reads_paths(const struct init_class *class)
{
    if (class->group != INIT_READ || !is_nameable(class))
        return false;
    for (uint32_t i = 0; i < class->argument_count; i++)
        if (class->arguments[i].role == INIT_ROLE_PATH)
            return true;
    return false;
}

/* What a reader is asked is about paths alone: addresses and code took it out of the group. */
static bool classify(struct writer *w)
{
    uint32_t count = w->snapshot->tool_count;
    Str prefix = init_prefix(w->snapshot, w->mem);
    w->classes = ARENA_NEW(w->mem, struct init_class, count);
    w->conditions = ARENA_NEW(w->mem, Str, count);
    if (!w->classes || !w->conditions)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!init_classify(&w->snapshot->tools[i], prefix, w->mem, &w->classes[i]))
            return false;
        w->has_folders |= reads_paths(&w->classes[i]);
    }
    for (uint32_t i = 0; i < count; i++)
        w->conditions[i] = condition_of(w, &w->classes[i]);
    return true;
}

static void write_head(struct writer *w)
{
    uint32_t count = w->snapshot->tool_count;
    buf_printf(w->out,
               "# A first policy for the server \"%.*s\", by `mcpc init` from its %u tool%s.\n",
               STR_ARG(w->alias), count, count == 1 ? "" : "s");
    buf_add(w->out, STR("#\n"
                        "# Allowed is only what clearly reads, by its name and its arguments. All "
                        "else is denied by name;\n"
                        "# read why, move what is needed to an allow rule of its own with a "
                        "condition, and add a test.\n"
                        "# What the server says of its tools (readOnlyHint and the like) is a "
                        "claim: it has taken tools\n"
                        "# out of what is allowed and brought none in.\n"));
    buf_printf(w->out, "policy \"%.*s\" version 1;\nserver \"%.*s\" tools ", STR_ARG(w->alias),
               STR_ARG(w->alias));
    write_string(w->out, w->file);
    buf_add(w->out, STR(";\n\ndefault deny reason \"no rule allows it\";\n"));
    if (w->has_folders)
        buf_add(w->out, STR("\n# The folders that may be read: put yours here. A server that takes "
                            "relative paths needs\n"
                            "# relative folders, as in \"docs\". Until then nothing that names a "
                            "path is allowed.\n"
                            "let folders = { \"" FOLDER "\" };\n"));
}

bool init_write_policy(const struct snapshot *snapshot, Str alias, Str file, struct arena *mem,
                       struct buf *out)
{
    struct writer w = {
        .out = out, .mem = mem, .alias = alias, .file = file, .snapshot = snapshot
    };
    bool *is_in = ARENA_NEW(mem, bool, snapshot->tool_count);
    if (!is_in || !classify(&w))
        return false;
    write_head(&w);
    write_rules(&w, is_in);
    for (unsigned i = 0; i < INIT_GROUP_COUNT; i++)
        write_tests_of(&w, (enum init_group)i, is_in);
    write_outside(&w);
    return !out->is_full;
}
