/* SPDX-License-Identifier: Apache-2.0 */
/* test_config.c - what the configuration means, and what is said about every way to get it wrong.
 */
#include "runtime/base/buf.h"
#include "runtime/daemon/address.h"
#include "runtime/daemon/config.h"
#include "runtime/daemon/config_reader.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_BYTES = 8 * 1024 * 1024 };

static struct arena mem;

static enum status parse(Str text, struct config *config, Str *errors)
{
    arena_reset(&mem);
    *errors = STR("");
    return config_parse("mcpd.jsonc", STR("/etc/mcp"), text, &mem, config, errors);
}

static const struct {
    const char *name;
    Str text, errors;
} refusals[] = {
    { "unknown key with a suggestion",
      STR_INIT("{\n \"servers\": {\n  \"fs\": {\n   \"comand\": [\"x\"] } } }"),
      STR_INIT("mcpd.jsonc:3: servers.fs: needs either \"command\" or \"url\"\n"
               "mcpd.jsonc:4: servers.fs.comand: unknown key, did you mean \"command\"?\n") },
    { "unknown key, nothing like it", STR_INIT("{\"telemetry\": true}"),
      STR_INIT("mcpd.jsonc:1: telemetry: unknown key\n") },
    { "case is no excuse", STR_INIT("{\"Listen\": \"127.0.0.1:1\"}"),
      STR_INIT("mcpd.jsonc:1: Listen: unknown key, did you mean \"listen\"?\n") },
    { "limits are known by name", STR_INIT("{\"limits\":{\"max_bodybytes\":5}}"),
      STR_INIT("mcpd.jsonc:1: limits.max_bodybytes: unknown key, did you mean "
               "\"max_body_bytes\"?\n") },
    { "several at once, in the order of the text",
      STR_INIT("{\n\"limits\": {\"max_depth\": 3, \"max_tools\": 1.5},\n\"listen\": 8330,\n"
               "\"servers\": {\"fs\": {\"command\": [], \"era\": \"new\"}}\n}"),
      STR_INIT("mcpd.jsonc:2: limits.max_depth: must be a whole number from 4 to 256, not 3\n"
               "mcpd.jsonc:2: limits.max_tools: must be a whole number from 1 to 65536, not 1.5\n"
               "mcpd.jsonc:3: listen: must be a string\n"
               "mcpd.jsonc:4: servers.fs.command: must begin with a program's name\n"
               "mcpd.jsonc:4: servers.fs.era: must be \"auto\", \"legacy\" or \"modern\", not "
               "\"new\"\n") },
    { "duplicate key", STR_INIT("{\"servers\": {\"a\": {\"url\": \"https://x\"},\n\"a\": {}}}"),
      STR_INIT("mcpd.jsonc:2: servers.a: a key occurs twice in one object\n") },
    { "duplicate key by an escape", STR_INIT("{\"store\": \"a\",\n\n\"\\u0073tore\": \"b\"}"),
      STR_INIT("mcpd.jsonc:3: \\u0073tore: a key occurs twice in one object\n") },
    { "duplicates beside other mistakes",
      STR_INIT("{\"store\": \"a,}\", \"store\": {\"b\": [1, \"]}\"]},\n\"servers\": {\"fs\": "
               "{\"command\": [\"x\"],\n\"command\": 1, \"erra\": 0}},\n\"store\": 5, \"x\": 1}"),
      STR_INIT("mcpd.jsonc:1: store: a key occurs twice in one object\n"
               "mcpd.jsonc:3: servers.fs.command: a key occurs twice in one object\n"
               "mcpd.jsonc:3: servers.fs.erra: unknown key, did you mean \"era\"?\n"
               "mcpd.jsonc:4: store: a key occurs twice in one object\n"
               "mcpd.jsonc:4: x: unknown key\n") },
    { "trailing comma", STR_INIT("{\n\"store\": \"a\",\n}"),
      STR_INIT("mcpd.jsonc:3: not JSON (RFC 8259)\n") },
    { "syntax in a list", STR_INIT("{\"servers\":{\"a\":{\"command\":[\"x\", nope]}}}"),
      STR_INIT("mcpd.jsonc:1: servers.a.command[1]: not JSON (RFC 8259)\n") },
    { "unclosed comment", STR_INIT("{ // fine\n /* not fine\n }"),
      STR_INIT("mcpd.jsonc:2: this comment is never closed\n") },
    { "a comment that is only half open", STR_INIT("{ /*/ }"),
      STR_INIT("mcpd.jsonc:1: this comment is never closed\n") },
    { "a slash alone", STR_INIT("{ / }"), STR_INIT("mcpd.jsonc:1: not JSON (RFC 8259)\n") },
    { "line numbers behind comments", STR_INIT("// 1\n/* 2\n3\n*/ {\"stor\"\n: 1}"),
      STR_INIT("mcpd.jsonc:5: stor: unknown key, did you mean \"store\"?\n") },
    { "empty", STR_INIT(""), STR_INIT("mcpd.jsonc:1: the document ends too early\n") },
    { "not an object", STR_INIT("[]"),
      STR_INIT("mcpd.jsonc:1: the configuration must be an object\n") },
    { "two documents", STR_INIT("{} {}"),
      STR_INIT("mcpd.jsonc:1: something follows the document\n") },
    { "byte order mark", STR_INIT("\xEF\xBB\xBF{}"),
      STR_INIT("mcpd.jsonc:1: a byte order mark stands before the document\n") },
    { "U+0000", STR_INIT("{\"store\":\"a\\u0000b\"}"),
      STR_INIT("mcpd.jsonc:1: store: U+0000 in a key or string\n") },
    { "too deep", STR_INIT("{\"a\":[[[[[[[[1]]]]]]]]}"),
      STR_INIT("mcpd.jsonc:1: a[0][0][0][0][0][0][0]: nested deeper than the limit\n") },
    { "not loopback", STR_INIT("{\"listen\":\"0.0.0.0:80\"}"),
      STR_INIT("mcpd.jsonc:1: listen: is not a loopback address: it needs \"tls\", or "
               "\"listen_without_tls\": true if a proxy brings TLS\n"
               "mcpd.jsonc:1: listen: is every address of this machine: \"allowed_hosts\" must "
               "say by which names clients come\n") },
    { "every address of IPv6", STR_INIT("{\"listen\":\"[::]:80\",\"listen_without_tls\":true}"),
      STR_INIT("mcpd.jsonc:1: listen: is every address of this machine: \"allowed_hosts\" must "
               "say by which names clients come\n") },
    { "not loopback, leave withheld",
      STR_INIT("{\"listen\":\"10.0.0.1:80\",\"listen_without_tls\":false}"),
      STR_INIT("mcpd.jsonc:1: listen: is not a loopback address: it needs \"tls\", or "
               "\"listen_without_tls\": true if a proxy brings TLS\n") },
    { "a name to listen on", STR_INIT("{\"listen\":\"localhost:80\"}"),
      STR_INIT("mcpd.jsonc:1: listen: must be a numeric address and a port, as in "
               "\"127.0.0.1:8330\" or \"[::]:443\"\n") },
    { "no key", STR_INIT("{\"listen\":\"127.0.0.1:0\",\n\"tls\":{\"certificate\":\"a/\"}}"),
      STR_INIT("mcpd.jsonc:2: tls: needs \"key\"\n"
               "mcpd.jsonc:2: tls.certificate: must be the path of a file\n") },
    { "no port", STR_INIT("{\"listen\":\"127.0.0.1\"}"),
      STR_INIT("mcpd.jsonc:1: listen: must be a numeric address and a port, as in "
               "\"127.0.0.1:8330\" or \"[::]:443\"\n") },
    { "no file", STR_INIT("{\"store\":\"\",\"audit\":\"log/\"}"),
      STR_INIT("mcpd.jsonc:1: store: must be the path of a file\n"
               "mcpd.jsonc:1: audit: must be the path of a file\n") },
    { "both", STR_INIT("{\"servers\":{\"a\":{\"url\":\"https://x\",\"command\":[\"y\"]}}}"),
      STR_INIT("mcpd.jsonc:1: servers.a: needs either \"command\" or \"url\", not both\n") },
    { "authorities for a command",
      STR_INIT("{\"servers\":{\"a\":{\"command\":[\"y\"],\"ca_file\":\"x.pem\"}}}"),
      STR_INIT("mcpd.jsonc:1: servers.a.ca_file: belongs to a server with an https: url\n") },
    { "authorities for http",
      STR_INIT("{\"servers\":{\"a\":{\"url\":\"http://localhost\",\"ca_file\":\"x/\"}}}"),
      STR_INIT("mcpd.jsonc:1: servers.a.ca_file: must be the path of a file\n"
               "mcpd.jsonc:1: servers.a.ca_file: belongs to a server with an https: url\n") },
    { "an environment for a url",
      STR_INIT("{\"servers\":{\"a\":{\"url\":\"https://x\",\"env\":{},\"cwd\":\".\"}}}"),
      STR_INIT("mcpd.jsonc:1: servers.a.env: belongs to a server with a command, and this one has "
               "a url\n"
               "mcpd.jsonc:1: servers.a.cwd: belongs to a server with a command, and this one has "
               "a url\n") },
    { "aliases", STR_INIT("{\"servers\":{\"A\":{\"url\":\"https://x\"}}}"),
      STR_INIT("mcpd.jsonc:1: servers.A: a server's alias is 1-64 of a-z, 0-9, _ and -, begins "
               "with a letter or digit and has no \"__\"\n") },
    { "variables",
      STR_INIT("{\"servers\":{\"a\":{\"command\":[\"x\"],\"env\":{\"A=B\":\"c\","
               "\"N\":1},\"inherit_env\":[\"1X\"]}}}"),
      STR_INIT("mcpd.jsonc:1: servers.a.env.A=B: must be a variable's name: letters, digits and _, "
               "no digit first\n"
               "mcpd.jsonc:1: servers.a.env.N: must be a string\n"
               "mcpd.jsonc:1: servers.a.inherit_env[0]: must be a variable's name: letters, digits "
               "and _, no digit first\n") },
    { "lists of strings", STR_INIT("{\"allowed_hosts\":[\"ok\",5],\"allowed_origins\":\"x\"}"),
      STR_INIT("mcpd.jsonc:1: allowed_hosts: must be a list of strings\n"
               "mcpd.jsonc:1: allowed_origins: must be a list of strings\n") },
    { "hosts and origins",
      STR_INIT("{\"allowed_hosts\":[\"http://x\"],\"allowed_origins\":[\"null\",\"*\"]}"),
      STR_INIT(
          "mcpd.jsonc:1: allowed_hosts[0]: must be a host or host:port, as in the Host header\n"
          "mcpd.jsonc:1: allowed_origins[0]: must be scheme://host or scheme://host:port, as "
          "in the Origin header\n"
          "mcpd.jsonc:1: allowed_origins[1]: must be scheme://host or scheme://host:port, as "
          "in the Origin header\n") },
    { "principals",
      STR_INIT("{\"principals\":{\"a b\":{\"groups\":[\"\"]},\"c\":{\"group\":[]},\"d\":[]}}"),
      STR_INIT("mcpd.jsonc:1: principals.a b: the principal's id must not have spaces or control "
               "characters\n"
               "mcpd.jsonc:1: principals.a b.groups[0]: must have 1 to 256 bytes\n"
               "mcpd.jsonc:1: principals.c.group: unknown key, did you mean \"groups\"?\n"
               "mcpd.jsonc:1: principals.d: must be an object\n") },
    { "limits that are no numbers",
      STR_INIT("{\"limits\":{\"max_tools\":\"5\",\"max_depth\":-5,\"max_sessions_per_grant\":1e3,"
               "\"max_body_bytes\":99999999999999999999}}"),
      STR_INIT("mcpd.jsonc:1: limits.max_tools: must be a number\n"
               "mcpd.jsonc:1: limits.max_depth: must be a whole number from 4 to 256, not -5\n"
               "mcpd.jsonc:1: limits.max_sessions_per_grant: must be a whole number from 1 to "
               "65536, not 1e3\n"
               "mcpd.jsonc:1: limits.max_body_bytes: must be a whole number from 1024 to 67108864, "
               "not 99999999999999999999\n") },
};

