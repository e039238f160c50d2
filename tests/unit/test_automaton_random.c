/* SPDX-License-Identifier: Apache-2.0 */
/* test_automaton_random.c - properties of automata: they agree with a slow matcher, are minimal,
 * are the same for the same language, and keep to well-formed UTF-8. Seeded, so repeatable. */
#include "compiler/pattern/utf8_ranges.h"
#include "tests/unit/check.h"
#include "tests/unit/slow_match.h"

#include <stdlib.h>

enum { MEMORY = 64 * 1024 * 1024, PATTERNS = 9000, TEXTS = 30, ROOM = 400 };

static uint64_t seed = 0x5EED;

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

static enum automaton_syntax random_syntax(void)
{
    uint32_t number = pick(3);
    return (enum automaton_syntax)number;
}

static void random_regex(struct text *out, int depth)
{
    static const char *const atoms[] = { "a",
                                         "b",
                                         "A",
                                         "/",
                                         "\xC3\xA9",
                                         ".",
                                         "[ab]",
                                         "[^a]",
                                         "\\d",
                                         "\\W",
                                         "\\n",
                                         "[a-c/]",
                                         "\\xe9",
                                         "[^\xC3\xA9]",
                                         "\\S",
                                         "()",
                                         "\\u{1f600}",
                                         "[\\x00-\\u{7ff}]",
                                         "[\\u{800}-\\u{ffff}b]",
                                         "[^\\w\\u{1f5ff}-\\u{1f60f}]" };
    static const char *const repeats[] = { "*", "+", "?", "{2}", "{1,}", "{0,2}", "{2,3}" };
    uint32_t pieces = pick(4);
    for (uint32_t i = 0; i < pieces; i++) {
        if (depth > 0 && pick(3) == 0) {
            put(out, pick(2) ? "(" : "(?:");
            random_regex(out, depth - 1);
            put(out, ")");
        } else {
            put(out, PICK(atoms));
        }
        if (pick(3) == 0)
            put(out, PICK(repeats));
        if (pick(6) == 0)
            put(out, "|");
    }
}

static void random_glob(struct text *out, int depth)
{
    static const char *const atoms[] = { "a", "b",    "/",     "\xC3\xA9",    "*",   "a*",
                                         "?", "[ab]", "[!a]",  "/**",         "b**", "\\*",
                                         "1", "[^b]", "[ -~]", "[!\xC3\xA9]", "A",   "," };
    uint32_t pieces = pick(5);
    bool after_star = true;
    for (uint32_t i = 0; i < pieces; i++) {
        if (depth > 0 && pick(4) == 0) {
            put(out, "{");
            random_glob(out, depth - 1);
            put(out, ",");
            random_glob(out, depth - 1);
            put(out, "}");
            continue;
        }
        const char *atom = PICK(atoms);
        after_star = out->n > 0 && out->bytes[out->n - 1] == '*';
        if (after_star && strchr(atom, '*'))
            atom = "b";
        put(out, atom);
    }
}

static void random_pattern(struct text *out, enum automaton_syntax syntax)
{
    out->n = 0;
    if (syntax != AUTOMATON_REGEX) {
        random_glob(out, 2);
        return;
    }
    if (pick(8) == 0)
        put(out, "(?i)");
    random_regex(out, 3);
}

static void random_text(struct text *out)
{
    static const char *const pieces[] = { "a",
                                          "a",
                                          "b",
                                          "b",
                                          "A",
                                          "B",
                                          "/",
                                          "c",
                                          "1",
                                          "\n",
                                          "*",
                                          " ",
                                          "\xC3\xA9",
                                          "\xF0\x9F\x98\x80",
                                          "\xE2\x82\xAC",
                                          "\xDF\xBF",
                                          "\xE0\xA0\x80",
                                          "\xEF\xBF\xBF" };
    static const char *const broken[] = { "\xC3", "\x80", "\xED\xA0\x80", "\xF0\x9F\x98", "\xFF" };
    uint32_t count = pick(8);
    out->n = 0;
    for (uint32_t i = 0; i < count; i++)
        put(out, pick(60) == 0 ? PICK(broken) : PICK(pieces));
}

