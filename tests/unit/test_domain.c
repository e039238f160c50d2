/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain.c - domain functions by tables from the attack literature. A row is a text and what
 * one path into the result says, as JSON-like text; "?" means that the text is refused. */
#include "runtime/domain/cli.h"
#include "runtime/domain/domain.h"
#include "tests/unit/check.h"

#include <stdio.h>

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

struct row {
    const char *text, *member, *want;
};

static struct arena mem;

static void check_doc(bool is_certain, const struct json_doc *doc, const struct row *row)
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

static void check_rows(enum domain domain, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct json_doc doc;
        bool is_certain = domain_read(domain, str_of(rows[i].text), &mem, &doc);
        check_doc(is_certain, &doc, &rows[i]);
        arena_rewind(&mem);
    }
}

static void test_path(void)
{
    static const struct row rows[] = {
        { "/srv/project/a.txt", "path", "/srv/project/a.txt" },
        { "/srv/project/../../etc/passwd", "path", "/etc/passwd" },
        { "/srv//project/./a/", "path", "/srv/project/a" },
        { "/", "path", "/" },
        { "", "path", "?" },
        { ".", "path", "." },
        { "a/../..", "path", "?" },
        { "/..", "path", "?" },
        { "../x", "path", "?" },
        { "a/b/../c", "path", "a/c" },
        { "~/x", "path", "?" },
        { "~root/x", "path", "?" },
        { "a/~/x", "path", "a/~/x" },
        { "..\\..\\etc", "path", "?" },
        { "C:\\x", "path", "?" },
        { "/srv/%2e%2e/x", "path", "/srv/%2e%2e/x" }, /* a file may be called so */
        { "/srv/a\nb", "path", "?" },
        { "/srv/...", "name", "..." },
        { "/srv/.env", "ext", "" },
        { "/srv/.env.local", "ext", "local" },
        { "/srv/x.tar.gz", "ext", "gz" },
        { "/srv/x.", "ext", "" },
        { "/a/b", "parts", "[a b]" },
        { "a/b", "absolute", "false" },
        { "/a", "absolute", "true" },
    };
    check_rows(DOMAIN_PATH, rows, COUNT(rows));
}

static void test_host(void)
{
    static const struct row rows[] = {
        { "Example.COM", "name", "example.com" },
        { "example.com.", "name", "example.com" },
        { "example.com..", "name", "?" },
        { "a..b", "name", "?" },
        { "-a.com", "name", "?" },
        { "a-.com", "name", "?" },
        { "xn--bcher-kva.example", "name", "xn--bcher-kva.example" },
        { "ab--cd.example", "name", "?" },
        { "b\xC3\xBC"
          "cher.example",
          "name", "?" },
        { "exa mple.com", "name", "?" },
        { "example.com%2f", "name", "?" },
        { "127.0.0.1", "range", "loopback" },
        { "127.1", "name", "?" },
        { "0x7f.0.0.1", "name", "?" },
        { "0x7f000001", "name", "?" },
        { "2130706433", "name", "?" },
        { "0177.0.0.1", "name", "?" },
        { "1.2.3.4.5", "name", "?" },
        { "256.1.1.1", "name", "?" },
        { "example.0x7f", "name", "?" },
        { "1.2.3.com", "name", "1.2.3.com" },
        { "10.1.2.3", "range", "private" },
        { "169.254.169.254", "range", "link_local" },
        { "100.64.0.1", "range", "shared" },
        { "0.0.0.0", "range", "unspecified" },
        { "8.8.8.8", "range", "public" },
        { "::1", "range", "loopback" },
        { "::ffff:127.0.0.1", "range", "loopback" },
        { "::ffff:7f00:1", "ip", "127.0.0.1" },
        { "64:ff9b::7f00:1", "range", "loopback" },
        { "2002:7f00:1::", "range", "loopback" },
        { "fe80::1", "range", "link_local" },
        { "fe80::1%eth0", "range", "?" },
        { "fd00::1", "range", "private" },
        { "2606:4700::1111", "range", "public" },
        { "example.com", "range", "null" },
    };
    check_rows(DOMAIN_HOST, rows, COUNT(rows));
}

