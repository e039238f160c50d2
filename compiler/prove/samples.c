/* SPDX-License-Identifier: Apache-2.0 */
/* samples.c - values worth a try where reasoning ends: what domain functions read, strings that are
 * put together, arithmetic.
 *
 * For each computed value, the strings that its tests tell apart are found as if it could be any
 * string; then they are put back into the fields that it comes from: a host into a URL, the two
 * halves of "acme/web" into owner and repository. Nothing is claimed of these values: the VM tells
 * what they show, and what they do not show stays unknown.
 */
#include "compiler/prove/space.h"
#include "runtime/domain/domain.h"

enum { TERM_TEXTS_MAX = 64 };

/* A % stands for the text; each is tried in every node that the term is computed from. */
struct template
{
    uint32_t domain;
    const char *text;
};

static const struct template templates[] = {
    { DOMAIN_PATH, "%" },
    { DOMAIN_PATH, "%/a" },
    { DOMAIN_PATH, "/%" },
    { DOMAIN_PATH, "/a/%" },
    { DOMAIN_PATH, "/a.%" },
    { DOMAIN_PATH, "%x" },
    { DOMAIN_URL, "%" },
    { DOMAIN_URL, "https://%/" },
    { DOMAIN_URL, "http://%/" },
    { DOMAIN_URL, "https://a.%/" },
    { DOMAIN_URL, "https://a.org%" },
    { DOMAIN_URL, "https://a.org/%" },
    { DOMAIN_URL, "https://a.org:%/" },
    { DOMAIN_URL, "https://a.org/?%" },
    { DOMAIN_URL, "%://a.org/" },
    { DOMAIN_URL, "http://127.0.0.1/" },
    { DOMAIN_URL, "http://10.0.0.1/" },
    { DOMAIN_URL, "http://169.254.169.254/" },
    { DOMAIN_URL, "http://8.8.8.8/" },
    { DOMAIN_URL, "https://a@a.org/" },
    { DOMAIN_HOST, "%" },
    { DOMAIN_HOST, "a.%" },
    { DOMAIN_HOST, "127.0.0.1" },
    { DOMAIN_HOST, "10.0.0.1" },
    { DOMAIN_HOST, "8.8.8.8" },
    { DOMAIN_EMAIL, "%" },
    { DOMAIN_EMAIL, "a@%" },
    { DOMAIN_EMAIL, "a@a.%" },
    { DOMAIN_EMAIL, "%@a.org" },
    { DOMAIN_EMAILS, "%" },
    { DOMAIN_EMAILS, "a@%" },
    { DOMAIN_EMAILS, "a@%, a@a.org" },
    { DOMAIN_EMAILS, "%@a.org" },
    { DOMAIN_SQL, "select 1" },
    { DOMAIN_SQL, "select * from %" },
    { DOMAIN_SQL, "select %(1)" },
    { DOMAIN_SQL, "insert into a values (1)" },
    { DOMAIN_SQL, "update a set b = 1" },
    { DOMAIN_SQL, "delete from a" },
    { DOMAIN_SQL, "delete from a where b = 1" },
    { DOMAIN_SQL, "delete from %" },
    { DOMAIN_SQL, "drop table a" },
    { DOMAIN_SQL, "% a" },
    { DOMAIN_SQL, "select 1; drop table a" },
    { DOMAIN_SHELL, "%" },
    { DOMAIN_SHELL, "% a" },
    { DOMAIN_SHELL, "a %" },
    { DOMAIN_SHELL, "a | %" },
    { DOMAIN_SHELL, "a; %" },
    { DOMAIN_JSON, "%" },
    { DOMAIN_JSON, "\"%\"" },
    { DOMAIN_JSON, "{\"%\":1}" },
    { DOMAIN_YAML, "%" },
    { DOMAIN_YAML, "%: 1" },
};

