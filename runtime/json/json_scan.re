/* SPDX-License-Identifier: Apache-2.0 */
/* json_scan.re - the grammar of RFC 8259 as a small machine.
 *
 * Each state is a function with one re2c block that reads one token and names the next state;
 * containers nest by the tape itself, so input never makes the C stack grow. The text has no
 * sentinel: PEEK gives 0 at its end and the end rule ($) tells that from a real NUL. Rules
 * named "part" match what could have become a token, so that every error has its exact place
 * and a text cut short is told from a wrong one.
 */
#include "runtime/json/json_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum state { ST_VALUE, ST_FIRST_ITEM, ST_FIRST_KEY, ST_KEY, ST_COLON, ST_AFTER, ST_END, ST_STOP };

/*!re2c
    re2c:api = custom;
    re2c:api:style = free-form;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYPEEK = "(cursor < limit ? *cursor : 0)";
    re2c:define:YYSKIP = "cursor++;";
    re2c:define:YYBACKUP = "marker = cursor;";
    re2c:define:YYRESTORE = "cursor = marker;";
    re2c:define:YYLESSTHAN = "cursor >= limit";
    re2c:yyfill:enable = 0;
    re2c:eof = 0;

    ws       = [ \t\n\r]+;
    digit    = [0-9];
    integer  = "-"? ("0" | [1-9] digit*);
    frac     = "." digit+;
    exp      = [eE] [+-]? digit+;
    number   = integer (frac? exp | frac);
    numpart  = "-" | integer "." | integer frac? [eE] [+-]?;
    wordpart = "t" | "tr" | "tru" | "f" | "fa" | "fal" | "fals" | "n" | "nu" | "nul";

    plain    = [\x20-\x7f] \ ["\\];
    cont     = [\x80-\xbf];
    utf8     = [\xc2-\xdf] cont | "\xe0" [\xa0-\xbf] cont | ([\xe1-\xef] \ "\xed") cont{2}
             | "\xed" [\x80-\x9f] cont | "\xf0" [\x90-\xbf] cont{2} | [\xf1-\xf3] cont{3}
             | "\xf4" [\x80-\x8f] cont{2};
    utf8part = [\xc2-\xf4] | "\xe0" [\xa0-\xbf] | ([\xe1-\xef] \ "\xed") cont
             | "\xed" [\x80-\x9f] | "\xf0" [\x90-\xbf] cont? | [\xf1-\xf3] cont{1,2}
             | "\xf4" [\x80-\x8f] cont?;
    hex      = [0-9a-fA-F];
    high     = "\\u" [dD] [89abAB] hex{2};
    low      = "\\u" [dD] [c-fC-F] hex{2};
    lowpart  = "\\" | "\\u" | "\\u" [dD] | "\\u" [dD] [c-fC-F] hex?;
    unicode  = "\\u" hex{4};
    escpart  = "\\" | "\\u" hex{0,3};
*/

/* Stops with the error at the given place. */
static enum state stop(struct json_scan *scan, enum json_error error, const unsigned char *at)
{
    scan->error = error;
    scan->cursor = at;
    return ST_STOP;
}

/* A token ends before it is whole: at the text's end that is truncation, elsewhere `error`. */
static enum state stop_part(struct json_scan *scan, enum json_error error,
                            const unsigned char *at)
{
    return stop(scan, at == scan->limit ? JSON_ERR_TRUNCATED : error, at);
}

static uint32_t offset(const struct json_scan *scan, const unsigned char *at)
{
    return (uint32_t)(at - scan->text);
}

#ifdef __SSE2__
/* A bit for each of 16 bytes that a run of plain ASCII inside a string ends at: quote,
 * backslash, control, non-ASCII. */
static inline uint64_t find_specials_16(const unsigned char *at)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)); /* signed: 0x80 and above as well */
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash)));
}

static inline uint64_t find_specials(const unsigned char *block)
{
    return find_specials_16(block) | find_specials_16(block + 16) << 16 |
           find_specials_16(block + 32) << 32 | find_specials_16(block + 48) << 48;
}
#else
static inline uint64_t find_specials(const unsigned char *block)
{
    uint64_t found = 0;
    for (unsigned i = 0; i < JSON_BLOCK; i++) {
        unsigned char c = block[i];
        found |= (uint64_t)(c < 0x20 || c >= 0x80 || c == '"' || c == '\\') << i;
    }
    return found;
}
#endif