static void test_url(void)
{
    static const struct row rows[] = {
        { "https://Docs.Example.com/a/b?x=1#y", "host", "docs.example.com" },
        { "https://example.com", "port", "443" },
        { "http://example.com:8080/", "port", "8080" },
        { "https://example.com:/", "port", "?" },
        { "https://example.com:99999/", "port", "?" },
        { "https://example.com:080/", "port", "?" },
        { "https://user@example.com/", "userinfo", "true" },
        { "https://example.com@evil.com/", "host", "evil.com" },
        { "https://evil.com\\@example.com/", "host", "?" },
        { "https://a@b@c.com/", "host", "?" },
        { "https:/example.com/", "host", "?" },
        { "https:example.com", "host", "?" },
        { "https:///example.com", "host", "?" },
        { "//example.com/", "host", "?" },
        { " https://example.com/", "host", "?" },
        { "https://exam\tple.com/", "host", "?" },
        { "https://example.com/\n", "host", "?" },
        { "javascript:alert(1)", "host", "?" },
        { "file:///etc/passwd", "host", "?" },
        { "https://0x7f.1/", "host", "?" },
        { "https://2130706433/", "host", "?" },
        { "https://[::1]/", "range", "loopback" },
        { "https://[::1/", "range", "?" },
        { "https://::1/", "range", "?" },
        { "https://127.0.0.1./", "range", "loopback" },
        { "https://ex%61mple.com/", "host", "?" },
        { "https://example.com/a/../b", "path", "/b" },
        { "https://example.com/../b", "path", "?" },
        { "https://example.com/a/%2e%2e/b", "path", "?" },
        { "https://example.com/a%2fb", "path", "?" },
        { "https://example.com/a%5cb", "path", "?" },
        { "https://example.com/a%00b", "path", "?" },
        { "https://example.com/a%252fb", "path", "?" },
        { "https://example.com/a%20b", "path", "/a b" },
        { "https://example.com/a%2", "path", "?" },
        { "https://example.com//a", "path", "?" },
        { "https://example.com/a/./b/", "path", "/a/b/" },
        { "https://example.com?x", "path", "/" },
        { "https://example.com?x", "query", "x" },
        { "https://example.com/", "query", "null" },
        { "https://example.com/#?x", "fragment", "?x" },
        { "HTTPS://example.com/", "scheme", "https" },
        { "https://example.com/\xC3\xA9", "path", "?" },
    };
    check_rows(DOMAIN_URL, rows, COUNT(rows));
}

static void test_email(void)
{
    static const struct row one[] = {
        { "Ann@Example.COM", "address", "Ann@example.com" },
        { "ann+tag@example.com", "local", "ann+tag" },
        { "ann@example.com.", "domain", "?" },
        { "ann@localhost", "domain", "?" },
        { "ann@[127.0.0.1]", "domain", "?" },
        { "ann@127.0.0.1", "domain", "?" },
        { "\"a b\"@example.com", "domain", "?" },
        { "ann@evil.com@example.com", "domain", "?" },
        { "ann(comment)@example.com", "domain", "?" },
        { "Ann <ann@example.com>", "domain", "?" },
        { "ann@example.com,bob@evil.com", "domain", "?" },
        { "ann@example.com\r\nBcc: x@evil.com", "domain", "?" },
        { ".ann@example.com", "domain", "?" },
        { "a..b@example.com", "domain", "?" },
    };
    static const struct row many[] = {
        { "ann@a.com, Bob <bob@b.com>", "addresses",
          "[{address=ann@a.com local=ann domain=a.com} {address=bob@b.com local=bob "
          "domain=b.com}]" },
        { "\"Doe, Jane\" <jane@a.com>", "addresses", "?" },
        { "ann@a.com <bob@b.com>", "addresses", "?" },
        { "team: ann@a.com;", "addresses", "?" },
        { "ann@a.com,", "addresses", "?" },
        { "", "addresses", "?" },
    };
    check_rows(DOMAIN_EMAIL, one, COUNT(one));
    check_rows(DOMAIN_EMAILS, many, COUNT(many));
}

