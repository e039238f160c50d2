/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - from a file's bytes to a program: header, checksum, identity, section table, and then
 * the verifier. The bytes are copied first, so nothing can change under the checks. */
#include "runtime/bundle/program.h"
#include "runtime/bundle/verify.h"
#include "runtime/crypto/encode.h"
#include "runtime/crypto/secret.h"
#include "runtime/crypto/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

bool verify_fail(struct bundle_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return false;
}

static uint64_t content_checksum(Str bytes)
{
    uint64_t head = XXH3_64bits(bytes.p, BUNDLE_HASHED_HEAD);
    return XXH3_64bits_withSeed(bytes.p + BUNDLE_HASHED_REST, bytes.n - BUNDLE_HASHED_REST, head);
}

void bundle_seal(char *bytes, size_t count)
{
    ENSURE(count >= sizeof(struct bundle_header));
    Str content = { .p = bytes, .n = count };
    struct bundle_header header;
    memcpy(&header, bytes, sizeof header);
    header.checksum = content_checksum(content);
    bundle_identity(content, header.identity);
    memcpy(bytes, &header, sizeof header);
}

void bundle_identity(Str bytes, unsigned char identity[32])
{
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, str_sub(bytes, 0, BUNDLE_HASHED_HEAD));
    sha256_add(&hash, str_sub(bytes, BUNDLE_HASHED_REST, bytes.n));
    sha256_end(&hash, identity);
}

static enum status check_header(Str bytes, struct bundle_header *header, struct bundle_error *error)
{
    if (bytes.n < sizeof *header || memcmp(bytes.p, BUNDLE_MAGIC, sizeof header->magic) != 0) {
        (void)verify_fail(error, "not a bundle; mcpc compile makes one of a .pol file");
        return ST_INVALID;
    }
    memcpy(header, bytes.p, sizeof *header);
    if (header->format != BUNDLE_FORMAT) {
        (void)verify_fail(error, "bundle format %u; this program reads format %d", header->format,
                          BUNDLE_FORMAT);
        return ST_UNSUPPORTED;
    }
    if (header->total_bytes != bytes.n || header->reserved != 0) {
        (void)verify_fail(error, "the file is %zu bytes, its header says %llu", bytes.n,
                          (unsigned long long)header->total_bytes);
        return ST_INVALID;
    }
    if (header->checksum != content_checksum(bytes)) {
        (void)verify_fail(error, "the checksum does not match: the file is damaged");
        return ST_INVALID;
    }
    unsigned char identity[32];
    bundle_identity(bytes, identity);
    if (!bytes_equal_ct(identity, header->identity, sizeof identity)) {
        (void)verify_fail(error, "the identity does not match the content");
        return ST_INVALID;
    }
    if (header->section_count != SECTION_COUNT) {
        (void)verify_fail(error, "%u sections; format %d has %d", header->section_count,
                          BUNDLE_FORMAT, SECTION_COUNT);
        return ST_INVALID;
    }
    return ST_OK;
}

/* Where section i's bytes lie; each must begin where the one before ended, rounded up to eight,
 * and what lies between must be zero. */
static bool place_section(Str bytes, uint32_t i, uint64_t *end, const void **data, uint32_t *count,
                          struct bundle_error *error)
{
    struct bundle_section section;
    memcpy(&section, bytes.p + sizeof(struct bundle_header) + i * sizeof section, sizeof section);
    uint64_t start = (*end + 7) & ~UINT64_C(7);
    if (section.kind != i || section.pad != 0)
        return verify_fail(error, "section %u is of kind %u", i, section.kind);
    if (section.offset != start || start > bytes.n || section.count > UINT32_MAX - 1)
        return verify_fail(error, "section %s is misplaced", section_names[i]);
    uint64_t size = section.count * section_element_bytes[i];
    if (size > bytes.n - start)
        return verify_fail(error, "section %s goes past the end", section_names[i]);
    for (uint64_t at = *end; at < start; at++) {
        if (bytes.p[at] != 0)
            return verify_fail(error, "padding before section %s is not zero", section_names[i]);
    }
    *data = bytes.p + start;
    *count = (uint32_t)section.count;
    *end = start + size;
    return true;
}

static bool place_sections(struct program *program, struct bundle_error *error)
{
    Str bytes = program->bytes;
    uint64_t end = sizeof(struct bundle_header) + SECTION_COUNT * sizeof(struct bundle_section);
    if (bytes.n < end)
        return verify_fail(error, "the section table is cut off");
#define SECTION(NAME, name, type, doc)                                                             \
    const void *name##_data = NULL;                                                                \
    if (!place_section(bytes, SECTION_##NAME, &end, &name##_data,                                  \
                       &program->counts[SECTION_##NAME], error))                                   \
        return false;                                                                              \
    program->name = name##_data;
#include "runtime/bundle/section.def"
#undef SECTION
    return end == bytes.n || verify_fail(error, "something follows the last section");
}

static enum status load_copy(struct program *program, struct bundle_error *error)
{
    struct bundle_header header;
    enum status status = check_header(program->bytes, &header, error);
    if (status != ST_OK)
        return status;
    hex_encode((Str){ .p = (const char *)header.identity, .n = sizeof header.identity },
               program->id);
    if (!place_sections(program, error) || !program_verify(program, error))
        return ST_INVALID;
    if (program_index_servers(program))
        return ST_OK;
    (void)verify_fail(error, "out of memory");
    return ST_NO_MEMORY;
}

enum status program_load(Str bytes, struct program **out, struct bundle_error *error)
{
    if (bytes.n > BUNDLE_BYTES_MAX) {
        (void)verify_fail(error, "%zu bytes; a bundle has at most %d", bytes.n, BUNDLE_BYTES_MAX);
        return ST_LIMIT;
    }
    struct program *program = calloc(1, sizeof *program);
    char *copy = malloc(bytes.n ? bytes.n : 1); /* malloc aligns for any record */
    if (!program || !copy) {
        free(program);
        free(copy);
        (void)verify_fail(error, "out of memory");
        return ST_NO_MEMORY;
    }
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    program->bytes = (Str){ .p = copy, .n = bytes.n };
    program->references = 1;
    enum status status = load_copy(program, error);
    if (status == ST_OK)
        *out = program;
    else
        program_release(program);
    return status;
}

static enum status read_all(int fd, struct buf *bytes)
{
    for (;;) {
        if (!buf_reserve(bytes, 65536))
            return ST_LIMIT;
        ssize_t n = read(fd, bytes->p + bytes->n, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ST_IO;
        if (n == 0)
            return ST_OK;
        bytes->n += (size_t)n;
    }
}

/* Without waiting, and only a file: a pipe in its place would hold up everybody. */
static int open_file(const char *path, struct bundle_error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        (void)verify_fail(error, "can't open it: %s", strerror(errno));
        return -1;
    }
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
        return fd;
    (void)verify_fail(error, "it is no file");
    (void)close(fd);
    return -1;
}

enum status program_read(const char *path, struct program **out, struct bundle_error *error)
{
    int fd = open_file(path, error);
    if (fd < 0)
        return ST_IO;
    struct buf bytes;
    buf_init(&bytes, (size_t)BUNDLE_BYTES_MAX + 65537);
    enum status status = read_all(fd, &bytes);
    if (status != ST_OK)
        (void)verify_fail(error, "can't read it: %s", status_text(status));
    else
        status = program_load(buf_str(&bytes), out, error);
    buf_free(&bytes);
    (void)close(fd);
    return status;
}