/* The specials of the block that begins at the given offset; behind the text's end all are. */
static inline uint64_t specials_at(const struct json_scan *scan, size_t start)
{
    const unsigned char *block = scan->text + start;
    size_t n = (size_t)(scan->limit - block);
    if (n >= JSON_BLOCK)
        return find_specials(block);
    unsigned char last[JSON_BLOCK] = { 0 };
    memcpy(last, block, n);
    return find_specials(last);
}

/* skip_plain where the block that is known says nothing more, or is another one. */
static __attribute__((noinline)) const unsigned char *skip_far(struct json_scan *scan,
                                                               const unsigned char *at)
{
    size_t size = (size_t)(scan->limit - scan->text), place = (size_t)(at - scan->text);
    size_t inside = place % JSON_BLOCK, start = place - inside;
    bool is_known = start == scan->block;
    uint64_t mask = is_known ? ~UINT64_C(0) : ~UINT64_C(0) << inside;
    for (start += is_known ? JSON_BLOCK : 0; start < size; start += JSON_BLOCK) {
        scan->block = start;
        scan->specials = specials_at(scan, start);
        if (scan->specials & mask)
            return scan->text + start + __builtin_ctzll(scan->specials & mask);
        mask = ~UINT64_C(0);
    }
    return scan->limit;
}

/* The first byte from `at` on that ends a run of plain ASCII inside a string, or the limit. The
 * text is looked at in blocks at fixed places, so where a string ends is one shift and one
 * count away, however long it is, and short strings share the work on their block. */
static inline const unsigned char *skip_plain(struct json_scan *scan, const unsigned char *at)
{
    size_t place = (size_t)(at - scan->text), inside = place % JSON_BLOCK;
    uint64_t found = place - inside == scan->block ? scan->specials >> inside : 0;
    return found ? at + __builtin_ctzll(found) : skip_far(scan, at);
}

/* The rest of a string that began at the cursor and is plain ASCII up to `cursor`. */
static bool read_rest(struct json_scan *scan, bool is_key, Str *out, const unsigned char *cursor)
{
    const unsigned char *limit = scan->limit, *start = scan->cursor;
    const unsigned char *marker = cursor, *token = cursor;
    const bool allow_nul = scan->limits->allow_nul && !is_key;
    bool has_escape = false;
    enum json_error error = JSON_ERR_NONE;
more:
    token = cursor = skip_plain(scan, cursor);
    /*!re2c
        "\""                  { goto done; }
        (utf8 | plain)+       { goto more; }
        "\\" ["\\/bfnrt]      { has_escape = true; goto more; }
        "\\u0000"             { has_escape = true;
                                if (allow_nul)
                                    goto more;
                                error = JSON_ERR_NUL;
                                goto bad; }
        high low              { has_escape = true; goto more; }
        high lowpart?         { error = JSON_ERR_SURROGATE; goto part; }
        low                   { error = JSON_ERR_SURROGATE; goto bad; }
        unicode               { has_escape = true; goto more; }
        escpart               { error = JSON_ERR_ESCAPE; goto part; }
        utf8part              { error = JSON_ERR_UTF8; goto part; }
        [\x00-\x1f]           { error = JSON_ERR_CONTROL; goto bad; }
        *                     { error = JSON_ERR_UTF8; goto bad; }
        $                     { goto part; }
    */
part:
    if (cursor == limit) {
        error = JSON_ERR_TRUNCATED;
        token = limit;
    }
bad:
    (void)stop(scan, error, token);
    return false;
done:
    scan->cursor = cursor;
    *out = (Str){ .p = (const char *)start, .n = (size_t)(token - start) };
    if (has_escape)
        *out = json_unescape(scan->arena, *out);
    if (!out->p)
        (void)stop(scan, JSON_ERR_NO_MEMORY, token);
    return out->p != NULL;
}

/* Reads a string whose opening quote is behind the cursor: gives its decoded bytes and leaves
 * the cursor behind the closing one. False after an error. */
