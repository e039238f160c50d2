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
        { "explain analyze select 1", "verbs", "[explain select]" },
        { "explain delete from t", "verbs", "[explain delete]" },
        { "describe t", "verbs", "[describe]" },
        { "explain with x as (select 1) insert into t select * from x", "verbs",
          "[explain insert]" },
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

/* SQL Server needs no `;` between statements; what can't be two is read as before. */
static void test_sql_run_together(void)
{
    static const struct domain_row rows[] = {
        { "select 1 delete from t", "verbs", "?" },
        { "select a from t x delete from t", "verbs", "?" },
        { "select 1\ndrop table t", "verbs", "?" },
        { "select f(x) truncate table t", "verbs", "?" },
        { "select 1.delete from t", "verbs", "?" },
        { "select 'a'exec sp_x", "verbs", "?" },
        { "select 1 exec ('drop table t')", "verbs", "?" },
        { "select a from t where x = 1 update t set a = 1", "verbs", "?" },
        { "select 1 do update t set a = 1", "verbs", "?" },
        { "select 1 if 1 = 1 drop table t", "verbs", "?" },
        { "select 1 merge into t using u on 1 = 1", "verbs", "?" },
        { "select 1 set nocount off", "verbs", "?" },
        { "select 1 waitfor delay '1:0'", "verbs", "?" },
        { "select 1 shutdown", "verbs", "?" },
        { "show t delete from t", "verbs", "?" },
        { "delete from t where a in (1) select * from u", "verbs", "?" },
        { "delete from t where a = 1 delete from u", "statements", "?" },
        { "update t set a = 1 where b = 2 update u set c = 3", "statements", "?" },
        { "with x as (select 1) select a from x delete from t", "verbs", "?" },
        { "insert into t select 1 select * from u", "verbs", "?" },
        { "alter table t add c int drop table u", "verbs", "?" },
        { "select t.delete, t.\"drop\" from t", "verbs", "[select]" },
        { "select replace(a, 'x', 'y'), truncate(b, 1) from t", "verbs", "[select]" },
        { "select a from t union all select b from u", "verbs", "[select]" },
        { "select a from t where exists (select 1 from u)", "verbs", "[select]" },
        { "select a from t for update", "verbs", "[select]" },
        { "select a from t inner merge join u on 1 = 1", "verbs", "[select]" },
        { "select enable from t order by a offset 1 rows fetch next 5 rows only", "verbs",
          "[select]" },
        { "insert into t (a) select b from u", "verbs", "[insert]" },
        { "alter table t drop column c", "verbs", "[alter]" },
        { "grant select, delete on t to u", "verbs", "[grant]" },
        { "create table t (a int references u on delete cascade)", "verbs", "[create]" },
        { "create table t as select 1", "verbs", "[create]" },
        { "merge into t using u on a = b when matched then update set c = 1", "verbs",
          "[merge update]" },
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
    RUN(test_sql_run_together);
    RUN(test_sql_long);
    RUN(test_shell);
    RUN(test_cli);
    RUN(test_json);
    arena_reset(&mem);
    return check_finish();
}
