/* SPDX-License-Identifier: Apache-2.0 */
/* test_automaton.c - what patterns match, what is refused and where, and the limits to the unit. */
#include "compiler/pattern/automaton.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <time.h>

enum { MEMORY = 64 * 1024 * 1024 };

#define REGEX AUTOMATON_REGEX
#define GLOB  AUTOMATON_GLOB
#define TOOL  AUTOMATON_TOOL

static enum status build_one(Str pattern, enum automaton_syntax syntax, struct arena *mem,
                             struct automaton *out, struct automaton_error *error)
{
    return automaton_build(&pattern, 1, syntax, mem, out, error);
}

struct match_row {
    enum automaton_syntax syntax;
    Str pattern, yes, no; /* texts, one a line of "|"; "<>" is the empty text */
};

#define ROW(syntax, pattern, yes, no)                                                              \
    {                                                                                              \
        syntax, STR_INIT(pattern), STR_INIT(yes), STR_INIT(no)                                     \
    }

static const struct match_row match_rows[] = {
    ROW(REGEX, "", "<>", "a"),
    ROW(REGEX, "abc", "abc", "<>|ab|abcd|xabc|ABC"),
    ROW(REGEX, "main|release/.*", "main|release/|release/1.2", "mainx|xmain|release"),
    ROW(REGEX, "a*", "<>|a|aaaa", "b|ab"),
    ROW(REGEX, "a+b?", "a|ab|aaab", "<>|b|abb"),
    ROW(REGEX, "a{3}", "aaa", "aa|aaaa|<>"),
    ROW(REGEX, "a{2,}", "aa|aaaaaa", "a|<>"),
    ROW(REGEX, "a{2,3}b", "aab|aaab", "ab|aaaab"),
    ROW(REGEX, "a{0}", "<>", "a"),
    ROW(REGEX, "(a{0}){1000}b", "b", "ab|<>"),
    ROW(REGEX, "(?:ab){0,2}", "<>|ab|abab", "a|ababab"),
    ROW(REGEX, "(|a)b", "b|ab", "a|aab"),
    ROW(REGEX, "()|x", "<>|x", "xx"),
    ROW(REGEX, "(a*)*", "<>|a|aaa", "b"),
    ROW(REGEX, "(a|b)*abb", "abb|aabb|babb", "ab|abba"),
    ROW(REGEX, "[a-c]x", "ax|bx|cx", "dx|x"),
    ROW(REGEX, "[^a-c]", "d|\xC3\xA9|\n|/", "a|c|dd|<>"),
    ROW(REGEX, "[-a]", "-|a", "b"),
    ROW(REGEX, "[a-]", "-|a", "b"),
    ROW(REGEX, "[\\]\\-^]", "]|-|^", "\\|a"),
    ROW(REGEX, "[\\d.]+", "1.2|...", "a|<>"),
    ROW(REGEX, ".", "a|\xC3\xA9|\xF0\x9F\x98\x80|\r", "\n|<>|ab|\xC3|\x80|\xF0\x9F\x98"),
    ROW(REGEX, "..", "ab|\xC3\xA9\xC3\xA9", "a|\xC3\xA9|\xF0\x9F\x98\x80"),
    ROW(REGEX, "\\d\\D", "1a|1\xC3\xA9|1\n", "11|a1|\xD9\xA1\x61"),
    ROW(REGEX, "\\w+", "aZ_09", "-|\xC3\xA9|<>"),
    ROW(REGEX, "\\W", "-|\xC3\xA9", "a|_"),
    ROW(REGEX, "\\s", " |\t|\n|\v|\f|\r", "a|\xC2\xA0"),
    ROW(REGEX, "\\S+", "a|\xC2\xA0", " |a b"),
    ROW(REGEX, "\\.\\/\\\\\\n\\t\\r\\f", "./\\\n\t\r\f", "x/\\\n\t\r\f"),
    ROW(REGEX, "\\x41\\xe9\\u{1F600}", "A\xC3\xA9\xF0\x9F\x98\x80", "A\xE9\xF0\x9F\x98\x80"),
    ROW(REGEX, "[\\u{e0}-\\u{ff}]", "\xC3\xA0|\xC3\xA9|\xC3\xBF", "\xC3\x9F|\xC4\x80|\xC3"),
    ROW(REGEX, "(?i)ab[c-d]", "abc|ABD|aBc", "abe"),
    ROW(REGEX, "(?i)[^a]", "b|B", "a|A"),
    ROW(REGEX, "(?i)k|\xC3\xA9", "k|K|\xC3\xA9", "\xE2\x84\xAA|\xC3\x89"),
    ROW(REGEX, "(?i)", "<>", "a"),
    ROW(REGEX, "a,b:c=d<e>f!g#h\"i'j&k@l%m~n`o_p-q;r", "a,b:c=d<e>f!g#h\"i'j&k@l%m~n`o_p-q;r", "a"),
    ROW(GLOB, "", "<>", "a"),
    ROW(GLOB, "*", "<>|abc|.git|a\nb|\xC3\xA9", "a/b|/|\x80"),
    ROW(GLOB, "**", "<>|a/b|/|.git/x|\n", "\xFF"),
    ROW(GLOB, "/tmp/*.txt", "/tmp/a.txt|/tmp/.txt", "/tmp/a/b.txt|/tmp/a.txtx|tmp/a.txt"),
    ROW(GLOB, "src/**/x", "src/a/x|src/a/b/x|src//x", "src/x|src"),
    ROW(GLOB, "src/**", "src/|src/a/b", "src|srcx"),
    ROW(GLOB, "?", "a|\xC3\xA9|\n", "/|<>|ab"),
    ROW(GLOB, "[a-c!]x", "ax|!x", "dx"),
    ROW(GLOB, "[!a]", "b|\xC3\xA9|]", "a|/"),
    ROW(GLOB, "[^a]", "b|^", "a|/"),
    ROW(GLOB, "[ -~]", "a|.|0", "/|\x7F"),
    ROW(GLOB, "[\\]\\!]", "]|!", "\\"),
    ROW(GLOB, "{a,bc,}x", "ax|bcx|x", "cx|abcx"),
    ROW(GLOB, "{a,{b,c}d}*", "a|bd|cdx", "b|d"),
    ROW(GLOB, "a,b", "a,b", "a|b"),
    ROW(GLOB, "\\*\\?\\[\\{\\}\\\\\\,", "*?[{}\\,", "x"),
    ROW(GLOB, "a.b(c)|+^$", "a.b(c)|+^$", "axb(c)"),
    ROW(GLOB, "*secret*", "secret|my-secret-2|secsecret", "secre|a/secret"),
    ROW(TOOL, "*", "<>|a/b|anything|\n", "\xC0\x80"),
    ROW(TOOL, "list_*", "list_|list_a|list_a/b", "list|xlist_"),
    ROW(TOOL, "?", "/|a", "<>|ab"),
    ROW(TOOL, "[!a]", "/|b", "a"),
    ROW(TOOL, "[/]", "/", "a"),
    ROW(TOOL, "{get,list}_**", "get_|list_a/b", "put_x"),
};