static inline bool read_string(struct json_scan *scan, bool is_key, Str *out)
{
    const unsigned char *start = scan->cursor, *end = skip_plain(scan, start);
    if (end == scan->limit || *end != '"')
        return read_rest(scan, is_key, out, end);
    *out = (Str){ .p = (const char *)start, .n = (size_t)(end - start) };
    scan->cursor = end + 1;
    return true;
}

/* Room for more nodes: the first array is sized by the text, later ones double. Arrays that were
 * outgrown stay in the arena, together no larger than the last one. */
static bool grow(struct json_scan *scan)
{
    enum { BYTES_PER_NODE = 8, ROOM_LEAST = 8, ROOM_FIRST_MAX = 2048 };
    uint32_t first = offset(scan, scan->limit) / BYTES_PER_NODE + ROOM_LEAST;
    uint32_t room = first < ROOM_FIRST_MAX ? first : ROOM_FIRST_MAX, most = scan->limits->max_nodes;
    if (scan->room)
        room = scan->room < most / 2 ? scan->room * 2 : most;
    room = room < most ? room : most;
    struct json_node *nodes =
        arena_alloc_raw(scan->arena, sizeof *nodes, _Alignof(struct json_node), room);
    if (!nodes)
        return false;
    if (scan->count)
        memcpy(nodes, scan->nodes, scan->count * sizeof *nodes);
    scan->nodes = nodes;
    scan->room = room;
    return true;
}

/* Makes room for one more node; false after an error. */
static bool make_room(struct json_scan *scan, const unsigned char *at)
{
    if (scan->count >= scan->limits->max_nodes)
        (void)stop(scan, JSON_ERR_TOO_MANY_NODES, at);
    else if (!grow(scan))
        (void)stop(scan, JSON_ERR_NO_MEMORY, at);
    return scan->error == JSON_ERR_NONE;
}

/* Appends the value that begins at the given place; NULL after an error. The tape never has
 * room for more nodes than the limit, so a full one is the only case to look into. */
static inline struct json_node *add_node(struct json_scan *scan, enum json_type type,
                                         const unsigned char *at)
{
    if (scan->count == scan->room && !make_room(scan, at))
        return NULL;
    if (scan->depth)
        scan->nodes[scan->open].count++;
    struct json_node *node = &scan->nodes[scan->count++];
    *node = (struct json_node){ .text = (const char *)at,
                                .key = scan->key,
                                .key_n = scan->key_n,
                                .raw = offset(scan, at),
                                .next = scan->count,
                                .type = (uint8_t)type };
    return node;
}

static enum state after_value(const struct json_scan *scan)
{
    return scan->depth ? ST_AFTER : ST_END;
}

/* A literal from `at` to the cursor. */
static enum state add_scalar(struct json_scan *scan, enum json_type type,
                             const unsigned char *at)
{
    struct json_node *node = add_node(scan, type, at);
    if (!node)
        return ST_STOP;
    node->text_n = node->raw_n = (uint32_t)(scan->cursor - at);
    return after_value(scan);
}

static enum state add_number(struct json_scan *scan, const unsigned char *at, bool is_integer)
{
    enum { DIGITS_SAFE = 15 }; /* each integer of so many digits is exact in a double */
    Str literal = { .p = (const char *)at, .n = (size_t)(scan->cursor - at) };
    uint8_t flags = JSON_INTEGER;
    if (!is_integer || literal.n > DIGITS_SAFE) {
        enum json_error error = json_number_flags(literal, &flags);
        if (error != JSON_ERR_NONE)
            return stop(scan, error, at);
    }
    enum state next = add_scalar(scan, JSON_NUMBER, at);
    if (next != ST_STOP)
        scan->nodes[scan->count - 1].flags = flags;
    return next;
}

static enum state add_string(struct json_scan *scan, const unsigned char *at)
{
    Str text;
    if (!read_string(scan, false, &text))
        return ST_STOP;
    enum state next = add_scalar(scan, JSON_STRING, at);
    if (next != ST_STOP) {
        struct json_node *node = &scan->nodes[scan->count - 1];
        node->text = text.p;
        node->text_n = (uint32_t)text.n;
    }
    return next;
}

