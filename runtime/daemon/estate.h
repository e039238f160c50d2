/* SPDX-License-Identifier: Apache-2.0 */
/* estate.h - private to mcpd's command line: all grants and connections, and what depends on what.
 */
#ifndef RUNTIME_DAEMON_ESTATE_H
#define RUNTIME_DAEMON_ESTATE_H

#include "runtime/daemon/config.h"
#include "runtime/store/store.h"

struct estate {
    struct arena mem;
    struct config config;
    struct store *store;
    struct grant_row *grants;
    size_t grant_count;
    struct connection_row *connections;
    size_t connection_count;
    struct revocation_row *revocations;
    size_t revocation_count;
};

/* Reads everything. An exit code, after a message when it is not 0. Close it in any case. */
int estate_open(struct estate *estate, Str config_path);
void estate_close(struct estate *estate);

bool estate_grant_is_active(const struct grant_row *grant);

/* "active", "expiring", "login_needed", "revoked", "orphaned" (its server or principal is
 * configured no more). */
Str estate_state(const struct estate *estate, const struct connection_row *row);

/* Does the grant's way to the server lead over this connection? */
bool estate_depends(const struct grant_row *grant, const struct connection_row *row);

/* The ids of the active grants that do, with commas between; empty: none. */
Str estate_dependents(struct estate *estate, const struct connection_row *row);

#endif
