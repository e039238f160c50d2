/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/daemon/config_trust.h"

#include <stdio.h>

bool config_trust(const struct config *config, struct store *store, struct trust *trust)
{
    *trust = (struct trust){ .allow_rollback = config->allow_rollback, .store = store };
    for (size_t i = 0; i < config->trusted_key_count; i++) {
        const char *why;
        if (trust_add_key(trust, config->trusted_keys[i].p, &why))
            continue;
        (void)fprintf(stderr, "mcpd: the trusted key %.*s can't be used: %s\n",
                      STR_ARG(config->trusted_keys[i]), why);
        trust_close(trust);
        return false;
    }
    return true;
}