static void test_sql(void)
{
    static const struct row rows[] = {
        { "SELECT a FROM t", "verbs", "[select]" },
        { "select 1; drop table users", "verbs", "[select drop]" },
        { "select 1;", "verbs", "[select]" },
        { "  -- note\n select 1 /* x */", "verbs", "[select]" },
        { "select 1 --x", "verbs", "?" },
        { "select 1 # x", "verbs", "?" },
        { "/*! delete from t */ select 1", "verbs", "?" },
        { "select /* /* */ 1", "verbs", "?" },
        { "select 'it''s'", "verbs", "[select]" },
        { "select 'a\\' ; drop table t; --'", "verbs", "?" },
        { "select $$ ; drop table t; $$", "verbs", "?" },
        { "select $a$x$a$", "verbs", "?" },
        { "select $1", "verbs", "[select]" },
        { "select E'\\''", "verbs", "?" },
        { "select N'x'", "verbs", "?" },
        { "select \"a\" from \"T\"", "tables", "[T]" },
        { "select `a` from `t`", "tables", "[t]" },
        { "select `a;b` from t", "tables", "?" },
        { "select [a] from t", "tables", "?" },
        { "with x as (delete from t returning *) select * from x", "verbs", "[select delete]" },
        { "with x as (select 1) insert into t select * from x", "verbs", "[insert]" },
        { "explain select 1", "verbs", "[explain]" },
        { "explain analyze delete from t", "verbs", "[explain delete]" },
        { "explain (analyze, verbose) update t set a = 1", "verbs", "[explain update]" },
        { "select * into u from t", "verbs", "[select select into]" },
        { "select a from t into outfile '/tmp/x'", "verbs", "[select select into]" },
        { "(select 1) union (select 2)", "verbs", "[select]" },
        { "copy t to program 'id'", "verbs", "[copy]" },
        { "do 'begin end'", "verbs", "[do]" },
        { "frobnicate t", "verbs", "?" },
        { "", "verbs", "?" },
        { "select 1 \xC2\xA0; select 2", "verbs", "?" },
        { "select * from a, b x, c as y join d on a.i = d.i, e where f in (select g from h)",
          "tables", "[a b c e d h]" },
        { "select * from pg_catalog.pg_authid", "tables", "[pg_catalog.pg_authid]" },
        { "select * from f(1) x, u", "tables", "[u]" },
        { "select * from t tablesample system (1), auth.users", "tables", "[t auth.users]" },
        { "update only t set a = 1, b = 2 where c = 3", "tables", "[t]" },
        { "insert into t (a, b) values (1, 2)", "tables", "[t]" },
        { "delete from t using u, v where 1 = 1", "tables", "[t v u]" },
        { "select extract(year from d) from t", "tables", "[t]" },
        { "select a from t where b is distinct from c", "tables", "[t]" },
        { "select pg_read_file('/etc/passwd'), lower (x) from t", "functions",
          "[pg_read_file lower]" },
        { "select pg_catalog.pg_sleep(9)", "functions", "[pg_catalog.pg_sleep pg_sleep]" },
        { "select \"pg_read_file\"('x')", "functions", "[pg_read_file]" },
        { "update t set a = 1", "statements", "[{verb=update has_where=false}]" },
        { "delete from t where a = 1", "statements", "[{verb=delete has_where=true}]" },
        { "with x as (delete from t) delete from u where 1 = 1", "statements",
          "[{verb=delete has_where=false}]" },
        { "select (1", "verbs", "?" },
        { "select 1)", "verbs", "?" },
        { "select (1; select 2)", "verbs", "?" },
        { "\\! id", "verbs", "?" },
        { "select 1 from t for update", "verbs", "[select]" },
        { "explain analyze update t set a = 1", "tables", "[t]" },
        { "explain analyze verbose replace into t values (1)", "tables", "[t]" },
        { "prepare p as update t set a = 1", "verbs", "[prepare update]" },
        { "prepare p as update t set a = 1", "tables", "[t]" },
        { "begin delete from t end", "verbs", "[begin delete]" },
    };
    check_rows(DOMAIN_SQL, rows, COUNT(rows));
}

/* Words that make the reader look at all others: refused rather than slow. */
static void test_sql_long(void)
{
    static const char *const pieces[] = { " join a", " from x", " (delete) delete", ", f(1)" };
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct buf text;
        struct json_doc doc;
        buf_init(&text, DOMAIN_TEXT_MAX);
        buf_add(&text, STR("select (1 from a"));
        while (text.n + 64 < DOMAIN_TEXT_MAX / 2 && text.n < 90000)
            buf_add(&text, str_of(pieces[i]));
        buf_add(&text, STR(")"));
        (void)domain_read(DOMAIN_SQL, buf_str(&text), &mem, &doc);
        arena_rewind(&mem);
        buf_free(&text);
    }
}

