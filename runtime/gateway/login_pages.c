/* SPDX-License-Identifier: Apache-2.0 */
/* login_pages.c - a query in, a sentence out. */
#include "runtime/gateway/login_pages.h"

#include "runtime/keeper/asker.h"

#include <stdlib.h>

enum { PAGE_BYTES_MAX = 16 * 1024 };

static const Str callback_path = STR_INIT("/oauth/callback");

bool login_pages_has(Str target)
{
    return login_callback_query(target).p != NULL;
}

Str login_callback_query(Str target)
{
    if (!str_starts(target, callback_path) || str_byte(target, callback_path.n) != '?')
        return (Str){ 0 };
    return str_sub(target, callback_path.n + 1, target.n);
}

static void write_text(struct buf *out, Str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '<': buf_add(out, STR("&lt;")); break;
        case '>': buf_add(out, STR("&gt;")); break;
        case '&': buf_add(out, STR("&amp;")); break;
        case '"': buf_add(out, STR("&quot;")); break;
        default: buf_add_char(out, text.p[i]);
        }
    }
}

void login_page_respond(struct exchange *exchange, bool is_done, Str text)
{
    struct buf page;
    const struct http_header headers[] = {
        { STR("Content-Security-Policy"),
          STR("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'") },
        { STR("Referrer-Policy"), STR("no-referrer") },
        { STR("X-Content-Type-Options"), STR("nosniff") },
    };
    buf_init(&page, PAGE_BYTES_MAX);
    buf_add(&page, STR("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>mcpd"
                       "</title></head><body><h1>"));
    buf_add(&page, is_done ? STR("Connected") : STR("Not connected"));
    buf_add(&page, STR("</h1><p>"));
    if (is_done)
        buf_add(&page, STR("The gateway has what it needs. You can close this window."));
    else
        write_text(&page, text);
    buf_add(&page, STR("</p></body></html>\n"));
    exchange_respond(exchange, is_done ? 200 : 400, headers, COUNT(headers),
                     STR("text/html; charset=utf-8"), buf_str(&page));
    buf_free(&page);
}

struct login_page {
    struct login_page *next, **list;
    struct exchange *exchange;
    struct ask *ask;
};

static void unlink_page(struct login_page *page)
{
    struct login_page **link = page->list;
    while (*link != page)
        link = &(*link)->next;
    *link = page->next;
}

static void on_answer(void *user, const struct message *message)
{
    struct login_page *page = user;
    struct exchange *exchange = page->exchange;
    unlink_page(page);
    free(page);
    if (message)
        login_page_respond(exchange, message->type == MESSAGE_PAGE && message->number,
                           message->fields[0]);
    else
        login_page_respond(exchange, false,
                           STR("The gateway's token keeper is not running; try again later."));
}

void login_pages_take(struct login_page **pages, struct asker *keeper, struct exchange *exchange)
{
    struct message message = {
        .type = MESSAGE_CALLBACK,
        .fields = { login_callback_query(exchange_head(exchange)->target), STR("") },
    };
    struct login_page *page = calloc(1, sizeof *page);
    if (page)
        page->ask = asker_ask(keeper, &message, on_answer, page);
    if (!page || !page->ask) {
        free(page);
        login_page_respond(exchange, false, STR("The gateway can't handle this now."));
        return;
    }
    page->exchange = exchange;
    page->list = pages;
    page->next = *pages;
    *pages = page;
}

/* The keeper goes on: what it began does not depend on who watches. */
bool login_pages_gone(struct login_page **pages, const struct exchange *exchange)
{
    struct login_page *page = *pages;
    while (page && page->exchange != exchange)
        page = page->next;
    if (!page)
        return false;
    ask_cancel(page->ask);
    unlink_page(page);
    free(page);
    return true;
}
