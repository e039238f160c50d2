/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lsp/describe.h"

#include "compiler/check/check.h"
#include "compiler/source/text.h"
#include "grammar/policy.h"

enum {
    QUOTED_BYTES_MAX = 600,
    ARGUMENTS_SHOWN_MAX = 40,
    TOOLS_SHOWN_MAX = 8,
    VALUES_SHOWN_MAX = 24
};

static const struct {
    Str word;
    const char *doc;
} keyword_docs[] = {
#define KEYWORD_DOC(word, doc) { STR_INIT(#word), doc },
#include "compiler/lsp/keyword_doc.def"
#undef KEYWORD_DOC
};

const char *keyword_doc(Str word)
{
    for (size_t i = 0; i < COUNT(keyword_docs); i++)
        if (str_eq(keyword_docs[i].word, word))
            return keyword_docs[i].doc;
    return NULL;
}

/* Plain words: what Markdown would read as more is escaped, line ends are spaces. */
static void add_plain(struct buf *out, Str text, size_t max)
{
    char shown[QUOTED_BYTES_MAX];
    ENSURE(max <= sizeof shown);
    size_t n = 0;
    for (size_t at = 0, length = 0; at < text.n; at += length) {
        uint32_t code = text_decode(text, at, &length);
        bool is_hidden = code == TEXT_INVALID || text_is_control(code) || text_is_direction(code);
        if (n + length > max) {
            buf_add(out, (Str){ .p = shown, .n = n });
            buf_add(out, STR(" ..."));
            return;
        }
        if (is_hidden) {
            shown[n++] = ' ';
            continue;
        }
        memcpy(shown + n, text.p + at, length);
        n += length;
    }
    for (size_t i = 0; i < n; i++) {
        if (shown[i] && strchr("\\`*_{}[]()#+-.!<>|~&", shown[i]))
            buf_add_char(out, '\\');
        buf_add_char(out, shown[i]);
    }
}

void describe_quoted(struct buf *out, Str text)
{
    if (!text.n)
        return;
    buf_add(out, STR("\n\n> "));
    add_plain(out, text, QUOTED_BYTES_MAX);
}

/* Between backticks, which it can't hold itself. */
static void add_code(struct buf *out, Str text)
{
    char shown[QUOTED_BYTES_MAX];
    size_t n = text_visible(text, shown, sizeof shown);
    buf_add_char(out, '`');
    for (size_t i = 0; i < n; i++)
        buf_add_char(out, shown[i] == '`' ? '\'' : shown[i]);
    buf_add_char(out, '`');
}

static void add_values(struct buf *out, const struct schema *schema)
{
    for (uint32_t i = 0; i < schema->enum_count && i < VALUES_SHOWN_MAX; i++) {
        buf_add(out, i ? STR(", ") : STR(": one of "));
        add_code(out, schema->enum_strings[i]);
    }
    if (schema->enum_count > VALUES_SHOWN_MAX)
        buf_add(out, STR(", ..."));
}

static void add_bounds(struct buf *out, const struct schema *schema)
{
    if (schema->minimum.text.n)
        buf_printf(out, ", %s %.*s", schema->minimum.is_exclusive ? "above" : "at least",
                   STR_ARG(schema->minimum.text));
    if (schema->maximum.text.n)
        buf_printf(out, ", %s %.*s", schema->maximum.is_exclusive ? "below" : "at most",
                   STR_ARG(schema->maximum.text));
    if (schema->max_length != SCHEMA_NO_LIMIT && schema->types & SCHEMA_STRING)
        buf_printf(out, ", at most %llu characters", (unsigned long long)schema->max_length);
    if (schema->format.n) {
        buf_add(out, STR(", format "));
        add_code(out, schema->format);
    }
}

void describe_schema(struct buf *out, const struct schema *schema, struct arena *mem)
{
    buf_add(out, schema_words(schema, mem));
    add_bounds(out, schema);
    add_values(out, schema);
}

static void add_hints(struct buf *out, const struct pinned_hints *hints)
{
    const char *words = hints->read_only == SCHEMA_HINT_TRUE     ? "only reads"
                        : hints->destructive == SCHEMA_HINT_TRUE ? "may destroy"
                        : hints->read_only == SCHEMA_HINT_FALSE  ? "does more than read"
                                                                 : NULL;
    if (words)
        buf_printf(out, "\n\nThe server claims that it %s.", words);
}

static void add_class(struct buf *out, const struct tool_class *class)
{
    if (!class)
        return;
    buf_printf(out, "\n\nClass: effect %.*s", STR_ARG(effect_words[class->effect]));
    for (unsigned i = 0; i < FLAG_COUNT; i++)
        if (class->flags & (UINT32_C(1) << i))
            buf_printf(out, ", flag %.*s", STR_ARG(flag_words[i]));
}

