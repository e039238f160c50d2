/* SPDX-License-Identifier: Apache-2.0 */
/* test_definitions.c - the table of a server's definitions, and how a tool stands to its pin. */
#include "runtime/gateway/definitions.h"
#include "tests/unit/check.h"

#include <stdio.h>

static struct arena mem;

static struct definition *add(struct definitions *table, const char *text, bool with_pin)
{
    struct json_doc doc;
    ENSURE(json_parse(str_of(text), &json_limits_default, &mem, &doc, NULL) == JSON_ERR_NONE);
    return definitions_add(table, &doc, 0, json_member_string(&doc, 0, STR("name")), with_pin);
}

static struct b_pin pin_of(const char *text)
{
    struct definitions *table = definitions_new();
    struct b_pin pin;
    const struct definition *definition = add(table, text, true);
    memcpy(pin.digest, definition->pin.digest, sizeof pin.digest);
    memcpy(pin.parts, definition->pin.parts, sizeof pin.parts);
    definitions_free(table);
    return pin;
}

static const char accepted[] = "{\"name\":\"a\",\"description\":\"x\",\"inputSchema\":{}}";

/* One list each, in any order of its tools: what stands is the same. */
static void a_tool_stands_as_its_list_says(void)
{
    static const struct {
        const char *tools[3];
        enum standing_kind kind;
        uint32_t changed; /* bits of pin_part_names */
    } rows[] = {
        { { accepted }, STANDING_ACCEPTED, 0 },
        { { "{\"name\":\"b\"}" }, STANDING_UNLISTED, 0 },
        { { accepted, "{\"name\":\"b\"}", accepted }, STANDING_ACCEPTED, 0 },
        { { "{\"inputSchema\":{ },\"description\":\"\\u0078\",\"name\":\"a\",\"icons\":[]}" },
          STANDING_ACCEPTED,
          0 },
        { { "{\"name\":\"a\",\"description\":\"y\",\"inputSchema\":{}}" }, STANDING_CHANGED, 2 },
        { { "{\"name\":\"a\",\"inputSchema\":{}}" }, STANDING_CHANGED, 2 },
        { { "{\"name\":\"a\",\"description\":\"x\",\"inputSchema\":[],\"title\":\"\"}" },
          STANDING_CHANGED,
          4 | 32 },
        { { accepted, "{\"name\":\"a\"}" }, STANDING_CHANGED, 0 },
        { { "{\"name\":\"a\"}", accepted }, STANDING_CHANGED, 0 },
        { { accepted, "{\"name\":\"a\"}", accepted }, STANDING_CHANGED, 0 },
    };
    struct b_pin pin = pin_of(accepted);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct definitions *table = definitions_new();
        for (size_t k = 0; k < 3 && rows[i].tools[k]; k++)
            CHECK(add(table, rows[i].tools[k], true));
        struct standing got = definition_standing(definitions_find(table, STR("a")), &pin);
        CHECK_ROW(got.kind == rows[i].kind && got.changed == rows[i].changed, "row %zu: %d %u", i,
                  (int)got.kind, got.changed);
        definitions_free(table);
    }
}

/* Without digests nothing is ever accepted. */
static void what_was_not_digested_is_changed(void)
{
    struct b_pin pin = pin_of(accepted);
    struct definitions *table = definitions_new();
    CHECK(add(table, accepted, false));
    CHECK(definition_standing(definitions_find(table, STR("a")), &pin).kind == STANDING_CHANGED);
    definitions_free(table);
    struct standing zeroed = { .why = NULL };
    CHECK(zeroed.kind != STANDING_FREE && zeroed.kind != STANDING_ACCEPTED);
}

static void a_long_list_keeps_all_and_its_order(void)
{
    enum { TOOLS = 5000 };
    struct definitions *table = definitions_new();
    char text[64], name[16];
    for (int i = 0; i < TOOLS; i++) {
        (void)snprintf(text, sizeof text, "{\"name\":\"t%d\",\"title\":\"%d\"}", i, i);
        CHECK(add(table, text, i % 10 == 0));
        arena_rewind(&mem);
    }
    uint32_t at = 0;
    for (int i = 0; i < TOOLS; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        const struct definition *next = definitions_next(table, &at);
        CHECK_ROW(next && str_eq(next->name, str_of(name)) && !next->is_repeated &&
                      definitions_find(table, str_of(name)) == next,
                  "%s", name);
    }
    CHECK(!definitions_next(table, &at) && !definitions_find(table, STR("t5000")));
    definitions_free(table);
}

static void names_that_look_alike_are_not_plain(void)
{
    static const Str bad[] = { STR_INIT(""),   STR_INIT("a b"),      STR_INIT("a\0"),
                               STR_INIT("a "), STR_INIT("\xC3\xA9"), STR_INIT("a/b") };
    char name[TOOL_NAME_MAX + 1];
    memset(name, 'a', sizeof name);
    CHECK(tool_name_is_plain((Str){ name, TOOL_NAME_MAX }));
    CHECK(!tool_name_is_plain((Str){ name, TOOL_NAME_MAX + 1 }));
    CHECK(tool_name_is_plain(STR("A.b-c_9")));
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(!tool_name_is_plain(bad[i]), "row %zu", i);
}

int main(void)
{
    arena_init(&mem, 64 << 20);
    RUN(a_tool_stands_as_its_list_says);
    RUN(what_was_not_digested_is_changed);
    RUN(a_long_list_keeps_all_and_its_order);
    RUN(names_that_look_alike_are_not_plain);
    arena_reset(&mem);
    return check_finish();
}