static void test_refusals(void)
{
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct config config = { .listen_port = 9 };
        Str errors;
        CHECK_ROW(parse(refusals[i].text, &config, &errors) == ST_INVALID, "%s", refusals[i].name);
        CHECK_ROW(str_eq(errors, refusals[i].errors), "%s:\n got: %.*swant: %.*s", refusals[i].name,
                  STR_ARG(errors), STR_ARG(refusals[i].errors));
        CHECK(config.listen_port == 9); /* untouched */
    }
}

static void test_many_errors(void)
{
    static char text[8192];
    struct config config;
    Str errors;
    size_t n = (size_t)snprintf(text, sizeof text, "{\"x0\":1");
    for (int i = 1; i < 60; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ",\n\"x%d\":1", i);
    n += (size_t)snprintf(text + n, sizeof text - n, "}");
    CHECK(parse((Str){ text, n }, &config, &errors) == ST_INVALID);
    size_t lines = 0;
    for (size_t i = 0; i < errors.n; i++)
        lines += errors.p[i] == '\n';
    CHECK(lines == CONFIG_ERRORS_MAX + 1 && str_ends(errors, STR("mcpd.jsonc: and 10 more\n")));
}

static void test_defaults(void)
{
    struct config config;
    Str errors;
    CHECK(parse(STR("{}"), &config, &errors) == ST_OK && errors.n == 0);
    CHECK_STR(config.listen_host, STR("127.0.0.1"));
    CHECK(config.listen_port == 8330);
    CHECK_STR(config.store_path, STR("/etc/mcp/mcpd.db"));
    CHECK_STR(config.audit_path, STR("/etc/mcp/audit.jsonl"));
    CHECK(config.server_count == 0 && config.principal_count == 0);
    CHECK(config.allowed_host_count == 0 && config.allowed_origin_count == 0);
#define LIMIT(name, def, min, max, doc)                                                            \
    CHECK(config.limits.name == (def) && (def) >= (min) && (def) <= (max));
#include "runtime/gateway/limit.def"
#undef LIMIT
}

