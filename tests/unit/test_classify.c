/* SPDX-License-Identifier: Apache-2.0 */
/* test_classify.c - what tools are taken for. The rows are the shapes in which names are written;
 * the properties hold of every row: hints never lower an effect, and nothing hostile in a name
 * makes a tool read. */
#include "compiler/classify/classify.h"
#include "compiler/classify/facts.h"
#include "tests/unit/check.h"

enum { MEMORY = 64 << 20 };

static struct arena mem;

static const struct row {
    const char *name, *description, *schema;
    enum tool_effect effect;
} rows[] = {
    // clang-format off
    { "list_issues", "", "", TOOL_READ },
    { "getUserProfile", "", "", TOOL_READ },
    { "GITHUB_LIST_REPOSITORIES", "", "", TOOL_READ },
    { "storage_account_list", "", "", TOOL_READ },
    { "get_merge_request", "", "", TOOL_READ },
    { "pull_request_read", "", "", TOOL_READ },
    { "getweather", "", "", TOOL_READ },
    { "pods_log", "Get the logs of a pod", "", TOOL_READ },
    { "deploy_app_logs_get", "Get the logs of an app", "", TOOL_READ },
    { "calculate_sum", "", "", TOOL_NONE },
    { "create_issue", "", "", TOOL_WRITE },
    { "issueCreate", "", "", TOOL_WRITE },
    { "unmatch_rows", "", "", TOOL_WRITE },
    { "create_user", "", "", TOOL_ADMIN },
    { "set_api_key", "", "", TOOL_ADMIN },
    { "delete_branch", "", "", TOOL_DESTRUCTIVE },
    { "sql_db_delete", "", "", TOOL_DESTRUCTIVE },
    { "get_and_delete_message", "", "", TOOL_DESTRUCTIVE },
    { "sync_all", "Permanently deletes what is gone", "", TOOL_DESTRUCTIVE },
    { "update_list", "Updates it. This cannot be undone.", "", TOOL_DESTRUCTIVE },
    { "execute_sql", "", "", TOOL_EXECUTE },
    { "create_refund", "", "", TOOL_MONEY },
    { "sync_repo", "List, create and delete files", "", TOOL_DESTRUCTIVE },
    /* A name that reads, and words that say more. */
    { "get_page", "Deletes a page", "", TOOL_DESTRUCTIVE },
    { "find_and_replace", "", "", TOOL_WRITE },
    { "get_or_create_project", "", "", TOOL_WRITE },
    { "list_files", "Lists, creates and deletes files", "", TOOL_DESTRUCTIVE },
    { "download_report", "Downloads a report to a local file", "", TOOL_WRITE },
    { "get_image", "", "\"outputPath\":{\"type\":\"string\"}", TOOL_WRITE },
    { "query", "", "\"sql\":{\"type\":\"string\"}", TOOL_EXECUTE },
    { "start_process", "", "\"command\":{\"type\":\"string\"}", TOOL_EXECUTE },
    { "check", "", "\"command\":{\"type\":\"string\"}", TOOL_EXECUTE },
    /* Nothing that says what it does. */
    { "frobnicate", "", "", TOOL_UNCLASSIFIED },
    { "", "", "", TOOL_UNCLASSIFIED },
    { "manage_rules", "Manage rules", "", TOOL_WRITE },
    { "manage_rules", "Manage rules", "\"action\":{\"type\":\"string\"}", TOOL_DESTRUCTIVE },
    { "borrar_archivo", "Borra un archivo", "", TOOL_DESTRUCTIVE },
    { "shanchu", "\xE5\x88\xA0\xE9\x99\xA4\xE6\x96\x87\xE4\xBB\xB6", "", TOOL_DESTRUCTIVE },
    // clang-format on
};