/* "a|b" in yes and no is a list, so a row about "|" itself gives one text. */
static bool next_text(Str *list, Str *text, bool is_whole)
{
    if (!list->p)
        return false;
    *text = *list;
    if (is_whole || !memchr(list->p, '|', list->n))
        *list = (Str){ .p = NULL, .n = 0 };
    else
        *text = str_cut(list, '|');
    if (str_eq(*text, STR("<>")))
        *text = STR("");
    return true;
}

static void check_texts(const struct match_row *row, const struct automaton *automaton, bool want)
{
    /* The one glob about "|" itself. */
    bool is_whole =
        row->pattern.n && memchr(row->pattern.p, '+', row->pattern.n) && row->syntax == GLOB;
    Str list = want ? row->yes : row->no, text;
    while (next_text(&list, &text, is_whole))
        CHECK_ROW(automaton_run(automaton, text) == want, "%.*s on \"%.*s\": want %d",
                  STR_ARG(row->pattern), STR_ARG(text), want);
}

static void test_matches(void)
{
    for (size_t i = 0; i < COUNT(match_rows); i++) {
        const struct match_row *row = &match_rows[i];
        struct arena mem;
        struct automaton automaton;
        struct automaton_error error;
        arena_init(&mem, MEMORY);
        enum status status = build_one(row->pattern, row->syntax, &mem, &automaton, &error);
        if (CHECK_ROW(status == ST_OK, "%.*s: %s", STR_ARG(row->pattern), status_text(status))) {
            check_texts(row, &automaton, true);
            check_texts(row, &automaton, false);
        }
        arena_reset(&mem);
    }
}

