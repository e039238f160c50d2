/* SPDX-License-Identifier: Apache-2.0 */
/* revision.c - the list of revisions, in one place. */
#include "runtime/gateway/revision.h"

static const Str legacy_revisions[] = {
    STR_INIT("2025-11-25"), STR_INIT("2025-06-18"), STR_INIT("2025-03-26"),
    STR_INIT("2024-11-05"), STR_INIT("2024-10-07"),
};

Str revision_legacy(Str name)
{
    for (size_t i = 0; i < COUNT(legacy_revisions); i++)
        if (str_eq(name, legacy_revisions[i]))
            return legacy_revisions[i];
    return (Str){ 0 };
}

Str revision_negotiate(Str asked)
{
    Str same = revision_legacy(asked);
    return same.n ? same : REVISION_LEGACY;
}