static bool build_one(Str pattern, enum automaton_syntax syntax, struct arena *mem,
                      struct automaton *out)
{
    struct automaton_error error;
    return automaton_build(&pattern, 1, syntax, mem, out, &error) == ST_OK;
}

static void test_agrees_with_the_slow_matcher(void)
{
    size_t pairs = 0, hits = 0, unknown = 0, refused = 0;
    for (int i = 0; i < PATTERNS; i++) {
        enum automaton_syntax syntax = random_syntax();
        struct text pattern, text;
        struct arena mem;
        struct automaton automaton;
        random_pattern(&pattern, syntax);
        arena_init(&mem, MEMORY);
        bool built = build_one(str_of_text(&pattern), syntax, &mem, &automaton);
        refused += !built;
        for (int j = 0; built && j < TEXTS; j++, pairs++) {
            random_text(&text);
            enum slow_answer want = slow_match(str_of_text(&pattern), syntax, str_of_text(&text));
            bool got = automaton_run(&automaton, str_of_text(&text)) != 0;
            hits += want == SLOW_YES;
            unknown += want == SLOW_UNKNOWN;
            CHECK_ROW(want == SLOW_UNKNOWN || got == (want == SLOW_YES),
                      "syntax %d, \"%.*s\" on \"%.*s\": %d", (int)syntax,
                      STR_ARG(str_of_text(&pattern)), STR_ARG(str_of_text(&text)), got);
        }
        arena_reset(&mem);
    }
    if (getenv("TIMES"))
        (void)fprintf(stderr, "%zu pairs, %zu match, %zu unknown, %zu patterns refused\n", pairs,
                      hits, unknown, refused);
    CHECK(pairs >= 200000 && hits >= pairs / 50 && unknown < pairs / 100);
    CHECK(refused < PATTERNS / 10);
}

/* Moore's refinement, round by round: how many states can be told apart. */
static uint32_t count_distinct(const struct automaton *automaton)
{
    static uint16_t block[AUTOMATON_STATES_MAX], fresh[AUTOMATON_STATES_MAX];
    uint32_t n = automaton->state_count, k = automaton->class_count, count = 0, before;
    memcpy(block, automaton->accept, n * sizeof *block);
    do {
        before = count;
        count = 0;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t twin = 0;
            for (; twin < i; twin++) {
                bool same = block[twin] == block[i];
                for (uint32_t c = 0; same && c < k; c++)
                    same =
                        block[automaton->next[twin * k + c]] == block[automaton->next[i * k + c]];
                if (same)
                    break;
            }
            fresh[i] = twin < i ? fresh[twin] : (uint16_t)count++;
        }
        memcpy(block, fresh, n * sizeof *block);
    } while (count != before);
    return count;
}

static void check_classes(const struct automaton *automaton, Str name)
{
    uint32_t n = automaton->state_count, k = automaton->class_count, classes = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        CHECK_ROW(automaton->classes[byte] <= classes, "%.*s: by smallest byte", STR_ARG(name));
        classes += automaton->classes[byte] == classes;
    }
    CHECK_ROW(classes == k, "%.*s: all in use", STR_ARG(name));
    for (uint32_t pair = 0; pair < k * k; pair++) {
        uint32_t a = pair / k, b = pair % k, i = 0;
        while (i < n && automaton->next[i * k + a] == automaton->next[i * k + b])
            i++;
        CHECK_ROW(a == b || i < n, "%.*s: equal classes", STR_ARG(name));
    }
}