static void test_shell(void)
{
    static const struct row rows[] = {
        { "git status", "commands", "[{program=git argv=[git status] assignments=[]}]" },
        { "git log | head -3", "operators", "[|]" },
        { "ls; rm -rf x", "operators", "[;]" },
        { "ls\nrm x", "operators", "[\n]" },
        { "ls && rm x", "operators", "[&&]" },
        { "ls &", "operators", "[&]" },
        { "ls |", "operators", "?" },
        { "ls ;; x", "operators", "?" },
        { "FOO=1 ls", "commands", "[{program=ls argv=[ls] assignments=[FOO=1]}]" },
        { "echo $HOME", "commands", "?" },
        { "echo `id`", "commands", "?" },
        { "echo \"$(id)\"", "commands", "?" },
        { "echo '$(id)'", "commands", "[{program=echo argv=[echo $(id)] assignments=[]}]" },
        { "ec\"h\"o a\\ b", "commands", "[{program=echo argv=[echo a b] assignments=[]}]" },
        { "ls > x", "commands", "?" },
        { "ls < x", "commands", "?" },
        { "ls *", "commands", "?" },
        { "ls {a,b}", "commands", "?" },
        { "ls ~", "commands", "?" },
        { "ls # x", "commands", "?" },
        { "ls !x", "commands", "?" },
        { "(ls)", "commands", "?" },
        { "if ls", "commands", "?" },
        { "eval ls", "commands", "?" },
        { "'if' x", "commands", "?" },
        { "ls 'a", "commands", "?" },
        { "ls a\\\nb", "commands", "?" },
        { "ls\r\n", "commands", "?" },
        { "ls\xC2\xA0-l", "commands", "?" },
        { "=ls", "commands", "?" },
        { "ls ''", "commands", "[{program=ls argv=[ls ] assignments=[]}]" },
        { "", "commands", "?" },
        { "echo $'a'", "commands", "?" },
        { "=l's'", "commands", "?" },
        { "^a'b'", "commands", "?" },
        { "A='x y' ls", "commands", "[{program=ls argv=[ls] assignments=[A=x y]}]" },
        { "'A=/tmp/x' ls", "commands", "?" },
        { "'A'=x ls", "commands", "?" },
        { "A\\=x ls", "commands", "?" },
        { "PATH+=:/tmp ls", "commands", "?" },
        { "1=x ls", "commands", "?" },
        { "- ls", "commands", "?" },
        { "readonly PATH=/tmp; ls", "commands", "?" },
        { "ls &&\n", "commands", "?" },
        { "ls |\n\n", "commands", "?" },
        { "ls &&\n\nid", "operators", "[&& \n \n]" },
    };
    check_rows(DOMAIN_SHELL, rows, COUNT(rows));
}

static void test_cli(void)
{
    static const Str takes[] = { STR_INIT("--region"), STR_INIT("-m") };
    static const struct row rows[] = {
        { "aws ec2 describe-instances", "words", "[ec2 describe-instances]" },
        { "aws --region eu ec2 x", "words", "[ec2 x]" },
        { "aws --region eu ec2 x", "flags", "{--region=eu}" },
        { "aws --profile=prod ec2", "flags", "{--profile=prod}" },
        { "aws --debug ec2", "flags", "{--debug=true}" },
        { "aws --region", "flags", "?" },
        { "aws --region a --region b", "flags", "?" },
        { "git commit -m 'x y'", "flags", "{-m=x y}" },
        { "git commit -am x", "flags", "?" },
        { "git -- -x", "words", "[-x]" },
        { "git log; id", "words", "?" },
        { "git -1", "words", "?" },
        { "-x", "words", "?" },
        { "git --=x", "words", "?" },
        { "git -=x", "words", "?" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_doc doc;
        bool is_certain = cli_read(str_of(rows[i].text), takes, COUNT(takes), &mem, &doc);
        check_doc(is_certain, &doc, &rows[i]);
        arena_rewind(&mem);
    }
}

static void test_json(void)
{
    static const struct row rows[] = {
        { "{\"a\":[1,{\"b\":null}]}", "value", "{a=[1 {b=null}]}" },
        { "{\"a\":1,\"a\":2}", "value", "?" },
        { "1 2", "value", "?" },
        { "\"x\"", "value", "x" },
    };
    check_rows(DOMAIN_JSON, rows, COUNT(rows));
}

int main(void)
{
    arena_init(&mem, 64 << 20);
    RUN(test_path);
    RUN(test_host);
    RUN(test_url);
    RUN(test_email);
    RUN(test_sql);
    RUN(test_sql_long);
    RUN(test_shell);
    RUN(test_cli);
    RUN(test_json);
    arena_reset(&mem);
    return check_finish();
}
