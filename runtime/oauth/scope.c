/* SPDX-License-Identifier: Apache-2.0 */
/* scope.c - sets of scopes, small enough to be searched from end to end. */
#include "runtime/oauth/scope.h"

static bool is_scope(Str scope)
{
    for (size_t i = 0; i < scope.n; i++) {
        char c = scope.p[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '\\')
            return false;
    }
    return scope.n > 0 && scope.n <= SCOPE_BYTES_MAX;
}

bool scope_has(const struct scope_set *set, Str scope)
{
    for (size_t i = 0; i < set->count; i++) {
        if (str_eq(set->items[i], scope))
            return true;
    }
    return false;
}

bool scope_add(struct scope_set *set, Str scope)
{
    if (!is_scope(scope))
        return false;
    if (scope_has(set, scope))
        return true;
    if (set->count == SCOPES_MAX)
        return false;
    set->items[set->count++] = scope;
    return true;
}

bool scope_add_list(struct scope_set *set, Str list, char separator)
{
    while (list.n) {
        Str scope = str_cut(&list, separator);
        if (separator != ' ')
            scope = str_trim(scope);
        if (scope.n && !scope_add(set, scope))
            return false;
    }
    return true;
}

bool scope_union(struct scope_set *set, const struct scope_set *other)
{
    for (size_t i = 0; i < other->count; i++) {
        if (!scope_add(set, other->items[i]))
            return false;
    }
    return true;
}

bool scope_covers(const struct scope_set *set, const struct scope_set *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (!scope_has(set, wanted->items[i]))
            return false;
    }
    return true;
}

void scope_write(struct buf *out, const struct scope_set *set, char separator)
{
    for (size_t i = 0; i < set->count; i++) {
        if (i)
            buf_add_char(out, separator);
        buf_add(out, set->items[i]);
    }
}

static const struct scope_set *best_of(const struct scope_facts *facts)
{
    if (facts->configured)
        return facts->configured;
    return facts->challenged ? facts->challenged : facts->resource;
}

bool scope_choose(const struct scope_facts *facts, struct scope_set *out)
{
    static const Str offline = STR_INIT("offline_access");
    const struct scope_set *best = best_of(facts);
    struct scope_set set = { .count = 0 };
    if ((facts->held && !scope_union(&set, facts->held)) || (best && !scope_union(&set, best)))
        return false;
    bool is_offline_listed = facts->issuer && scope_has(facts->issuer, offline);
    if (set.count && is_offline_listed && !facts->configured && !scope_add(&set, offline))
        return false;
    *out = set;
    return true;
}
