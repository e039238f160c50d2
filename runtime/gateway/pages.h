/* SPDX-License-Identifier: Apache-2.0 */
/* pages.h - a server's whole list, page by page.
 *
 * Pages, items and the time for all of them together are limited: a list that does not end is no
 * list. Whoever asked is told once, when the list is whole or can't be had.
 */
#ifndef RUNTIME_GATEWAY_PAGES_H
#define RUNTIME_GATEWAY_PAGES_H

#include "runtime/gateway/upstream.h"

struct pages;

struct pages_asked {
    Str method; /* "tools/list" */
    Str member; /* of the result, that holds the items: "tools" */
    uint32_t max_items;
    /* One page; items is an array. NULL, or why the list can't be accepted (static text). */
    const char *(*take)(void *user, const struct json_doc *doc, uint32_t result, uint32_t items);
    /* The end, once, from a callback of the loop: everything NULL when the list is whole; else
     * the server's answer that ended it, or why it was given up. The pages are gone by then. */
    void (*done)(void *user, const struct answer *answer, const char *fault);
    void *user;
};

/* Asks for the first page. limits are borrowed. NULL: no memory. */
struct pages *pages_ask(struct upstream *upstream, const struct gateway_limits *limits,
                        const struct pages_asked *asked);

/* Gives up without a word; never from take or done. NULL is fine. */
void pages_cancel(struct pages *pages);

#endif