static bool has_env(const struct server_spec *spec, const char *entry)
{
    for (size_t i = 0; i < spec->env_count; i++) {
        if (str_eq(spec->env[i], str_of(entry)) && spec->env[i].p[spec->env[i].n] == '\0')
            return true;
    }
    return false;
}

static void test_full(void)
{
    static const char text[] =
        "// mcpd.jsonc\n"
        "{ \"listen\": \"[::1]:0\", \"store\": \"/var/db/m.db\", \"audit\": \"-\",\n"
        "  \"allowed_hosts\": [\"gw.local\", \"gw.local:8330\", \"[::1]\"],\n"
        "  \"allowed_origins\": [\"http://localhost:6274\", \"vscode-webview://a1\"],\n"
        "  \"principals\": { \"ci-robot\": { \"groups\": [\"robots\", \"eng\"] }, \"anna@x\": {} "
        "},\n"
        "  \"servers\": {\n"
        "    \"fs\": { \"command\": [\"node\", \"s.js\", \"/* no comment */\", \"// nor this\"],\n"
        "            \"cwd\": \".\", \"env\": {\"K\": \"V=\\n\", \"HOME\": \"/h\", \"E\": \"\"},\n"
        "            \"inherit_env\": [\"PATH\", \"HOME\", \"MCP_UNSET\", \"PATH\"] },\n"
        "    \"docs\": { \"url\": \"http://127.0.0.1:3001/mcp\", \"era\": \"modern\" },\n"
        "    \"0-x_y\": { \"command\": [\"./run\"], \"cwd\": \"./sub/dir\", \"era\": \"legacy\" }\n"
        "  },\n"
        "  \"tls\": { \"certificate\": \"tls/c.pem\", \"key\": \"/k.pem\" },\n"
        "  \"limits\": { \"max_depth\": 4, \"max_tools\": 65536 } /* the end */ }\n";
    struct config config;
    Str errors;
    (void)setenv("PATH", "/bin", 1);
    (void)setenv("HOME", "/root", 1);
    (void)setenv("LANG", "C", 1);
    (void)setenv("MCP_SECRET", "s", 1);
    CHECK(parse(str_of(text), &config, &errors) == ST_OK);
    CHECK_STR(errors, STR(""));
    CHECK_STR(config.listen_host, STR("::1"));
    CHECK(config.listen_port == 0);
    CHECK_STR(config.store_path, STR("/var/db/m.db"));
    CHECK_STR(config.audit_path, STR("-"));
    CHECK_STR(config.tls_certificate, STR("/etc/mcp/tls/c.pem"));
    CHECK_STR(config.tls_key, STR("/k.pem"));
    CHECK(config.allowed_host_count == 3 && config.allowed_origin_count == 2);
    CHECK(config.principal_count == 2 && config.principals[0].group_count == 2);
    CHECK_STR(config.principals[0].groups[1], STR("eng"));
    CHECK_STR(config.principals[1].id, STR("anna@x"));
    CHECK(config.server_count == 3 && config.limits.max_depth == 4);
    const struct server_spec *fs = &config.servers[0];
    CHECK(fs->transport == SERVER_STDIO && fs->era == ERA_AUTO && fs->argc == 4);
    CHECK_STR(fs->argv[2], STR("/* no comment */"));
    CHECK_STR(fs->argv[3], STR("// nor this"));
    CHECK_STR(fs->cwd, STR("/etc/mcp"));
    CHECK(fs->env_count == 4 && has_env(fs, "PATH=/bin") && has_env(fs, "HOME=/h"));
    CHECK(has_env(fs, "K=V=\n") && has_env(fs, "E="));
    const struct server_spec *docs = &config.servers[1];
    CHECK(docs->transport == SERVER_HTTP && docs->era == ERA_MODERN && docs->env_count == 0);
    CHECK_STR(docs->url, STR("http://127.0.0.1:3001/mcp"));
    const struct server_spec *other = &config.servers[2];
    CHECK(other->era == ERA_LEGACY && has_env(other, "LANG=C") && has_env(other, "HOME=/root"));
    CHECK(!has_env(other, "MCP_SECRET=s"));
    CHECK_STR(other->cwd, STR("/etc/mcp/sub/dir"));
}

