/* SPDX-License-Identifier: Apache-2.0 */
/* test_lsp.c - the language server's parts that a client library never breaks: framing cut
 * anywhere, positions in both encodings, URIs, and words for every keyword. */
#include "compiler/lsp/describe.h"
#include "compiler/lsp/frame.h"
#include "compiler/lsp/position.h"
#include "compiler/lsp/uri.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static const Str keywords[] = {
#define KEYWORD(word, token) STR_INIT(#word),
#define RESERVED(word)
#include "compiler/syntax/keyword.def"
#undef KEYWORD
#undef RESERVED
};

static const Str documented[] = {
#define KEYWORD_DOC(word, doc) STR_INIT(#word),
#include "compiler/lsp/keyword_doc.def"
#undef KEYWORD_DOC
};

static void every_keyword_has_words(void)
{
    for (size_t i = 0; i < COUNT(keywords); i++)
        CHECK_ROW(keyword_doc(keywords[i]) != NULL,
                  "keyword.def has %.*s: give it a row in compiler/lsp/keyword_doc.def",
                  STR_ARG(keywords[i]));
    for (size_t i = 0; i < COUNT(documented); i++) {
        bool is_keyword = false;
        for (size_t k = 0; k < COUNT(keywords); k++)
            is_keyword |= str_eq(keywords[k], documented[i]);
        CHECK_ROW(is_keyword, "keyword_doc.def has %.*s, which is no keyword",
                  STR_ARG(documented[i]));
    }
}

/* Feeds all of stream in two parts; returns the bodies that came out, each with a '|' behind it. */
static enum frame read_in_two(Str stream, size_t cut, struct buf *bodies)
{
    struct frame_reader reader;
    Str parts[2] = { str_sub(stream, 0, cut), str_sub(stream, cut, stream.n) }, body;
    enum frame last = FRAME_NONE;
    frame_init(&reader);
    buf_clear(bodies);
    for (size_t i = 0; i < COUNT(parts); i++) {
        CHECK(frame_feed(&reader, parts[i]));
        while ((last = frame_next(&reader, &body)) == FRAME_MESSAGE) {
            buf_add(bodies, body);
            buf_add_char(bodies, '|');
        }
    }
    frame_free(&reader);
    return last;
}

static void frames_are_the_same_wherever_they_are_cut(void)
{
    Str stream = STR("Content-Length: 2\r\n\r\n{}content-length:0\r\n\r\n"
                     "X-Y: z\r\nCONTENT-LENGTH: 5 \r\n\r\n\r\n\r\n!Content-Length: 3\r\n\r\nab");
    struct buf bodies;
    buf_init(&bodies, 4096);
    for (size_t cut = 0; cut <= stream.n; cut++) {
        CHECK_ROW(read_in_two(stream, cut, &bodies) == FRAME_NONE, "cut at %zu", cut);
        CHECK_STR(buf_str(&bodies), STR("{}||\r\n\r\n!|"));
    }
    buf_free(&bodies);
}

static void bad_headers_break_the_stream_for_good(void)
{
    static const Str rows[] = {
        STR_INIT("Content-Length: 2\n\n{}"),
        STR_INIT("Content-Length: 2\r\n\n"),
        STR_INIT("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
        STR_INIT("Content-Length: +2\r\n\r\n"),
        STR_INIT("Content-Length: 02\r\n\r\n"),
        STR_INIT("Content-Length: 2, 2\r\n\r\n"),
        STR_INIT("Content-Length: 0x2\r\n\r\n"),
        STR_INIT("Content-Length: 18446744073709551617\r\n\r\n"),
        STR_INIT("Content-Length:\r\n\r\n"),
        STR_INIT("Content-Length : 2\r\n\r\n{}"),
        STR_INIT(": 2\r\n\r\n"),
        STR_INIT("no colon\r\n\r\n"),
        STR_INIT("Content-Type: x\r\n\r\n"),
        STR_INIT("\r\n\r\n"),
    };
    struct buf bodies;
    buf_init(&bodies, 4096);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t cut = 0; cut <= rows[i].n; cut++)
            CHECK_ROW(read_in_two(rows[i], cut, &bodies) == FRAME_BROKEN, "row %zu cut at %zu", i,
                      cut);
    buf_free(&bodies);
    struct frame_reader reader;
    Str body;
    frame_init(&reader);
    CHECK(frame_feed(&reader, STR("x\r\n\r\n")) && frame_next(&reader, &body) == FRAME_BROKEN);
    CHECK(frame_feed(&reader, STR("Content-Length: 2\r\n\r\n{}")) &&
          frame_next(&reader, &body) == FRAME_BROKEN);
    frame_free(&reader);
}

