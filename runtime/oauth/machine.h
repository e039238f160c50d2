/* SPDX-License-Identifier: Apache-2.0 */
/* machine.h - the one place that says what may follow what in OAuth (table: machine.def).
 *
 * Pure: a step changes a state and names an action; whoever drives it performs the action and
 * raises the next event. A late or forged event (an answer after a timeout, a second redirect) has
 * no edge and changes nothing. Invariants that the tests prove on the table: no state but DONE,
 * FAILED and REVOKED is an end; nothing is handed out before it is SAVED; what is UNSURE never
 * leads where the old tokens are lost; a login never touches a connection but by CONNECTED.
 */
#ifndef RUNTIME_OAUTH_MACHINE_H
#define RUNTIME_OAUTH_MACHINE_H

#include "runtime/base/buf.h"

enum oauth_state {
#define STATE(name, kind, word, doc) OAUTH_STATE_##name,
#include "runtime/oauth/machine.def"
    OAUTH_STATE_COUNT
};

enum oauth_event {
#define EVENT(name, doc) OAUTH_EVENT_##name,
#include "runtime/oauth/machine.def"
    OAUTH_EVENT_COUNT
};

enum oauth_action {
#define ACTION(name, doc) OAUTH_DO_##name,
#include "runtime/oauth/machine.def"
    OAUTH_ACTION_COUNT
};

/* False, with nothing changed, when the event does not belong to the state. */
MUST_USE bool oauth_step(enum oauth_state *state, enum oauth_event event,
                         enum oauth_action *action);

/* Is the state one of a login (else of a connection)? */
bool oauth_state_is_login(enum oauth_state state);

/* "login_needed" and so on; for stores, logs and people. */
Str oauth_state_word(enum oauth_state state);
MUST_USE bool oauth_state_read(Str word, enum oauth_state *out);

/* Both machines as Mermaid diagrams, and the tables of states, events and actions, as Markdown. */
void oauth_machine_print(struct buf *out);

#endif
