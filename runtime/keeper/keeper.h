/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.h - the process that has the tokens.
 *
 * It reads what the gateway says on one socket pair (message.h), what authorization servers answer,
 * and the store; nothing of any client's. It hands out access tokens, never refresh tokens and
 * never a client's secret. It ends when the gateway does, after a refresh that is under way.
 */
#ifndef RUNTIME_KEEPER_KEEPER_H
#define RUNTIME_KEEPER_KEEPER_H

#include "runtime/oauth/settings.h"

enum { KEEPER_END_MS = 30 * 1000 }; /* for what is under way when the gateway has ended */

/* Makes the process one that leaks little: no core dump, no debugger, no new privileges, memory
 * that is not swapped where that is allowed. What can't be had is logged. */
void keeper_harden(void);

/* Runs until the other end of fd (a non-blocking sequenced packet socket) is closed. An exit
 * code. */
int keeper_run(const struct keeper_settings *settings, int fd);

#endif