static void test_nul_is_a_byte(void)
{
    struct arena mem;
    struct automaton automaton;
    struct automaton_error error;
    arena_init(&mem, MEMORY);
    CHECK(build_one(STR("a\0b|\\x00"), REGEX, &mem, &automaton, &error) == ST_OK);
    CHECK(automaton_run(&automaton, STR("a\0b")) == 1);
    CHECK(automaton_run(&automaton, STR("\0")) == 1);
    CHECK(automaton_run(&automaton, STR("a")) == 0);
    CHECK(automaton_run(&automaton, STR("a\0b\0")) == 0);
    arena_reset(&mem);
}

struct error_row {
    enum automaton_syntax syntax;
    Str pattern;
    size_t lo, hi;
    const char *text; /* a part of it */
};

#define BAD(syntax, pattern, lo, hi, text)                                                         \
    {                                                                                              \
        syntax, STR_INIT(pattern), lo, hi, text                                                    \
    }

static const struct error_row error_rows[] = {
    BAD(REGEX, "^abc", 0, 1, "drop ^"),
    BAD(REGEX, "abc$", 3, 4, "drop $"),
    BAD(REGEX, "a|^b", 2, 3, "whole string"),
    BAD(REGEX, "a\\z", 1, 3, "whole string"),
    BAD(REGEX, "\\Aa", 0, 2, "drop this anchor"),
    BAD(REGEX, "a\\b", 1, 3, "word boundaries"),
    BAD(REGEX, "\\Ba", 0, 2, "word boundaries"),
    BAD(REGEX, "(a)\\1", 3, 5, "back-references"),
    BAD(REGEX, "\\k<a>", 0, 2, "back-references"),
    BAD(REGEX, "x(?=a)", 1, 4, "look-around"),
    BAD(REGEX, "(?!a)", 0, 3, "look-around"),
    BAD(REGEX, "(?<=a)", 0, 3, "look-around"),
    BAD(REGEX, "(?<!a)", 0, 3, "look-around"),
    BAD(REGEX, "(?<n>a)", 0, 3, "named groups"),
    BAD(REGEX, "(?P<n>a)", 0, 3, "named groups"),
    BAD(REGEX, "(?>a)", 0, 3, "atomic groups"),
    BAD(REGEX, "(?#a)", 0, 3, "comments"),
    BAD(REGEX, "(?R)", 0, 3, "recursion"),
    BAD(REGEX, "(?1)", 0, 3, "recursion"),
    BAD(REGEX, "a(?i)b", 1, 4, "only flag is (?i)"),
    BAD(REGEX, "(?s)b", 0, 3, "only flag is (?i)"),
    BAD(REGEX, "(?i:b)", 0, 3, "only flag is (?i)"),
    BAD(REGEX, "(?", 0, 2, "for a group"),
    BAD(REGEX, "(?\xC3\xA9)", 0, 4, "for a group"),
    BAD(REGEX, "a*?", 1, 3, "lazy"),
    BAD(REGEX, "a??", 1, 3, "lazy"),
    BAD(REGEX, "a{2}?", 1, 5, "lazy"),
    BAD(REGEX, "a++", 1, 3, "possessive"),
    BAD(REGEX, "a**", 1, 3, "needs a group"),
    BAD(REGEX, "a{2}{3}", 1, 5, "needs a group"),
    BAD(REGEX, "*a", 0, 1, "nothing to repeat"),
    BAD(REGEX, "a|+", 2, 3, "nothing to repeat"),
    BAD(REGEX, "(?:?)", 3, 4, "nothing to repeat"),
    BAD(REGEX, "{2}", 0, 1, "nothing to repeat"),
    BAD(REGEX, "a{", 1, 2, "{m}, {m,} or {m,n}"),
    BAD(REGEX, "a{,3}", 1, 2, "{m}, {m,} or {m,n}"),
    BAD(REGEX, "a{2,x}", 1, 4, "{m}, {m,} or {m,n}"),
    BAD(REGEX, "a{3,2}", 1, 6, "the larger one"),
    BAD(REGEX, "a(b", 1, 2, "never closed"),
    BAD(REGEX, "((b)", 0, 1, "never closed"),
    BAD(REGEX, "ab)", 2, 3, "no ( is open"),
    BAD(REGEX, "a]", 1, 2, "no [ is open"),
    BAD(REGEX, "a}", 1, 2, "no { is open"),
    BAD(REGEX, "x[ab", 1, 4, "never closed"),
    BAD(REGEX, "[", 0, 1, "never closed"),
    BAD(REGEX, "[a-", 0, 3, "never closed"),
    BAD(REGEX, "[]a]", 0, 2, "empty class"),
    BAD(REGEX, "[^]", 0, 3, "empty class"),
    BAD(REGEX, "[z-a]", 1, 4, "wrong way round"),
    BAD(REGEX, "[a-c-e]", 4, 5, "write \\-"),
    BAD(REGEX, "[\\d-e]", 1, 4, "cannot begin a range"),
    BAD(REGEX, "[a-\\d]", 1, 5, "cannot end a range"),
    BAD(REGEX, "[[:alpha:]]", 1, 3, "POSIX"),
    BAD(REGEX, "[a[b]]", 2, 3, "class within a class"),
    BAD(REGEX, "[a&&b]", 2, 4, "set operations"),
    BAD(REGEX, "[^\\x00-\\u{10ffff}]", 0, 18, "no character"),
    BAD(REGEX, "[\\D\\d]a[^\\s\\S]", 7, 14, "no character"),
    BAD(REGEX, "\\", 0, 1, "backslash at the end"),
    BAD(REGEX, "[\\", 1, 2, "backslash at the end"),
    BAD(REGEX, "\\y", 0, 2, "unknown escape"),
    BAD(REGEX, "\\\xC3\xA9", 0, 3, "unknown escape"),
    BAD(REGEX, "\\p{L}", 0, 2, "Unicode properties"),
    BAD(REGEX, "\\Qa\\E", 0, 2, "\\Q...\\E"),
    BAD(REGEX, "\\012", 0, 2, "octal"),
    BAD(REGEX, "a\\x4", 1, 4, "two hexadecimal digits"),
    BAD(REGEX, "\\x{41}", 0, 2, "\\u{...}"),
    BAD(REGEX, "\\u0041", 0, 2, "in braces"),
    BAD(REGEX, "\\u{}", 0, 3, "in braces"),
    BAD(REGEX, "\\u{1234567}", 0, 9, "in braces"),
    BAD(REGEX, "\\u{110000}", 0, 10, "10ffff"),
    BAD(REGEX, "\\u{d800}", 0, 8, "surrogate"),
    BAD(REGEX, "\\u{dfff}", 0, 8, "surrogate"),
    BAD(REGEX, "ab\xC3", 2, 3, "not valid UTF-8"),
    BAD(REGEX, "\xC3\xA9\xED\xA0\x80", 2, 3, "not valid UTF-8"),
    BAD(GLOB, "a\x80", 1, 2, "not valid UTF-8"),
    BAD(GLOB, "***", 0, 3, "more than two"),
    BAD(GLOB, "{a,b", 0, 1, "never closed"),
    BAD(GLOB, "x{a}", 1, 4, "alternatives"),
    BAD(GLOB, "{}", 0, 2, "alternatives"),
    BAD(GLOB, "{1..3}", 0, 6, "alternatives"),
    BAD(GLOB, "a}", 1, 2, "no { is open"),
    BAD(GLOB, "a]", 1, 2, "no [ is open"),
    BAD(GLOB, "[a", 0, 2, "never closed"),
    BAD(GLOB, "[!]", 0, 3, "empty class"),
    BAD(GLOB, "[a/]", 2, 3, "never matches /"),
    BAD(GLOB, "[+-/]", 1, 4, "never matches /"),
    BAD(GLOB, "[\\/]", 1, 3, "never matches /"),
    BAD(GLOB, "[[:alpha:]]", 1, 3, "POSIX"),
    BAD(GLOB, "C:\\Users", 2, 4, "quotes punctuation"),
    BAD(GLOB, "a\\", 1, 2, "backslash at the end"),
    BAD(TOOL, "a\\n", 1, 3, "quotes punctuation"),
    BAD(TOOL, "{a,{b,c}", 0, 1, "never closed"),
};