static void add_key(void *user, Str key)
{
    struct buf *keys = user;
    buf_add(keys, key);
    buf_add_char(keys, ' ');
}

/* Which keys of a changed file take a restart. */
static void test_restart(void)
{
    static const char first[] = "{ \"limits\": { \"max_depth\": 4, \"max_tools\": 10 },"
                                "  \"principals\": { \"a\": {} }, \"store\": \"x.db\" }";
    static const struct {
        const char *text, *keys;
    } rows[] = {
        { first, "" },
        { "{\"store\":\"x.db\", // the same\n"
          "\"limits\":{\"max_tools\":10,\"max_depth\":4},\"principals\":{\"b\":{}},"
          "\"allowed_hosts\":[\"h\"],\"allowed_origins\":[\"https://o\"]}",
          "" },
        { "{\"store\":\"y.db\",\"limits\":{\"max_depth\":4,\"max_tools\":10}}", "store " },
        { "{\"store\":\"x.db\",\"limits\":{\"max_depth\":5,\"max_tools\":10},\"servers\":{}}",
          "limits servers " },
        { "{}", "limits store " },
    };
    struct config old, fresh;
    Str errors;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf keys;
        buf_init(&keys, 1000);
        CHECK(parse(str_of(first), &old, &errors) == ST_OK);
        CHECK(config_parse("mcpd.jsonc", STR("/etc/mcp"), str_of(rows[i].text), &mem, &fresh,
                           &errors) == ST_OK);
        config_each_restart(&old, &fresh, add_key, &keys);
        CHECK_STR(buf_str(&keys), str_of(rows[i].keys));
        buf_free(&keys);
    }
}

