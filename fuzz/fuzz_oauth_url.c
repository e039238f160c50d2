/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_oauth_url.c - any bytes as a URL. What is read covers itself as a resource; its canonical
 * URI and all well-known places read again, at the same origin, and the URI of the URI is itself.
 */
#include "fuzz/target.h"
#include "runtime/oauth/web_url.h"

#include <stdlib.h>

enum { ARENA_BYTES = 4 << 20 };

static void check_places(const struct web_url *url, const struct well_known *list,
                         struct arena *mem)
{
    for (size_t i = 0; i < list->count; i++) {
        struct web_url place;
        /* Only for want of room: a place is longer than its issuer. */
        if (!web_url_read(list->urls[i], mem, &place)) {
            ENSURE(list->urls[i].n > WEB_URL_MAX);
            continue;
        }
        ENSURE(str_eq(place.origin, url->origin));
        ENSURE(str_contains(place.path, STR("/.well-known/")));
    }
}

static void check(const struct web_url *url, struct arena *mem)
{
    struct well_known list;
    struct web_url again;
    Str uri, same;
    ENSURE(resource_covers(url, url));
    ENSURE(url->is_https == str_starts(url->origin, STR("https://")));
    ENSURE(resource_uri(url, mem, &uri));
    if (web_url_read(uri, mem, &again)) {
        ENSURE(resource_uri(&again, mem, &same) && str_eq(uri, same));
        ENSURE(resource_covers(&again, url) && resource_covers(url, &again));
    } else {
        ENSURE(uri.n > WEB_URL_MAX);
    }
    ENSURE(well_known_resource(url, mem, &list));
    check_places(url, &list, mem);
    if (well_known_issuer(url, mem, &list))
        check_places(url, &list, mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena mem;
    struct web_url url;
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    arena_init(&mem, ARENA_BYTES);
    if (web_url_read((Str){ block, size }, &mem, &url))
        check(&url, &mem);
    arena_reset(&mem);
    free(block);
    return 0;
}
