/* SPDX-License-Identifier: Apache-2.0 */
/* pin_describe.c - what changed between two snapshots, in words.
 *
 * The digest decides whether a tool changed; the words come from what the compiler understands of
 * the two definitions, and where that sees no difference the changed member is named. Texts of a
 * server are shown escaped and cut: they may be written to mislead whoever reads this.
 */
#include "compiler/command/pin_write.h"
#include "compiler/source/text.h"
#include "runtime/pin/pin.h"

#include <stdarg.h>

enum {
    SHOWN_BYTES = 160,
    PATH_BYTES = 512,
    LINES_PER_TOOL_MAX = 100,
    CANONICAL_BYTES_MAX = SOURCE_BYTES_MAX * 2
};

struct telling {
    struct arena *mem;
    struct buf *out;
    Str tool;
    size_t lines, tool_lines;
};

static void tell(struct telling *t, const char *format, ...) PRINTF_LIKE(2, 3);

static void tell(struct telling *t, const char *format, ...)
{
    va_list args;
    char text[1024];
    t->lines++;
    if (++t->tool_lines > LINES_PER_TOOL_MAX) {
        if (t->tool_lines == LINES_PER_TOOL_MAX + 1)
            buf_printf(t->out, "%.*s: and more\n", STR_ARG(t->tool));
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_printf(t->out, "%.*s: %s\n", STR_ARG(t->tool), text);
}

/* A server's text in quotes, what hides or steers made visible, and cut; in the arena. */
static Str shown(struct telling *t, Str text)
{
    char visible[SHOWN_BYTES * 2];
    bool is_cut = text.n > SHOWN_BYTES;
    size_t n = is_cut ? SHOWN_BYTES : text.n;
    while (is_cut && n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--;
    Str seen = { .p = visible, .n = text_visible(str_sub(text, 0, n), visible, sizeof visible) };
    return arena_printf(t->mem, "\"%.*s\"%s", STR_ARG(seen), is_cut ? "..." : "");
}

static void tell_text(struct telling *t, Str what, Str old, Str new_one)
{
    if (str_eq(old, new_one))
        return;
    if (!old.n)
        tell(t, "%.*s is new: %.*s", STR_ARG(what), STR_ARG(shown(t, new_one)));
    else if (!new_one.n)
        tell(t, "%.*s is gone; it was %.*s", STR_ARG(what), STR_ARG(shown(t, old)));
    else
        tell(t, "%.*s changed\n    from %.*s\n    to   %.*s", STR_ARG(what), STR_ARG(shown(t, old)),
             STR_ARG(shown(t, new_one)));
}

/* -------------------------------- schemas ------------------------------- */

static Str type_words(struct telling *t, uint32_t types)
{
    static const struct {
        uint32_t type;
        const char *word;
    } words[] = {
        { SCHEMA_STRING, "string" }, { SCHEMA_INTEGER, "integer" }, { SCHEMA_BOOL, "boolean" },
        { SCHEMA_OBJECT, "object" }, { SCHEMA_ARRAY, "array" },     { SCHEMA_NULL, "null" },
        { SCHEMA_NUMBER, "number" },
    };
    Str out = { .p = NULL, .n = 0 };
    if (types == SCHEMA_ANY)
        return STR("anything");
    if (types & SCHEMA_NUMBER)
        types &= ~(uint32_t)SCHEMA_INTEGER;
    for (size_t i = 0; i < COUNT(words); i++)
        if (types & words[i].type)
            out = out.n ? arena_printf(t->mem, "%.*s or %s", STR_ARG(out), words[i].word)
                        : str_of(words[i].word);
    return out;
}

static bool has_string(const struct schema *schema, Str text)
{
    for (uint32_t i = 0; i < schema->enum_count; i++)
        if (str_eq(schema->enum_strings[i], text))
            return true;
    return false;
}

static void tell_values(struct telling *t, Str path, const struct schema *old,
                        const struct schema *new_one)
{
    if (!old->enum_count && !new_one->enum_count)
        return;
    if (!old->enum_count || !new_one->enum_count) {
        tell(t, "%.*s %s", STR_ARG(path),
             old->enum_count ? "takes any value now, not only listed ones"
                             : "takes only listed values now");
        return;
    }
    for (uint32_t i = 0; i < new_one->enum_count; i++)
        if (!has_string(old, new_one->enum_strings[i]))
            tell(t, "%.*s: value %.*s added", STR_ARG(path),
                 STR_ARG(shown(t, new_one->enum_strings[i])));
    for (uint32_t i = 0; i < old->enum_count; i++)
        if (!has_string(new_one, old->enum_strings[i]))
            tell(t, "%.*s: value %.*s removed", STR_ARG(path),
                 STR_ARG(shown(t, old->enum_strings[i])));
}

static Str limit_text(struct telling *t, uint64_t limit)
{
    return limit == SCHEMA_NO_LIMIT ? STR("none")
                                    : arena_printf(t->mem, "%llu", (unsigned long long)limit);
}

static void tell_limit(struct telling *t, Str path, const char *what, uint64_t old, uint64_t now)
{
    if (old != now)
        tell(t, "%.*s: %s changed from %.*s to %.*s", STR_ARG(path), what,
             STR_ARG(limit_text(t, old)), STR_ARG(limit_text(t, now)));
}

static Str bound_text(struct telling *t, struct schema_bound bound)
{
    if (!bound.text.n)
        return STR("none");
    return arena_printf(t->mem, "%.*s%s", STR_ARG(bound.text),
                        bound.is_exclusive ? " (itself excluded)" : "");
}

static void tell_bound(struct telling *t, Str path, const char *what, struct schema_bound old,
                       struct schema_bound now)
{
    if (!str_eq(old.text, now.text) || old.is_exclusive != now.is_exclusive)
        tell(t, "%.*s: %s changed from %.*s to %.*s", STR_ARG(path), what,
             STR_ARG(bound_text(t, old)), STR_ARG(bound_text(t, now)));
}

static void tell_facts(struct telling *t, Str path, const struct schema *old,
                       const struct schema *now)
{
    if (old->types != now->types)
        tell(t, "%.*s: type changed from %.*s to %.*s", STR_ARG(path),
             STR_ARG(type_words(t, old->types)), STR_ARG(type_words(t, now->types)));
    tell_values(t, path, old, now);
    tell_limit(t, path, "least length", old->min_length, now->min_length);
    tell_limit(t, path, "greatest length", old->max_length, now->max_length);
    tell_limit(t, path, "least number of elements", old->min_items, now->min_items);
    tell_limit(t, path, "greatest number of elements", old->max_items, now->max_items);
    tell_bound(t, path, "minimum", old->minimum, now->minimum);
    tell_bound(t, path, "maximum", old->maximum, now->maximum);
    bool may_be_object = (old->types & now->types & SCHEMA_OBJECT) != 0;
    if (may_be_object && old->is_open != now->is_open)
        tell(t, "%.*s: members that are not declared are %s now", STR_ARG(path),
             now->is_open ? "taken" : "refused");
    tell_text(t, arena_printf(t->mem, "%.*s: format", STR_ARG(path)), old->format, now->format);
    tell_text(t, arena_printf(t->mem, "%.*s: pattern", STR_ARG(path)), old->pattern, now->pattern);
    tell_text(t, arena_printf(t->mem, "%.*s: title", STR_ARG(path)), old->title, now->title);
    tell_text(t, arena_printf(t->mem, "%.*s: description", STR_ARG(path)), old->description,
              now->description);
}

static void tell_schema(struct telling *t, Str path, const struct schema *old,
                        const struct schema *now, uint32_t depth);

static Str member_path(struct telling *t, Str path, Str key)
{
    char visible[PATH_BYTES];
    Str seen = { .p = visible, .n = text_visible(key, visible, sizeof visible) };
    return arena_printf(t->mem, "%.*s.%.*s", STR_ARG(path), STR_ARG(seen));
}

static void tell_members(struct telling *t, Str path, const struct schema *old,
                         const struct schema *now, uint32_t depth)
{
    for (uint32_t i = 0; i < now->member_count; i++) {
        const struct schema_member *member = &now->members[i];
        const struct schema_member *before = schema_member(old, member->key);
        Str at = member_path(t, path, member->key);
        if (!before) {
            tell(t, "%.*s added (%.*s%s)", STR_ARG(at),
                 STR_ARG(type_words(t, member->schema->types)),
                 member->is_required ? ", required" : "");
            continue;
        }
        if (before->is_required != member->is_required)
            tell(t, "%.*s is %s now", STR_ARG(at), member->is_required ? "required" : "optional");
        tell_schema(t, at, before->schema, member->schema, depth + 1);
    }
    for (uint32_t i = 0; i < old->member_count; i++)
        if (!schema_member(now, old->members[i].key))
            tell(t, "%.*s removed", STR_ARG(member_path(t, path, old->members[i].key)));
}

/* Recursive down to SCHEMA_DEPTH_MAX; t's lines bound what is told. */
static void tell_schema(struct telling *t, Str path, const struct schema *old,
                        const struct schema *now, uint32_t depth)
{
    static const struct schema anything = { .types = SCHEMA_ANY,
                                            .is_open = true,
                                            .max_items = SCHEMA_NO_LIMIT,
                                            .max_length = SCHEMA_NO_LIMIT };
    if (depth > SCHEMA_DEPTH_MAX || path.n > PATH_BYTES || t->tool_lines > LINES_PER_TOOL_MAX)
        return;
    tell_facts(t, path, old, now);
    tell_members(t, path, old, now, depth);
    if (old->items || now->items)
        tell_schema(t, arena_printf(t->mem, "%.*s[]", STR_ARG(path)),
                    old->items ? old->items : &anything, now->items ? now->items : &anything,
                    depth + 1);
}

/* --------------------------------- tools -------------------------------- */

static void tell_hint(struct telling *t, const char *name, enum schema_hint old,
                      enum schema_hint now)
{
    static const char *const words[] = { "absent", "false", "true" };
    if (old != now)
        tell(t, "the server's %s changed from %s to %s", name, words[old], words[now]);
}

static void tell_hints(struct telling *t, const struct pinned_hints *old,
                       const struct pinned_hints *now)
{
    tell_hint(t, "readOnlyHint", old->read_only, now->read_only);
    tell_hint(t, "destructiveHint", old->destructive, now->destructive);
    tell_hint(t, "idempotentHint", old->idempotent, now->idempotent);
    tell_hint(t, "openWorldHint", old->open_world, now->open_world);
}

/* Both absent, or the same canonical JSON. */
static bool is_same_member(struct telling *t, const struct json_doc *a, uint32_t in_a,
                           const struct json_doc *b, uint32_t in_b, Str key)
{
    struct buf left, right;
    uint32_t x = json_member(a, in_a, key), y = json_member(b, in_b, key);
    if (x == JSON_NONE || y == JSON_NONE)
        return x == y;
    buf_init(&left, CANONICAL_BYTES_MAX);
    buf_init(&right, CANONICAL_BYTES_MAX);
    bool is_same = pin_write_canonical(a, x, t->mem, &left) &&
                   pin_write_canonical(b, y, t->mem, &right) &&
                   str_eq(buf_str(&left), buf_str(&right));
    buf_free(&left);
    buf_free(&right);
    return is_same;
}

static void tell_tool(struct telling *t, const struct snapshot *old,
                      const struct pinned_tool *before, const struct snapshot *now,
                      const struct pinned_tool *tool)
{
    static const Str rest[] = { STR_INIT("annotations"), STR_INIT("inputSchema") };
    tell_text(t, STR("description"), before->description, tool->description);
    tell_text(t, STR("title"), before->title, tool->title);
    tell_hints(t, &before->hints, &tool->hints);
    tell_schema(t, STR("args"), before->arguments, tool->arguments, 0);
    if (!is_same_member(t, &old->doc, before->node, &now->doc, tool->node, STR("outputSchema")))
        tell(t, "the schema of its results %s",
             !before->has_output_schema ? "is new"
             : tool->has_output_schema  ? "changed"
                                        : "is gone");
    for (size_t i = 0; i < COUNT(rest) && !t->tool_lines; i++)
        if (!is_same_member(t, &old->doc, before->node, &now->doc, tool->node, rest[i]))
            tell(t, "%.*s changed in what has no words here; compare the two files",
                 STR_ARG(rest[i]));
    if (!t->tool_lines)
        tell(t, "its definition changed");
}

size_t pin_describe(const struct snapshot *old, const struct snapshot *new_one, struct arena *mem,
                    struct buf *out)
{
    struct telling t = { .mem = mem, .out = out };
    for (uint32_t i = 0; i < new_one->tool_count; i++) {
        const struct pinned_tool *tool = &new_one->tools[i];
        const struct pinned_tool *before = snapshot_tool(old, tool->name);
        t.tool = shown(&t, tool->name);
        t.tool_lines = 0;
        if (!before)
            tell(&t, "added");
        else if (memcmp(before->pin.digest, tool->pin.digest, PIN_BYTES) != 0)
            tell_tool(&t, old, before, new_one, tool);
    }
    for (uint32_t i = 0; i < old->tool_count; i++) {
        t.tool = shown(&t, old->tools[i].name);
        t.tool_lines = 0;
        if (!snapshot_tool(new_one, old->tools[i].name))
            tell(&t, "removed");
    }
    return t.lines;
}
