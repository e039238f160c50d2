/* SPDX-License-Identifier: Apache-2.0 */
/* kind.c - the tables of kind.def. Ten methods are looked through: a hash would cost more. */
#include "runtime/bundle/kind.h"

const struct kind_info kind_table[KIND_COUNT] = {
#define KIND(NAME, word, names, noun, doc)                                                         \
    [KIND_##NAME] = { STR_INIT(word), NAMES_##names, noun, doc },
#define METHOD(KIND, method, name, args, way)
#define LIST(KIND, method, member, key, is_template)
#include "runtime/bundle/kind.def"
#undef KIND
#undef METHOD
#undef LIST
};

static const struct kind_method methods[] = {
#define KIND(NAME, word, names, noun, doc)
#define METHOD(KIND, method, name, args, way)                                                      \
    { KIND_##KIND, STR_INIT(method), PLACE_##name, ARGS_##args, WAY_##way },
#define LIST(KIND, method, member, key, is_template)
#include "runtime/bundle/kind.def"
#undef KIND
#undef METHOD
#undef LIST
};

static const struct kind_list lists[] = {
#define KIND(NAME, word, names, noun, doc)
#define METHOD(KIND, method, name, args, way)
#define LIST(KIND, method, member, key, is_template)                                               \
    { KIND_##KIND, STR_INIT(method), STR_INIT(member), STR_INIT(key), is_template },
#include "runtime/bundle/kind.def"
#undef KIND
#undef METHOD
#undef LIST
};

enum message_kind kind_of_word(Str word)
{
    uint32_t kind = 0;
    while (kind < KIND_COUNT && !str_eq(kind_table[kind].word, word))
        kind++;
    return (enum message_kind)kind;
}

const struct kind_method *kind_method_find(Str method)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (str_eq(methods[i].method, method))
            return &methods[i];
    return NULL;
}

const struct kind_list *kind_list_find(Str method)
{
    for (size_t i = 0; i < COUNT(lists); i++)
        if (str_eq(lists[i].method, method))
            return &lists[i];
    return NULL;
}

Str kind_first_method(enum message_kind kind)
{
    size_t i = 0;
    while (methods[i].kind != kind) /* each kind has one */
        i++;
    return methods[i].method;
}
