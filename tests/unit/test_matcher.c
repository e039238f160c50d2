/* SPDX-License-Identifier: Apache-2.0 */
/* test_matcher.c - the ladder of matchers: which pattern goes where, and that all back ends say the
 * same of the same text: automaton, positions, words, plain comparisons and the slow matcher.
 * The tables go through the verifier and are walked by the runtime, as a bundle's are. */
#include "tests/unit/check.h"
#include "tests/unit/matcher_tables.h"
#include "tests/unit/slow_match.h"

enum { MEMORY = 64 * 1024 * 1024, ROOM = 120, PATTERNS = 1500, TEXTS = 24, MUTANTS = 20000 };

static uint64_t seed = 0xFACADE;

static uint32_t pick(uint32_t count)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % count);
}

struct text {
    char bytes[ROOM];
    size_t n;
};

static void put(struct text *text, const char *piece)
{
    size_t n = strlen(piece);
    if (text->n + n > sizeof text->bytes)
        return;
    memcpy(text->bytes + text->n, piece, n);
    text->n += n;
}

static Str str_of_text(const struct text *text)
{
    return (Str){ .p = text->bytes, .n = text->n };
}

#define PICK(array) ((array)[pick(COUNT(array))])

/* ------------------------------ the ladder ------------------------------ */

#define REGEX AUTOMATON_REGEX
#define GLOB  AUTOMATON_GLOB

static const struct {
    enum automaton_syntax syntax;
    Str patterns[3];
    enum matcher_kind kinds[3];
    uint32_t count, kind_count;
} rungs[] = {
    // clang-format off
    { GLOB, { STR_INIT("a/b.c") }, { MATCHER_EQUAL }, 1, 1 },
    { GLOB, { STR_INIT("") }, { MATCHER_EQUAL }, 1, 1 },
    { GLOB, { STR_INIT("\\*\xC3\xA9") }, { MATCHER_EQUAL }, 1, 1 },
    { GLOB, { STR_INIT("src/**") }, { MATCHER_STARTS }, 1, 1 },
    { GLOB, { STR_INIT("**.key") }, { MATCHER_ENDS }, 1, 1 },
    { GLOB, { STR_INIT("**key**") }, { MATCHER_CONTAINS }, 1, 1 },
    { GLOB, { STR_INIT("**") }, { MATCHER_CONTAINS }, 1, 1 },
    { GLOB, { STR_INIT("*") }, { MATCHER_DFA }, 1, 1 },
    { GLOB, { STR_INIT("*.key") }, { MATCHER_DFA }, 1, 1 },
    { GLOB, { STR_INIT("*key*") }, { MATCHER_DFA }, 1, 1 },
    { GLOB, { STR_INIT("**key*") }, { MATCHER_DFA }, 1, 1 },
    { GLOB, { STR_INIT("[k]ey") }, { MATCHER_EQUAL }, 1, 1 },
    { GLOB, { STR_INIT("a"), STR_INIT("b"), STR_INIT("a") }, { MATCHER_SET }, 3, 1 },
    { GLOB, { STR_INIT("a"), STR_INIT("b*") }, { MATCHER_DFA }, 2, 1 },
    { GLOB, { STR_INIT("*a*"), STR_INIT("*b*"), STR_INIT("*c") }, { MATCHER_WORDS, MATCHER_DFA }, 3, 2 },
    { GLOB, { STR_INIT("*a*"), STR_INIT("**b**"), STR_INIT("**c**") }, { MATCHER_WORDS, MATCHER_DFA }, 3, 2 },
    { GLOB, { STR_INIT("*a/b*"), STR_INIT("*b*") }, { MATCHER_DFA }, 2, 1 },
    { REGEX, { STR_INIT("key") }, { MATCHER_EQUAL }, 1, 1 },
    { REGEX, { STR_INIT("(?i)key") }, { MATCHER_DFA }, 1, 1 },
    { REGEX, { STR_INIT("(.|\\n)*") }, { MATCHER_DFA }, 1, 1 },
    { REGEX, { STR_INIT("[\\d\\D]*k") }, { MATCHER_ENDS }, 1, 1 },
    { REGEX, { STR_INIT(".*a.*"), STR_INIT(".*b.*") }, { MATCHER_WORDS }, 2, 1 },
    { REGEX, { STR_INIT(".*(AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}).*") }, { MATCHER_NFA }, 1, 1 },
    { REGEX, { STR_INIT("a+"), STR_INIT("[ab]*a[ab]{20}") }, { MATCHER_NFA }, 2, 1 },
    { REGEX, { STR_INIT("c{900}"), STR_INIT("[ab]*a[ab]{20}") }, { MATCHER_DFA, MATCHER_NFA }, 2, 2 },
    // clang-format on
};

