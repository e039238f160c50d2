/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - reads with the same strict reader as the gateway, so that what a test judges is what the
 * gateway would judge. */
#include "compiler/command/call.h"

static bool parse(Str json, struct arena *mem, struct json_doc *doc, Str *why)
{
    uint32_t at = 0;
    enum json_error error = json_parse(json, &json_limits_default, mem, doc, &at);
    if (error == JSON_ERR_NONE)
        return true;
    *why = arena_printf(mem, "%s, at byte %u of the call", json_error_text(error), at);
    return false;
}

static bool want_type(const struct json_doc *doc, uint32_t node, enum json_type type,
                      const char *what, Str *why)
{
    if (json_at(doc, node)->type == type)
        return true;
    *why = str_of(what);
    return false;
}

static bool read_groups(const struct json_doc *doc, uint32_t node, struct arena *mem,
                        struct principal *principal, Str *why)
{
    if (!want_type(doc, node, JSON_ARRAY, "\"groups\" must be a list of strings", why))
        return false;
    Str *groups = ARENA_NEW(mem, Str, json_at(doc, node)->count);
    if (!groups)
        return false;
    for (uint32_t i = json_first(doc, node); i != JSON_NONE; i = json_after(doc, node, i)) {
        if (!want_type(doc, i, JSON_STRING, "\"groups\" must be a list of strings", why))
            return false;
        groups[principal->group_count++] = json_text(json_at(doc, i));
    }
    principal->groups = groups;
    return true;
}

static bool read_principal(const struct json_doc *doc, uint32_t node, struct arena *mem,
                           struct principal *principal, Str *why)
{
    *principal = (struct principal){ .id = STR("anonymous") };
    if (!want_type(doc, node, JSON_OBJECT, "a principal must be an object", why))
        return false;
    for (uint32_t i = json_first(doc, node); i != JSON_NONE; i = json_after(doc, node, i)) {
        Str key = json_key(json_at(doc, i));
        if (str_eq(key, STR("groups"))) {
            if (!read_groups(doc, i, mem, principal, why))
                return false;
        } else if (str_eq(key, STR("id"))) {
            if (!want_type(doc, i, JSON_STRING, "\"id\" must be a string", why))
                return false;
            principal->id = json_text(json_at(doc, i));
        } else {
            *why = arena_printf(mem, "a principal has \"id\" and \"groups\", but no \"%.*s\"",
                                STR_ARG(key));
            return false;
        }
    }
    return true;
}

bool principal_read(Str json, struct arena *mem, struct principal *principal, Str *why)
{
    struct json_doc doc;
    *principal = (struct principal){ .id = STR("anonymous") };
    if (json.n == 0)
        return true;
    return parse(json, mem, &doc, why) && read_principal(&doc, 0, mem, principal, why);
}

bool arguments_read(Str json, struct arena *mem, struct call *call, Str *why)
{
    call->vm.doc = NULL;
    if (json.n == 0)
        return true;
    if (!parse(json, mem, &call->doc, why) ||
        !want_type(&call->doc, 0, JSON_OBJECT, "arguments must be an object", why))
        return false;
    call->vm.doc = &call->doc;
    call->vm.arguments = 0;
    return true;
}

static bool read_member(struct call *call, uint32_t node, struct arena *mem, Str *why)
{
    const struct json_doc *doc = &call->doc;
    Str key = json_key(json_at(doc, node)), text = json_text(json_at(doc, node));
    if (str_eq(key, STR("principal")))
        return read_principal(doc, node, mem, &call->principal, why);
    if (str_eq(key, STR("arguments"))) {
        call->vm.doc = doc;
        call->vm.arguments = node;
        return want_type(doc, node, JSON_OBJECT, "\"arguments\" must be an object", why);
    }
    if (str_eq(key, STR("tool"))) {
        call->vm.tool = text;
        return want_type(doc, node, JSON_STRING, "\"tool\" must be a string", why);
    }
    if (str_eq(key, STR("server"))) {
        call->vm.server = text;
        return want_type(doc, node, JSON_STRING, "\"server\" must be a string", why);
    }
    *why = arena_printf(mem,
                        "a call has \"tool\", \"arguments\", \"server\" and \"principal\", "
                        "but no \"%.*s\"",
                        STR_ARG(key));
    return false;
}

bool call_read(Str json, struct arena *mem, struct call *call, Str *why)
{
    *call = (struct call){ .principal = { .id = STR("anonymous") } };
    call->vm.principal = &call->principal;
    if (!parse(json, mem, &call->doc, why) ||
        !want_type(&call->doc, 0, JSON_OBJECT, "a call must be an object", why))
        return false;
    for (uint32_t i = json_first(&call->doc, 0); i != JSON_NONE; i = json_after(&call->doc, 0, i)) {
        if (!read_member(call, i, mem, why))
            return false;
    }
    if (call->vm.tool.p)
        return true;
    *why = STR("a call needs a \"tool\"");
    return false;
}
