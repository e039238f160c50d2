/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.h - private to runtime/oauth: members of a document with their types checked.
 *
 * A member that is absent leaves *out as it is; one of another type is false. */
#ifndef RUNTIME_OAUTH_JSON_READ_H
#define RUNTIME_OAUTH_JSON_READ_H

#include "runtime/base/status.h"
#include "runtime/json/json.h"
#include "runtime/oauth/scope.h"

/* An object of at most max_bytes, shallow and small. ST_INVALID, ST_LIMIT. */
MUST_USE enum status oauth_json_read(Str text, uint32_t max_bytes, struct arena *mem,
                                     struct json_doc *doc);

MUST_USE bool read_string(const struct json_doc *doc, Str key, Str *out);
MUST_USE bool read_bool(const struct json_doc *doc, Str key, bool *out);

/* The elements of a list of strings; *count says how many, *has whether the member is there. More
 * than max is false. */
struct string_list {
    Str *items;
    size_t max, count;
    bool is_there;
};
MUST_USE bool read_strings(const struct json_doc *doc, Str key, struct string_list *list);

/* A list of scopes; an element that is no scope is passed over, as nobody could ask for it. */
MUST_USE bool read_scopes(const struct json_doc *doc, Str key, struct scope_set *set, bool *has);

#endif
