/* SPDX-License-Identifier: Apache-2.0 */
/* test_crypto.c - known hashes, and decoders that accept exactly what the encoders write. */
#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"
#include "runtime/crypto/secret.h"
#include "runtime/crypto/sha256.h"
#include "tests/unit/check.h"

/* FIPS 180-4 examples. */
static const struct {
    Str in, hex;
} hashes[] = {
    { STR_INIT(""), STR_INIT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") },
    { STR_INIT("abc"),
      STR_INIT("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") },
    { STR_INIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      STR_INIT("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1") },
};

static void known_hashes(void)
{
    for (size_t i = 0; i < COUNT(hashes); i++) {
        unsigned char out[SHA256_BYTES];
        char hex[HEX_SIZE(SHA256_BYTES)];
        sha256(hashes[i].in, out);
        hex_encode((Str){ .p = (const char *)out, .n = sizeof out }, hex);
        CHECK_STR(((Str){ .p = hex, .n = sizeof hex }), hashes[i].hex);
    }
    unsigned char nothing[SHA256_BYTES], empty[SHA256_BYTES];
    sha256((Str){ .p = NULL, .n = 0 }, nothing);
    sha256(STR(""), empty);
    CHECK(bytes_equal_ct(nothing, empty, sizeof empty));
}

static void pieces_equal_the_whole(void)
{
    static char text[300];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    Str all = { .p = text, .n = sizeof text };
    unsigned char want[SHA256_BYTES], got[SHA256_BYTES];
    sha256(all, want);
    for (size_t cut = 0; cut <= all.n; cut++) {
        struct sha256 hash;
        sha256_begin(&hash);
        sha256_add(&hash, str_sub(all, 0, cut));
        sha256_add(&hash, str_sub(all, cut, all.n));
        sha256_end(&hash, got);
        CHECK_ROW(bytes_equal_ct(got, want, sizeof want), "cut at %zu", cut);
    }
}

static void comparison_sees_each_bit(void)
{
    unsigned char a[32], b[32];
    world_entropy(a, sizeof a);
    for (size_t bit = 0; bit < sizeof a * 8; bit++) {
        memcpy(b, a, sizeof a);
        CHECK(bytes_equal_ct(a, b, sizeof a));
        b[bit / 8] = (unsigned char)(b[bit / 8] ^ (1U << bit % 8));
        CHECK_ROW(!bytes_equal_ct(a, b, sizeof a), "bit %zu", bit);
        CHECK_ROW(bytes_equal_ct(a, b, bit / 8), "before bit %zu", bit);
    }
    CHECK(bytes_equal_ct(NULL, NULL, 0));
}

static void wiping_reaches_all_and_no_more(void)
{
    unsigned char bytes[5] = { 1, 2, 3, 4, 5 };
    secret_wipe(bytes + 1, 3);
    CHECK(bytes[0] == 1 && !bytes[1] && !bytes[2] && !bytes[3] && bytes[4] == 5);
    secret_wipe(NULL, 0);
}

static const struct {
    Str in;
    size_t count;
    bool is_good;
} hex_cases[] = {
    { STR_INIT(""), 0, true },        { STR_INIT("00ff7a"), 3, true },
    { STR_INIT("00ff7"), 3, false },  { STR_INIT("00ff7"), 2, false },
    { STR_INIT("00FF7a"), 3, false }, { STR_INIT("00ff7a"), 2, false },
    { STR_INIT("0g"), 1, false },     { STR_INIT("g0"), 1, false },
    { STR_INIT("\0\0"), 1, false },   { STR_INIT("0x"), 1, false },
    { STR_INIT(" 0"), 1, false },     { STR_INIT("00ff7a"), 4, false },
    { STR_INIT("/0"), 1, false },     { STR_INIT(":0"), 1, false },
    { STR_INIT("`0"), 1, false },
};

static void hex_is_strict(void)
{
    for (size_t i = 0; i < COUNT(hex_cases); i++) {
        unsigned char out[8];
        bool is_good = hex_decode(hex_cases[i].in, out, hex_cases[i].count);
        CHECK_ROW(is_good == hex_cases[i].is_good, "hex \"%.*s\"", STR_ARG(hex_cases[i].in));
    }
}

/* RFC 4648, section 10, and what must be refused. */
static const struct {
    Str text, bytes;
    bool is_good;
} base64_cases[] = {
    { STR_INIT(""), STR_INIT(""), true },
    { STR_INIT("Zg=="), STR_INIT("f"), true },
    { STR_INIT("Zm8="), STR_INIT("fo"), true },
    { STR_INIT("Zm9v"), STR_INIT("foo"), true },
    { STR_INIT("Zm9vYg=="), STR_INIT("foob"), true },
    { STR_INIT("Zm9vYmE="), STR_INIT("fooba"), true },
    { STR_INIT("Zm9vYmFy"), STR_INIT("foobar"), true },
    { STR_INIT("+/+/"), STR_INIT("\xfb\xff\xbf"), true },
    { STR_INIT("-_-_"), STR_INIT(""), false },
    { STR_INIT("Zg"), STR_INIT(""), false },
    { STR_INIT("Zg="), STR_INIT(""), false },
    { STR_INIT("Zg==="), STR_INIT(""), false },
    { STR_INIT("Zh=="), STR_INIT(""), false },
    { STR_INIT("Zm9="), STR_INIT(""), false },
    { STR_INIT("Zm8=Zm8="), STR_INIT(""), false },
    { STR_INIT("Zg==Zg=="), STR_INIT(""), false },
    { STR_INIT("===="), STR_INIT(""), false },
    { STR_INIT("Z==="), STR_INIT(""), false },
    { STR_INIT("=Zg="), STR_INIT(""), false },
    { STR_INIT("Zm9v\n"), STR_INIT(""), false },
    { STR_INIT("Zm 9"), STR_INIT(""), false },
    { STR_INIT("Zm9\0"), STR_INIT(""), false },
    { STR_INIT("Zm9\xc3"), STR_INIT(""), false },
};

static void base64_is_strict(void)
{
    for (size_t i = 0; i < COUNT(base64_cases); i++) {
        unsigned char out[16];
        size_t n = 99;
        Str text = base64_cases[i].text;
        bool is_good = base64_decode(text, out, sizeof out, &n);
        CHECK_ROW(is_good == base64_cases[i].is_good, "base64 \"%.*s\"", STR_ARG(text));
        CHECK(is_good || n == 99);
        if (is_good)
            CHECK_STR(((Str){ .p = (const char *)out, .n = n }), base64_cases[i].bytes);
    }
}

static void base64url_is_strict(void)
{
    static const char *const bad[] = {
        "Zg==", "Zh", "Zm9", "A", "AAAAA", "+/+/", "Zm9v ", "Zm9v="
    };
    unsigned char out[16];
    size_t n;
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(!base64url_decode(str_of(bad[i]), out, sizeof out, &n), "base64url %s", bad[i]);
    CHECK(base64url_decode(STR("-_-_"), out, sizeof out, &n) && n == 3 && out[0] == 0xfb);
    CHECK(base64url_decode(STR("Zg"), out, 1, &n) && n == 1);
    CHECK(!base64url_decode(STR("Zg"), out, 0, &n));
    CHECK(!base64url_decode(STR("Zm9v"), out, 2, &n));
    CHECK(!base64_decode(STR("Zm8="), out, 1, &n));
}

static void each_length_survives(void)
{
    for (size_t len = 0; len <= 67; len++) {
        unsigned char bytes[67], back[67];
        char text[BASE64_SIZE(67) + 1];
        size_t n = 0;
        world_entropy(bytes, sizeof bytes);
        Str in = { .p = (const char *)bytes, .n = len };
        text[BASE64_SIZE(len)] = '!';
        base64_encode(in, text);
        Str std = { .p = text, .n = BASE64_SIZE(len) };
        CHECK_ROW(base64_decode(std, back, len, &n) && n == len && !memcmp(back, bytes, len) &&
                      text[std.n] == '!',
                  "base64 of %zu bytes", len);
        text[BASE64URL_SIZE(len)] = '!';
        base64url_encode(in, text);
        Str url = { .p = text, .n = BASE64URL_SIZE(len) };
        CHECK_ROW(base64url_decode(url, back, len, &n) && n == len && !memcmp(back, bytes, len) &&
                      text[url.n] == '!',
                  "base64url of %zu bytes", len);
        CHECK(len <= BASE64_BYTES_MAX(url.n));
    }
}

/* Of all texts of two and three characters, those accepted are those the encoder writes. */
static void one_text_per_byte_string(void)
{
    size_t two = 0, three = 0;
    for (unsigned i = 0; i < 1U << 16; i++) {
        char text[3] = { (char)(i >> 8), (char)i, 'A' };
        unsigned char out[2];
        size_t n;
        two += base64url_decode((Str){ .p = text, .n = 2 }, out, sizeof out, &n);
        for (unsigned last = 0; last < 256; last++) {
            text[2] = (char)last;
            three += base64url_decode((Str){ .p = text, .n = 3 }, out, sizeof out, &n);
        }
    }
    CHECK(two == 256);
    CHECK(three == 65536);
}

int main(void)
{
    RUN(known_hashes);
    RUN(pieces_equal_the_whole);
    RUN(comparison_sees_each_bit);
    RUN(wiping_reaches_all_and_no_more);
    RUN(hex_is_strict);
    RUN(base64_is_strict);
    RUN(base64url_is_strict);
    RUN(each_length_survives);
    RUN(one_text_per_byte_string);
    return check_finish();
}
