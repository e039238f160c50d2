/* SPDX-License-Identifier: Apache-2.0 */
/* login_pages.h - what a browser sees of the gateway: the way back from an authorization server.
 *
 * GET /oauth/callback is answered with one page without script, style or anything from elsewhere.
 * Whether the query is worth anything is for the keeper, which alone knows the flows; nothing of it
 * comes back in the page.
 */
#ifndef RUNTIME_GATEWAY_LOGIN_PAGES_H
#define RUNTIME_GATEWAY_LOGIN_PAGES_H

#include "runtime/net/http_server.h"

struct asker;
struct login_page;

/* Is it a target of these pages? */
bool login_pages_has(Str target);

/* The query of the callback's target; {NULL, 0}: another target. */
Str login_callback_query(Str target);

/* Answers with the page that says how it ended. text: a sentence. */
void login_page_respond(struct exchange *exchange, bool is_done, Str text);

/* Takes a request whose head has passed the checks on hosts. *pages lists those that wait. */
void login_pages_take(struct login_page **pages, struct asker *keeper, struct exchange *exchange);

/* The browser has left. False: the exchange is none of these. */
MUST_USE bool login_pages_gone(struct login_page **pages, const struct exchange *exchange);

#endif