static void fill_template(struct space *space, struct node *node, const char *template, Str text)
{
    struct buf out;
    buf_init(&out, (size_t)BUNDLE_TEXT_MAX * 4);
    for (const char *c = template; *c; c++) {
        if (*c == '%')
            buf_add(&out, text);
        else
            buf_add_char(&out, *c);
    }
    Str copy = arena_copy(space->mem, buf_str(&out));
    buf_free(&out);
    if (copy.p)
        node_sample_text(space, node, copy);
}

void sample_numbers(struct space *space, struct node *node, Decimal number)
{
    static const Decimal near[] = { { 0, 0 }, { -1, 0 }, { 1, 0 }, { 5, 1 } };
    char text[DECIMAL_TEXT_BYTES];
    Decimal made;
    for (uint32_t i = 0; i < COUNT(near) + 2; i++) {
        Decimal half = { .mantissa = 5, .scale = 1 }, minus = { .mantissa = -1 };
        bool fits = i < COUNT(near) ? decimal_add(number, near[i], &made)
                                    : decimal_mul(number, i == COUNT(near) ? half : minus, &made);
        if (!fits)
            continue;
        size_t n = decimal_write(made, text, sizeof text);
        Str json = arena_copy(space->mem, (Str){ .p = text, .n = n });
        if (json.p)
            node_sample(space, node, json);
    }
    if (node->is_list && number.scale == 0 && number.mantissa >= 0 &&
        number.mantissa < LIST_LENGTH_MAX)
        *VEC_ADD(space, &node->lengths, uint32_t) = (uint32_t)number.mantissa;
}

/* The pieces of a joined string that are fields take what stands between its texts. */
static void split(struct space *space, const struct term *term, Str text)
{
    Str rest = text;
    for (uint32_t i = 0; i < term->piece_count; i++) {
        const struct piece *piece = &term->pieces[i];
        if (!piece->node) {
            if (!str_starts(rest, piece->text))
                return;
            rest = str_sub(rest, piece->text.n, rest.n);
            continue;
        }
        Str mark = i + 1 < term->piece_count ? term->pieces[i + 1].text : STR("");
        size_t end = mark.n ? 0 : rest.n;
        while (mark.n && end < rest.n && !str_starts(str_sub(rest, end, rest.n), mark))
            end++;
        node_sample_text(space, piece->node, str_sub(rest, 0, end));
        rest = str_sub(rest, end, rest.n);
    }
}

static void sample_text(struct space *space, const struct term *term, Str text)
{
    if (term->is_joined)
        split(space, term, text);
    for (uint32_t n = 0; n < term->node_count; n++) {
        if (!term->is_joined)
            node_sample_text(space, term->nodes[n], text);
        for (uint32_t i = 0; i < COUNT(templates); i++)
            if (term->domains >> templates[i].domain & 1)
                fill_template(space, term->nodes[n], templates[i].text, text);
    }
}

static void sample_term(struct space *space, const struct term *term)
{
    struct vec tests = { .count = 0 };
    struct text_classes classes;
    for (uint32_t i = 0; i < term->tests.count; i++) {
        const struct term_test *test = &VEC_AT(&term->tests, struct term_test, i);
        if (test->is_text)
            *VEC_ADD(space, &tests, struct text_test) = test->text;
        for (uint32_t n = 0; n < term->node_count && !test->is_text; n++)
            sample_numbers(space, term->nodes[n], test->number);
        for (uint32_t k = 0; test->is_text && test->text.kind == TEXT_LITERALS &&
                             k < test->text.count && k < TERM_TEXTS_MAX;
             k++)
            sample_text(space, term, test->text.texts[k]);
    }
    for (uint32_t i = 0; i < term->texts.count && i < TERM_TEXTS_MAX; i++)
        sample_text(space, term, VEC_AT(&term->texts, Str, i));
    if (space->is_full || text_classes(tests.items, tests.count, space->mem, &classes) != ST_OK) {
        space->is_full = true;
        return;
    }
    for (uint32_t i = 0; i < classes.count && i < TERM_TEXTS_MAX; i++)
        sample_text(space, term, classes.items[i].text);
}

void space_sample_terms(struct space *space)
{
    for (const struct term *term = space->terms; term && !space->is_full; term = term->next)
        sample_term(space, term);
}