static enum state open_container(struct json_scan *scan, enum json_type type,
                                 const unsigned char *at)
{
    if (scan->depth >= scan->limits->max_depth)
        return stop(scan, JSON_ERR_TOO_DEEP, at);
    struct json_node *node = add_node(scan, type, at);
    if (!node)
        return ST_STOP;
    node->next = scan->open;
    scan->open = scan->count - 1;
    scan->depth++;
    scan->key = NULL;
    scan->key_n = 0;
    return type == JSON_OBJECT ? ST_FIRST_KEY : ST_FIRST_ITEM;
}

/* The bracket at `at`, which is just before the cursor, must match the innermost container. */
static enum state close_container(struct json_scan *scan, enum json_type type,
                                  const unsigned char *at)
{
    uint32_t index = scan->open;
    struct json_node *node = &scan->nodes[index];
    if (node->type != type)
        return stop(scan, JSON_ERR_SYNTAX, at);
    scan->open = node->next;
    scan->depth--;
    node->next = scan->count;
    node->text_n = node->raw_n = offset(scan, scan->cursor) - node->raw;
    uint32_t member = 0;
    enum json_error error = JSON_ERR_NONE;
    if (type == JSON_OBJECT && node->count > 1)
        error = json_keys_check(scan, index, &member);
    if (error != JSON_ERR_NONE)
        return stop(scan, error, member ? scan->text + scan->nodes[member].raw : at);
    return after_value(scan);
}

/* ST_VALUE and ST_FIRST_ITEM: a value, or the end of an array that is still empty. */
static enum state scan_value(struct json_scan *scan, bool may_close)
{
    const unsigned char *limit = scan->limit, *cursor = scan->cursor, *token;
again:
    token = cursor;
    /*!re2c
        ws              { goto again; }
        "{"             { scan->cursor = cursor; return open_container(scan, JSON_OBJECT, token); }
        "["             { scan->cursor = cursor; return open_container(scan, JSON_ARRAY, token); }
        "]"             { scan->cursor = cursor;
                          return may_close ? close_container(scan, JSON_ARRAY, token)
                                           : stop(scan, JSON_ERR_SYNTAX, token); }
        "\""            { scan->cursor = cursor; return add_string(scan, token); }
        integer         { scan->cursor = cursor; return add_number(scan, token, true); }
        number          { scan->cursor = cursor; return add_number(scan, token, false); }
        "null"          { scan->cursor = cursor; return add_scalar(scan, JSON_NULL, token); }
        "true"          { scan->cursor = cursor; return add_scalar(scan, JSON_TRUE, token); }
        "false"         { scan->cursor = cursor; return add_scalar(scan, JSON_FALSE, token); }
        "-"? "0" digit  { return stop(scan, JSON_ERR_SYNTAX, cursor - 1); }
        numpart         { return stop_part(scan, JSON_ERR_SYNTAX, cursor); }
        wordpart        { return stop_part(scan, JSON_ERR_SYNTAX, cursor); }
        *               { return stop(scan, JSON_ERR_SYNTAX, token); }
        $               { return stop(scan, JSON_ERR_TRUNCATED, limit); }
    */
}

/* ST_KEY and ST_FIRST_KEY: a key, or the end of an object that is still empty. */
static enum state scan_key(struct json_scan *scan, bool may_close)
{
    const unsigned char *limit = scan->limit, *cursor = scan->cursor, *token;
    Str key;
again:
    token = cursor;
    /*!re2c
        ws    { goto again; }
        "\""  { scan->cursor = cursor; goto key; }
        "}"   { scan->cursor = cursor;
                return may_close ? close_container(scan, JSON_OBJECT, token)
                                 : stop(scan, JSON_ERR_SYNTAX, token); }
        *     { return stop(scan, JSON_ERR_SYNTAX, token); }
        $     { return stop(scan, JSON_ERR_TRUNCATED, limit); }
    */
key:
    if (scan->nodes[scan->open].count >= scan->limits->max_members)
        return stop(scan, JSON_ERR_TOO_MANY_MEMBERS, token);
    if (!read_string(scan, true, &key))
        return ST_STOP;
    scan->key = key.p;
    scan->key_n = (uint32_t)key.n;
    if (scan->cursor == limit || *scan->cursor != ':')
        return ST_COLON;
    scan->cursor++; /* the usual case without a turn through scan_colon */
    return ST_VALUE;
}

