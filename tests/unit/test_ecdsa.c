/* SPDX-License-Identifier: Apache-2.0 */
/* test_ecdsa.c - keys and signatures: round trips, known answers of RFC 6979, and hostile input,
 * none of which may verify or crash. */
#include "runtime/crypto/ecdsa.h"
#include "tests/unit/check.h"

/* RFC 6979, A.2.5: P-256 with SHA-256, as SEC 1 PEM. */
static const char rfc_key[] = "-----BEGIN EC PRIVATE KEY-----\n"
                              "MDECAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
                              "AwEH\n"
                              "-----END EC PRIVATE KEY-----\n";

static const struct {
    Str message;
    unsigned char r[32], s[32];
} rfc_rows[] = {
    { STR_INIT("sample"),
      { 0xEF, 0xD4, 0x8B, 0x2A, 0xAC, 0xB6, 0xA8, 0xFD, 0x11, 0x40, 0xDD,
        0x9C, 0xD4, 0x5E, 0x81, 0xD6, 0x9D, 0x2C, 0x87, 0x7B, 0x56, 0xAA,
        0xF9, 0x91, 0xC3, 0x4D, 0x0E, 0xA8, 0x4E, 0xAF, 0x37, 0x16 },
      { 0xF7, 0xCB, 0x1C, 0x94, 0x2D, 0x65, 0x7C, 0x41, 0xD4, 0x36, 0xC7,
        0xA1, 0xB6, 0xE2, 0x9F, 0x65, 0xF3, 0xE9, 0x00, 0xDB, 0xB9, 0xAF,
        0xF4, 0x06, 0x4D, 0xC4, 0xAB, 0x2F, 0x84, 0x3A, 0xCD, 0xA8 } },
    { STR_INIT("test"),
      { 0xF1, 0xAB, 0xB0, 0x23, 0x51, 0x83, 0x51, 0xCD, 0x71, 0xD8, 0x81,
        0x56, 0x7B, 0x1E, 0xA6, 0x63, 0xED, 0x3E, 0xFC, 0xF6, 0xC5, 0x13,
        0x2B, 0x35, 0x4F, 0x28, 0xD3, 0xB0, 0xB7, 0xD3, 0x83, 0x67 },
      { 0x01, 0x9F, 0x41, 0x13, 0x74, 0x2A, 0x2B, 0x14, 0xBD, 0x25, 0x92,
        0x6B, 0x49, 0xC6, 0x49, 0x15, 0x5F, 0x26, 0x7E, 0x60, 0xD3, 0x81,
        0x4B, 0x4C, 0x0C, 0xC8, 0x42, 0x50, 0xE4, 0x6F, 0x00, 0x83 } },
};

static bool has_number(Str signature, size_t at, const unsigned char number[32])
{
    size_t skip = 0;
    while (skip < 31 && number[skip] == 0)
        skip++;
    return at + 2 < signature.n &&
           memcmp(signature.p + signature.n - (32 - skip), number + skip, 32 - skip) == 0;
}

static void known_answers(void)
{
    struct ecdsa_key *key = NULL;
    if (!CHECK(ecdsa_read_private(str_of(rfc_key), &key) == ST_OK))
        return;
    for (size_t i = 0; i < COUNT(rfc_rows); i++) {
        unsigned char out[ECDSA_SIGNATURE_MAX];
        size_t n = 0;
        CHECK(ecdsa_sign(key, rfc_rows[i].message, out, &n) == ST_OK);
        Str signature = { .p = (const char *)out, .n = n };
        /* 30 len 02 len [00] r 02 len [00] s: s ends the text; r ends before "02 len". */
        size_t r_length = out[3];
        Str first = str_sub(signature, 0, 4 + r_length);
        CHECK_ROW(has_number(signature, 4, rfc_rows[i].s), "row %zu, s", i);
        CHECK_ROW(has_number(first, 1, rfc_rows[i].r), "row %zu, r", i);
        CHECK(ecdsa_verify(key, rfc_rows[i].message, signature));
    }
    ecdsa_free(key);
}