void describe_tool(struct buf *out, const struct view_tool *tool, struct arena *mem)
{
    const struct schema *arguments = tool->tool->arguments;
    buf_add(out, STR("**tool** "));
    add_code(out, tool->tool->name);
    buf_add(out, STR(" of "));
    add_code(out, tool->server->alias);
    describe_quoted(out, tool->tool->title);
    describe_quoted(out, tool->tool->description);
    add_hints(out, &tool->tool->hints);
    add_class(out,
              tool->server->classes ? class_find(tool->server->classes, tool->tool->name) : NULL);
    buf_add(out, arguments->member_count ? STR("\n\nArguments:\n")
                                         : STR("\n\nNo arguments are listed."));
    for (uint32_t i = 0; i < arguments->member_count && i < ARGUMENTS_SHOWN_MAX; i++) {
        buf_add(out, STR("\n- "));
        add_code(out, arguments->members[i].key);
        buf_add(out, STR(": "));
        describe_schema(out, arguments->members[i].schema, mem);
        buf_add(out, arguments->members[i].is_required ? STR("") : STR(" (optional)"));
    }
}

void describe_meaning(struct buf *out, Str name, const struct meaning *meaning, struct arena *mem)
{
    add_code(out, name);
    if (meaning->count == 1 && !meaning->tools[0]) {
        buf_add(out, STR(": "));
        describe_schema(out, meaning->schemas[0], mem);
        describe_quoted(out, meaning->schemas[0]->description);
        return;
    }
    for (uint32_t i = 0; i < meaning->count && i < TOOLS_SHOWN_MAX; i++) {
        buf_add(out, STR("\n\nin "));
        add_code(out, meaning->tools[i] ? meaning->tools[i]->name : STR("?"));
        buf_add(out, STR(": "));
        describe_schema(out, meaning->schemas[i], mem);
        buf_add(out, meaning->is_required[i] ? STR("") : STR(" (optional)"));
        describe_quoted(out, meaning->schemas[i]->description);
    }
    if (meaning->count > TOOLS_SHOWN_MAX)
        buf_printf(out, "\n\nand in %u more tools", meaning->count - TOOLS_SHOWN_MAX);
}

void describe_let(struct buf *out, const struct analysis *analysis, const struct let_decl *let)
{
    Str text = analysis->sources.items[let->span.source].text;
    Str whole = str_sub(text, let->span.lo, let->span.hi);
    buf_add(out, STR("```mcpc\n"));
    char shown[QUOTED_BYTES_MAX];
    size_t n = 0;
    for (; n < whole.n && n < sizeof shown && ((unsigned char)whole.p[n] & 0x80) == 0 &&
           whole.p[n] != '`';
         n++)
        shown[n] = whole.p[n];
    buf_add(out, (Str){ .p = shown, .n = n });
    buf_add(out, n < whole.n ? STR(" ...\n```") : STR("\n```"));
    if (let->value && let->value->type.kind != TYPE_ERROR)
        buf_printf(out, "\n\n%.*s", STR_ARG(type_word(let->value->type)));
}

void describe_function(struct buf *out, enum function function)
{
    const struct function_info *info = &function_table[function];
    buf_printf(out, "**%.*s**(", STR_ARG(info->word));
    for (uint32_t i = 0; i < info->most && i < 3; i++)
        buf_printf(out, "%s%s", i ? ", " : "", i < info->least ? "x" : "x?");
    buf_printf(out, ")\n\n%s", info->doc);
}

bool describe_class_word(struct buf *out, int clause, Str word)
{
    static const char *const effects[] = {
#define EFFECT(NAME, word, doc) doc,
#include "compiler/schema/effect.def"
#undef EFFECT
    };
    static const char *const flags[] = {
#define FLAG(NAME, word, doc) doc,
#include "compiler/schema/flag.def"
#undef FLAG
    };
    if (clause == TK_EFFECT && effect_of_word(word) < TOOL_EFFECT_COUNT)
        buf_printf(out, "**effect** %.*s: %s", STR_ARG(word), effects[effect_of_word(word)]);
    else if (clause == TK_FLAG && flag_of_word(word) < FLAG_COUNT)
        buf_printf(out, "**flag** %.*s: %s", STR_ARG(word), flags[flag_of_word(word)]);
    else if (clause == TK_ROLE && role_of_word(word) < ROLE_COUNT)
        buf_printf(out, "**role** %.*s", STR_ARG(word));
    else
        return false;
    return true;
}
