/* SPDX-License-Identifier: Apache-2.0 */
/* reload.h - the configuration's file, read again while the gateway runs.
 *
 * Live are `principals`, `allowed_hosts` and `allowed_origins`; of everything else that has changed
 * the log says that it takes a restart. A file that is wrong changes nothing, and the log has all
 * its mistakes with line and key.
 */
#ifndef RUNTIME_DAEMON_RELOAD_H
#define RUNTIME_DAEMON_RELOAD_H

#include "runtime/daemon/config.h"
#include "runtime/gateway/caller.h"

/* What of a configuration is live. */
struct live_config {
    struct arena mem;             /* of a file that was read again; empty at the start */
    struct config config;         /* its strings lie in mem, or with whoever read the first one */
    struct principal *principals; /* config's, as the gateway wants them; owned */
};

/* Of the configuration that the gateway starts with, which is borrowed. False: no memory. */
MUST_USE bool live_config_open(struct live_config *live, const struct config *config);
void live_config_close(struct live_config *live);

/* Reads the file at path. True: *live is the new one, and the caller closes *old when nobody uses
 * it any more. False: nothing has changed, and the log says why. */
MUST_USE bool live_config_reload(struct live_config *live, const char *path,
                                 struct live_config *old);

#endif
