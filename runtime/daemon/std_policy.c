/* SPDX-License-Identifier: Apache-2.0 */
/* std_policy.c - says in words why a policy of the library is not to be had. */
#include "runtime/daemon/std_policy.h"

#include <stdio.h>

bool library_find(Str policy, struct library_path *out)
{
    enum status status = library_bundle(policy, out);
    const char *why = status == ST_INVALID ? "its name must be like std:github/standard"
                      : status == ST_NOT_FOUND
                          ? "the policy library is not installed; MCPC_LIBRARY may name its folder"
                          : status_text(status);
    if (status != ST_OK)
        (void)fprintf(stderr, "mcpd: policy %.*s: %s\n", STR_ARG(policy), why);
    return status == ST_OK;
}
