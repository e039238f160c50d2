/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/command/sarif.h"

#include "runtime/crypto/encode.h"
#include "runtime/crypto/sha256.h"
#include "runtime/json/json.h"

#define SCHEMA                                                                                     \
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

enum { SARIF_BYTES_MAX = 64 << 20, FINGERPRINT_BYTES = 8 };

void sarif_begin(struct sarif *sarif)
{
    buf_init(&sarif->results, SARIF_BYTES_MAX);
}

/* A path as a URI: absolute ones by the scheme file, all but plain characters escaped. */
static void add_uri(struct buf *out, Str path)
{
    static const char plain[] = "-._~/";
    buf_add_char(out, '"');
    if (str_starts(path, STR("/")))
        buf_add(out, STR("file://"));
    while (str_starts(path, STR("./")))
        path = str_sub(path, 2, path.n);
    for (size_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c && memchr(plain, c, sizeof plain - 1));
        if (is_plain)
            buf_add_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
    buf_add_char(out, '"');
}

static Str first_sentence(Str text)
{
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] == '.' && text.p[i + 1] == ' ')
            return str_sub(text, 0, i + 1);
    }
    return text;
}

static char letter(enum diag_id id)
{
    return diag_severity(id) == SEVERITY_ERROR ? 'E' : 'W';
}

static const char *level(enum diag_id id)
{
    return diag_severity(id) == SEVERITY_ERROR ? "error" : "warning";
}

static void add_rule(struct buf *out, enum diag_id id)
{
    Str explanation = str_of(diag_explanation(id));
    buf_printf(out, "%s\n{\"id\":\"%c%u\",\"name\":\"", id ? "," : "", letter(id), diag_number(id));
    bool is_first = true; /* of a word: NOT_BOOL is NotBool */
    for (const char *c = diag_name(id); *c; c++) {
        bool is_letter = *c >= 'A' && *c <= 'Z';
        if (*c != '_')
            buf_add_char(out, is_letter && !is_first ? (char)(*c | 0x20) : *c);
        is_first = *c == '_';
    }
    buf_add(out, STR("\",\"shortDescription\":{\"text\":"));
    json_write_string(out, first_sentence(explanation));
    buf_add(out, STR("},\"fullDescription\":{\"text\":"));
    json_write_string(out, explanation);
    buf_add(out, STR("},\"help\":{\"text\":"));
    json_write_string(out, explanation);
    buf_printf(out,
               "},\"defaultConfiguration\":{\"level\":\"%s\"},\"properties\":{\"tags\":"
               "[\"security\"]}}",
               level(id));
}

/* Of the rule, the file and the line's text without its indent: moving a line keeps it. The n-th
 * finding of the same is told apart by its number. */
static void add_fingerprint(struct buf *out, const struct compilation *c, const struct diag *diag,
                            Str line, uint32_t nth)
{
    unsigned char hash[SHA256_BYTES];
    char hex[HEX_SIZE(FINGERPRINT_BYTES)];
    struct sha256 sum;
    sha256_begin(&sum);
    sha256_add(&sum, str_of(diag_name(diag->id)));
    sha256_add(&sum, STR("\n"));
    sha256_add(&sum, c->sources.items[diag->span.source].path);
    sha256_add(&sum, STR("\n"));
    sha256_add(&sum, str_trim(line));
    sha256_end(&sum, hash);
    hex_encode((Str){ .p = (const char *)hash, .n = FINGERPRINT_BYTES }, hex);
    buf_printf(out, "\"partialFingerprints\":{\"primaryLocationLineHash\":\"%.*s:%u\"}",
               (int)sizeof hex, hex, nth);
}

/* Which of the findings of this kind on this line it is, from 1. */
static uint32_t number_of(const struct compilation *c, uint32_t index, uint32_t line)
{
    uint32_t nth = 1, other, column;
    const struct diag *diag = &c->diags.items[index];
    for (uint32_t i = 0; i < index; i++) {
        const struct diag *before = &c->diags.items[i];
        if (before->id != diag->id || before->span.source != diag->span.source)
            continue;
        source_position(&c->sources.items[before->span.source], before->span.lo, &other, &column);
        nth += other == line;
    }
    return nth;
}

static void add_place(struct buf *out, const struct compilation *c, uint32_t index)
{
    const struct diag *diag = &c->diags.items[index];
    const struct source *source = &c->sources.items[diag->span.source];
    uint32_t line, column, end_line, end_column;
    source_position(source, diag->span.lo, &line, &column);
    source_position(source, diag->span.hi, &end_line, &end_column);
    buf_add(out, STR(",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":"));
    add_uri(out, source->path);
    if (!str_starts(source->path, STR("/")))
        buf_add(out, STR(",\"uriBaseId\":\"%SRCROOT%\""));
    buf_printf(out,
               "},\"region\":{\"startLine\":%u,\"startColumn\":%u,\"endLine\":%u,\"endColumn\":%u"
               "}}}],",
               line, column, end_line, end_column);
    add_fingerprint(out, c, diag, source_line(source, line), number_of(c, index, line));
}

static void add_result(struct buf *out, const struct compilation *c, uint32_t index)
{
    const struct diag *diag = &c->diags.items[index];
    buf_printf(out,
               "%s\n{\"ruleId\":\"%c%u\",\"ruleIndex\":%u,\"level\":\"%s\",\"message\":{\"text\":",
               out->n ? "," : "", letter(diag->id), diag_number(diag->id), (unsigned)diag->id,
               level(diag->id));
    struct buf text;
    buf_init(&text, (size_t)DIAG_TEXT_BYTES * 3);
    buf_add(&text, diag->message);
    if (diag->help.n) {
        buf_add(&text, STR("; "));
        buf_add(&text, diag->help);
    }
    json_write_string(out, buf_str(&text));
    buf_free(&text);
    buf_add_char(out, '}');
    if (diag->span.source < c->sources.count)
        add_place(out, c, index);
    buf_add_char(out, '}');
}

void sarif_add(struct sarif *sarif, struct compilation *c)
{
    for (uint32_t i = 0; i < c->diags.count; i++)
        add_result(&sarif->results, c, i);
}

enum exit_code sarif_end(struct sarif *sarif)
{
    struct buf out;
    buf_init(&out, SARIF_BYTES_MAX);
    buf_add(&out, STR("{\"$schema\":\"" SCHEMA "\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{"
                      "\"driver\":{\"name\":\"mcpc\",\"semanticVersion\":\"" MCP_VERSION
                      "\",\"rules\":["));
    for (unsigned i = 0; i < DIAG_COUNT; i++)
        add_rule(&out, (enum diag_id)i);
    buf_add(&out,
            STR("]}},\"columnKind\":\"unicodeCodePoints\",\"originalUriBaseIds\":{"
                "\"%SRCROOT%\":{\"description\":{\"text\":\"The folder in which mcpc ran.\"}}},"
                "\"results\":["));
    buf_add(&out, buf_str(&sarif->results));
    buf_add(&out, STR("]}]}\n"));
    enum exit_code code = out.is_full || sarif->results.is_full
                              ? usage_error("the findings are too large")
                              : put_text(buf_str(&out));
    buf_free(&out);
    buf_free(&sarif->results);
    return code;
}