/* Whatever the memory runs out in: a refusal that says something. */
static void test_spent_memory(void)
{
    struct arena tiny;
    struct config config;
    static const char text[] = "{\"servers\":{\"a\":{\"command\":[\"x\",\"y\"]}},\"bad\":1}";
    for (size_t limit = 0; limit < 6000; limit += 64) {
        Str errors = STR("");
        arena_init(&tiny, limit);
        enum status status = config_parse("c", STR("/"), str_of(text), &tiny, &config, &errors);
        CHECK(status == ST_INVALID && errors.n > 0);
        arena_reset(&tiny);
    }
}

static const struct {
    const char *url;
    bool is_ok;
} urls[] = {
    { "https://example.com", true },
    { "https://example.com:8443/mcp?x=1&y=%20", true },
    { "https://[2001:db8::1]:443/", true },
    { "http://127.0.0.1:1/mcp", true },
    { "http://127.9.9.9/", true },
    { "http://[::1]/", true },
    { "http://localhost:3000", true },
    { "http://example.com/", false },
    { "http://localhost.example.com/", false },
    { "http://127.0.0.1.example.com/", false },
    { "http://127.1/", false },
    { "http://0x7f000001/", false },
    { "http://2130706433/", false },
    { "http://[::ffff:127.0.0.1]/", false },
    { "http://localhost@evil.example/", false },
    { "http://127.0.0.1\\@evil.example/", false },
    { "http://127.0.0.1:80@evil.example/", false },
    { "http://user:pw@127.0.0.1/", false },
    { "https://user@example.com/", false },
    { "https://example.com/#x", false },
    { "https://example.com:0/", false },
    { "https://example.com:65536/", false },
    { "https://example.com:/", false },
    { "https://example.com:08/", false },
    { "https:///mcp", false },
    { "https://", false },
    { "https://exa mple.com/", false },
    { "https://example.com/\r\nX: y", false },
    { "https://ex\xC3\xA4mple.com/", false },
    { "https://[::1/", false },
    { "https://[fe80::1%25eth0]/", false },
    { "https://a_b/", false },
    { "HTTPS://example.com/", false },
    { "ftp://example.com/", false },
    { "file:///etc/passwd", false },
    { "//example.com/", false },
    { "", false },
};