static void test_rungs(void)
{
    for (size_t i = 0; i < COUNT(rungs); i++) {
        struct arena mem;
        struct matchers matchers;
        struct automaton_error error;
        arena_init(&mem, MEMORY);
        enum status status = matchers_build(rungs[i].patterns, rungs[i].count, rungs[i].syntax,
                                            &mem, &matchers, &error);
        if (CHECK_ROW(status == ST_OK && matchers.count == rungs[i].kind_count, "row %zu", i)) {
            for (uint32_t k = 0; k < matchers.count; k++)
                CHECK_ROW(matchers.items[k].kind == rungs[i].kinds[k], "row %zu is %d", i,
                          (int)matchers.items[k].kind);
        }
        arena_reset(&mem);
    }
}

/* The pattern that this back end is for: one word of masks, and what it finds. */
static void test_secret(void)
{
    static const Str pattern = STR_INIT(".*(AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}).*");
    static const struct {
        Str text;
        bool matches;
    } rows[] = {
        { STR_INIT("key=AKIAIOSFODNN7EXAMPLE;"), true },
        { STR_INIT("AKIAIOSFODNN7EXAMPL"), false },
        { STR_INIT("AKIAAKIAAKIAIOSFODNN7EXAMPLE"), true },
        { STR_INIT("\xC3\xA9ghp_0123456789abcdefghijABCDEFGHIJ012345\xE2\x82\xAC"), true },
        { STR_INIT("ghp_0123456789abcdefghijABCDEFGHIJ01234-"), false },
        { STR_INIT("AKIAIOSFODNN7EXAMPLE\n"), false },
        { STR_INIT("AKIAIOSFODNN7EXAMPLE\xFF"), false },
        { STR_INIT("AKIAIOSFODNN7EXAMPLE\xC3"), false },
        { STR_INIT(""), false },
    };
    struct arena mem;
    struct bit_nfa nfa;
    struct tables tables;
    uint32_t positions;
    arena_init(&mem, MEMORY);
    CHECK(bit_nfa_build(&pattern, 1, REGEX, &mem, &nfa, &positions) == ST_OK);
    CHECK(positions == 62 && nfa.head.positions == 62 && nfa.head.unchained <= 4);
    CHECK(tables_of_nfa(&tables, &nfa));
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(program_match_nfa(&tables.program, 0, rows[i].text) == rows[i].matches, "row %zu",
                  i);
    arena_reset(&mem);
}

/* ----------------------------- differential ----------------------------- */

static void random_regex(struct text *out, int depth)
{
    static const char *const atoms[] = { "a",
                                         "b",
                                         "\xC3\xA9",
                                         ".",
                                         "[ab]",
                                         "\\n",
                                         "[^a]",
                                         "\\W",
                                         "[^\\n]",
                                         "[a-\xC3\xA9]",
                                         "/",
                                         "\\u{7f}",
                                         "[\xE2\x82\xAC-\xF0\x9F\x98\x80]",
                                         "[\\d\\D]" };
    static const char *const repeats[] = { "*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,2}" };
    uint32_t pieces = 1 + pick(3);
    for (uint32_t i = 0; i < pieces; i++) {
        if (depth > 0 && pick(3) == 0) {
            put(out, "(");
            random_regex(out, depth - 1);
            put(out, pick(2) ? "|" : "");
            random_regex(out, depth - 1);
            put(out, ")");
        } else {
            put(out, PICK(atoms));
        }
        if (pick(2))
            put(out, PICK(repeats));
    }
}

static void random_glob(struct text *out)
{
    static const char *const pieces[] = { "*",        "**",   "?",      "a",    "b", "/",
                                          "\xC3\xA9", "[ab]", "{a,b*}", "[!a]", "ab" };
    bool was_star = false;
    for (uint32_t i = 1 + pick(6); i > 0; i--) {
        const char *piece = PICK(pieces);
        if (was_star && piece[0] == '*')
            continue;
        was_star = piece[0] == '*';
        put(out, piece);
    }
}