static void test_errors(void)
{
    for (size_t i = 0; i < COUNT(error_rows); i++) {
        const struct error_row *row = &error_rows[i];
        struct arena mem;
        struct automaton automaton;
        struct automaton_error error;
        arena_init(&mem, MEMORY);
        enum status status = build_one(row->pattern, row->syntax, &mem, &automaton, &error);
        if (CHECK_ROW(status == ST_INVALID, "row %zu: %.*s", i, STR_ARG(row->pattern))) {
            CHECK_ROW(strstr(error.text, row->text) != NULL, "row %zu: %.*s: %s", i,
                      STR_ARG(row->pattern), error.text);
            CHECK_ROW(error.lo == row->lo && error.hi == row->hi, "row %zu: %.*s: %zu..%zu", i,
                      STR_ARG(row->pattern), error.lo, error.hi);
            CHECK_ROW(error.pattern == 0, "row %zu", i);
        }
        CHECK(mem.used == 0);
        arena_reset(&mem);
    }
}

/* x repeated, with a head and a tail around it. */
static Str repeat(struct arena *mem, const char *head, const char *x, size_t times,
                  const char *tail)
{
    size_t head_n = strlen(head), x_n = strlen(x), tail_n = strlen(tail);
    size_t n = head_n + x_n * times + tail_n;
    char *text = ARENA_NEW(mem, char, n + 1); /* zeroed, so it ends in a NUL */
    ENSURE(text != NULL);
    for (size_t i = 0; i < n; i++) {
        if (i < head_n)
            text[i] = head[i];
        else if (i < n - tail_n)
            text[i] = x[(i - head_n) % x_n];
        else
            text[i] = tail[i - (n - tail_n)];
    }
    return (Str){ .p = text, .n = n };
}