static struct pinned_tool tool_of(const struct row *row, const char *hints)
{
    struct diags diags;
    struct snapshot snapshot;
    Span nowhere = { .source = 0, .lo = 0, .hi = 0 };
    diags_init(&diags, &mem);
    Str text = arena_printf(&mem,
                            "[{\"name\":\"%s\",\"description\":\"%s\",\"annotations\":{%s},"
                            "\"inputSchema\":{\"type\":\"object\",\"properties\":{%s}}}]",
                            row->name[0] ? row->name : "x", row->description, hints, row->schema);
    bool is_read = snapshot_parse(text, STR("t"), nowhere, &mem, &diags, &snapshot);
    CHECK_ROW(is_read, "%s: snapshot", row->name);
    struct pinned_tool tool =
        is_read ? snapshot.tools[0] : (struct pinned_tool){ .name = STR("x") };
    if (!row->name[0])
        tool.name = STR("");
    return tool;
}

static struct classified classify(const struct pinned_tool *tool)
{
    struct classify_context context = { .prefix = 0 };
    struct classified out;
    CHECK(classify_tool(tool, &context, &mem, &out));
    return out;
}

static void test_rows(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pinned_tool tool = tool_of(&rows[i], "");
        struct classified out = classify(&tool);
        CHECK_ROW(out.effect == rows[i].effect, "%s (%s): %.*s", rows[i].name, rows[i].description,
                  STR_ARG(effect_words[out.effect]));
        CHECK_ROW(out.why_count > 0, "%s: a reason", rows[i].name);
        arena_reset(&mem);
    }
}

/* UNCLASSIFIED is the highest: nothing allows it. */
static void test_hints_never_lower(void)
{
    static const char *const hints[] = {
        "\"readOnlyHint\":true",     "\"readOnlyHint\":true,\"destructiveHint\":false",
        "\"destructiveHint\":false", "\"readOnlyHint\":false",
        "\"destructiveHint\":true",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t k = 0; k < COUNT(hints); k++) {
            struct pinned_tool tool = tool_of(&rows[i], hints[k]);
            struct classified out = classify(&tool);
            bool was_unknown = rows[i].effect == TOOL_UNCLASSIFIED;
            CHECK_ROW(was_unknown ? out.effect >= TOOL_WRITE : out.effect >= rows[i].effect,
                      "%s with %s", rows[i].name, hints[k]);
            arena_reset(&mem);
        }
    }
}

static void test_hints_raise(void)
{
    static const struct row row = { "get_thing", "", "", TOOL_READ };
    struct pinned_tool tool = tool_of(&row, "\"destructiveHint\":true");
    CHECK(classify(&tool).effect == TOOL_DESTRUCTIVE);
    tool = tool_of(&row, "\"readOnlyHint\":false");
    CHECK(classify(&tool).effect == TOOL_WRITE);
    arena_reset(&mem);
}

static void test_variant(void)
{
    static const struct row row = {
        "label_write", "",
        "\"method\":{\"type\":\"string\",\"enum\":[\"get\",\"create\",\"delete\",\"frob\"]}",
        TOOL_DESTRUCTIVE
    };
    struct pinned_tool tool = tool_of(&row, "");
    struct classified out = classify(&tool);
    CHECK(out.effect == TOOL_DESTRUCTIVE && out.otherwise == TOOL_DESTRUCTIVE);
    CHECK_STR(out.variant, STR("/method"));
    for (uint32_t i = 0; i < out.value_count; i++) {
        Str value = out.values[i].value;
        enum tool_effect want = str_eq(value, STR("get"))      ? TOOL_READ
                                : str_eq(value, STR("create")) ? TOOL_WRITE
                                                               : TOOL_DESTRUCTIVE;
        CHECK_ROW(out.values[i].effect == want, "%.*s", STR_ARG(value));
    }
    CHECK(out.value_count == 4);
    arena_reset(&mem);
}