static void test_urls(void)
{
    for (size_t i = 0; i < COUNT(urls); i++)
        CHECK_ROW(!address_url_problem(str_of(urls[i].url)) == urls[i].is_ok, "%s", urls[i].url);
    CHECK(address_url_problem(STR("https://example.com/\0")) != NULL);
}

static void test_listen(void)
{
    static const char *const bad[] = { "",
                                       "127.0.0.1",
                                       ":80",
                                       "localhost:80",
                                       "::1:80",
                                       "127.0.0.1:x",
                                       "1.2.3.4.5:5",
                                       "1.2.3:5",
                                       "[::1]",
                                       "127.0.0.1: 1",
                                       "127.0.0.1:65536",
                                       "127.0.0.1:080",
                                       "[::1]80",
                                       "[127.0.0.1]:80" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct listen_address address = { .port = 7 };
        CHECK_ROW(address_listen(str_of(bad[i]), &address) != NULL, "%s", bad[i]);
        CHECK(address.port == 7 && !address.host.p);
    }
    static const struct {
        const char *text;
        bool is_loopback, is_wildcard;
    } good[] = { { "127.8.0.1:1", true, false }, { "[::1]:1", true, false },
                 { "0.0.0.0:1", false, true },   { "[::]:1", false, true },
                 { "10.0.0.1:1", false, false }, { "[0:0::0]:1", false, true },
                 { "0.0.0.1:1", false, false },  { "[::ffff:127.0.0.1]:1", false, false } };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct listen_address address = { .port = 7 };
        CHECK_ROW(!address_listen(str_of(good[i].text), &address), "%s", good[i].text);
        CHECK_ROW(address.port == 1 && address.is_loopback == good[i].is_loopback &&
                      address.is_wildcard == good[i].is_wildcard,
                  "%s", good[i].text);
    }
}

/* The file itself: where relative paths lead, who may write it, what can't be read. */
static void test_files(void)
{
    struct scratch_path path = scratch_path("mcpd.jsonc");
    struct config config;
    Str errors = STR("");
    scratch_write(path.text, STR("{}"));
    arena_reset(&mem);
    CHECK(config_read(path.text, &mem, &config, &errors) == ST_OK);
    CHECK(str_ends(config.store_path, STR("/mcpd.db")) && config.store_path.p[0] == '/');
    CHECK(config.store_path.p[config.store_path.n] == '\0');
    CHECK(chmod(path.text, 0666) == 0);
    CHECK(config_read(path.text, &mem, &config, &errors) == ST_IO);
    CHECK(str_contains(errors, STR("anybody may write")));
    CHECK(unlink(path.text) == 0);
    CHECK(config_read(path.text, &mem, &config, &errors) == ST_IO);
    CHECK(str_contains(errors, STR("No such file")));
    CHECK(config_read("/dev/null", &mem, &config, &errors) == ST_IO);
    static char large[CONFIG_FILE_MAX + 1];
    memset(large, ' ', sizeof large);
    scratch_write(path.text, (Str){ large, sizeof large });
    CHECK(config_read(path.text, &mem, &config, &errors) == ST_IO);
    large[0] = '{';
    large[CONFIG_FILE_MAX - 1] = '}';
    scratch_write(path.text, (Str){ large, CONFIG_FILE_MAX });
    CHECK(config_read(path.text, &mem, &config, &errors) == ST_OK);
}

int main(void)
{
    arena_init(&mem, ARENA_BYTES);
    RUN(test_refusals);
    RUN(test_many_errors);
    RUN(test_defaults);
    RUN(test_full);
    RUN(test_restart);
    RUN(test_spent_memory);
    RUN(test_urls);
    RUN(test_listen);
    RUN(test_files);
    arena_reset(&mem);
    return check_finish();
}