static enum status status_of(Str pattern, enum automaton_syntax syntax,
                             struct automaton_error *error, uint32_t *states)
{
    struct arena mem;
    struct automaton automaton = { .state_count = 0 };
    arena_init(&mem, MEMORY);
    enum status status = build_one(pattern, syntax, &mem, &automaton, error);
    *states = automaton.state_count;
    arena_reset(&mem);
    return status;
}

static void check_limit(Str pattern, enum automaton_syntax syntax, const char *text, size_t lo,
                        size_t hi)
{
    struct automaton_error error;
    uint32_t states;
    enum status status = status_of(pattern, syntax, &error, &states);
    if (!CHECK_ROW(status == ST_LIMIT, "%.*s: %s", STR_ARG(pattern), status_text(status)))
        return;
    CHECK_ROW(strstr(error.text, text) != NULL, "%.*s: %s", STR_ARG(pattern), error.text);
    CHECK_ROW(error.lo == lo && error.hi == hi, "%.*s: %zu..%zu", STR_ARG(pattern), error.lo,
              error.hi);
}

static void check_fits(Str pattern, enum automaton_syntax syntax, uint32_t want)
{
    struct automaton_error error;
    uint32_t states;
    enum status status = status_of(pattern, syntax, &error, &states);
    CHECK_ROW(status == ST_OK && states == want, "%.*s: %s, %u states", STR_ARG(pattern),
              status == ST_OK ? "" : error.text, (unsigned)states);
}