/* What automaton.h promises of a table, whatever its language. */
static void check_form(const struct automaton *automaton, Str name)
{
    uint32_t n = automaton->state_count, k = automaton->class_count, seen = 1, accepts = 0;
    for (uint32_t i = 0; i < n * k; i++) {
        CHECK_ROW(automaton->next[i] <= seen && automaton->next[i] < n, "%.*s", STR_ARG(name));
        seen += automaton->next[i] == seen;
        CHECK_ROW(i / k < seen, "%.*s: numbered breadth first", STR_ARG(name));
    }
    for (uint32_t i = 0; i < n; i++) {
        CHECK_ROW(automaton->accept[i] <= accepts + 1, "%.*s", STR_ARG(name));
        accepts += automaton->accept[i] == accepts + 1;
    }
    CHECK_ROW(accepts == automaton->accept_count, "%.*s", STR_ARG(name));
    CHECK_ROW(seen == n && count_distinct(automaton) == n, "%.*s: minimal", STR_ARG(name));
    check_classes(automaton, name);
}

static void test_tables_are_canonical(void)
{
    for (int i = 0; i < 600; i++) {
        struct text texts[3];
        Str patterns[COUNT(texts)];
        struct arena mem;
        struct automaton automaton;
        struct automaton_error error;
        enum automaton_syntax syntax = random_syntax();
        uint32_t count = 1 + pick(COUNT(texts));
        for (uint32_t j = 0; j < count; j++) {
            random_pattern(&texts[j], syntax);
            patterns[j] = str_of_text(&texts[j]);
        }
        arena_init(&mem, MEMORY);
        if (automaton_build(patterns, count, syntax, &mem, &automaton, &error) == ST_OK &&
            automaton.state_count < 200)
            check_form(&automaton, patterns[0]);
        arena_reset(&mem);
    }
}

static bool same_table(const struct automaton *a, const struct automaton *b)
{
    size_t cells = (size_t)a->state_count * a->class_count;
    return a->state_count == b->state_count && a->class_count == b->class_count &&
           a->accept_count == b->accept_count && memcmp(a->classes, b->classes, 256) == 0 &&
           memcmp(a->next, b->next, cells * sizeof *a->next) == 0 &&
           memcmp(a->accept, b->accept, a->state_count * sizeof *a->accept) == 0;
}

struct equal_row {
    enum automaton_syntax left_syntax, right_syntax;
    Str left, right;
    uint16_t states; /* 0: not counted */
};

#define EQUAL(left_syntax, left, right_syntax, right, states)                                      \
    {                                                                                              \
        left_syntax, right_syntax, STR_INIT(left), STR_INIT(right), states                         \
    }
#define REGEX AUTOMATON_REGEX
#define GLOB  AUTOMATON_GLOB
#define TOOL  AUTOMATON_TOOL

static const struct equal_row equal_rows[] = {
    EQUAL(REGEX, "", REGEX, "(|)|()*|a{0}", 2),
    EQUAL(REGEX, "a|b", REGEX, "[ab]", 3),
    EQUAL(REGEX, "a*", REGEX, "(a*)*|(a|aa)*|(a+)?", 2),
    EQUAL(REGEX, "a+", REGEX, "aa*|a{1,}|a*a", 3),
    EQUAL(REGEX, "ab|ac", REGEX, "a[bc]", 4),
    EQUAL(REGEX, "(a|b)*abb", REGEX, "[ab]*(abb)", 5),
    EQUAL(REGEX, "a{2,4}", REGEX, "aa|aaa|aaaa", 6),
    EQUAL(REGEX, "(?i)ab", REGEX, "[aA][bB]", 4),
    EQUAL(REGEX, "[^a]", REGEX, "[\\x00-`b-\\u{10ffff}]", 0),
    EQUAL(REGEX, "[\\u{d7ff}-\\u{e000}]", REGEX, "\\u{e000}|\\u{d7ff}", 0),
    EQUAL(REGEX, ".|\\n", TOOL, "?", 9 + 1),
    EQUAL(REGEX, "(.|\\n)*", TOOL, "*", 9),
    EQUAL(GLOB, "**", TOOL, "*", 9),
    EQUAL(GLOB, "a{b,c}*", GLOB, "a[bc]*", 0),
    EQUAL(GLOB, "*a*", REGEX, "[^/]*a[^/]*", 0),
    EQUAL(TOOL, "list_{a,b,ab}", REGEX, "list_(a|b|ab)", 9),
};

