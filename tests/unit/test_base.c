/* SPDX-License-Identifier: Apache-2.0 */
/* test_base.c - slices, UTF-8, arenas and buffers, with the input that hurts: empty, NULL, embedded
 * NUL, exact limits, sizes that overflow. */
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/status.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static const Str nothing = { .p = NULL, .n = 0 };

static void equality_counts_every_byte(void)
{
    CHECK(str_eq(nothing, STR("")));
    CHECK(str_eq(STR("a\0b"), STR("a\0b")));
    CHECK(!str_eq(STR("a\0b"), STR("a\0c")));
    CHECK(!str_eq(STR("a"), STR("a\0")));
    CHECK(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
    CHECK(!str_eq_nocase(STR("@[`{"), STR("`{@[")));
    /* Bytes past ASCII are no letters: no folding of U+212A or Latin-1. */
    CHECK(!str_eq_nocase(STR("\xe2\x84\xaa"), STR("k")));
    CHECK(!str_eq_nocase(STR("\xc4"), STR("\xe4")));
    CHECK(str_eq_nocase(nothing, STR("")));
    CHECK(!str_eq_nocase(STR("a"), STR("ab")));
}

static const Str ordered[] = {
    STR_INIT(""),    STR_INIT("\0"), STR_INIT("\0\0"), STR_INIT("A"),    STR_INIT("a"),
    STR_INIT("a\0"), STR_INIT("aa"), STR_INIT("b"),    STR_INIT("\x7f"), STR_INIT("\x80"),
};

static void order_is_bytewise_and_total(void)
{
    for (size_t i = 0; i < COUNT(ordered); i++) {
        for (size_t k = 0; k < COUNT(ordered); k++) {
            int order = str_cmp(ordered[i], ordered[k]);
            CHECK_ROW((order < 0) == (i < k) && (order > 0) == (i > k), "%zu and %zu", i, k);
        }
    }
    CHECK(str_cmp(nothing, STR("")) == 0 && str_cmp(nothing, STR("a")) < 0);
}

static void searching(void)
{
    CHECK(str_contains(nothing, STR("")) && str_contains(STR("a"), nothing));
    CHECK(!str_contains(nothing, STR("a")));
    CHECK(str_contains(STR("a\0bc"), STR("\0b")));
    CHECK(!str_contains(STR("ab"), STR("abc")));
    CHECK(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")));
    CHECK(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
    CHECK(str_starts(nothing, nothing) && str_ends(nothing, nothing));
    CHECK(str_starts(STR("a"), nothing) && str_ends(STR("a"), nothing));
}

static const struct {
    Str in;
    char sep;
    Str head, rest;
} cuts[] = {
    { STR_INIT("a=b"), '=', STR_INIT("a"), STR_INIT("b") },
    { STR_INIT("ab"), '=', STR_INIT("ab"), STR_INIT("") },
    { STR_INIT("=b"), '=', STR_INIT(""), STR_INIT("b") },
    { STR_INIT("a="), '=', STR_INIT("a"), STR_INIT("") },
    { STR_INIT("=="), '=', STR_INIT(""), STR_INIT("=") },
    { STR_INIT("a\0=b"), '=', STR_INIT("a\0"), STR_INIT("b") },
    { STR_INIT("a\0b"), '\0', STR_INIT("a"), STR_INIT("b") },
    { STR_INIT(""), '=', STR_INIT(""), STR_INIT("") },
};

static void cutting(void)
{
    for (size_t i = 0; i < COUNT(cuts); i++) {
        Str rest = cuts[i].in;
        CHECK_STR(str_cut(&rest, cuts[i].sep), cuts[i].head);
        CHECK_STR(rest, cuts[i].rest);
    }
    Str rest = nothing;
    CHECK(str_cut(&rest, ',').n == 0 && rest.n == 0 && rest.p == NULL);
    rest = STR("a,b,c");
    int parts = 0;
    while (rest.n) {
        CHECK(str_cut(&rest, ',').n == 1);
        parts++;
    }
    CHECK(parts == 3);
}

static void trimming(void)
{
    CHECK_STR(str_trim(STR(" \t a b\t ")), STR("a b"));
    CHECK_STR(str_trim(STR(" \t ")), STR(""));
    CHECK_STR(str_trim(nothing), STR(""));
    CHECK_STR(str_trim(STR("\ra\n")), STR("\ra\n"));
    CHECK_STR(str_trim(STR("\0 ")), STR("\0"));
}

static const struct {
    Str in;
    uint64_t max, value;
    bool is_good;
} integers[] = {
    { STR_INIT("0"), UINT64_MAX, 0, true },
    { STR_INIT("7"), 7, 7, true },
    { STR_INIT("8"), 7, 0, false },
    { STR_INIT("18446744073709551615"), UINT64_MAX, UINT64_MAX, true },
    { STR_INIT("18446744073709551616"), UINT64_MAX, 0, false },
    { STR_INIT("18446744073709551620"), UINT64_MAX, 0, false },
    { STR_INIT("99999999999999999999999999"), UINT64_MAX, 0, false },
    { STR_INIT(""), UINT64_MAX, 0, false },
    { STR_INIT("00"), UINT64_MAX, 0, false },
    { STR_INIT("01"), UINT64_MAX, 0, false },
    { STR_INIT("+1"), UINT64_MAX, 0, false },
    { STR_INIT("-0"), UINT64_MAX, 0, false },
    { STR_INIT(" 1"), UINT64_MAX, 0, false },
    { STR_INIT("1 "), UINT64_MAX, 0, false },
    { STR_INIT("1\0"), UINT64_MAX, 0, false },
    { STR_INIT("0x1"), UINT64_MAX, 0, false },
    { STR_INIT("1/"), UINT64_MAX, 0, false },
    { STR_INIT("1:"), UINT64_MAX, 0, false },
};

static void integers_are_strict(void)
{
    for (size_t i = 0; i < COUNT(integers); i++) {
        uint64_t value = 12345;
        bool is_good = str_to_u64(integers[i].in, integers[i].max, &value);
        CHECK_ROW(is_good == integers[i].is_good &&
                      value == (is_good ? integers[i].value : UINT64_C(12345)),
                  "\"%.*s\"", STR_ARG(integers[i].in));
    }
}

/* The table 3-7 of the Unicode standard, told another way: decode and encode. */
static bool is_utf8_sequence(const unsigned char *p, size_t n)
{
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    static const unsigned lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 },
                          mask[] = { 0, 0x80, 0xe0, 0xf0, 0xf8 };
    if ((p[0] & mask[n]) != lead[n])
        return false;
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2)
            return false;
        c = c << 6 | (p[i] & 0x3fU);
    }
    return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/* Whether p splits into sequences, by trying all splits of at most four bytes. */
static bool is_utf8_slowly(const unsigned char *p, size_t n)
{
    bool good[5] = { true };
    for (size_t end = 1; end <= n; end++) {
        for (size_t len = 1; len <= end; len++)
            good[end] = good[end] || (good[end - len] && is_utf8_sequence(p + end - len, len));
    }
    return good[n];
}

/* All texts of one to three bytes, and those of four around each boundary. */
static void utf8_is_exact(void)
{
    static const unsigned char edges[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                           0xc1, 0xc2, 0xdf, 0xe0, 0xec, 0xed, 0xee, 0xef,
                                           0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff };
    unsigned char p[4];
    size_t wrong = 0;
    for (uint32_t i = 0; i < 1U << 24; i++) {
        p[0] = (unsigned char)(i >> 16);
        p[1] = (unsigned char)(i >> 8);
        p[2] = (unsigned char)i;
        size_t n = i % 3 + 1; /* each length sees every third text */
        wrong += utf8_is_valid((Str){ .p = (const char *)p, .n = n }) != is_utf8_slowly(p, n);
    }
    size_t e = COUNT(edges);
    for (size_t i = 0; i < e * e * e * e; i++) {
        for (size_t k = 0, v = i; k < 4; k++, v /= e)
            p[k] = edges[v % e];
        wrong += utf8_is_valid((Str){ .p = (const char *)p, .n = 4 }) != is_utf8_slowly(p, 4);
    }
    CHECK_ROW(wrong == 0, "%zu texts judged wrongly", wrong);
    CHECK(utf8_is_valid(nothing));
    CHECK(utf8_length(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0")) == 5);
    CHECK(utf8_length(nothing) == 0);
}

static void distances(void)
{
    CHECK(str_distance(STR("name"), STR("name"), 3) == 0);
    CHECK(str_distance(STR("nmae"), STR("name"), 3) == 1);
    CHECK(str_distance(STR("nam"), STR("name"), 3) == 1);
    CHECK(str_distance(STR("xname"), STR("name"), 3) == 1);
    CHECK(str_distance(STR("nome"), STR("name"), 3) == 1);
    CHECK(str_distance(nothing, STR("abc"), 3) == 3);
    CHECK(str_distance(STR("abcdef"), STR("uvwxyz"), 3) == 4);
    static char wide[65];
    memset(wide, 'a', sizeof wide);
    Str all = { .p = wide, .n = sizeof wide };
    CHECK(str_distance(all, all, 3) == 4);
    CHECK(str_distance(str_sub(all, 0, 64), str_sub(all, 1, 65), 3) == 0);
}

static bool is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i])
            return false;
    }
    return true;
}

