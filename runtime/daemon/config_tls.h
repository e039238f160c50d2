/* SPDX-License-Identifier: Apache-2.0 */
/* config_tls.h - the files of certificates and keys that a configuration names. */
#ifndef RUNTIME_DAEMON_CONFIG_TLS_H
#define RUNTIME_DAEMON_CONFIG_TLS_H

#include "runtime/daemon/config.h"

/* Can all of them be used now: the listener's certificate and key, the servers' authorities? False
 * after a message for each that can't. */
MUST_USE bool config_tls_check(const struct config *config);

#endif
