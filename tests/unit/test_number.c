/* SPDX-License-Identifier: Apache-2.0 */
/* test_number.c - exact decimals: against 128-bit integers, and on the literals that trip parsers.
 */
#include "runtime/bundle/decimal.h"
#include "runtime/bundle/number.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static const struct {
    const char *a, *b;
    int order;
} order_rows[] = {
    { "0", "-0", 0 },
    { "0", "0.000e99", 0 },
    { "1", "1.0", 0 },
    { "1", "10e-1", 0 },
    { "100", "1e2", 0 },
    { "0.1", "0.10000000000000000000000000000000000001", -1 },
    { "9007199254740993", "9007199254740992", 1 },
    { "-5", "3", -1 },
    { "-5", "-3", -1 },
    { "0.001", "0.0009999", 1 },
    { "5", "50", -1 },
    { "50.00", "50", 0 },
    { "1e-400", "0", 1 },
    { "-1e-400", "0", -1 },
    { "1e1000000", "9e999999", 1 },
    { "123456789012345678901234567890", "123456789012345678901234567891", -1 },
};

static void test_order(void)
{
    for (size_t i = 0; i < COUNT(order_rows); i++) {
        struct number a, b;
        bool is_read =
            number_parse(str_of(order_rows[i].a), &a) && number_parse(str_of(order_rows[i].b), &b);
        CHECK_ROW(is_read && number_cmp(&a, &b) == order_rows[i].order &&
                      number_cmp(&b, &a) == -order_rows[i].order,
                  "%s against %s", order_rows[i].a, order_rows[i].b);
    }
}

static const char *const refused[] = {
    "",      "-",    "+1",        ".5",         "1.",  "01", "-01", "1e",  "1e+",
    "1e1.5", "0x10", "1e1000001", "1e-1000001", "NaN", "1 ", " 1",  "1,0", "1e99999999999999999999",
    "--1",   "1..2", "1e5e5",     "Infinity",
};

static void test_refused(void)
{
    struct number number;
    for (size_t i = 0; i < COUNT(refused); i++)
        CHECK_ROW(!number_parse(str_of(refused[i]), &number), "\"%s\" is no number", refused[i]);
    CHECK(!number_parse((Str){ .p = "1\0", .n = 2 }, &number));
}

/* value = mantissa * 10^exponent written with a point somewhere: the same number in many spellings.
 */
static Str spell(char *out, size_t room, long mantissa, int exponent)
{
    int zeros = mantissa ? rand() % 3 : 0, form = rand() % 3;
    int n;
    if (form == 0)
        n = snprintf(out, room, "%lde%d", mantissa, exponent);
    else if (form == 1)
        n = snprintf(out, room, "%ld%.*s%s%d", mantissa, zeros, "000", zeros & 1 ? "E" : "e",
                     exponent - zeros);
    else
        n = snprintf(out, room, "%ld.%.*se%+d", mantissa, zeros + 1, "0000", exponent);
    return (Str){ .p = out, .n = (size_t)n };
}

__extension__ typedef __int128 Wide;

static Wide scaled(long mantissa, int exponent)
{
    Wide value = mantissa;
    for (int i = 0; i < exponent + 8; i++)
        value *= 10;
    return value;
}

static void test_against_integers(void)
{
    char text_a[64], text_b[64], canon_a[96], canon_b[96];
    srand(7);
    for (int i = 0; i < 200000 && check_ok; i++) {
        long ma = rand() % 2000 - 1000, mb = rand() % 4 ? rand() % 2000 - 1000 : ma;
        int ea = rand() % 16 - 8, eb = rand() % 4 ? rand() % 16 - 8 : ea;
        struct number a, b;
        Str sa = spell(text_a, sizeof text_a, ma, ea), sb = spell(text_b, sizeof text_b, mb, eb);
        if (!CHECK_ROW(number_parse(sa, &a) && number_parse(sb, &b), "%s %s", text_a, text_b))
            return;
        Wide va = scaled(ma, ea), vb = scaled(mb, eb);
        int want = va < vb ? -1 : va > vb;
        CHECK_ROW(number_cmp(&a, &b) == want, "%s against %s", text_a, text_b);
        Str ca = { .p = canon_a, .n = number_canonical(&a, canon_a, sizeof canon_a) };
        Str cb = { .p = canon_b, .n = number_canonical(&b, canon_b, sizeof canon_b) };
        CHECK_ROW(str_eq(ca, cb) == (want == 0), "canonical %s of %s, %s of %s", canon_a, text_a,
                  canon_b, text_b);
        struct number again;
        CHECK_ROW(number_parse(ca, &again) && number_cmp(&again, &a) == 0, "canonical of %s",
                  text_a);
    }
}

/* Where a difference has more digits than a decimal, too. */
static void order_of_decimals(void)
{
    static const Decimal ascending[] = {
        { -999999999999999999, 0 },
        { -10, 0 },
        { -123456789012345678, 18 },
        { 0, 0 },
        { 1, 18 },
        { 123456789012345678, 18 },
        { 5, 1 },
        { 10, 0 },
        { 999999999999999999, 0 },
    };
    for (size_t i = 0; i < COUNT(ascending); i++)
        for (size_t k = 0; k < COUNT(ascending); k++) {
            int order = decimal_cmp(ascending[i], ascending[k]);
            CHECK_ROW((order > 0) == (i > k) && (order < 0) == (i < k), "rows %zu and %zu", i, k);
        }
}

int main(void)
{
    RUN(test_order);
    RUN(test_refused);
    RUN(test_against_integers);
    RUN(order_of_decimals);
    return check_finish();
}
