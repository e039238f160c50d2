/* SPDX-License-Identifier: Apache-2.0 */
/* config_mark.c - what of a new configuration takes effect while the gateway runs, and what not.
 *
 * Each top-level key that takes a restart leaves a digest of its value behind, so that whoever
 * reads the file again can say which of them have changed: comments, blanks and the order of
 * members are no change. Keys that are not named as live take a restart, new ones included.
 */
#include "runtime/base/buf.h"
#include "runtime/crypto/sha256.h"
#include "runtime/daemon/config_reader.h"
#include "runtime/pin/pin.h"

enum { CANONICAL_MAX = 2 * CONFIG_FILE_MAX }; /* numbers may grow */

static bool is_live(Str key)
{
    static const Str keys[] = { STR_INIT("principals"), STR_INIT("allowed_hosts"),
                                STR_INIT("allowed_origins") };
    for (size_t i = 0; i < COUNT(keys); i++)
        if (str_eq(keys[i], key))
            return true;
    return false;
}

static bool mark_member(struct config_reader *reader, uint32_t member, struct config_mark *mark)
{
    struct buf text;
    buf_init(&text, CANONICAL_MAX);
    bool is_whole = pin_write_canonical(&reader->doc, member, reader->mem, &text);
    mark->key = config_copy(reader, json_key(json_at(&reader->doc, member)));
    sha256(buf_str(&text), mark->digest);
    buf_free(&text);
    return is_whole;
}

void config_mark(struct config_reader *reader, struct config *config)
{
    const struct json_doc *doc = &reader->doc;
    config->marks = ARENA_NEW(reader->mem, struct config_mark, json_at(doc, 0)->count);
    if (!config->marks) {
        reader->is_spent = true;
        return;
    }
    for (uint32_t i = json_first(doc, 0); i != JSON_NONE; i = json_after(doc, 0, i)) {
        if (is_live(json_key(json_at(doc, i))))
            continue;
        if (!mark_member(reader, i, &config->marks[config->mark_count++]))
            reader->is_spent = true;
    }
}

static const struct config_mark *find(const struct config *config, Str key)
{
    for (size_t i = 0; i < config->mark_count; i++)
        if (str_eq(config->marks[i].key, key))
            return &config->marks[i];
    return NULL;
}

void config_each_restart(const struct config *old, const struct config *fresh,
                         void (*say)(void *user, Str key), void *user)
{
    for (size_t i = 0; i < fresh->mark_count; i++) {
        const struct config_mark *before = find(old, fresh->marks[i].key);
        if (!before || memcmp(before->digest, fresh->marks[i].digest, SHA256_BYTES) != 0)
            say(user, fresh->marks[i].key);
    }
    for (size_t i = 0; i < old->mark_count; i++)
        if (!find(fresh, old->marks[i].key))
            say(user, old->marks[i].key);
}