/* Aligned, zeroed, within the limit, and no two objects overlap. */
static void arenas_hand_out_clean_memory(void)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int round = 0; round < 3; round++) {
        unsigned char *last = NULL;
        size_t last_n = 0;
        for (size_t i = 1; i < 400; i++) {
            size_t align = (size_t)1 << i % 7;
            unsigned char *p = arena_alloc(&arena, i, align, i % 5);
            CHECK_ROW(p && (uintptr_t)p % align == 0 && is_zero(p, i * (i % 5)), "object %zu", i);
            if (!p)
                break;
            CHECK(last == NULL || p + i * (i % 5) <= last || p >= last + last_n);
            memset(p, 0xaa, i * (i % 5));
            last = p;
            last_n = i * (i % 5);
            CHECK(arena.used <= arena.limit && arena.lo <= arena.hi);
        }
        if (round == 0)
            arena_rewind(&arena);
        else
            arena_reset(&arena);
    }
    CHECK(arena.used == 0 && arena.blocks == NULL && arena.limit == 1 << 20);
    arena_reset(&arena);
}

static void arenas_refuse_what_does_not_fit(void)
{
    struct arena arena;
    arena_init(&arena, 4096);
    CHECK(arena_alloc(&arena, 1, 1, 4097) == NULL);
    CHECK(arena_alloc(&arena, 16, 16, SIZE_MAX / 16) == NULL);
    CHECK(arena_alloc(&arena, 16, 16, SIZE_MAX / 16 + 2) == NULL); /* would wrap to 16 */
    CHECK(arena_alloc(&arena, SIZE_MAX, 1, 1) == NULL);
    CHECK(arena.used == 0);
    CHECK(arena_copy(&arena, STR("abc")).n == 3);
    size_t got = 0;
    while (arena_alloc(&arena, 1, 1, 1))
        got++;
    CHECK(got > 4000 && got < 4096 && arena.used <= 4096);
    CHECK(arena_alloc(&arena, 8, 8, 0) == NULL || arena.used <= 4096);
    CHECK(arena_copy(&arena, STR("abc")).p == NULL);
    CHECK(arena_printf(&arena, "%d", 12345).p == NULL);
    arena_reset(&arena);
    CHECK(ARENA_NEW(&arena, uint64_t, 0) != NULL);
    arena_reset(&arena);
    arena_init(&arena, 0);
    CHECK(arena_alloc(&arena, 1, 1, 1) == NULL);
}

