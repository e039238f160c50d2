/* SPDX-License-Identifier: Apache-2.0 */
/* config_shape.c - which keys there are, and of what type, by the rows of config_keys.def.
 *
 * The walk goes as deep as the rows do, since it enters a value only with the row that describes
 * it. What values mean is for config.c and config_server.c, which skip what is wrong here.
 */
#include "runtime/daemon/config_reader.h"

enum { SUGGESTION_MAX = 3 }; /* edits between a wrong key and the one that was meant */

const struct config_key config_keys[] = {
#define CONFIG_KEY(path, type, fallback, doc)                                                      \
    { STR_INIT(path), CONFIG_##type, STR_INIT(fallback), STR_INIT(doc) },
#include "runtime/daemon/config_keys.def"
#undef CONFIG_KEY
};
const size_t config_key_count = COUNT(config_keys);

Str config_fallback(Str path)
{
    size_t i = 0;
    while (i < config_key_count && !str_eq(config_keys[i].path, path))
        i++;
    ENSURE(i < config_key_count); /* our own code asks for rows that exist */
    return config_keys[i].fallback;
}

/* The last part of a row's path when the row describes a member of parent; else empty. */
static Str child_name(Str path, Str parent)
{
    if (parent.n) {
        if (!str_starts(path, parent) || path.n <= parent.n || path.p[parent.n] != '.')
            return STR("");
        path = str_sub(path, parent.n + 1, path.n);
    }
    return str_contains(path, STR(".")) ? STR("") : path;
}

static const struct config_key *find_row(Str parent, Str key)
{
    for (size_t i = 0; i < config_key_count; i++) {
        Str name = child_name(config_keys[i].path, parent);
        if (name.n && (str_eq(name, STR("*")) || str_eq(name, key)))
            return &config_keys[i];
    }
    return NULL;
}

/* The known key beside it that looks most like it; empty when none does. */
static Str nearest_key(Str parent, Str key)
{
    size_t best = SUGGESTION_MAX + 1;
    Str found = STR("");
    for (size_t i = 0; i < config_key_count; i++) {
        Str name = child_name(config_keys[i].path, parent);
        size_t distance = str_distance(key, name, SUGGESTION_MAX);
        if (name.n && distance < best && distance < name.n && distance < key.n) {
            best = distance;
            found = name;
        }
    }
    return found;
}

static void complain_unknown(struct config_reader *reader, Str parent, uint32_t member)
{
    Str near = nearest_key(parent, json_key(json_at(&reader->doc, member)));
    uint32_t at = config_at(reader, member);
    if (near.n)
        config_complain(reader, at, "unknown key, did you mean \"%.*s\"?", STR_ARG(near));
    else
        config_complain(reader, at, "unknown key");
}

static bool is_strings(const struct json_doc *doc, uint32_t list)
{
    for (uint32_t i = json_first(doc, list); i != JSON_NONE; i = json_after(doc, list, i)) {
        if (json_at(doc, i)->type != JSON_STRING)
            return false;
    }
    return true;
}

static bool has_type(const struct json_doc *doc, uint32_t index, enum config_type type)
{
    enum json_type is = (enum json_type)json_at(doc, index)->type;
    switch (type) {
    case CONFIG_OBJECT:
    case CONFIG_MAP: return is == JSON_OBJECT;
    case CONFIG_STRING: return is == JSON_STRING;
    case CONFIG_STRINGS: return is == JSON_ARRAY && is_strings(doc, index);
    case CONFIG_NUMBER: return is == JSON_NUMBER;
    case CONFIG_BOOL: return is == JSON_TRUE || is == JSON_FALSE;
    default: return false;
    }
}

static void check_object(struct config_reader *reader, uint32_t object, Str path)
{
    static const char *const type_names[] = { "an object",         "an object", "a string",
                                              "a list of strings", "a number",  "true or false" };
    const struct json_doc *doc = &reader->doc;
    for (uint32_t i = json_first(doc, object); i != JSON_NONE; i = json_after(doc, object, i)) {
        const struct config_key *row = find_row(path, json_key(json_at(doc, i)));
        if (!row)
            complain_unknown(reader, path, i);
        else if (!has_type(doc, i, row->type))
            config_complain(reader, config_at(reader, i), "must be %s", type_names[row->type]);
        else if (row->type == CONFIG_OBJECT || row->type == CONFIG_MAP)
            check_object(reader, i, row->path);
    }
}

void config_check_shape(struct config_reader *reader)
{
    if (json_at(&reader->doc, 0)->type != JSON_OBJECT)
        config_complain(reader, 0, "the configuration must be an object");
    else
        check_object(reader, 0, STR(""));
}

uint32_t config_member(const struct config_reader *reader, uint32_t object, Str key,
                       enum config_type type)
{
    uint32_t member = json_member(&reader->doc, object, key);
    return member != JSON_NONE && has_type(&reader->doc, member, type) ? member : JSON_NONE;
}
