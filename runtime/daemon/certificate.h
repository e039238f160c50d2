/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.h - the listener's certificate and key while the gateway runs.
 *
 * The files are looked at every CERTIFICATE_LOOK_MS. Changed ones are read when they have stayed
 * the same for one more look, so that a pair which is being written is not taken for a bad one;
 * what can't be used is said in the log, and what was there before stays.
 */
#ifndef RUNTIME_DAEMON_CERTIFICATE_H
#define RUNTIME_DAEMON_CERTIFICATE_H

#include "runtime/net/loop.h"
#include "runtime/net/tls.h"

enum {
    CERTIFICATE_LOOK_MS = 1000,
    CERTIFICATE_WARN_DAYS = 14, /* before its end, a warning a day */
};

struct certificate;

/* Called for each new one; whoever wants to keep it takes a share. */
typedef void (*certificate_fn)(void *user, struct tls_context *tls);

/* Reads both files (paths borrowed, NUL-terminated) and watches them from then on. */
MUST_USE enum status certificate_open(struct loop *loop, const char *certificate, const char *key,
                                      struct certificate **out, struct tls_error *error);
void certificate_close(struct certificate *certificate); /* NULL is fine */

void certificate_on_new(struct certificate *certificate, certificate_fn fn, void *user);
struct tls_context *certificate_tls(const struct certificate *certificate); /* lent */

/* Reads the files now, changed or not. NULL is fine. */
void certificate_reload(struct certificate *certificate);

#endif
