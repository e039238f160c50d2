/* SPDX-License-Identifier: Apache-2.0 */
/* asker.h - the gateway's end of the line to the keeper.
 *
 * A question is asked again by itself when the keeper was restarted, so that no call is lost with
 * it; while there is no keeper for ASKER_DOWN_MS, questions are answered with a no. A token is lent
 * for one request and wiped here.
 */
#ifndef RUNTIME_KEEPER_ASKER_H
#define RUNTIME_KEEPER_ASKER_H

#include "runtime/keeper/message.h"
#include "runtime/net/loop.h"

enum {
    ASKER_DOWN_MS = 10 * 1000,  /* without a keeper, until questions are refused */
    ASKER_START_MS = 10 * 1000, /* for the first keeper to say that it has begun */
};

struct asker;
struct ask;

struct asker_events {
    void (*server)(void *user, Str server, bool has_connections);
    void (*cut)(void *user, Str server, Str principal);
};

/* What came; slices are lent. is_lost: there is no keeper; message is NULL then. */
typedef void (*ask_done_fn)(void *user, const struct message *message);

/* Waits for the keeper's first word. Takes fd. ST_TIMEOUT; ST_CLOSED: it could not begin (its log
 * says why). */
MUST_USE enum status asker_open(struct loop *loop, int fd, struct asker **out);
void asker_close(struct asker *asker); /* NULL is fine; open questions end without an answer */

/* Who hears of servers and cuts; also of what came before. */
void asker_listen(struct asker *asker, const struct asker_events *events, void *user);

/* Asks; id of the message is set here. NULL: no memory, or too long. done is called once, later,
 * unless cancelled. */
struct ask *asker_ask(struct asker *asker, const struct message *message, ask_done_fn done,
                      void *user);
void ask_cancel(struct ask *ask);

#endif