/* How many members the innermost object may still get before scan_key has to look. */
static inline uint32_t members_left(const struct json_scan *scan, const struct json_node *object)
{
    uint32_t room = scan->room - scan->count, allowed = scan->limits->max_members - object->count;
    return room < allowed ? room : allowed;
}

/* ST_KEY and ST_FIRST_KEY, for the usual shape: `"key":"text",` over and over without white space
 * and escapes. Takes whole members of that shape, and a key whose value is of another kind;
 * everything else, every error too, is left untouched to the states that know more. */
static enum state scan_members(struct json_scan *scan, bool may_close)
{
    const unsigned char *limit = scan->limit, *at = scan->cursor;
    struct json_node *object = &scan->nodes[scan->open], *node = &scan->nodes[scan->count];
    for (uint32_t left = members_left(scan, object); left && at < limit && *at == '"'; left--) {
        const unsigned char *end = skip_plain(scan, at + 1), *value = end + 2;
        if (limit - end <= 2 || end[0] != '"' || end[1] != ':')
            break;
        scan->key = (const char *)at + 1;
        scan->key_n = (uint32_t)(end - at) - 1;
        scan->cursor = value;
        if (*value != '"')
            return ST_VALUE;
        end = skip_plain(scan, value + 1);
        if (limit - end <= 1 || *end != '"')
            return ST_VALUE;
        object->count++;
        *node++ = (struct json_node){ .text = (const char *)value + 1,
                                      .text_n = (uint32_t)(end - value) - 1,
                                      .key = scan->key,
                                      .key_n = scan->key_n,
                                      .raw = offset(scan, value),
                                      .raw_n = (uint32_t)(end - value) + 1,
                                      .next = ++scan->count,
                                      .type = JSON_STRING };
        scan->cursor = end + 1;
        if (end[1] != ',')
            return ST_AFTER;
        scan->cursor = at = end + 2;
        may_close = false;
    }
    return scan_key(scan, may_close);
}

static enum state scan_colon(struct json_scan *scan)
{
    const unsigned char *limit = scan->limit, *cursor = scan->cursor, *token;
again:
    token = cursor;
    /*!re2c
        ws   { goto again; }
        ":"  { scan->cursor = cursor; return ST_VALUE; }
        *    { return stop(scan, JSON_ERR_SYNTAX, token); }
        $    { return stop(scan, JSON_ERR_TRUNCATED, limit); }
    */
}

/* Behind a value inside a container. */
static enum state scan_after(struct json_scan *scan)
{
    const unsigned char *limit = scan->limit, *cursor = scan->cursor, *token;
again:
    token = cursor;
    /*!re2c
        ws   { goto again; }
        ","  { scan->cursor = cursor;
               scan->key = NULL;
               scan->key_n = 0;
               return scan->nodes[scan->open].type == JSON_OBJECT ? ST_KEY : ST_VALUE; }
        "}"  { scan->cursor = cursor; return close_container(scan, JSON_OBJECT, token); }
        "]"  { scan->cursor = cursor; return close_container(scan, JSON_ARRAY, token); }
        *    { return stop(scan, JSON_ERR_SYNTAX, token); }
        $    { return stop(scan, JSON_ERR_TRUNCATED, limit); }
    */
}

/* Behind the root: white space alone may follow. */
static enum state scan_end(struct json_scan *scan)
{
    const unsigned char *limit = scan->limit, *cursor = scan->cursor, *token;
again:
    token = cursor;
    /*!re2c
        ws  { goto again; }
        *   { return stop(scan, JSON_ERR_TRAILING, token); }
        $   { return stop(scan, JSON_ERR_NONE, limit); }
    */
}

void json_scan(struct json_scan *scan)
{
    enum state state = ST_VALUE;
    while (state != ST_STOP) {
        switch (state) {
        case ST_VALUE:
        case ST_FIRST_ITEM: state = scan_value(scan, state == ST_FIRST_ITEM); break;
        case ST_KEY:
        case ST_FIRST_KEY: state = scan_members(scan, state == ST_FIRST_KEY); break;
        case ST_COLON: state = scan_colon(scan); break;
        case ST_AFTER: state = scan_after(scan); break;
        case ST_END: state = scan_end(scan); break;
        case ST_STOP: break;
        }
    }
}
