/* SPDX-License-Identifier: Apache-2.0 */
/* http_pool.c - origins and their idle links.
 *
 * An idle link is still watched: an upstream that closes it, or says something nobody asked for,
 * loses it. Just before reuse it is looked at once more, because a request that goes out on a
 * connection the upstream has closed may not be sent again.
 */
#include "runtime/base/world.h"
#include "runtime/net/http_link.h"

#include <stdlib.h>

enum { SWEEP_MS = 5000 };

static void origin_free(struct origin *origin)
{
    free(origin->base);
    free(origin->ca_file);
    free(origin);
}

/* A link that was made with more reach must not serve a call with less, nor one that other
 * authorities vouched for. */
static bool is_origin(const struct origin *origin, const struct http_url *url,
                      const struct http_request_spec *spec)
{
    return origin->reach == spec->reach && str_eq(str_of(origin->base), url->base) &&
           str_eq(str_of(origin->ca_file), spec->ca_file);
}

struct origin *origin_use(struct http_client *client, const struct http_url *url,
                          const struct http_request_spec *spec)
{
    struct origin *origin = client->origins;
    while (origin && !is_origin(origin, url, spec))
        origin = origin->next;
    if (origin) {
        origin->users++;
        return origin;
    }
    origin = calloc(1, sizeof *origin);
    if (!origin)
        return NULL;
    origin->base = strndup(url->base.p, url->base.n);
    if (spec->ca_file.n)
        origin->ca_file = strndup(spec->ca_file.p, spec->ca_file.n);
    if (!origin->base || (spec->ca_file.n && !origin->ca_file)) {
        origin_free(origin);
        return NULL;
    }
    origin->client = client;
    origin->reach = spec->reach;
    origin->is_loopback = url->is_loopback;
    origin->users = 1;
    origin->next = client->origins;
    client->origins = origin;
    return origin;
}

void origin_drop(struct origin *origin)
{
    if (--origin->users)
        return;
    struct origin **at = &origin->client->origins;
    while (*at != origin)
        at = &(*at)->next;
    *at = origin->next;
    origin_free(origin);
}

/* Out of the idle list, into the list of links in use. */
static void unshelve(struct http_link *link)
{
    link_list_remove(&link->origin->idle, link);
    link->origin->idle_count--;
    link->client->idle_count--;
    link_list_add(&link->client->links, link);
}

/* False when the upstream has closed it or sent anything. TLS has its own messages (session
 * tickets), so only libcurl can tell. */
static bool is_quiet(struct http_link *link)
{
    char byte;
    size_t n = 0;
    return curl_easy_recv(link->easy, &byte, 1, &n) == CURLE_AGAIN;
}

struct http_link *pool_take(struct origin *origin)
{
    while (origin->idle) {
        struct http_link *link = origin->idle;
        unshelve(link);
        if (is_quiet(link)) {
            link->is_reused = true;
            return link;
        }
        link_close(link);
    }
    return NULL;
}

void pool_put(struct http_link *link)
{
    struct http_client *client = link->client;
    struct origin *origin = link->origin;
    link->call = NULL;
    if (origin->idle_count >= CLIENT_IDLE_PER_ORIGIN || client->idle_count >= CLIENT_IDLE_MAX) {
        link_close(link);
        return;
    }
    watch_set(link->watch, WATCH_READ);
    buf_clear(&link->in); /* its memory stays: the next answer comes soon or the link goes */
    link->in_at = 0;
    link->idle_since_ms = world_mono_ms();
    link_list_remove(&client->links, link);
    link_list_add(&origin->idle, link);
    origin->idle_count++;
    if (client->idle_count++ == 0)
        timer_start(client->idle_timer, SWEEP_MS);
}

void pool_check(struct http_link *link)
{
    if (is_quiet(link))
        return;
    unshelve(link);
    link_close(link);
}

static void close_idle(struct origin *origin, int64_t until_ms)
{
    struct http_link *next;
    for (struct http_link *link = origin->idle; link; link = next) {
        next = link->next;
        if (link->idle_since_ms > until_ms)
            continue;
        unshelve(link);
        link_close(link);
    }
}

static void close_all_idle(struct http_client *client, int64_t until_ms)
{
    struct origin *next;
    for (struct origin *origin = client->origins; origin; origin = next) {
        next = origin->next;
        origin->users++; /* its last link may be closed here */
        close_idle(origin, until_ms);
        origin_drop(origin);
    }
}

void pool_on_idle_timer(void *user)
{
    struct http_client *client = user;
    close_all_idle(client, world_mono_ms() - CLIENT_IDLE_MS);
    if (client->idle_count)
        timer_start(client->idle_timer, SWEEP_MS);
}

void pool_close(struct http_client *client)
{
    close_all_idle(client, INT64_MAX);
}