static void test_equal_languages(void)
{
    for (size_t i = 0; i < COUNT(equal_rows); i++) {
        const struct equal_row *row = &equal_rows[i];
        struct arena mem;
        struct automaton left, right;
        arena_init(&mem, MEMORY);
        if (CHECK(build_one(row->left, row->left_syntax, &mem, &left)) &&
            CHECK(build_one(row->right, row->right_syntax, &mem, &right))) {
            CHECK_ROW(same_table(&left, &right), "row %zu", i);
            CHECK_ROW(row->states == 0 || left.state_count == row->states, "row %zu: %d", i,
                      left.state_count);
        }
        arena_reset(&mem);
    }
}

/* A pattern rewritten without changing its language has the same table. */
static void test_equal_languages_at_random(void)
{
    for (int i = 0; i < 1500; i++) {
        struct text pattern = { .n = 0 }, other = { .n = 0 };
        struct arena mem;
        struct automaton left, right;
        random_regex(&pattern, 2);
        static const char *const ways[][3] = { { "(?:", "", "){1}" },
                                               { "a{0}(", "", ")(|){3}" },
                                               { "(", ")|(", ")" } };
        uint32_t way = pick(COUNT(ways));
        put(&other, ways[way][0]);
        put(&other, pattern.bytes);
        put(&other, ways[way][1]);
        put(&other, way == 2 ? pattern.bytes : "");
        put(&other, ways[way][2]);
        arena_init(&mem, MEMORY);
        if (build_one(str_of_text(&pattern), REGEX, &mem, &left) &&
            build_one(str_of_text(&other), REGEX, &mem, &right))
            CHECK_ROW(same_table(&left, &right), "%.*s", STR_ARG(str_of_text(&pattern)));
        arena_reset(&mem);
    }
}

static void test_several_agree_with_each(void)
{
    enum { SEVERAL = 70 };
    static struct text texts[SEVERAL];
    for (int round = 0; round < 20; round++) {
        Str patterns[SEVERAL];
        struct arena mem;
        struct automaton all, one;
        struct automaton_error error;
        struct text text;
        for (uint32_t i = 0; i < SEVERAL; i++) {
            texts[i].n = 0;
            for (uint32_t j = pick(6); j > 0; j--)
                put(&texts[i], (const char *const[]){ "a", "b", "?", "1", "{a,1}", "A" }[pick(6)]);
            if (pick(10) == 0)
                put(&texts[i], "*");
            patterns[i] = str_of_text(&texts[i]);
        }
        arena_init(&mem, MEMORY);
        CHECK(automaton_build(patterns, SEVERAL, TOOL, &mem, &all, &error) == ST_OK);
        for (uint32_t i = 0; i < SEVERAL; i++) {
            CHECK(build_one(patterns[i], TOOL, &mem, &one));
            for (int j = 0; j < 30; j++) {
                random_text(&text);
                size_t set = (size_t)automaton_run(&all, str_of_text(&text)) * all.accept_words;
                bool got = all.accept_sets[set + i / 64] >> i % 64 & 1;
                CHECK(got == (automaton_run(&one, str_of_text(&text)) != 0));
            }
        }
        arena_reset(&mem);
    }
}

/* Every string of up to three bytes, and of four at the edges: in the language of one character
 * when it is well-formed and one character long. */
