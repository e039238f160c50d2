/* SPDX-License-Identifier: Apache-2.0 */
/* grant_watch.h - cuts what is in flight for a grant that has ended.
 *
 * New calls of such a grant are refused by the door; this is for those that were let in before. */
#ifndef RUNTIME_DAEMON_GRANT_WATCH_H
#define RUNTIME_DAEMON_GRANT_WATCH_H

#include "runtime/gateway/gateway.h"
#include "runtime/store/store.h"

enum { GRANT_WATCH_MS = 250 }; /* between looks at the store */

struct grant_watch;

/* Borrows all. NULL: no memory. */
struct grant_watch *grant_watch_open(struct loop *loop, struct store *store,
                                     struct gateway *gateway);
void grant_watch_close(struct grant_watch *watch); /* NULL is fine */

#endif
