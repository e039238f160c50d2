/* SPDX-License-Identifier: Apache-2.0 */
/* bench_match.c - the ladder of matchers, rung by rung, on texts that they have to read to the end.
 *
 * Every pattern goes through each back end that takes it, by the runtime's own code, so that the
 * choices of compiler/pattern/matcher.c can be held against figures. Times are of the quietest of
 * many batches. What a back end can't hold is printed as such.
 */
#include "tests/unit/matcher_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MEMORY = 256 << 20, BATCHES = 60, LONG_TEXT = 10000, PATTERNS_MAX = 1000 };

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A set of patterns, and what they are compiled to. */
struct subject {
    const char *name;
    enum automaton_syntax syntax;
    uint32_t count;
    Str patterns[PATTERNS_MAX];
    struct tables dfa, nfa, trie;
    struct b_dfa head; /* of dfa */
    struct automaton automaton;
    struct bit_nfa bits;
    struct trie words;
    bool has_dfa, has_nfa, has_trie;
    uint32_t states, positions, nodes;
};

typedef bool (*match_fn)(const struct program *, uint32_t, Str);

static bool match_dfa(const struct program *program, uint32_t dfa, Str text)
{
    return program_match(program, dfa, text) != 0;
}

/* Nanoseconds for one text. */
static double time_match(match_fn match, const struct program *program, Str text)
{
    size_t rounds = 200000 / (text.n + 20) + 1;
    double least = 0;
    bool found = false;
    for (int batch = 0; batch < BATCHES; batch++) {
        double start = now_ns();
        for (size_t i = 0; i < rounds; i++)
            found |= match(program, 0, text);
        double took = (now_ns() - start) / (double)rounds;
        least = batch == 0 || took < least ? took : least;
    }
    ENSURE(!found); /* or the text would not have been read to its end */
    return least;
}

static void load_dfa(struct subject *s)
{
    const struct automaton *automaton = &s->automaton;
    struct program *p = &s->dfa.program;
    s->head = (struct b_dfa){ .states = automaton->state_count,
                              .class_count = automaton->class_count,
                              .accept_max = automaton->accept_count };
    p->dfas = &s->head;
    p->dfa_classes = automaton->classes;
    p->dfa_next = automaton->next;
    p->dfa_accept = automaton->accept;
    s->states = automaton->state_count;
}

static void build(struct subject *s, struct arena *mem)
{
    struct automaton_error error;
    s->has_dfa = automaton_build_union(s->patterns, s->count, s->syntax, mem, &s->automaton,
                                       &error) == ST_OK;
    if (s->has_dfa)
        load_dfa(s);
    s->has_nfa =
        bit_nfa_build(s->patterns, s->count, s->syntax, mem, &s->bits, &s->positions) == ST_OK &&
        tables_of_nfa(&s->nfa, &s->bits);
    if (!s->has_trie)
        return;
    Str words[PATTERNS_MAX];
    for (uint32_t i = 0; i < s->count; i++) /* "**word**" */
        words[i] = str_sub(s->patterns[i], 2, s->patterns[i].n - 2);
    s->has_trie = trie_build(words, s->count, mem, &s->words) == ST_OK &&
                  tables_of_trie(&s->trie, &s->words, B_TRIE_NO_BYTE);
    s->nodes = s->words.node_count;
}

static void print_one(bool has, match_fn match, const struct program *program, uint32_t size,
                      const char *unit, const Str *texts)
{
    if (!has) {
        printf("  %28s", "-");
        return;
    }
    double little = time_match(match, program, texts[0]);
    double much = time_match(match, program, texts[1]);
    printf("  %5u %-9s %5.0f %6.2f", size, unit, little, much / (double)texts[1].n);
}

static void run(struct subject *s, const Str *texts)
{
    struct arena mem;
    arena_init(&mem, MEMORY);
    build(s, &mem);
    printf("  %-26s", s->name);
    print_one(s->has_trie, program_match_words, &s->trie.program, s->nodes, "nodes", texts);
    print_one(s->has_dfa, match_dfa, &s->dfa.program, s->states, "states", texts);
    print_one(s->has_nfa, program_match_nfa, &s->nfa.program, s->positions, "positions", texts);
    printf("\n");
    (void)fflush(stdout);
    arena_reset(&mem);
}

static Str prose(struct arena *mem, size_t n)
{
    static const Str words = STR_INIT("the valve stays open after shutdown, seen twice in run 417; "
                                      "steps: arm, fire, shut down and wait for ACK_9 at noon. ");
    char *out = arena_alloc_raw(mem, 1, 1, n);
    ENSURE(out != NULL);
    for (size_t i = 0; i < n; i++)
        out[i] = words.p[i % words.n];
    return (Str){ .p = out, .n = n };
}

