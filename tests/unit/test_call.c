/* SPDX-License-Identifier: Apache-2.0 */
/* test_call.c - a call as JSON for eval and its like: what is taken, and the words for what is not.
 */
#include "compiler/command/call.h"
#include "runtime/base/world.h"
#include "tests/unit/check.h"

static struct arena mem;
static struct call call;
static Str why;

static bool read(const char *json)
{
    arena_rewind(&mem);
    why = (Str){ .p = NULL, .n = 0 };
    return call_read(str_of(json), &mem, &call, &why);
}

static void test_everything(void)
{
    CHECK(read("{\"tool\":\"t\",\"server\":\"s\",\"arguments\":{\"a\":[1]},"
               "\"principal\":{\"id\":\"p\",\"groups\":[\"g\",\"h\"],"
               "\"attributes\":{\"team\":{\"name\":\"web\"}}},"
               "\"grant\":{\"label\":\"l\"},\"verdict\":\"deny\","
               "\"client\":{\"name\":\"c\",\"version\":\"1\",\"address\":\"::1\"},"
               "\"at\":\"2026-11-24T10:00:00+01:00\"}"));
    CHECK_STR(call.vm.name, STR("t"));
    CHECK_STR(call.vm.server, STR("s"));
    CHECK_STR(call.vm.label, STR("l"));
    CHECK_STR(call.vm.client_name, STR("c"));
    CHECK_STR(call.vm.client_version, STR("1"));
    CHECK_STR(call.vm.client_address, STR("::1"));
    CHECK_STR(call.vm.method, STR("tools/call"));
    CHECK_STR(call.verdict, STR("deny"));
    CHECK(call.vm.now == 1795510800);
    CHECK(call.vm.doc == &call.doc && json_at(call.vm.doc, call.vm.arguments)->count == 1);
    CHECK_STR(call.principal.id, STR("p"));
    CHECK(call.principal.group_count == 2);
    CHECK_STR(call.principal.groups[1], STR("h"));
}

/* The attributes are a document of their own, with an object at its root. */
static void test_attributes(void)
{
    CHECK(
        read("{\"principal\":{\"id\":\"p\",\"attributes\":{\"x\":{\"y\":\"z\"}}},\"tool\":\"t\"}"));
    const struct json_doc *doc = call.principal.attributes;
    uint32_t inner = doc ? json_member(doc, 0, STR("x")) : JSON_NONE;
    CHECK(inner != JSON_NONE);
    if (inner != JSON_NONE)
        CHECK_STR(json_member_string(doc, inner, STR("y")), STR("z"));
    struct principal principal;
    CHECK(principal_read(STR("{\"id\":\"q\",\"attributes\":{}}"), &mem, &principal, &why));
    CHECK(principal.attributes && json_at(principal.attributes, 0)->count == 0);
    CHECK(principal_read(STR(""), &mem, &principal, &why) && !principal.attributes);
}

static void test_defaults(void)
{
    int64_t before = world_wall_ms() / 1000;
    CHECK(read("{\"tool\":\"t\"}"));
    CHECK(call.vm.now >= before && call.vm.now <= world_wall_ms() / 1000);
    CHECK_STR(call.principal.id, STR("anonymous"));
    CHECK(!call.principal.attributes && !call.vm.doc && !call.vm.label.p && !call.verdict.p);
    CHECK(!call.vm.client_name.p && !call.vm.client_version.p && !call.vm.client_address.p);
}

static void test_refused(void)
{
    static const struct {
        const char *json, *why;
    } rows[] = {
        { "[]", "a call must be an object" },
        { "{}", "a call needs a \"tool\"" },
        { "{\"tool\":1}", "\"tool\" must be a string" },
        { "{\"tool\":\"t\",\"at\":\"soon\"}",
          "\"at\" must be a time like \"2026-11-24T09:00:00Z\"" },
        { "{\"tool\":\"t\",\"at\":0}", "\"at\" must be a string" },
        { "{\"tool\":\"t\",\"grant\":\"l\"}", "\"grant\" must be an object" },
        { "{\"tool\":\"t\",\"grant\":{\"name\":\"l\"}}", "\"grant\" has no \"name\"" },
        { "{\"tool\":\"t\",\"client\":{\"name\":null}}", "\"name\" must be a string" },
        { "{\"tool\":\"t\",\"client\":{\"label\":\"l\"}}", "\"client\" has no \"label\"" },
        { "{\"tool\":\"t\",\"principal\":{\"attributes\":[]}}",
          "\"attributes\" must be an object" },
        { "{\"tool\":\"t\",\"principal\":{\"groups\":[1]}}",
          "\"groups\" must be a list of strings" },
        { "{\"tool\":\"t\",\"principal\":{\"team\":\"x\"}}",
          "a principal has \"id\", \"groups\" and \"attributes\", but no \"team\"" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(!read(rows[i].json), "%s is taken", rows[i].json);
        CHECK_ROW(str_eq(why, str_of(rows[i].why)), "%s: %.*s", rows[i].json, STR_ARG(why));
    }
}

int main(void)
{
    arena_init(&mem, 1 << 20);
    RUN(test_everything);
    RUN(test_attributes);
    RUN(test_defaults);
    RUN(test_refused);
    arena_reset(&mem);
    return check_finish();
}
