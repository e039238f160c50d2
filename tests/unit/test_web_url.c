/* SPDX-License-Identifier: Apache-2.0 */
/* test_web_url.c - OAuth's URLs: what is read, where documents lie, which resource covers what. */
#include "runtime/oauth/web_url.h"
#include "tests/unit/check.h"

enum { ARENA_BYTES = 4 << 20 };

static struct arena mem;

static struct web_url read_or_stop(const char *text)
{
    struct web_url url;
    ENSURE(web_url_read(str_of(text), &mem, &url));
    return url;
}

static void test_read(void)
{
    static const struct {
        const char *text, *origin, *path, *query;
        bool is_https, is_loopback;
    } rows[] = {
        { "https://a.test", "https://a.test", "", NULL, true, false },
        { "HTTPS://A.Test:443/", "https://a.test", "/", NULL, true, false },
        { "https://a.test:8443/P?q=1", "https://a.test:8443", "/P", "q=1", true, false },
        { "https://a.test?", "https://a.test", "", "", true, false },
        { "https://a.test/x?y?z", "https://a.test", "/x", "y?z", true, false },
        { "http://localhost:3000/cb", "http://localhost:3000", "/cb", NULL, false, true },
        { "http://x.localhost/", "http://x.localhost", "/", NULL, false, true },
        { "http://127.0.0.1:80/", "http://127.0.0.1", "/", NULL, false, true },
        { "http://[::1]:81/", "http://[::1]:81", "/", NULL, false, true },
        { "http://notlocalhost/", "http://notlocalhost", "/", NULL, false, false },
        { "http://localhost.evil.test/", "http://localhost.evil.test", "/", NULL, false, false },
        { "https://a.test//x/%41", "https://a.test", "//x/%41", NULL, true, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct web_url url;
        if (!CHECK_ROW(web_url_read(str_of(rows[i].text), &mem, &url), "row %zu", i))
            continue;
        CHECK_STR(url.text, str_of(rows[i].text));
        CHECK_STR(url.origin, str_of(rows[i].origin));
        CHECK_STR(url.path, str_of(rows[i].path));
        CHECK_ROW((url.query.p != NULL) == (rows[i].query != NULL), "row %zu", i);
        CHECK_STR(url.query, str_of(rows[i].query));
        CHECK_ROW(url.is_https == rows[i].is_https && url.is_loopback == rows[i].is_loopback,
                  "row %zu", i);
    }
}

static void test_refused(void)
{
    static const Str rows[] = {
        STR_INIT(""),
        STR_INIT("https://"),
        STR_INIT("https:///x"),
        STR_INIT("https:/a.test"),
        STR_INIT("//a.test/"),
        STR_INIT("ftp://a.test/"),
        STR_INIT("javascript:alert(1)"),
        STR_INIT("file:///etc/passwd"),
        STR_INIT("https://u@a.test/"),
        STR_INIT("https://u:p@a.test/"),
        STR_INIT("https://a.test@b.test/"),
        STR_INIT("https://a.test\\@b.test/"),
        STR_INIT("https://a.test/#f"),
        STR_INIT("https://a.test/ x"),
        STR_INIT("https://a.test/\0"),
        STR_INIT("https://a.te\0st/"),
        STR_INIT("https://a.test/\n"),
        STR_INIT("https://\xc3\xa4.test/"),
        STR_INIT("https://a.test/a/../b"),
        STR_INIT("https://a.test/."),
        STR_INIT("https://a.test/%2e%2E/x"),
        STR_INIT("https://a.test/x%2fy"),
        STR_INIT("https://a.test/x%5Cy"),
        STR_INIT("https://a.test/%00"),
        STR_INIT("https://a.test/%"),
        STR_INIT("https://a.test/%4"),
        STR_INIT("https://a.test/%zz"),
        STR_INIT("https://0177.0.0.1/"),
        STR_INIT("https://2130706433/"),
        STR_INIT("https://[::1/"),
        STR_INIT("https://[fe80::1%25eth0]/"),
        STR_INIT("https://a.test:0/"),
        STR_INIT("https://a.test:65536/"),
        STR_INIT("https://a.test:/"),
        STR_INIT("https://-a.test/"),
    };
    struct web_url url;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(!web_url_read(rows[i], &mem, &url), "row %zu: %.*s", i, STR_ARG(rows[i]));
    static char longest[WEB_URL_MAX + 1];
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "https://a.test/", 15);
    CHECK(web_url_read((Str){ longest, WEB_URL_MAX }, &mem, &url));
    CHECK(!web_url_read((Str){ longest, WEB_URL_MAX + 1 }, &mem, &url));
}

static void test_fit(void)
{
    struct web_url https = read_or_stop("https://a.test/"), http = read_or_stop("http://a.test/");
    struct web_url local = read_or_stop("http://127.0.0.1:1/");
    CHECK(web_url_is_fit(&https, false) && web_url_is_fit(&https, true));
    CHECK(!web_url_is_fit(&http, false) && !web_url_is_fit(&http, true));
    CHECK(!web_url_is_fit(&local, false) && web_url_is_fit(&local, true));
}

