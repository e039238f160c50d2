/* SPDX-License-Identifier: Apache-2.0 */
/* test_challenge.c - WWW-Authenticate: which commas separate what, and what says nothing at all. */
#include "runtime/oauth/bearer.h"
#include "runtime/wire/challenge.h"
#include "tests/unit/check.h"

enum { ARENA_BYTES = 1 << 20 };

/* Every challenge as scheme, token68 in <>, parameters as name=value; joined by spaces. */
static void describe(const struct challenge_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct challenge *c = &list->items[i];
        if (i)
            buf_add(out, STR(" | "));
        buf_add(out, c->scheme);
        if (c->token68.n)
            buf_printf(out, " <%.*s>", STR_ARG(c->token68));
        for (size_t j = 0; j < c->param_count; j++)
            buf_printf(out, " %.*s=%.*s", STR_ARG(c->params[j].name), STR_ARG(c->params[j].value));
    }
}

static void test_read(void)
{
    static const struct {
        const char *value, *want;
    } rows[] = {
        { "Bearer", "Bearer" },
        { "Bearer realm=\"x\"", "Bearer realm=x" },
        { "Bearer realm=x, scope=\"a b\"", "Bearer realm=x scope=a b" },
        { "Bearer realm = \"x\" , error=\"e\"", "Bearer realm=x error=e" },
        { "Basic realm=\"a\", Bearer realm=\"b\", scope=\"c\"",
          "Basic realm=a | Bearer realm=b scope=c" },
        { "Negotiate, Bearer", "Negotiate | Bearer" },
        { "Negotiate YWJj==, Bearer a=b", "Negotiate <YWJj==> | Bearer a=b" },
        { "Negotiate abc", "Negotiate <abc>" },
        { "Negotiate abc=", "Negotiate <abc=>" },
        { ", ,Bearer a=b,,c=d, ,", "Bearer a=b c=d" },
        { "Bearer, realm=\"x\"", "Bearer realm=x" },
        { "Bearer a=\"x, Basic realm=y\"", "Bearer a=x, Basic realm=y" },
        { "Bearer a=\"q\\\"uo\\\\te\"", "Bearer a=q\"uo\\te" },
        { "Bearer a=\"\"", "Bearer a=" },
        { "Bearer a=b, DPoP algs=\"ES256\"", "Bearer a=b | DPoP algs=ES256" },
        { "bearer A=b", "bearer A=b" },
    };
    struct arena mem;
    struct challenge_list list;
    arena_init(&mem, ARENA_BYTES);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf got;
        buf_init(&got, 4096);
        if (CHECK_ROW(challenges_read(str_of(rows[i].value), &mem, &list) == ST_OK, "%s",
                      rows[i].value)) {
            describe(&list, &got);
            CHECK_STR(buf_str(&got), str_of(rows[i].want));
        }
        buf_free(&got);
    }
    arena_reset(&mem);
}

static void test_refused(void)
{
    static const Str rows[] = {
        STR_INIT(""),
        STR_INIT(" , ,"),
        STR_INIT("Bearer a=b c=d"),
        STR_INIT("Bearer a=\"b"),
        STR_INIT("Bearer a=\"b\\"),
        STR_INIT("Bearer a=b, a=c"),
        STR_INIT("Bearer a=b, A=c"),
        STR_INIT("Bearer a=\"x\0y\""),
        STR_INIT("Bearer a=\"x\ny\""),
        STR_INIT("Bearer a=b;c=d"),
        STR_INIT("Bearer a=b\"c\""),
        STR_INIT("Bearer a==b"),
        STR_INIT("Bearer ="),
        STR_INIT("=x"),
        STR_INIT("\"Bearer\""),
        STR_INIT("Bearer abc def"),
        STR_INIT("Bearer abc, a=b"),
        STR_INIT("Bearer\ta=b"),
        STR_INIT("Bearer a=b, \"c\""),
        STR_INIT("Bea\xc3\xa4rer a=b"),
        STR_INIT("Bearer a=\x80"),
    };
    struct arena mem;
    struct challenge_list list;
    arena_init(&mem, ARENA_BYTES);
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(challenges_read(rows[i], &mem, &list) == ST_INVALID, "row %zu: %.*s", i,
                  STR_ARG(rows[i]));
    arena_reset(&mem);
}