static void random_text(struct text *out, bool may_be_bad)
{
    static const char *const good[] = { "a",    "b", "ab",           "\xC3\xA9",
                                        "\n",   "/", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                        "\x7F", "1", "\xEF\xBF\xBF" };
    static const char *const bad[] = { "\x80",         "\xC3",     "\xFF",
                                       "\xED\xA0\x80", "\xC0\xAF", "\xF4\x90\x80\x80",
                                       "\xE2\x82" };
    out->n = 0;
    for (uint32_t i = pick(9); i > 0; i--)
        put(out, may_be_bad && pick(6) == 0 ? PICK(bad) : PICK(good));
}

/* Whether one of them matches, if the slow matcher knows it of all. */
static enum slow_answer slow_any(const Str *patterns, uint32_t count, enum automaton_syntax syntax,
                                 Str text)
{
    enum slow_answer any = SLOW_NO;
    for (uint32_t i = 0; i < count; i++) {
        enum slow_answer answer = slow_match(patterns[i], syntax, text);
        if (answer == SLOW_UNKNOWN)
            return SLOW_UNKNOWN;
        any = answer == SLOW_YES ? SLOW_YES : any;
    }
    return any;
}

static void compare_slow(const Str *patterns, uint32_t count, enum automaton_syntax syntax,
                         Str text, bool want)
{
    enum slow_answer slow = slow_any(patterns, count, syntax, text);
    CHECK_ROW(slow == SLOW_UNKNOWN || want == (slow == SLOW_YES), "%.*s: slow matcher",
              STR_ARG(patterns[0]));
}

/* Automaton, positions, the whole ladder and the slow matcher on one text. */
struct back_ends {
    const struct automaton *dfa;
    const struct tables *nfa; /* NULL: there is none */
    const struct matchers *matchers;
};

static void compare(const Str *patterns, uint32_t count, enum automaton_syntax syntax,
                    const struct back_ends *ends, Str text)
{
    bool want = automaton_run(ends->dfa, text) != 0, is_text = utf8_is_valid(text);
    if (is_text)
        compare_slow(patterns, count, syntax, text, want);
    CHECK_ROW(want == false || is_text, "%.*s: no text", STR_ARG(patterns[0]));
    if (ends->nfa)
        CHECK_ROW(program_match_nfa(&ends->nfa->program, 0, text) == want, "%.*s: positions, %.*s",
                  STR_ARG(patterns[0]), STR_ARG(text));
    if (is_text) /* plain comparisons rely on what they are given */
        CHECK_ROW(tables_match_any(ends->matchers, text) == want, "%.*s: ladder",
                  STR_ARG(patterns[0]));
}

static void test_back_ends(void)
{
    unsigned compared = 0;
    for (int round = 0; round < PATTERNS; round++) {
        struct arena mem;
        struct automaton dfa;
        struct bit_nfa nfa;
        struct tables tables;
        struct matchers matchers;
        struct automaton_error error;
        struct text patterns[2] = { { .n = 0 } }, text;
        uint32_t count = 1 + pick(2), positions;
        enum automaton_syntax syntax = pick(3) ? REGEX : GLOB;
        Str strs[2];
        for (uint32_t i = 0; i < count; i++) {
            if (syntax == REGEX)
                random_regex(&patterns[i], 2);
            else
                random_glob(&patterns[i]);
            strs[i] = str_of_text(&patterns[i]);
        }
        arena_init(&mem, MEMORY);
        if (automaton_build_union(strs, count, syntax, &mem, &dfa, &error) == ST_OK &&
            CHECK(matchers_build(strs, count, syntax, &mem, &matchers, &error) == ST_OK)) {
            bool has_nfa = bit_nfa_build(strs, count, syntax, &mem, &nfa, &positions) == ST_OK &&
                           CHECK_ROW(tables_of_nfa(&tables, &nfa), "%.*s: %s", STR_ARG(strs[0]),
                                     tables.error.text);
            compared += has_nfa;
            struct back_ends ends = { &dfa, has_nfa ? &tables : NULL, &matchers };
            for (int i = 0; i < TEXTS; i++) {
                random_text(&text, i % 2);
                compare(strs, count, syntax, &ends, str_of_text(&text));
            }
        }
        arena_reset(&mem);
    }
    CHECK_ROW(compared > PATTERNS / 3, "only %u", compared);
}