/* Rewinding keeps one block, so the next like unit of work takes no other; never a huge one. */
static void rewinding_keeps_one_block(void)
{
    struct arena arena;
    arena_init(&arena, 16 << 20);
    arena_rewind(&arena);
    CHECK(arena.used == 0 && arena.blocks == NULL);
    for (int i = 0; i < 100; i++)
        CHECK(arena_alloc(&arena, 1000, 8, 1) != NULL);
    struct arena_block *newest = arena.blocks;
    size_t before = arena.used;
    arena_rewind(&arena);
    CHECK(arena.blocks == newest && arena.used > 0 && arena.used < before);
    size_t kept = arena.used, room = (size_t)(arena.hi - arena.lo);
    unsigned char *p = arena_alloc(&arena, room, 1, 1);
    CHECK(p && is_zero(p, room) && arena.used == kept && arena.blocks == newest);
    arena_rewind(&arena);
    CHECK(arena.used == kept);
    CHECK(arena_alloc(&arena, 1 << 20, 1, 1) != NULL);
    arena_rewind(&arena);
    CHECK(arena.used == 0 && arena.blocks == NULL);
    arena_reset(&arena);
}

static void arenas_copy_and_print(void)
{
    struct arena arena;
    arena_init(&arena, 1 << 16);
    Str copy = arena_copy(&arena, STR("a\0b"));
    CHECK_STR(copy, STR("a\0b"));
    CHECK(copy.p && copy.p[copy.n] == '\0');
    Str empty = arena_copy(&arena, nothing);
    CHECK(empty.p && empty.n == 0 && empty.p[0] == '\0');
    CHECK_STR(arena_printf(&arena, "%s-%d", "x", 42), STR("x-42"));
    CHECK(arena_printf(&arena, "%*d", 10000, 1).n == 10000);
    arena_reset(&arena);
}