static void test_every_short_string(void)
{
    static const uint8_t edges[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1,
                                     0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5 };
    struct arena mem;
    struct automaton automaton;
    unsigned char bytes[4];
    size_t wrong = 0;
    arena_init(&mem, MEMORY);
    CHECK(build_one(STR("?"), TOOL, &mem, &automaton));
    for (uint32_t i = 0; i < 1U << 24; i++) {
        size_t n = i < 1U << 8 ? 1 : i < 1U << 16 ? 2 : 3;
        for (size_t j = 0; j < n; j++)
            bytes[j] = (unsigned char)(i >> 8 * j);
        Str text = { .p = (const char *)bytes, .n = n };
        bool is_one = utf8_is_valid(text) && utf8_length(text) == 1;
        wrong += is_one != (automaton_run(&automaton, text) != 0);
    }
    for (uint32_t i = 0; i < 20 * 20 * 20 * 20; i++) {
        uint32_t rest = i;
        for (size_t j = 0; j < 4; j++, rest /= 20)
            bytes[j] = edges[rest % 20];
        Str text = { .p = (const char *)bytes, .n = 4 };
        bool is_one = utf8_is_valid(text) && utf8_length(text) == 1;
        wrong += is_one != (automaton_run(&automaton, text) != 0);
    }
    CHECK_ROW(wrong == 0, "%zu strings", wrong);
    arena_reset(&mem);
}

static size_t encode(uint32_t code, char *out)
{
    unsigned n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (unsigned i = n; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(n == 1 ? code : (0xF00U >> n & 0xFF) | code);
    return n;
}

static bool sequence_has(const struct utf8_sequence *sequence, const char *bytes, size_t n)
{
    bool has = sequence->count == n;
    for (size_t i = 0; has && i < n; i++)
        has = sequence->lo[i] <= (unsigned char)bytes[i] &&
              (unsigned char)bytes[i] <= sequence->hi[i];
    return has;
}

/* Ranges between and beside the edges of the encoding, tried on the points about all edges. */
static void test_utf8_ranges(void)
{
    static const uint32_t edges[] = {
        0,      1,      0x7E,    0x7F,    0x80,    0xBF,     0xC0,
        0x7FF,  0x800,  0xFFF,   0x1000,  0xD7FF,  0xD800,   0xDFFF,
        0xE000, 0xFFFF, 0x10000, 0x3FFFF, 0x40000, 0x10FFFE, 0x10FFFF
    };
    for (size_t i = 0; i < COUNT(edges) * COUNT(edges) * 3; i++) {
        uint32_t lo = edges[i % COUNT(edges)], hi = edges[i / COUNT(edges) % COUNT(edges)];
        if (i >= COUNT(edges) * COUNT(edges)) {
            lo = pick(CODE_POINT_MAX + 1);
            hi = pick(2) ? lo + pick(200) : pick(CODE_POINT_MAX + 1);
            hi = hi > CODE_POINT_MAX ? CODE_POINT_MAX : hi;
        }
        for (size_t j = 0; j < COUNT(edges) * 3 + 6; j++) {
            uint32_t about = j < COUNT(edges) * 3 ? edges[j / 3] : j % 2 ? lo : hi;
            uint32_t code = about + (uint32_t)(j % 3) - 1;
            struct utf8_ranges ranges;
            struct utf8_sequence sequence;
            char bytes[4];
            if (code > CODE_POINT_MAX)
                continue;
            size_t n = encode(code, bytes), found = 0;
            utf8_ranges_init(&ranges, lo, hi);
            while (utf8_ranges_next(&ranges, &sequence))
                found += sequence_has(&sequence, bytes, n);
            bool is_in = lo <= code && code <= hi && (code < 0xD800 || code > 0xDFFF);
            CHECK_ROW(found == is_in, "%x..%x: %x %zu times", (unsigned)lo, (unsigned)hi,
                      (unsigned)code, found);
        }
    }
}

int main(void)
{
    RUN(test_agrees_with_the_slow_matcher);
    RUN(test_tables_are_canonical);
    RUN(test_equal_languages);
    RUN(test_equal_languages_at_random);
    RUN(test_several_agree_with_each);
    RUN(test_every_short_string);
    RUN(test_utf8_ranges);
    return check_finish();
}
