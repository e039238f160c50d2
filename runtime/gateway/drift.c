/* SPDX-License-Identifier: Apache-2.0 */
/* drift.c - telling the operator, not flooding him.
 *
 * The set of changes that were told holds hashes only. A collision would cost a line in the log,
 * never the holding back, which does not ask here.
 */
#include "runtime/gateway/drift.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"

#include <stdlib.h>
#include <xxhash.h>

enum { KNOWN_SLOTS = 4096, PARTS_BYTES_MAX = 256 };

struct drift {
    uint64_t known[KNOWN_SLOTS]; /* 0: free */
    uint32_t count;
    uint64_t seed;
    int64_t window_ms; /* when it began */
    uint32_t lines;    /* in it */
};

void drift_write_parts(uint32_t changed, struct buf *out)
{
    bool is_first = true;
    for (uint32_t i = 0; i < PIN_PARTS; i++) {
        if (!(changed >> i & 1))
            continue;
        buf_printf(out, "%s%s", is_first ? "" : ", ", pin_part_names[i]);
        is_first = false;
    }
    if (is_first)
        buf_add(out, STR("it is listed more than once or can't be read"));
}

static struct drift *drift_of(struct server *server)
{
    if (!server->drift)
        server->drift = calloc(1, sizeof *server->drift);
    if (server->drift && !server->drift->seed)
        world_entropy(&server->drift->seed, sizeof server->drift->seed);
    return server->drift;
}

static uint64_t hash_of(const struct drift *drift, Str tool, const struct b_pin *pin,
                        const struct standing *standing)
{
    enum { BOTH = 2 * PIN_BYTES };
    unsigned char bytes[BOTH + TOOL_NAME_MAX + 1];
    size_t n = tool.n < TOOL_NAME_MAX ? tool.n : TOOL_NAME_MAX;
    memcpy(bytes, pin->digest, PIN_BYTES);
    memcpy(bytes + PIN_BYTES, standing->live->digest, PIN_BYTES);
    memcpy(bytes + BOTH, tool.p, n);
    bytes[BOTH + n] = standing->changed != 0;
    return XXH3_64bits_withSeed(bytes, BOTH + n + 1, drift->seed) | 1;
}

/* Where the hash is, or would be. */
static uint64_t *slot_of(struct drift *drift, uint64_t hash)
{
    if (drift->count == DRIFT_KNOWN_MAX) {
        memset(drift->known, 0, sizeof drift->known);
        drift->count = 0;
    }
    for (uint64_t at = hash >> 1;; at++) {
        uint64_t *slot = &drift->known[at % KNOWN_SLOTS];
        if (!*slot || *slot == hash)
            return slot;
    }
}

enum room { ROOM, LAST_LINE, NO_ROOM };

static enum room room_for_line(struct drift *drift)
{
    int64_t now = world_mono_ms();
    if (!drift->lines || now - drift->window_ms >= DRIFT_WINDOW_MS) {
        drift->window_ms = now;
        drift->lines = 0;
    }
    if (drift->lines > DRIFT_LINES_MAX)
        return NO_ROOM;
    return ++drift->lines > DRIFT_LINES_MAX ? LAST_LINE : ROOM;
}

static void record(const struct server *server, struct audit *audit, Str policy, Str tool,
                   const struct b_pin *pin, const struct standing *standing)
{
    char pinned[2 * PIN_BYTES + 1], live[2 * PIN_BYTES + 1];
    struct buf parts;
    buf_init(&parts, PARTS_BYTES_MAX);
    drift_write_parts(standing->changed, &parts);
    hex_encode((Str){ .p = (const char *)pin->digest, .n = PIN_BYTES }, pinned);
    hex_encode((Str){ .p = (const char *)standing->live->digest, .n = PIN_BYTES }, live);
    const struct audit_field fields[] = {
        { STR("server"), server->spec->alias },
        { STR("tool"), tool },
        { STR("policy"), policy },
        { STR("changed"), buf_str(&parts) },
        { STR("pinned"), { pinned, PIN_TEXT_BYTES } },
        { STR("live"), { live, PIN_TEXT_BYTES } },
    };
    log_warn("tool held back: the server's definition is not the pinned one server=%.*s tool=%.*s "
             "policy=%.*s changed=%.*s",
             STR_ARG(server->spec->alias), STR_ARG(tool), STR_ARG(policy),
             STR_ARG(buf_str(&parts)));
    if (audit && audit_event(audit, STR("tool_changed"), fields, COUNT(fields)) != ST_OK)
        log_error("the audit log can't be written: a changed tool is not in it");
    buf_free(&parts);
}

void drift_report(struct server *server, struct audit *audit, Str policy, Str tool,
                  const struct b_pin *pin, const struct standing *standing)
{
    struct drift *drift = drift_of(server);
    if (!drift)
        return;
    uint64_t hash = hash_of(drift, tool, pin, standing), *slot = slot_of(drift, hash);
    if (*slot == hash)
        return;
    switch (room_for_line(drift)) {
    case ROOM:
        *slot = hash;
        drift->count++;
        record(server, audit, policy, tool, pin, standing);
        break;
    case LAST_LINE:
        log_warn("more tools are held back than are logged in a minute server=%.*s",
                 STR_ARG(server->spec->alias));
        break;
    case NO_ROOM: break;
    }
}