static void pair_round_trip(void)
{
    struct ecdsa_key *key = NULL, *private = NULL, *public = NULL, *other = NULL;
    char pem[ECDSA_PEM_MAX];
    unsigned char out[ECDSA_SIGNATURE_MAX], again[ECDSA_SIGNATURE_MAX];
    size_t n = 0, m = 0;
    CHECK(ecdsa_generate(&key) == ST_OK && ecdsa_generate(&other) == ST_OK);
    CHECK(ecdsa_write_private(key, pem, &n) == ST_OK);
    CHECK(ecdsa_read_public((Str){ .p = pem, .n = n }, &public) == ST_INVALID);
    CHECK(ecdsa_read_private((Str){ .p = pem, .n = n }, &private) == ST_OK);
    CHECK(ecdsa_write_public(key, pem, &n) == ST_OK);
    CHECK(ecdsa_read_public((Str){ .p = pem, .n = n }, &public) == ST_OK);
    CHECK(ecdsa_sign(private, STR("message"), out, &n) == ST_OK);
    CHECK(ecdsa_sign(key, STR("message"), again, &m) == ST_OK);
    CHECK(n == m && memcmp(out, again, n) == 0); /* the same nonce for the same message */
    Str signature = { .p = (const char *)out, .n = n };
    CHECK(ecdsa_verify(public, STR("message"), signature));
    CHECK(!ecdsa_verify(public, STR("messagf"), signature));
    CHECK(!ecdsa_verify(public, STR(""), signature));
    CHECK(!ecdsa_verify(other, STR("message"), signature));
    ecdsa_free(key);
    ecdsa_free(private);
    ecdsa_free(public);
    ecdsa_free(other);
}

/* No change of one bit, no cut and no suffix leaves a signature good. */
static void damaged_signatures(void)
{
    struct ecdsa_key *key = NULL;
    unsigned char out[ECDSA_SIGNATURE_MAX], bad[ECDSA_SIGNATURE_MAX + 1];
    size_t n = 0;
    CHECK(ecdsa_generate(&key) == ST_OK && ecdsa_sign(key, STR("m"), out, &n) == ST_OK);
    for (size_t bit = 0; bit < n * 8; bit++) {
        memcpy(bad, out, n);
        bad[bit / 8] = (unsigned char)(bad[bit / 8] ^ (1U << bit % 8));
        CHECK_ROW(!ecdsa_verify(key, STR("m"), (Str){ .p = (const char *)bad, .n = n }), "bit %zu",
                  bit);
    }
    memcpy(bad, out, n);
    bad[n] = 0;
    for (size_t cut = 0; cut < n; cut++)
        CHECK(!ecdsa_verify(key, STR("m"), (Str){ .p = (const char *)bad, .n = cut }));
    CHECK(!ecdsa_verify(key, STR("m"), (Str){ .p = (const char *)bad, .n = n + 1 }));
    CHECK(!ecdsa_verify(key, STR("m"), (Str){ .p = NULL, .n = 0 }));
    ecdsa_free(key);
}

static void refused_keys(void)
{
    static const char p384[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE9qZne5FjtenGV4RwSsN/NQhqq3j/rhUw\n"
                               "LLadx+XSv//SHO+hUbefMHeDojoXoVmHaRoqgv0mWo2I7VNcSkZy3AZd5AQoupIu\n"
                               "Bdd78wj+W14uAsNErT3V8ihcnU6ddYL3\n"
                               "-----END PUBLIC KEY-----\n";
    static char large[ECDSA_PEM_MAX + 1];
    struct ecdsa_key *key = NULL;
    memset(large, 'A', sizeof large);
    CHECK(ecdsa_read_public(str_of(p384), &key) == ST_UNSUPPORTED);
    CHECK(ecdsa_read_public((Str){ .p = large, .n = sizeof large }, &key) == ST_LIMIT);
    CHECK(ecdsa_read_public((Str){ .p = large, .n = sizeof large - 1 }, &key) == ST_INVALID);
    CHECK(ecdsa_read_public(STR(""), &key) == ST_INVALID);
    CHECK(ecdsa_read_private(STR(""), &key) == ST_INVALID);
    CHECK(ecdsa_read_private(STR("-----BEGIN EC PRIVATE KEY-----\n\0"), &key) == ST_INVALID);
    /* Every beginning of a good key. */
    Str good = str_of(rfc_key);
    for (size_t cut = 0; cut + 2 < good.n; cut++)
        CHECK_ROW(ecdsa_read_private(str_sub(good, 0, cut), &key) != ST_OK, "cut at %zu", cut);
}

int main(void)
{
    RUN(known_answers);
    RUN(pair_round_trip);
    RUN(damaged_signatures);
    RUN(refused_keys);
    return check_finish();
}