static void a_long_body_is_dropped_and_the_next_is_read(void)
{
    enum { PART = 1 << 20 };
    struct frame_reader reader;
    Str body;
    uint64_t length = (uint64_t)FRAME_BODY_MAX + 1;
    char head[64];
    char *part = calloc(1, PART);
    int n = snprintf(head, sizeof head, "Content-Length: %llu\r\n\r\n", (unsigned long long)length);
    frame_init(&reader);
    CHECK(part && frame_feed(&reader, (Str){ .p = head, .n = (size_t)n }));
    CHECK(frame_next(&reader, &body) == FRAME_DROPPED);
    for (uint64_t sent = 0; part && sent < length;) {
        size_t more = length - sent < PART ? (size_t)(length - sent) : PART;
        CHECK(frame_feed(&reader, (Str){ .p = part, .n = more }));
        CHECK(frame_next(&reader, &body) == FRAME_NONE);
        sent += more;
    }
    CHECK(frame_feed(&reader, STR("Content-Length: 2\r\n\r\nok")));
    CHECK(frame_next(&reader, &body) == FRAME_MESSAGE && str_eq(body, STR("ok")));
    frame_free(&reader);
    free(part);
}

static void positions_and_offsets_agree(void)
{
    static const Str text = STR_INIT("a\xC3\xA9\xF0\x9F\x98\x80z\r\n\n\rend\xFF");
    struct arena mem;
    struct line_map map;
    arena_init(&mem, 1 << 20);
    CHECK(line_map_init(&map, text, &mem));
    CHECK(map.count == 4);
    for (int e = ENCODING_UTF16; e <= ENCODING_UTF8; e++) {
        for (uint32_t at = 0; at <= text.n; at++) {
            struct position p = position_of(&map, at, (enum encoding)e);
            uint32_t back = position_offset(&map, p, (enum encoding)e);
            bool is_inside = (at == 2) || (at > 3 && at < 7) || at == 9;
            CHECK_ROW(back == at || (is_inside && back < at), "offset %u", at);
        }
    }
    struct position z = position_of(&map, 7, ENCODING_UTF16);
    CHECK(z.line == 0 && z.character == 4);
    z = position_of(&map, 7, ENCODING_UTF8);
    CHECK(z.line == 0 && z.character == 7);
    CHECK(position_offset(&map, (struct position){ 0, 999 }, ENCODING_UTF16) == 8);
    CHECK(position_offset(&map, (struct position){ 999, 0 }, ENCODING_UTF16) == text.n);
    CHECK(position_offset(&map, (struct position){ 0, 3 }, ENCODING_UTF16) == 3);
    arena_reset(&mem);
}

static void uris_and_paths_agree(void)
{
    static const struct {
        Str uri, path; /* path empty: refused */
    } rows[] = {
        { STR_INIT("file:///a/b.pol"), STR_INIT("/a/b.pol") },
        { STR_INIT("file://localhost/a"), STR_INIT("/a") },
        { STR_INIT("file:///a%20b/%C3%A9%25.pol"), STR_INIT("/a b/\xC3\xA9%.pol") },
        { STR_INIT("file:///a%00b"), STR_INIT("") },
        { STR_INIT("file:///a%2"), STR_INIT("") },
        { STR_INIT("file:///a%zz"), STR_INIT("") },
        { STR_INIT("file:///a?b"), STR_INIT("") },
        { STR_INIT("file://host/a"), STR_INIT("") },
        { STR_INIT("file:a"), STR_INIT("") },
        { STR_INIT("untitled:x"), STR_INIT("") },
    };
    struct arena mem;
    struct buf uri;
    buf_init(&uri, 4096);
    arena_init(&mem, 1 << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        Str path, again;
        bool is_path = uri_path(rows[i].uri, &mem, &path);
        CHECK_ROW(is_path == (rows[i].path.n > 0), "row %zu", i);
        if (!is_path)
            continue;
        CHECK_STR(path, rows[i].path);
        buf_clear(&uri);
        uri_write(&uri, path);
        CHECK(uri_path(buf_str(&uri), &mem, &again) && str_eq(again, path));
    }
    buf_free(&uri);
    arena_reset(&mem);
}

int main(void)
{
    RUN(every_keyword_has_words);
    RUN(frames_are_the_same_wherever_they_are_cut);
    RUN(bad_headers_break_the_stream_for_good);
    RUN(a_long_body_is_dropped_and_the_next_is_read);
    RUN(positions_and_offsets_agree);
    RUN(uris_and_paths_agree);
    return check_finish();
}
