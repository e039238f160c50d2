/* SPDX-License-Identifier: Apache-2.0 */
/* estate.c - everything at one moment, for commands that show or end it. */
#include "runtime/daemon/estate.h"

#include "runtime/base/world.h"
#include "runtime/daemon/command.h"
#include "runtime/oauth/grant.h"
#include "runtime/oauth/machine.h"

#include <stdio.h>

#define EXPIRING_MS (INT64_C(24) * 3600 * 1000) /* without a way to go on */

static enum status read_all(struct estate *estate)
{
    struct store *store = estate->store;
    enum status status =
        store->ops->grant_list(store, &estate->mem, &estate->grants, &estate->grant_count);
    if (status == ST_OK)
        status = store->ops->connection_list(store, &estate->mem, &estate->connections,
                                             &estate->connection_count);
    if (status == ST_OK)
        status = store->ops->revocation_list(store, &estate->mem, &estate->revocations,
                                             &estate->revocation_count);
    return status;
}

int estate_open(struct estate *estate, Str config_path)
{
    *estate = (struct estate){ .store = NULL };
    arena_init(&estate->mem, COMMAND_MEMORY_MAX);
    if (!command_read_config(config_path, &estate->mem, &estate->config))
        return EXIT_USAGE;
    enum status status = store_open(estate->config.store_path.p, &estate->store);
    if (status == ST_OK)
        status = read_all(estate);
    if (status == ST_OK)
        return EXIT_DONE;
    (void)fprintf(stderr, "mcpd: the store %.*s can't be used: %s\n",
                  STR_ARG(store_name(estate->config.store_path)), status_text(status));
    return EXIT_FAILED;
}

void estate_close(struct estate *estate)
{
    if (estate->store)
        estate->store->ops->close(estate->store);
    arena_reset(&estate->mem);
}

bool estate_grant_is_active(const struct grant_row *grant)
{
    return !grant->revoked_ms && (!grant->expires_ms || world_wall_ms() < grant->expires_ms);
}

static bool is_configured(const struct estate *estate, const struct connection_row *row)
{
    const struct oauth_settings *settings = settings_find(&estate->config.keeper, row->server);
    if (!settings || settings->is_per_principal != (row->principal.n > 0))
        return false;
    for (size_t i = 0; row->principal.n && i < estate->config.principal_count; i++) {
        if (str_eq(estate->config.principals[i].id, row->principal))
            return true;
    }
    return !row->principal.n;
}

Str estate_state(const struct estate *estate, const struct connection_row *row)
{
    bool is_active = str_eq(row->state, oauth_state_word(OAUTH_STATE_ACTIVE));
    if (is_active && !is_configured(estate, row))
        return STR("orphaned");
    bool goes_on = row->refresh.n > 0 || !str_eq(row->kind, STR("code"));
    if (is_active && !goes_on && row->expires_ms && row->expires_ms - world_wall_ms() < EXPIRING_MS)
        return row->expires_ms <= world_wall_ms() ? STR("login_needed") : STR("expiring");
    return row->state;
}

bool estate_depends(const struct grant_row *grant, const struct connection_row *row)
{
    return estate_grant_is_active(grant) && grant_covers(grant, row->server) &&
           (!row->principal.n || str_eq(grant->principal, row->principal));
}

Str estate_dependents(struct estate *estate, const struct connection_row *row)
{
    Str all = STR("");
    for (size_t i = 0; i < estate->grant_count; i++) {
        if (!estate_depends(&estate->grants[i], row))
            continue;
        Str longer = arena_printf(&estate->mem, "%.*s%s%.*s", STR_ARG(all), all.n ? "," : "",
                                  STR_ARG(estate->grants[i].id));
        all = longer.p ? longer : all;
    }
    return all;
}