static void test_limits_of_the_parser(void)
{
    struct arena mem;
    arena_init(&mem, MEMORY);
    Str deep = repeat(&mem, "", "(", 64, "a");
    deep = repeat(&mem, deep.p, ")", 64, "");
    check_fits(deep, REGEX, 3);
    Str deeper = repeat(&mem, "(", deep.p, 1, ")");
    check_limit(deeper, REGEX, "64 deep", 64, 65);
    Str braces = repeat(&mem, "", "{b,", 64, "a");
    braces = repeat(&mem, braces.p, "}", 64, "");
    check_fits(braces, GLOB, 3);
    check_limit(repeat(&mem, "{b,", braces.p, 1, "}"), GLOB, "64 deep", 192, 193);
    check_fits(STR("a{1000}"), REGEX, 1002);
    check_limit(STR("xa{1001}"), REGEX, "1,000", 2, 8);
    check_limit(STR("a{0,99999999999999999999999}"), REGEX, "1,000", 1, 28);
    check_fits(STR("(a|b|c|d){1000}(a|b|c|d){24}"), REGEX, 1026);
    check_limit(STR("(a|b|c|d){1000}(a|b|c|d){24}a"), REGEX, "4,096 positions", 0, 29);
    check_limit(STR("x(((a{99}){99}){99}){99}"), REGEX, "4,096 positions", 3, 14);
    check_fits(STR("((a{0}){1000}){1000}"), REGEX, 2);
    check_limit(repeat(&mem, "", "a", 4097, ""), GLOB, "4,096 positions", 0, 4097);
    arena_reset(&mem);
}

static void test_limits_of_the_automaton(void)
{
    struct arena mem;
    arena_init(&mem, MEMORY);
    check_fits(repeat(&mem, "", "a", 4094, ""), GLOB, 4096);
    check_limit(repeat(&mem, "", "a", 4095, ""), GLOB, "more than 4,096 states", 0, 4095);
    /* "An a with k more behind it" needs a state per set of the last k + 1 letters. */
    check_fits(STR("[ab]*a[ab]{10}"), REGEX, 2049);
    check_limit(STR("[ab]*a[ab]{11}"), REGEX, "more than 4,096 states", 6, 14);
    check_limit(STR("[ab]*a[ab]{12}"), REGEX, "more than 4,096 states", 6, 14);
    check_limit(STR("[ab]*a[ab]{13}"), REGEX, "16,384 states", 6, 14);
    check_limit(STR("x{2}|.*a.{30}"), REGEX, "16,384 states", 8, 13);
    check_limit(STR("[ab]*a[ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab][ab]"), REGEX,
                "16,384 states", 0, 58);
    check_fits(STR(".{0,500}"), REGEX, 500 * 8 + 2);
    check_limit(STR("a.{0,512}"), REGEX, "more than 4,096 states", 1, 9);
    check_limit(STR("((a?){30}b?){30}.{900}c.{900}"), REGEX, "takes too long", 16, 22);
    arena_reset(&mem);
}

/* One long word needs a state per letter, and each of its 58 letters is a class of its own. */
static void test_limit_of_the_table(void)
{
    static const char word[] = "!#%')+-/13579;=>ACEGIKMOQSUWY\"_abcdefghijklmnopqrstuvwxyz~";
    struct arena mem;
    struct automaton_error error;
    uint32_t states, classes = 58 + 1;
    arena_init(&mem, MEMORY);
    char text[4200];
    _Static_assert(sizeof word - 1 == 58, "as many classes, and one for all other bytes");
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = word[i % (sizeof word - 1)];
    uint32_t most = AUTOMATON_TABLE_BYTES_MAX / 2 / classes;
    Str fits = { .p = text, .n = most - 2 }, spills = { .p = text, .n = most - 1 };
    CHECK(status_of(fits, TOOL, &error, &states) == ST_OK && states == most);
    check_limit(spills, TOOL, "256 KiB", 0, most - 1);
    arena_reset(&mem);
}

