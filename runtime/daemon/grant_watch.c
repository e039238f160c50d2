/* SPDX-License-Identifier: Apache-2.0 */
/* grant_watch.c - a look at the store's version every moment, and at its grants when that changed.
 */
#include "runtime/daemon/grant_watch.h"

#include "runtime/daemon/estate.h"
#include "runtime/net/loop.h"

#include <stdlib.h>

enum { LIST_MEMORY_MAX = 256 << 20 };

struct grant_watch {
    struct store *store;
    struct gateway *gateway;
    struct timer *timer;
    int64_t version;
};

struct grants {
    const struct grant_row *rows;
    size_t count;
};

static bool has_ended(void *user, Str grant)
{
    const struct grants *grants = user;
    for (size_t i = 0; i < grants->count; i++) {
        if (str_eq(grants->rows[i].id, grant))
            return !estate_grant_is_active(&grants->rows[i]);
    }
    return true;
}

static void cut_ended(struct grant_watch *watch)
{
    struct arena mem;
    struct grant_row *rows = NULL;
    size_t count = 0;
    arena_init(&mem, LIST_MEMORY_MAX);
    if (watch->store->ops->grant_list(watch->store, &mem, &rows, &count) == ST_OK) {
        struct grants grants = { .rows = rows, .count = count };
        gateway_cut(watch->gateway, has_ended, &grants);
    }
    arena_reset(&mem);
}

static void look(void *user)
{
    struct grant_watch *watch = user;
    int64_t version = watch->version;
    if (watch->store->ops->version(watch->store, &version) == ST_OK && version != watch->version) {
        watch->version = version;
        if (gateway_has_guests(watch->gateway))
            cut_ended(watch);
    }
    timer_start(watch->timer, GRANT_WATCH_MS);
}

struct grant_watch *grant_watch_open(struct loop *loop, struct store *store,
                                     struct gateway *gateway)
{
    struct grant_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    *watch = (struct grant_watch){ .store = store, .gateway = gateway, .version = -1 };
    watch->timer = timer_open(loop, look, watch);
    if (!watch->timer) {
        free(watch);
        return NULL;
    }
    timer_start(watch->timer, GRANT_WATCH_MS);
    return watch;
}

void grant_watch_close(struct grant_watch *watch)
{
    if (!watch)
        return;
    timer_close(watch->timer);
    free(watch);
}
