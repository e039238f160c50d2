/* SPDX-License-Identifier: Apache-2.0 */
/* test_seal.c - sealed texts and where their keys come from: every bit that is changed shows, a
 * text opens in its own row only, old keys still open, bad files are refused. */
#include "runtime/crypto/encode.h"
#include "runtime/crypto/master_key.h"
#include "runtime/crypto/secret.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const unsigned char key_a[SEAL_KEY_BYTES] = { 1, 2, 3 };
static const unsigned char key_b[SEAL_KEY_BYTES] = { 4, 5, 6 };

static struct seal_ring *ring_of(uint32_t id, const unsigned char key[SEAL_KEY_BYTES])
{
    struct seal_ring *ring = NULL;
    ENSURE(seal_ring_open(&ring) == ST_OK && seal_ring_add(ring, id, key) == ST_OK);
    return ring;
}

/* Opened, or the name of the status. */
static Str opened(const struct seal_ring *ring, Str sealed, Str identity)
{
    static char text[SEAL_TEXT_MAX];
    struct buf out;
    ENSURE(secret_buf_open(&out, SEAL_TEXT_MAX));
    enum status status = unseal(ring, sealed, identity, &out);
    Str result = str_of(status_text(status));
    if (status == ST_OK) {
        if (out.n)
            memcpy(text, out.p, out.n);
        result = (Str){ .p = text, .n = out.n };
    }
    secret_buf_close(&out);
    return result;
}

static void test_round_trip(void)
{
    static char longest[SEAL_TEXT_MAX + 1];
    struct seal_ring *ring = ring_of(7, key_a);
    struct buf a, b;
    buf_init(&a, (size_t)2 * SEAL_TEXT_MAX);
    buf_init(&b, (size_t)2 * SEAL_TEXT_MAX);
    CHECK(seal(ring, STR("a\0secret"), STR("row/1"), &a) == ST_OK && a.n == 8 + SEAL_OVERHEAD);
    CHECK(seal(ring, STR("a\0secret"), STR("row/1"), &b) == ST_OK);
    CHECK(!str_eq(buf_str(&a), buf_str(&b)) && seal_key_of(buf_str(&a)) == 7);
    CHECK(!str_contains(buf_str(&a), STR("secret")));
    CHECK_STR(opened(ring, buf_str(&a), STR("row/1")), STR("a\0secret"));
    CHECK_STR(opened(ring, buf_str(&a), STR("row/2")), STR("refused"));
    CHECK_STR(opened(ring, buf_str(&a), STR("")), STR("refused"));
    buf_clear(&a);
    CHECK(seal(ring, STR(""), STR(""), &a) == ST_OK);
    CHECK_STR(opened(ring, buf_str(&a), STR("")), STR(""));
    buf_clear(&a);
    CHECK(seal(ring, (Str){ longest, SEAL_TEXT_MAX }, STR("x"), &a) == ST_OK);
    CHECK(opened(ring, buf_str(&a), STR("x")).n == SEAL_TEXT_MAX);
    CHECK(seal(ring, (Str){ longest, sizeof longest }, STR("x"), &a) == ST_LIMIT);
    buf_free(&a);
    buf_free(&b);
    seal_ring_close(ring);
}

/* Each bit of head, nonce, text and tag counts; so does each byte that is missing. */
static void test_tampering(void)
{
    struct seal_ring *ring = ring_of(1, key_a);
    struct buf sealed;
    buf_init(&sealed, 256);
    CHECK(seal(ring, STR("token"), STR("row"), &sealed) == ST_OK);
    for (size_t bit = 0; bit < sealed.n * 8; bit++) {
        sealed.p[bit / 8] = (char)(sealed.p[bit / 8] ^ (char)(1 << bit % 8));
        CHECK_ROW(!str_eq(opened(ring, buf_str(&sealed), STR("row")), STR("token")), "%zu", bit);
        sealed.p[bit / 8] = (char)(sealed.p[bit / 8] ^ (char)(1 << bit % 8));
    }
    for (size_t n = 0; n < sealed.n; n++)
        CHECK_ROW(!str_eq(opened(ring, str_sub(buf_str(&sealed), 0, n), STR("row")), STR("token")),
                  "%zu bytes", n);
    CHECK_STR(opened(ring, buf_str(&sealed), STR("row")), STR("token"));
    buf_free(&sealed);
    seal_ring_close(ring);
}

static void test_rotation(void)
{
    struct seal_ring *old = ring_of(1, key_a), *both = ring_of(1, key_a), *new = ring_of(2, key_b);
    struct seal_ring *empty = NULL, *other = ring_of(1, key_b);
    struct buf first, second;
    buf_init(&first, 256);
    buf_init(&second, 256);
    ENSURE(seal_ring_open(&empty) == ST_OK);
    CHECK(seal_ring_add(both, 2, key_b) == ST_OK && seal_ring_newest(both) == 2);
    CHECK(seal_ring_add(both, 2, key_a) == ST_CONFLICT && seal_ring_add(both, 0, key_a) != ST_OK);
    CHECK(seal(old, STR("t"), STR("r"), &first) == ST_OK);
    CHECK(seal(both, STR("t"), STR("r"), &second) == ST_OK && seal_key_of(buf_str(&second)) == 2);
    CHECK_STR(opened(both, buf_str(&first), STR("r")), STR("t"));
    CHECK_STR(opened(new, buf_str(&second), STR("r")), STR("t"));
    CHECK_STR(opened(new, buf_str(&first), STR("r")), STR("not found"));
    CHECK_STR(opened(other, buf_str(&first), STR("r")), STR("refused"));
    CHECK(seal(empty, STR("t"), STR("r"), &second) == ST_NOT_FOUND);
    for (uint32_t id = 1; id <= SEAL_KEYS_MAX; id++)
        CHECK(seal_ring_add(empty, id, key_a) == ST_OK);
    CHECK(seal_ring_add(empty, SEAL_KEYS_MAX + 1, key_a) == ST_LIMIT);
    buf_free(&first);
    buf_free(&second);
    seal_ring_close(old);
    seal_ring_close(both);
    seal_ring_close(new);
    seal_ring_close(empty);
    seal_ring_close(other);
}

