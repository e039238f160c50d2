/* SPDX-License-Identifier: Apache-2.0 */
/* pages.c - one request after the other, until a page has no cursor.
 *
 * A cursor is the server's own and goes back as it came. Whatever is wrong with one page ends the
 * whole list: half a list is not given out.
 */
#include "runtime/gateway/pages.h"

#include "runtime/base/world.h"

#include <stdlib.h>

enum { CURSOR_BYTES_MAX = 64 * 1024 };

struct pages {
    struct upstream *upstream;
    const struct gateway_limits *limits;
    struct pages_asked asked;
    struct leg *leg;
    uint32_t pages;
    uint64_t items;
    int64_t deadline_ms;
};

void pages_cancel(struct pages *pages)
{
    if (!pages)
        return;
    if (pages->leg)
        leg_cancel(pages->leg);
    free(pages);
}

static void finish(struct pages *pages, const struct answer *answer, const char *fault)
{
    struct pages_asked asked = pages->asked;
    free(pages);
    asked.done(asked.user, answer, fault);
}

static void on_page(void *user, const struct answer *answer);

/* NULL, or why the page can't be asked for. */
static const char *send_page(struct pages *pages, Str cursor)
{
    int64_t left_ms = pages->deadline_ms - world_mono_ms();
    struct upstream_request request = { .method = pages->asked.method, .timeout_ms = left_ms };
    if (left_ms <= 0)
        return "the server did not send its list in time";
    struct buf members;
    buf_init(&members, CURSOR_BYTES_MAX);
    if (cursor.p) { /* an empty cursor is a cursor */
        jsonrpc_write_key(&members, STR("cursor"));
        json_write_string(&members, cursor);
    }
    request.members = buf_str(&members);
    const char *fault =
        members.is_full ? "the server sent a cursor over the size limit" : "no memory left";
    if (!members.is_full)
        pages->leg = upstream_send(pages->upstream, &request, on_page, pages);
    buf_free(&members);
    return pages->leg ? NULL : fault;
}

/* NULL, or why the page can't be accepted. */
static const char *take_page(struct pages *pages, const struct json_doc *doc, uint32_t result)
{
    uint32_t items = json_member(doc, result, pages->asked.member);
    if (items == JSON_NONE || json_at(doc, items)->type != JSON_ARRAY)
        return "the server sent a list without items";
    pages->items += json_at(doc, items)->count;
    if (pages->items > pages->asked.max_items)
        return "the server's list is longer than the limit";
    pages->pages++;
    return pages->asked.take(pages->asked.user, doc, result, items);
}

static const char *go_on(struct pages *pages, const struct json_doc *doc, uint32_t cursor)
{
    if (json_at(doc, cursor)->type != JSON_STRING)
        return "the server sent a cursor that is no string";
    if (pages->pages >= pages->limits->max_list_pages)
        return "the server's list has too many pages";
    return send_page(pages, json_text(json_at(doc, cursor)));
}

static void on_page(void *user, const struct answer *answer)
{
    struct pages *pages = user;
    pages->leg = NULL;
    if (answer->kind != ANSWER_RESULT) {
        finish(pages, answer, NULL);
        return;
    }
    const char *fault = take_page(pages, answer->doc, answer->result);
    uint32_t next = json_member(answer->doc, answer->result, STR("nextCursor"));
    bool is_last = next == JSON_NONE || json_at(answer->doc, next)->type == JSON_NULL;
    if (!fault && !is_last)
        fault = go_on(pages, answer->doc, next);
    if (fault || is_last)
        finish(pages, NULL, fault);
}

struct pages *pages_ask(struct upstream *upstream, const struct gateway_limits *limits,
                        const struct pages_asked *asked)
{
    struct pages *pages = calloc(1, sizeof *pages);
    if (!pages)
        return NULL;
    *pages = (struct pages){ .upstream = upstream,
                             .limits = limits,
                             .asked = *asked,
                             .deadline_ms = world_mono_ms() + limits->list_timeout_ms };
    if (!send_page(pages, (Str){ 0 }))
        return pages;
    free(pages);
    return NULL;
}
