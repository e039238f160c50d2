/* SPDX-License-Identifier: Apache-2.0 */
/* kind.h - the kinds of message that are governed, the methods that belong to each, and the lists
 * that show what there is of them: kind.def for C. Which methods exist: MCP 2024-11-05 to
 * 2026-07-28, "Methods". What has no row here is denied. */
#ifndef RUNTIME_BUNDLE_KIND_H
#define RUNTIME_BUNDLE_KIND_H

#include "runtime/base/str.h"

enum message_kind {
#define KIND(NAME, word, names, noun, doc) KIND_##NAME,
#define METHOD(KIND, method, name, args, way)
#define LIST(KIND, method, member, key, is_template)
#include "runtime/bundle/kind.def"
#undef KIND
#undef METHOD
#undef LIST
    KIND_COUNT
};

enum kind_names { NAMES_NEEDED, NAMES_OPTIONAL, NAMES_NONE };
enum name_place { PLACE_NONE, PLACE_NAME, PLACE_URI, PLACE_REF, PLACE_MODE };
enum args_place { ARGS_ARGUMENTS, ARGS_PARAMS };
enum message_way { WAY_TO_SERVER, WAY_TO_CLIENT };

struct kind_info {
    Str word;
    enum kind_names names;
    const char *noun; /* of one message, for people */
    const char *doc;
};
extern const struct kind_info kind_table[KIND_COUNT];

struct kind_method {
    enum message_kind kind;
    Str method;
    enum name_place name;
    enum args_place args;
    enum message_way way;
};

struct kind_list {
    enum message_kind kind;
    Str method, member, key;
    bool is_template; /* the key holds a URI template, not a name */
};

/* KIND_COUNT when there is none of that word. */
enum message_kind kind_of_word(Str word);

/* NULL: the method is not governed by a rule of any kind. */
const struct kind_method *kind_method_find(Str method);
const struct kind_list *kind_list_find(Str method);

/* The method that a message of the kind has when nobody says which: the first of kind.def. */
Str kind_first_method(enum message_kind kind);

#endif
