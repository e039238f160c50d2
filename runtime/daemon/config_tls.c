/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/daemon/config_tls.h"

#include "runtime/net/tls.h"

#include <stdio.h>

static bool complain(const struct tls_error *error)
{
    (void)fprintf(stderr, "mcpd: can't use %s\n", error->text);
    return false;
}

bool config_tls_check(const struct config *config)
{
    struct tls_context *tls = NULL;
    struct tls_error error;
    bool is_ok = true;
    if (config->tls_certificate.n &&
        tls_context_open(config->tls_certificate.p, config->tls_key.p, &tls, &error) != ST_OK)
        is_ok = complain(&error);
    tls_context_release(tls);
    for (size_t i = 0; i < config->server_count; i++) {
        Str file = config->servers[i].ca_file;
        if (file.n && tls_authorities_check(file.p, &error) != ST_OK)
            is_ok = complain(&error);
    }
    return is_ok;
}