static void test_several_patterns(void)
{
    static const Str patterns[] = { STR_INIT("list_*"), STR_INIT("*"), STR_INIT("list_all"),
                                    STR_INIT("get_{a,b}"), STR_INIT("list_*") };
    struct arena mem;
    struct automaton automaton;
    struct automaton_error error;
    arena_init(&mem, MEMORY);
    CHECK(automaton_build(patterns, COUNT(patterns), TOOL, &mem, &automaton, &error) == ST_OK);
    CHECK(automaton.accept_words == 1 && automaton.accept_count == 4);
    const struct {
        Str text;
        uint64_t set;
    } rows[] = { { STR("list_all"), 0x17 }, { STR("list_a"), 0x13 }, { STR("get_b"), 0x0A },
                 { STR("put"), 0x02 },      { STR(""), 0x02 },       { STR("\xFF"), 0 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint16_t accept = automaton_run(&automaton, rows[i].text);
        CHECK_ROW(accept <= automaton.accept_count, "row %zu", i);
        CHECK_ROW(automaton.accept_sets[accept] == rows[i].set, "row %zu", i);
    }
    CHECK(automaton.accept_sets[0] == 0);
    /* The third of three is at fault. */
    const Str bad[] = { STR("a"), STR("b"), STR("c]") };
    CHECK(automaton_build(bad, COUNT(bad), TOOL, &mem, &automaton, &error) == ST_INVALID);
    CHECK(error.pattern == 2 && error.lo == 1 && error.hi == 2);
    const Str large[] = { STR("a{9}"), STR("[ab]*a[ab]{20}"), STR("c*") };
    CHECK(automaton_build(large, COUNT(large), REGEX, &mem, &automaton, &error) == ST_LIMIT);
    CHECK(error.pattern == 1 && error.lo == 6 && error.hi == 14);
    CHECK(automaton_build(NULL, 0, TOOL, &mem, &automaton, &error) == ST_OK);
    CHECK(automaton.state_count == 1 && automaton.class_count == 1);
    CHECK(automaton_run(&automaton, STR("")) == 0);
    arena_reset(&mem);
}

static void test_many_names(void)
{
    enum { NAMES = 150 };
    struct arena mem;
    struct automaton automaton;
    struct automaton_error error;
    Str names[NAMES];
    arena_init(&mem, MEMORY);
    for (unsigned i = 0; i < NAMES; i++)
        names[i] = arena_printf(&mem, "tool_%u%s", i, i % 3 ? "" : "*");
    CHECK(automaton_build(names, NAMES, TOOL, &mem, &automaton, &error) == ST_OK);
    CHECK(automaton.accept_words == 3);
    for (uint32_t i = 0; i < NAMES; i++) {
        uint16_t accept = automaton_run(&automaton, names[i]);
        const uint64_t *set = automaton.accept_sets + (size_t)accept * automaton.accept_words;
        CHECK_ROW(accept > 0 && (set[i / 64] >> i % 64 & 1), "name %u", (unsigned)i);
    }
    arena_reset(&mem);
}

static void test_result_memory(void)
{
    struct arena mem;
    struct automaton automaton;
    struct automaton_error error;
    arena_init(&mem, 1024);
    CHECK(build_one(STR("a{1000}"), REGEX, &mem, &automaton, &error) == ST_LIMIT);
    CHECK(strstr(error.text, "memory") != NULL && error.hi == 7);
    arena_reset(&mem);
}

static void test_is_glob(void)
{
    CHECK(!pattern_is_glob(STR("")) && !pattern_is_glob(STR("list_all.v2/x-y")));
    CHECK(pattern_is_glob(STR("*")) && pattern_is_glob(STR("a?")) && pattern_is_glob(STR("[a")));
    CHECK(pattern_is_glob(STR("{a")) && pattern_is_glob(STR("a\\*")) && pattern_is_glob(STR("]")));
}

static void test_speed(void)
{
    enum { GLOBS = 4000 };
    struct arena mem;
    struct timespec from, to;
    arena_init(&mem, MEMORY);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (unsigned i = 0; i < GLOBS; i++) {
        struct automaton automaton;
        struct automaton_error error;
        Str glob = arena_printf(&mem, i % 2 ? "server%u_*_item" : "/srv/data/%u/*.txt", i);
        CHECK(build_one(glob, i % 2 ? TOOL : GLOB, &mem, &automaton, &error) == ST_OK);
    }
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    long ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
    if (getenv("TIMES"))
        (void)fprintf(stderr, "%d globs: %ld ms\n", GLOBS, ms);
    /* Ten times the aim: slow machines and sanitizers are no failure. */
    CHECK_ROW(ms < 2000, "%ld ms", ms);
    arena_reset(&mem);
}

int main(void)
{
    RUN(test_matches);
    RUN(test_nul_is_a_byte);
    RUN(test_errors);
    RUN(test_limits_of_the_parser);
    RUN(test_limits_of_the_automaton);
    RUN(test_limit_of_the_table);
    RUN(test_several_patterns);
    RUN(test_many_names);
    RUN(test_result_memory);
    RUN(test_is_glob);
    RUN(test_speed);
    return check_finish();
}
