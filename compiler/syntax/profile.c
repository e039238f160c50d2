/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c - which blocks belong to a profile: those of its name, and of all that it extends. */
#include "compiler/syntax/syntax.h"

uint32_t policy_profiles(const struct policy *policy, Str names[PROFILES_MAX])
{
    uint32_t count = 0;
    for (const struct profile_decl *p = policy->profiles; p && count < PROFILES_MAX; p = p->next) {
        uint32_t i = 0;
        while (i < count && !str_eq(names[i], p->name))
            i++;
        if (i == count)
            names[count++] = p->name;
    }
    return count;
}

/* Chooses the blocks of that name; false when there is none that was not chosen before. */
static bool choose(struct policy *policy, Str name)
{
    bool is_new = false;
    for (struct profile_decl *p = policy->profiles; p; p = p->next) {
        is_new |= str_eq(p->name, name) && !p->is_chosen;
        p->is_chosen |= str_eq(p->name, name);
    }
    return is_new;
}

bool policy_choose(struct policy *policy, Str name)
{
    for (struct profile_decl *p = policy->profiles; p; p = p->next)
        p->is_chosen = false;
    policy->profile = name;
    bool is_known = choose(policy, name);
    for (bool grows = is_known; grows;) {
        grows = false;
        for (const struct profile_decl *p = policy->profiles; p; p = p->next)
            grows |= p->is_chosen && p->extends.n && choose(policy, p->extends);
    }
    return is_known;
}
