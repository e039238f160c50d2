/* SPDX-License-Identifier: Apache-2.0 */
/* policy_probe.h - would the gateway be able to use this bundle for that server? */
#ifndef RUNTIME_DAEMON_POLICY_PROBE_H
#define RUNTIME_DAEMON_POLICY_PROBE_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"
#include "runtime/base/str.h"
#include "runtime/gateway/trust.h"

/* Loads, verifies and trusts the bundle as the gateway will, then lets it go. On failure *why is a
 * clause in mem: ST_NOT_FOUND when the policy says nothing about the server, else why the bundle
 * was refused. path is NUL-terminated. */
MUST_USE enum status policy_probe(const struct trust *trust, const char *path, Str server, Str *why,
                                  struct arena *mem);

#endif