static void test_words(void)
{
    static const char *const pieces[] = { "a", "b", "ab", "\xC3\xA9", "\xC3\xA8", "c" };
    for (int round = 0; round < PATTERNS; round++) {
        struct arena mem;
        struct trie trie;
        struct tables tables;
        struct text words[6] = { { .n = 0 } }, text;
        Str strs[6];
        uint32_t count = 1 + pick(COUNT(words)), forbidden = pick(3) ? B_TRIE_NO_BYTE : '/';
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t k = pick(40) ? 1 + pick(4) : 0; k > 0; k--)
                put(&words[i], PICK(pieces));
            strs[i] = str_of_text(&words[i]);
        }
        arena_init(&mem, MEMORY);
        CHECK(trie_build(strs, count, &mem, &trie) == ST_OK);
        CHECK_ROW(tables_of_trie(&tables, &trie, forbidden), "%s", tables.error.text);
        for (int i = 0; i < TEXTS; i++) {
            random_text(&text, i % 4 == 0);
            Str s = str_of_text(&text);
            bool want = false;
            for (uint32_t k = 0; k < count; k++)
                want |= str_contains(s, strs[k]);
            want &= utf8_is_valid(s) && !(forbidden == '/' && str_contains(s, STR("/")));
            CHECK_ROW(program_match_words(&tables.program, 0, s) == want, "%.*s", STR_ARG(s));
        }
        arena_reset(&mem);
    }
}

/* -------------------------------- limits -------------------------------- */

static uint32_t positions_of(Str pattern, enum status want)
{
    struct arena mem;
    struct bit_nfa nfa;
    struct tables tables;
    uint32_t positions;
    arena_init(&mem, MEMORY);
    enum status status = bit_nfa_build(&pattern, 1, REGEX, &mem, &nfa, &positions);
    CHECK_ROW(status == want, "%.*s: %s", STR_ARG(pattern), status_text(status));
    CHECK(status != ST_OK || tables_of_nfa(&tables, &nfa));
    arena_reset(&mem);
    return positions;
}

static void test_limits(void)
{
    CHECK(positions_of(STR("a{256}"), ST_OK) == 256);
    CHECK(positions_of(STR("a{257}"), ST_LIMIT) == 257);
    CHECK(positions_of(STR("a{64}"), ST_OK) == 64 && positions_of(STR("a{65}"), ST_OK) == 65);
    CHECK(positions_of(STR(".*"), ST_OK) == 1);  /* any byte but LF, any number of times */
    CHECK(positions_of(STR("."), ST_OK) == 15);  /* code points, byte by byte */
    CHECK(positions_of(STR(".+"), ST_OK) == 16); /* one, then bytes */
    CHECK(positions_of(STR("[a-z]*"), ST_OK) == 1);
    CHECK(positions_of(STR("((a{99}){99})"), ST_LIMIT) == UINT32_MAX); /* not read to the end */
}

static void check_refused(const Str *patterns, uint32_t count, enum automaton_syntax syntax,
                          const char *part)
{
    struct arena mem;
    struct matchers matchers;
    struct automaton_error error;
    arena_init(&mem, MEMORY);
    CHECK(matchers_build(patterns, count, syntax, &mem, &matchers, &error) == ST_LIMIT);
    CHECK_ROW(error.text && strstr(error.text, part), "%s", error.text ? error.text : "no text");
    arena_reset(&mem);
}

static void test_refusals(void)
{
    static const Str large[] = { STR_INIT("[ab]*a[ab]{300}") };
    static const Str one[] = { STR_INIT("a+"), STR_INIT("[ab]*a[ab]{300}") };
    check_refused(large, 1, REGEX, "'[ab]{300}' (as positions: 302, of at most 256)");
    check_refused(one, 2, REGEX, "'[ab]{300}' (as positions: 302, of at most 256)");
    struct arena mem;
    arena_init(&mem, MEMORY);
    enum { WORDS = 40, BYTES = 2000 };
    Str globs[WORDS];
    for (uint32_t i = 0; i < WORDS; i++) {
        char *text = ARENA_NEW(&mem, char, BYTES);
        memset(text, 'a' + (int)(i % 26), BYTES);
        text[0] = text[BYTES - 1] = '*';
        text[1] = (char)('a' + i / 26);
        globs[i] = (Str){ .p = text, .n = BYTES };
    }
    check_refused(globs, WORDS, GLOB, "65,535 bytes of words");
    struct matchers matchers;
    struct automaton_error error;
    CHECK(matchers_build(globs, WORDS - 8, GLOB, &mem, &matchers, &error) == ST_OK);
    CHECK(matchers.count == 1 && matchers.items[0].kind == MATCHER_WORDS);
    arena_reset(&mem);
}