static void buffers_stop_at_their_limit(void)
{
    struct buf buf;
    buf_init(&buf, 300);
    for (int i = 0; i < 300; i++)
        buf_add_char(&buf, (char)i);
    CHECK(buf.n == 300 && !buf.is_full);
    buf_add(&buf, nothing);
    CHECK(!buf.is_full);
    buf_add_char(&buf, 'x');
    CHECK(buf.n == 300 && buf.is_full);
    buf_drop(&buf, 300);
    CHECK(buf.n == 0 && buf.is_full);
    buf_add_char(&buf, 'x'); /* full stays full until it is cleared */
    CHECK(buf.n == 0);
    buf_clear(&buf);
    buf_add(&buf, STR("a\0b"));
    CHECK_STR(buf_str(&buf), STR("a\0b"));
    CHECK(!buf_reserve(&buf, SIZE_MAX) && buf.is_full && buf.n == 3);
    buf_free(&buf);
    CHECK(buf.p == NULL && buf.n == 0 && buf.cap == 0 && buf.limit == 300);
    buf_free(&buf);
}

static void buffers_print_and_drop(void)
{
    struct buf buf;
    buf_init(&buf, 4096);
    buf_printf(&buf, "%s", "");
    buf_printf(&buf, "%d,", 17);
    buf_add(&buf, STR("abc"));
    buf_drop(&buf, 0);
    buf_drop(&buf, 2);
    CHECK_STR(buf_str(&buf), STR(",abc"));
    buf_drop(&buf, 4);
    CHECK(buf.n == 0);
    for (int i = 0; i < 400; i++)
        buf_printf(&buf, "%08d", i);
    CHECK(buf.n == 3200 && !buf.is_full);
    CHECK_STR(str_sub(buf_str(&buf), 3192, 3200), STR("00000399"));
    buf_printf(&buf, "%*d", 4096, 1);
    CHECK(buf.n == 3200 && buf.is_full);
    buf_free(&buf);
    buf_init(&buf, 0);
    buf_add_char(&buf, 'x');
    CHECK(buf.is_full && buf.p == NULL);
    buf_free(&buf);
}

static void every_status_has_a_text(void)
{
    for (int i = 0; i < STATUS_COUNT; i++)
        CHECK_ROW(status_text((enum status)i)[0] != '\0', "status %d", i);
}

int main(void)
{
    RUN(equality_counts_every_byte);
    RUN(order_is_bytewise_and_total);
    RUN(searching);
    RUN(cutting);
    RUN(trimming);
    RUN(integers_are_strict);
    RUN(utf8_is_exact);
    RUN(distances);
    RUN(arenas_hand_out_clean_memory);
    RUN(arenas_refuse_what_does_not_fit);
    RUN(rewinding_keeps_one_block);
    RUN(arenas_copy_and_print);
    RUN(buffers_stop_at_their_limit);
    RUN(buffers_print_and_drop);
    RUN(every_status_has_a_text);
    return check_finish();
}
