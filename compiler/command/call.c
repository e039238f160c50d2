/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - reads with the same strict reader as the gateway, so that what a test judges is what the
 * gateway would judge. */
#include "compiler/command/call.h"

#include "runtime/base/utc.h"
#include "runtime/base/world.h"

enum { MICROS_PER_SECOND = 1000000, MILLIS_PER_SECOND = 1000 };

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

/* The gateway hands attributes over as a document of their own, so they are read into one here. */
static bool read_attributes(const struct json_doc *doc, uint32_t node, struct arena *mem,
                            struct principal *principal, Str *why)
{
    struct json_doc *attributes = ARENA_NEW(mem, struct json_doc, 1);
    if (!want_type(doc, node, JSON_OBJECT, "\"attributes\" must be an object", why) ||
        !attributes || !parse(json_raw(doc, node), mem, attributes, why))
        return false;
    principal->attributes = attributes;
    return true;
}

static bool read_string(const struct json_doc *doc, uint32_t node, struct arena *mem, Str *out,
                        Str *why)
{
    if (json_at(doc, node)->type == JSON_STRING) {
        *out = json_text(json_at(doc, node));
        return true;
    }
    *why = arena_printf(mem, "\"%.*s\" must be a string", STR_ARG(json_key(json_at(doc, node))));
    return false;
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
        } else if (str_eq(key, STR("attributes"))) {
            if (!read_attributes(doc, i, mem, principal, why))
                return false;
        } else if (str_eq(key, STR("id"))) {
            if (!read_string(doc, i, mem, &principal->id, why))
                return false;
        } else {
            *why = arena_printf(mem,
                                "a principal has \"id\", \"groups\" and \"attributes\", "
                                "but no \"%.*s\"",
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

/* One string of an object whose members are all strings. */
struct text_member {
    Str key;
    Str *value;
};

/* The object `what`: members not listed are refused. */
static bool read_texts(const struct json_doc *doc, uint32_t node, struct arena *mem,
                       const struct text_member *members, Str *why)
{
    Str what = json_key(json_at(doc, node));
    if (json_at(doc, node)->type != JSON_OBJECT) {
        *why = arena_printf(mem, "\"%.*s\" must be an object", STR_ARG(what));
        return false;
    }
    for (uint32_t i = json_first(doc, node); i != JSON_NONE; i = json_after(doc, node, i)) {
        Str key = json_key(json_at(doc, i));
        const struct text_member *member = members;
        while (member->value && !str_eq(member->key, key))
            member++;
        if (!member->value) {
            *why = arena_printf(mem, "\"%.*s\" has no \"%.*s\"", STR_ARG(what), STR_ARG(key));
            return false;
        }
        if (!read_string(doc, i, mem, member->value, why))
            return false;
    }
    return true;
}

static bool read_at(const struct json_doc *doc, uint32_t node, struct arena *mem, int64_t *now,
                    Str *why)
{
    Str text;
    int64_t micros;
    if (!read_string(doc, node, mem, &text, why))
        return false;
    if (!utc_parse(text, &micros)) {
        *why = STR("\"at\" must be a time like \"2026-11-24T09:00:00Z\"");
        return false;
    }
    *now = micros / MICROS_PER_SECOND;
    return true;
}

static bool read_kind(const struct json_doc *doc, uint32_t node, struct arena *mem,
                      enum message_kind *kind, Str *why)
{
    Str word;
    if (!read_string(doc, node, mem, &word, why))
        return false;
    enum message_kind found = kind_of_word(word);
    if (found == KIND_COUNT) {
        *why = arena_printf(mem, "there is no kind of message \"%.*s\"", STR_ARG(word));
        return false;
    }
    *kind = found;
    return true;
}

static bool read_member(struct call *call, uint32_t node, struct arena *mem, Str *why)
{
    const struct json_doc *doc = &call->doc;
    const struct text_member grant[] = { { STR("label"), &call->vm.label }, { .value = NULL } };
    const struct text_member client[] = { { STR("name"), &call->vm.client_name },
                                          { STR("version"), &call->vm.client_version },
                                          { STR("address"), &call->vm.client_address },
                                          { .value = NULL } };
    Str key = json_key(json_at(doc, node));
    if (str_eq(key, STR("principal")))
        return read_principal(doc, node, mem, &call->principal, why);
    if (str_eq(key, STR("grant")))
        return read_texts(doc, node, mem, grant, why);
    if (str_eq(key, STR("client")))
        return read_texts(doc, node, mem, client, why);
    if (str_eq(key, STR("at")))
        return read_at(doc, node, mem, &call->vm.now, why);
    if (str_eq(key, STR("tool")) || str_eq(key, STR("name")))
        return read_string(doc, node, mem, &call->vm.name, why);
    if (str_eq(key, STR("kind")))
        return read_kind(doc, node, mem, &call->vm.kind, why);
    if (str_eq(key, STR("method")))
        return read_string(doc, node, mem, &call->vm.method, why);
    if (str_eq(key, STR("server")))
        return read_string(doc, node, mem, &call->vm.server, why);
    if (str_eq(key, STR("verdict")))
        return read_string(doc, node, mem, &call->verdict, why);
    if (str_eq(key, STR("arguments"))) {
        call->vm.doc = doc;
        call->vm.arguments = node;
        return want_type(doc, node, JSON_OBJECT, "\"arguments\" must be an object", why);
    }
    *why = arena_printf(mem,
                        "a call has \"tool\", or \"kind\", \"name\" and \"method\", "
                        "\"arguments\", \"server\", \"principal\", \"grant\", \"client\", "
                        "\"at\" and \"verdict\", but no \"%.*s\"",
                        STR_ARG(key));
    return false;
}

/* The kind, name and method together: "tool" is short for a name of that kind. */
static bool settle_message(const struct json_doc *doc, struct arena *mem, struct vm_call *call,
                           Str *why)
{
    bool is_tool = json_member(doc, 0, STR("tool")) != JSON_NONE;
    bool has_name = json_member(doc, 0, STR("name")) != JSON_NONE;
    const struct kind_info *kind = &kind_table[call->kind];
    if (is_tool && (has_name || call->kind != KIND_TOOL)) {
        *why = STR("\"tool\" stands without \"name\" and another \"kind\"");
        return false;
    }
    if ((is_tool || has_name) != (kind->names != NAMES_NONE)) {
        *why = call->kind == KIND_TOOL
                   ? STR("a call needs a \"tool\"")
                   : arena_printf(mem, "a message of kind \"%.*s\" %s \"name\"",
                                  STR_ARG(kind->word), has_name ? "has no" : "needs a");
        return false;
    }
    if (!call->method.p)
        call->method = kind_first_method(call->kind);
    const struct kind_method *method = kind_method_find(call->method);
    if (method && method->kind == call->kind)
        return true;
    *why = arena_printf(mem, "\"%.*s\" is no method of kind \"%.*s\"", STR_ARG(call->method),
                        STR_ARG(kind->word));
    return false;
}

bool call_read(Str json, struct arena *mem, struct call *call, Str *why)
{
    *call = (struct call){ .principal = { .id = STR("anonymous") } };
    call->vm.principal = &call->principal;
    call->vm.now = world_wall_ms() / MILLIS_PER_SECOND;
    if (!parse(json, mem, &call->doc, why) ||
        !want_type(&call->doc, 0, JSON_OBJECT, "a call must be an object", why))
        return false;
    for (uint32_t i = json_first(&call->doc, 0); i != JSON_NONE; i = json_after(&call->doc, 0, i)) {
        if (!read_member(call, i, mem, why))
            return false;
    }
    return settle_message(&call->doc, mem, &call->vm, why);
}