/* ------------------------------ the verifier ---------------------------- */

/* Tables with a bit flipped are refused, or walked without leaving them (which a sanitizer sees)
 * and in bounded time. */
static void test_mutants(void)
{
    static const Str pattern = STR_INIT("(a|[^b]c){0,9}(.*x){3}");
    static const Str words[] = { STR_INIT("he"), STR_INIT("she"), STR_INIT("hers"),
                                 STR_INIT("his") };
    static const Str text = STR_INIT("ushersacaccac\xC3\xA9xhixxhexaca");
    struct arena mem;
    struct bit_nfa nfa;
    struct trie trie;
    struct tables tables;
    uint32_t positions, refused = 0;
    arena_init(&mem, MEMORY);
    CHECK(bit_nfa_build(&pattern, 1, REGEX, &mem, &nfa, &positions) == ST_OK && positions > 64);
    CHECK(trie_build(words, COUNT(words), &mem, &trie) == ST_OK);
    for (int i = 0; i < MUTANTS; i++) {
        bool is_trie = i % 2;
        unsigned char *bytes = is_trie    ? (unsigned char *)trie.nodes
                               : pick(20) ? (unsigned char *)nfa.masks
                                          : nfa.classes;
        size_t n = is_trie ? trie.node_count * sizeof *trie.nodes
                           : (bytes == nfa.classes ? sizeof nfa.classes
                                                   : nfa.mask_words * sizeof *nfa.masks);
        unsigned char *at = bytes + pick((uint32_t)n), old = *at;
        *at ^= (unsigned char)(1U << pick(8));
        bool holds =
            is_trie ? tables_of_trie(&tables, &trie, B_TRIE_NO_BYTE) : tables_of_nfa(&tables, &nfa);
        refused += !holds;
        if (holds && is_trie)
            (void)program_match_words(&tables.program, 0, text);
        else if (holds)
            (void)program_match_nfa(&tables.program, 0, text);
        *at = old;
    }
    CHECK_ROW(refused > MUTANTS / 8 && refused < MUTANTS, "%u refused", refused);
    arena_reset(&mem);
}

#define REFUSES(field, value)                                                                      \
    do {                                                                                           \
        (void)tables_of_nfa(&tables, &nfa);                                                        \
        tables.nfa.field = (value);                                                                \
        CHECK_ROW(!verify_matchers(&tables.program, &tables.error), #field " = " #value);          \
    } while (0)

static void test_heads(void)
{
    static const Str pattern = STR_INIT("ab*c");
    struct arena mem;
    struct bit_nfa nfa;
    struct tables tables;
    uint32_t positions;
    arena_init(&mem, MEMORY);
    CHECK(bit_nfa_build(&pattern, 1, REGEX, &mem, &nfa, &positions) == ST_OK);
    REFUSES(positions, 0);
    REFUSES(positions, 2);
    REFUSES(positions, 4);
    REFUSES(positions, 257);
    REFUSES(positions, UINT32_MAX);
    REFUSES(class_count, 0);
    REFUSES(class_count, 257);
    REFUSES(class_count, UINT32_MAX);
    REFUSES(classes, 1);
    REFUSES(masks, 1);
    REFUSES(unchained, nfa.head.unchained + 1);
    REFUSES(unchained, nfa.head.unchained - 1);
    REFUSES(is_nullable, 2);
    arena_reset(&mem);
}

int main(void)
{
    RUN(test_rungs);
    RUN(test_secret);
    RUN(test_back_ends);
    RUN(test_words);
    RUN(test_limits);
    RUN(test_refusals);
    RUN(test_mutants);
    RUN(test_heads);
    return check_finish();
}