/* The places joined by spaces; "" when there is no answer. */
static Str joined(bool is_ok, const struct well_known *list)
{
    Str text = STR("");
    for (size_t i = 0; is_ok && i < list->count; i++)
        text =
            arena_printf(&mem, "%.*s%s%.*s", STR_ARG(text), i ? " " : "", STR_ARG(list->urls[i]));
    return text;
}

#define PRM  "https://a.test/.well-known/oauth-protected-resource"
#define AS   "https://a.test/.well-known/oauth-authorization-server"
#define OIDC "https://a.test/.well-known/openid-configuration"

static void test_well_known_resource(void)
{
    static const struct {
        const char *server, *want;
    } rows[] = {
        { "https://a.test", PRM },
        { "https://A.test:443/", PRM },
        { "https://a.test/mcp", PRM "/mcp " PRM },
        { "https://a.test/x/mcp/", PRM "/x/mcp/ " PRM },
        { "https://a.test/mcp?t=1", PRM "/mcp?t=1 " PRM },
        { "https://a.test/?t=1", PRM "?t=1 " PRM },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct web_url server = read_or_stop(rows[i].server);
        struct well_known list;
        bool is_ok = well_known_resource(&server, &mem, &list);
        CHECK_STR(joined(is_ok, &list), str_of(rows[i].want));
    }
}

static void test_well_known_issuer(void)
{
    static const struct {
        const char *issuer, *want;
    } rows[] = {
        { "https://a.test", AS " " OIDC },
        { "https://a.test/", AS " " OIDC },
        { "https://a.test/t1", AS "/t1 " OIDC "/t1 https://a.test/t1/.well-known/"
                                  "openid-configuration" },
        { "https://a.test/t1/", AS "/t1 " OIDC "/t1 https://a.test/t1/.well-known/"
                                   "openid-configuration" },
        { "https://a.test/t1?x", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct web_url issuer = read_or_stop(rows[i].issuer);
        struct well_known list;
        bool is_ok = well_known_issuer(&issuer, &mem, &list);
        CHECK_STR(joined(is_ok, &list), str_of(rows[i].want));
    }
}

static void test_resources(void)
{
    static const struct {
        const char *resource, *server;
        bool covers;
    } rows[] = {
        { "https://a.test", "https://a.test/mcp", true },
        { "https://a.test/", "https://a.test/mcp", true },
        { "https://A.test:443/mcp", "https://a.test/mcp", true },
        { "https://a.test/mcp", "https://a.test/mcp/x", true },
        { "https://a.test/mcp/", "https://a.test/mcp/x", true },
        { "https://a.test/mcp", "https://a.test/mcp/", true },
        { "https://a.test/mcp", "https://a.test/mcp?x=1", true },
        { "https://a.test/mcp?x=1", "https://a.test/mcp?x=1", true },
        { "https://a.test/mcp?x=1", "https://a.test/mcp", false },
        { "https://a.test/mcp?x=1", "https://a.test/mcp?x=2", false },
        { "https://a.test/mcp", "https://a.test/mcpx", false },
        { "https://a.test/mcp/", "https://a.test/mcp", false },
        { "https://a.test/mcp/x", "https://a.test/mcp", false },
        { "https://a.test/MCP", "https://a.test/mcp", false },
        { "https://b.test/mcp", "https://a.test/mcp", false },
        { "http://a.test/mcp", "https://a.test/mcp", false },
        { "https://a.test:444/mcp", "https://a.test/mcp", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct web_url resource = read_or_stop(rows[i].resource);
        struct web_url server = read_or_stop(rows[i].server);
        CHECK_ROW(resource_covers(&resource, &server) == rows[i].covers, "%s over %s",
                  rows[i].resource, rows[i].server);
    }
    static const struct {
        const char *server, *uri;
    } uris[] = {
        { "HTTPS://A.Test:443/", "https://a.test" },
        { "https://a.test/Mcp", "https://a.test/Mcp" },
        { "https://a.test/mcp/", "https://a.test/mcp/" },
        { "https://a.test:8443/mcp?t=1", "https://a.test:8443/mcp?t=1" },
    };
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct web_url server = read_or_stop(uris[i].server);
        Str uri = STR("");
        CHECK(resource_uri(&server, &mem, &uri));
        CHECK_STR(uri, str_of(uris[i].uri));
    }
}

int main(void)
{
    arena_init(&mem, ARENA_BYTES);
    RUN(test_read);
    RUN(test_refused);
    RUN(test_fit);
    RUN(test_well_known_resource);
    RUN(test_well_known_issuer);
    RUN(test_resources);
    arena_reset(&mem);
    return check_finish();
}