static void repeat(struct buf *out, const char *text, int count)
{
    buf_init(out, (size_t)CHALLENGE_BYTES_MAX * 2);
    for (int i = 0; i < count; i++)
        buf_printf(out, "%s%d%s", text, i, i + 1 < count ? "," : "");
}

static void test_limits(void)
{
    struct arena mem, tiny;
    struct challenge_list list;
    struct buf text;
    arena_init(&mem, ARENA_BYTES);
    arena_init(&tiny, 1);
    repeat(&text, "S", CHALLENGES_MAX);
    CHECK(challenges_read(buf_str(&text), &mem, &list) == ST_OK && list.count == CHALLENGES_MAX);
    buf_free(&text);
    repeat(&text, "S", CHALLENGES_MAX + 1);
    CHECK(challenges_read(buf_str(&text), &mem, &list) == ST_LIMIT);
    buf_free(&text);
    repeat(&text, "Bearer a=b, p=q", 1);
    buf_clear(&text);
    buf_add(&text, STR("Bearer "));
    for (int i = 0; i <= CHALLENGE_PARAMS_MAX; i++)
        buf_printf(&text, "p%d=1,", i);
    CHECK(challenges_read(buf_str(&text), &mem, &list) == ST_LIMIT);
    CHECK(challenges_read(STR("Bearer a=\"b\""), &tiny, &list) == ST_LIMIT);
    while (text.n <= CHALLENGE_BYTES_MAX)
        buf_add(&text, STR(","));
    CHECK(challenges_read(buf_str(&text), &mem, &list) == ST_LIMIT);
    buf_free(&text);
    arena_reset(&mem);
    arena_reset(&tiny);
}

static bool read_fields(struct arena *mem, const char *first, const char *second,
                        struct bearer_challenge *out)
{
    struct http_head head = { .header_count = 3 };
    head.headers[0] = (struct http_header){ STR("www-authenticate"), str_of(first) };
    head.headers[1] = (struct http_header){ STR("X-Other"), STR("Bearer scope=\"wrong\"") };
    head.headers[2] = (struct http_header){ STR("WWW-Authenticate"), str_of(second) };
    return bearer_read(&head, mem, out);
}

static void test_bearer(void)
{
    struct arena mem;
    struct bearer_challenge got;
    arena_init(&mem, ARENA_BYTES);
    CHECK(read_fields(&mem, "Basic realm=x",
                      "Bearer error=\"insufficient_scope\", scope=\"a b a\","
                      " resource_metadata=\"https://x.test/m\"",
                      &got));
    CHECK(got.error == BEARER_INSUFFICIENT_SCOPE && got.has_scopes && got.scopes.count == 2);
    CHECK_STR(got.resource_metadata, STR("https://x.test/m"));
    /* The first Bearer counts, and one that can't be read is none. */
    CHECK(read_fields(&mem, "Bearer scope=\"a\"", "Bearer scope=\"b\"", &got));
    CHECK(got.scopes.count == 1 && str_eq(got.scopes.items[0], STR("a")));
    CHECK(read_fields(&mem, "Bearer scope=\"a", "Bearer scope=\"b\"", &got));
    CHECK(got.scopes.count == 1 && str_eq(got.scopes.items[0], STR("b")));
    CHECK(!read_fields(&mem, "Basic realm=x", "DPoP algs=ES256", &got));
    /* A scope that is none spoils the list, not the challenge. */
    CHECK(read_fields(&mem, "Bearer scope=\"a \\\\\", error=invalid_token", "x", &got));
    CHECK(!got.has_scopes && got.scopes.count == 0 && got.error == BEARER_INVALID_TOKEN);
    CHECK(read_fields(&mem, "Bearer scope=\"\", error=who_knows", "x", &got));
    CHECK(!got.has_scopes && got.error == BEARER_NO_ERROR && !got.resource_metadata.p);
    arena_reset(&mem);
}

int main(void)
{
    RUN(test_read);
    RUN(test_refused);
    RUN(test_limits);
    RUN(test_bearer);
    return check_finish();
}