/* ----------------------------- plain texts ------------------------------ */

static bool match_search(const struct program *program, uint32_t unused, Str text)
{
    (void)program;
    (void)unused;
    return str_contains(text, STR("ACK_7"));
}

static bool match_set(const struct program *program, uint32_t set, Str text)
{
    return program_set_find(program, set, B_CONST_STRING, false, text);
}

enum { SET_TEXTS = 1000, SET_SLOTS = 2048, SET_TEXT_BYTES = 8 };

/* A set of so many texts, as a bundle holds it. */
static void build_set(struct program *program, struct arena *mem)
{
    static struct b_set set = { .slots = SET_SLOTS, .count = SET_TEXTS };
    static struct b_const consts[SET_TEXTS];
    static uint32_t table[SET_SLOTS];
    char *strings = arena_alloc_raw(mem, 1, 1, SET_TEXTS * SET_TEXT_BYTES + 1);
    ENSURE(strings != NULL);
    for (uint32_t i = 0; i < SET_TEXTS; i++) {
        struct b_text text = { .offset = i * SET_TEXT_BYTES, .length = SET_TEXT_BYTES };
        (void)snprintf(strings + text.offset, SET_TEXT_BYTES + 1, "acme%04u", i);
        consts[i] = (struct b_const){ .type = B_CONST_STRING, .text = text };
        Str plain = { .p = strings + text.offset, .n = text.length };
        uint64_t at = bundle_const_hash(B_CONST_STRING, false, plain);
        while (table[at % SET_SLOTS])
            at++;
        table[at % SET_SLOTS] = i + 1;
    }
    *program =
        (struct program){ .sets = &set, .set_table = table, .consts = consts, .strings = strings };
}

static void run_plain(const Str *texts, struct arena *mem)
{
    struct program program;
    build_set(&program, mem);
    printf("  one of 1,000 texts (set): %.0f ns for 100 bytes, %.0f ns for 8\n",
           time_match(match_set, &program, texts[0]),
           time_match(match_set, &program, STR("acme1000")));
    printf("  a search for one text: %.0f ns for 100 bytes, %.2f ns a byte of %d\n",
           time_match(match_search, NULL, texts[0]),
           time_match(match_search, NULL, texts[1]) / (double)texts[1].n, LONG_TEXT);
}

static void add_words(struct subject *s, struct arena *mem, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        s->patterns[i] = arena_printf(mem, "**%c%cq%u**", (char)('a' + i * 7 % 26),
                                      (char)('a' + i * 11 % 26), i * 37 % 1000);
    s->count = count;
    s->syntax = AUTOMATON_GLOB;
    s->has_trie = true;
}

int main(void)
{
    static struct subject subjects[] = {
        { .name = "one class, then a mark",
          .patterns = { STR_INIT("[a-z ,;:.A-Z0-9_]*!") },
          .count = 1 },
        { .name = "short secret",
          .patterns = { STR_INIT(".*(AKIA[0-9A-Z]{4}|ghp_[a-z0-9]{4}).*") },
          .count = 1 },
        { .name = "secret",
          .patterns = { STR_INIT(".*(AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}).*") },
          .count = 1 },
        { .name = "late choice", .patterns = { STR_INIT(".*[ar][a-z ,]{9}!") }, .count = 1 },
        { .name = "late choice, four words",
          .patterns = { STR_INIT(".*[ar][a-z ,]{190}!") },
          .count = 1 },
        { .name = "12 words" },
        { .name = "1,000 words" },
    };
    struct arena mem;
    arena_init(&mem, MEMORY);
    Str texts[2] = { prose(&mem, 100), prose(&mem, LONG_TEXT) };
    add_words(&subjects[COUNT(subjects) - 2], &mem, 12);
    add_words(&subjects[COUNT(subjects) - 1], &mem, 1000);
    printf("Matching: ns for a text of 100 bytes that matches nothing, ns a byte of %d\n\n",
           LONG_TEXT);
    printf("  %-26s  %-28s  %-28s  %-28s\n", "", "words (Aho-Corasick)", "automaton (DFA)",
           "positions (bit-NFA)");
    printf("  %-26s", "pattern");
    for (int i = 0; i < 3; i++)
        printf("  %-15s %5s %6s", "size", "100", "a byte");
    printf("\n");
    for (size_t i = 0; i < COUNT(subjects); i++)
        run(&subjects[i], texts);
    run_plain(texts, &mem);
    arena_reset(&mem);
    return 0;
}
