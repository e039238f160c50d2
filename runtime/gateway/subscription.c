/* SPDX-License-Identifier: Apache-2.0 */
/* subscription.c - lists of URIs, as short as they may be. */
#include "runtime/gateway/subscription.h"

#include <stdlib.h>

struct subscription {
    struct subscription *next;
    size_t n;
    char uri[];
};

static struct subscription **find(struct session *session, Str uri)
{
    struct subscription **link = &session->subscriptions;
    while (*link && !str_eq((Str){ .p = (*link)->uri, .n = (*link)->n }, uri))
        link = &(*link)->next;
    return link;
}

bool subscription_has(const struct session *session, Str uri)
{
    const struct subscription *one = session->subscriptions;
    while (one && !str_eq((Str){ .p = one->uri, .n = one->n }, uri))
        one = one->next;
    return one != NULL;
}

bool subscription_add(struct session *session, Str uri)
{
    size_t count = 0;
    for (const struct subscription *one = session->subscriptions; one; one = one->next)
        count++;
    if (subscription_has(session, uri))
        return true;
    struct subscription *one = count < SUBSCRIPTIONS_MAX ? malloc(sizeof *one + uri.n) : NULL;
    if (!one)
        return false;
    one->n = uri.n;
    if (uri.n)
        memcpy(one->uri, uri.p, uri.n);
    one->next = session->subscriptions;
    session->subscriptions = one;
    return true;
}

void subscription_remove(struct session *session, Str uri)
{
    struct subscription **link = find(session, uri);
    struct subscription *one = *link;
    if (!one)
        return;
    *link = one->next;
    free(one);
}

void subscriptions_free(struct session *session)
{
    while (session->subscriptions) {
        struct subscription *one = session->subscriptions;
        session->subscriptions = one->next;
        free(one);
    }
}

struct search {
    const struct session *session;
    Str uri;
    bool is_found;
};

static void look(void *user, struct session *other)
{
    struct search *search = user;
    struct upstream_key a = caller_key(&search->session->caller), b = caller_key(&other->caller);
    bool is_same = other->caller.server == search->session->caller.server && a.offers == b.offers &&
                   str_eq(a.principal, b.principal) && str_eq(a.session, b.session);
    if (other != search->session && is_same && subscription_has(other, search->uri))
        search->is_found = true;
}

bool subscription_is_shared(struct gateway *gateway, struct session *session, Str uri)
{
    struct search search = { .session = session, .uri = uri };
    sessions_each(gateway->sessions, look, &search);
    return search.is_found;
}
