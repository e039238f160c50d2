/* SPDX-License-Identifier: Apache-2.0 */
/* config_trust.h - the keys that the configuration names, read. */
#ifndef RUNTIME_DAEMON_CONFIG_TRUST_H
#define RUNTIME_DAEMON_CONFIG_TRUST_H

#include "runtime/daemon/config.h"
#include "runtime/gateway/trust.h"

/* Reads all trusted keys, to be freed by trust_close. False after a message on standard error: one
 * that can't be read stops the program, since what it signed would be refused without a word. The
 * store is borrowed; NULL when only the keys are looked at. */
MUST_USE bool config_trust(const struct config *config, struct store *store, struct trust *trust);

#endif