#define KEY1 "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static enum status parsed(Str text)
{
    struct seal_ring *ring = NULL;
    ENSURE(seal_ring_open(&ring) == ST_OK);
    enum status status = master_key_parse(text, ring);
    seal_ring_close(ring);
    return status;
}

static void test_texts(void)
{
    CHECK(parsed(STR("1 " KEY1)) == ST_OK);
    CHECK(parsed(STR("# keys\n\n2 " KEY1 " \n1 " KEY1 "\n")) == ST_OK);
    static const Str bad[] = {
        STR_INIT(""),
        STR_INIT("# only words\n"),
        STR_INIT(KEY1),
        STR_INIT("0 " KEY1),
        STR_INIT("01 " KEY1),
        STR_INIT("-1 " KEY1),
        STR_INIT("4294967296 " KEY1),
        STR_INIT("1  " KEY1),
        STR_INIT("1 " KEY1 "="),
        STR_INIT("1 AQID"),
        STR_INIT("1 " KEY1 "\n1 " KEY1),
        STR_INIT("1 " KEY1 "\0"),
        STR_INIT("1 " KEY1 "\nx"),
        STR_INIT("1 " KEY1 "\r\n"),
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(parsed(bad[i]) == ST_INVALID, "row %zu", i);
}

static enum status from_file(const char *path)
{
    struct seal_ring *ring = NULL;
    ENSURE(seal_ring_open(&ring) == ST_OK);
    enum status status = master_key_read_file(path, ring);
    seal_ring_close(ring);
    return status;
}

static void test_files(void)
{
    struct scratch_path path = scratch_path("keys");
    char text[256];
    CHECK(from_file(path.text) == ST_NOT_FOUND);
    CHECK(master_key_make_file(path.text) == ST_OK && from_file(path.text) == ST_OK);
    CHECK(master_key_make_file(path.text) == ST_CONFLICT);
    CHECK(scratch_read(path.text, text, sizeof text) == 2 + BASE64URL_SIZE(SEAL_KEY_BYTES) + 1);
    static const mode_t open_modes[] = { 0640, 0604, 0620, 0602, 0610, 0777 };
    for (size_t i = 0; i < COUNT(open_modes); i++) {
        CHECK(chmod(path.text, open_modes[i]) == 0);
        CHECK_ROW(from_file(path.text) == ST_DENIED, "mode %o", (unsigned)open_modes[i]);
    }
    CHECK(chmod(path.text, 0400) == 0 && from_file(path.text) == ST_OK);
    CHECK(chmod(path.text, 0600) == 0);
    static char large[MASTER_KEY_TEXT_MAX + 1];
    memset(large, '#', sizeof large);
    scratch_write(path.text, (Str){ large, sizeof large });
    CHECK(from_file(path.text) == ST_LIMIT);
    CHECK(from_file("/dev/null") == ST_INVALID);
    CHECK(from_file("/") == ST_INVALID || from_file("/") == ST_IO);
}

/* The kernel shows the process's first environment, which is where the variable stood. */
static void test_variables(void)
{
    struct seal_ring *ring = NULL;
    char value[] = "MCPD_TEST_KEY=9 " KEY1;
    ENSURE(seal_ring_open(&ring) == ST_OK);
    CHECK(master_key_read_variable("MCPD_TEST_KEY", ring) == ST_NOT_FOUND);
    ENSURE(putenv(value) == 0);
    CHECK(master_key_read_variable("MCPD_TEST_KEY", ring) == ST_OK && seal_ring_newest(ring) == 9);
    CHECK(!getenv("MCPD_TEST_KEY"));
    CHECK(memcmp(value + strlen("MCPD_TEST_KEY="), "\0\0\0", 3) == 0);
    seal_ring_close(ring);
}

static void test_credentials(void)
{
    struct seal_ring *ring = NULL;
    struct scratch_path path = scratch_path("mcpd-keys"), folder = scratch_path("");
    ENSURE(seal_ring_open(&ring) == ST_OK);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    CHECK(master_key_read_credential("mcpd-keys", ring) == ST_NOT_FOUND);
    ENSURE(setenv("CREDENTIALS_DIRECTORY", folder.text, 1) == 0);
    CHECK(master_key_read_credential("mcpd-keys", ring) == ST_NOT_FOUND);
    scratch_write(path.text, STR("3 " KEY1 "\n"));
    CHECK(master_key_read_credential("mcpd-keys", ring) == ST_OK && seal_ring_newest(ring) == 3);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    seal_ring_close(ring);
}

int main(void)
{
    RUN(test_round_trip);
    RUN(test_tampering);
    RUN(test_rotation);
    RUN(test_texts);
    RUN(test_files);
    RUN(test_variables);
    RUN(test_credentials);
    return check_finish();
}
