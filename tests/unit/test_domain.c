/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain.c - commands and documents in a string, by tables from the attack literature; see
 * domain_rows.h for what a row says. */
#include "runtime/domain/cli.h"
#include "tests/unit/domain_rows.h"

static struct arena mem;

static void test_sql(void)
{
    static const struct domain_row rows[] = {
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
    domain_rows_check(&mem, DOMAIN_SQL, rows, COUNT(rows));
}

/* Words that make the reader look at all others: refused rather than slow. */
static void test_sql_long(void)
{
    static const char *const pieces[] = { " join a", " from x", " () delete x" };
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct buf text;
        struct json_doc doc;
        buf_init(&text, DOMAIN_TEXT_MAX);
        buf_add(&text, STR("select (1 from a"));
        while (text.n < 90000)
            buf_add(&text, str_of(pieces[i]));
        buf_add(&text, STR(")"));
        CHECK(!domain_read(DOMAIN_SQL, buf_str(&text), &mem, &doc));
        arena_rewind(&mem);
        buf_free(&text);
    }
}

static void test_shell(void)
{
    static const struct domain_row rows[] = {
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
    domain_rows_check(&mem, DOMAIN_SHELL, rows, COUNT(rows));
}

static void test_cli(void)
{
    static const Str takes[] = { STR_INIT("--region"), STR_INIT("-m") };
    static const struct domain_row rows[] = {
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
        domain_row_check(is_certain, &doc, &rows[i]);
        arena_rewind(&mem);
    }
}

static void test_json(void)
{
    static const struct domain_row rows[] = {
        { "{\"a\":[1,{\"b\":null}]}", "value", "{a=[1 {b=null}]}" },
        { "{\"a\":1,\"a\":2}", "value", "?" },
        { "1 2", "value", "?" },
        { "\"x\"", "value", "x" },
    };
    domain_rows_check(&mem, DOMAIN_JSON, rows, COUNT(rows));
}

int main(void)
{
    arena_init(&mem, 64 << 20);
    RUN(test_sql);
    RUN(test_sql_long);
    RUN(test_shell);
    RUN(test_cli);
    RUN(test_json);
    arena_reset(&mem);
    return check_finish();
}