static void test_roles(void)
{
    static const struct row row = {
        "push_files", "",
        "\"owner\":{\"type\":\"string\"},\"repo\":{\"type\":\"string\"},\"branch\":{\"type\":"
        "\"string\"},"
        "\"files\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
        "\"path\":{\"type\":\"string\"},\"content\":{\"type\":\"string\"},\"file_type\":{\"type\":"
        "\"string\"}}}},"
        "\"to\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
        TOOL_WRITE
    };
    static const struct classified_role want[] = {
        { ROLE_BRANCH, STR_INIT("/branch") },     { ROLE_TEXT, STR_INIT("/files/*/content") },
        { ROLE_PATH, STR_INIT("/files/*/path") }, { ROLE_REPOSITORY, STR_INIT("/repo") },
        { ROLE_RECIPIENT, STR_INIT("/to/*") },
    };
    struct pinned_tool tool = tool_of(&row, "");
    struct classified out = classify(&tool);
    CHECK(out.role_count == COUNT(want));
    for (uint32_t i = 0; i < out.role_count && i < COUNT(want); i++) {
        CHECK_STR(out.roles[i].pointer, want[i].pointer);
        CHECK_ROW(out.roles[i].role == want[i].role, "%.*s", STR_ARG(want[i].pointer));
    }
    arena_reset(&mem);
}

/* More words, longer words and other scripts than are read: never "read" with a high confidence. */
static void test_odd_names(void)
{
    char many[256] = "get", longest[128] = "list_";
    for (size_t i = 0; i < 30; i++)
        memcpy(many + 3 + 2 * i, "_a", 3);
    memset(longest + 5, 'b', 80);
    const Str names[] = { str_of(many),   str_of(longest), STR("get_\xC3\xA9t\xC3\xA9"),
                          STR("get\xFF"), STR("-"),        STR("____") };
    for (size_t i = 0; i < COUNT(names); i++) {
        static const struct schema nothing = { .types = SCHEMA_OBJECT };
        struct pinned_tool tool = { .name = names[i], .arguments = &nothing };
        struct classified out = classify(&tool);
        CHECK_ROW(out.confidence != CLASSIFY_HIGH, "name %zu", i);
    }
    arena_reset(&mem);
}

static void test_prefix(void)
{
    struct pinned_tool slack[] = { { .name = STR("slack_list_users") },
                                   { .name = STR("slack_post") } };
    struct pinned_tool verbs[] = { { .name = STR("get_user_a") }, { .name = STR("get_user_b") } };
    CHECK(classify_prefix(slack, 2) == 1);
    CHECK(classify_prefix(verbs, 2) == 0); /* a verb is no prefix */
    CHECK(classify_prefix(slack, 1) == 0);
}

static void test_short_types(void)
{
    static const struct {
        const char *type, *schema;
    } types[] = {
        { "string:uri", "{\"type\":\"string\"}" },
        { "integer", "{\"type\":\"integer\"}" },
        { "enum(a|b|+2)", "{\"type\":\"string\",\"enum\":[\"a\",\"b\",\"+2\"]}" },
        { "array<string>", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" },
        { "object{a:string,b:array<integer>}", "{\"type\":\"object\",\"properties\":{\"a\":{"
                                               "\"type\":\"string\"},\"b\":{\"type\":\"array\","
                                               "\"items\":{\"type\":\"integer\"}}}}" },
        { "string|integer", "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}" },
        { "object{a:string,b:arr\xE2\x80\xA6", "{}" },
        { "array<<<<<<", "{}" },
        { "object{:string}", "{\"type\":\"object\",\"properties\":{}}" },
        { "", "{}" },
    };
    for (size_t i = 0; i < COUNT(types); i++) {
        struct buf out;
        buf_init(&out, 4096);
        facts_write_type(str_of(types[i].type), &out);
        CHECK_STR(buf_str(&out), str_of(types[i].schema));
        buf_free(&out);
    }
}

int main(void)
{
    arena_init(&mem, MEMORY);
    RUN(test_rows);
    RUN(test_hints_never_lower);
    RUN(test_hints_raise);
    RUN(test_variant);
    RUN(test_roles);
    RUN(test_odd_names);
    RUN(test_prefix);
    RUN(test_short_types);
    arena_reset(&mem);
    return check_finish();
}
