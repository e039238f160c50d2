/* SPDX-License-Identifier: Apache-2.0 */
/* domain_rows.c - prints the member that a row asks for and compares it with what the row wants. */
#include "tests/unit/domain_rows.h"

static void write_value(const struct json_doc *doc, uint32_t at, struct buf *out)
{
    const struct json_node *node = json_at(doc, at);
    bool is_list = node->type == JSON_ARRAY, is_object = node->type == JSON_OBJECT;
    if (!is_list && !is_object) {
        buf_add(out, json_text(node));
        return;
    }
    buf_add_char(out, is_list ? '[' : '{');
    const char *between = "";
    for (uint32_t i = json_first(doc, at); i != JSON_NONE; i = json_after(doc, at, i)) {
        buf_printf(out, "%s", between);
        if (is_object)
            buf_printf(out, "%.*s=", STR_ARG(json_key(json_at(doc, i))));
        write_value(doc, i, out);
        between = " ";
    }
    buf_add_char(out, is_list ? ']' : '}');
}

void domain_row_check(bool is_certain, const struct json_doc *doc, const struct domain_row *row)
{
    struct buf got;
    buf_init(&got, 1 << 20);
    uint32_t at = is_certain ? json_member(doc, 0, str_of(row->member)) : 0;
    if (!is_certain)
        buf_add(&got, STR("?"));
    else if (at == JSON_NONE)
        buf_add(&got, STR("no such member"));
    else
        write_value(doc, at, &got);
    Str text = buf_str(&got);
    CHECK_ROW(str_eq(text, str_of(row->want)), "%s of \"%s\": wanted %s, got %.*s", row->member,
              row->text, row->want, STR_ARG(text));
    buf_free(&got);
}

void domain_rows_check(struct arena *mem, enum domain domain, const struct domain_row *rows,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct json_doc doc;
        Str text = str_of(rows[i].text);
        bool is_certain = domain_read(domain, text, mem, &doc);
        domain_row_check(is_certain, &doc, &rows[i]);
        CHECK_ROW(!is_certain || domain_result_size(&doc) <= domain_result_limit(domain, text),
                  "\"%s\": the result is too large", rows[i].text);
        arena_rewind(mem);
    }
}

void domain_refused_check(struct arena *mem, enum domain domain, const Str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct json_doc doc;
        CHECK_ROW(!domain_read(domain, texts[i], mem, &doc), "\"%.*s\" (row %zu) is accepted",
                  STR_ARG(texts[i]), i);
        arena_rewind(mem);
    }
}

size_t domain_result_size(const struct json_doc *doc)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < doc->count; i++)
        bytes += json_at(doc, i)->text_n + json_at(doc, i)->key_n;
    return bytes;
}

size_t domain_result_limit(enum domain domain, Str text)
{
    return text.n * domain_table[domain].growth + DOMAIN_RESULT_FIXED;
}

uint32_t domain_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

size_t domain_random_text(uint32_t *seed, const Str *pieces, size_t count, char *text, size_t room)
{
    size_t n = 0, most = domain_random(seed) % 12 + 1;
    for (size_t i = 0; i < most; i++) {
        Str piece = pieces[domain_random(seed) % count];
        if (piece.n > room - n)
            break;
        memcpy(text + n, piece.p, piece.n);
        n += piece.n;
    }
    return n;
}
