/* SPDX-License-Identifier: Apache-2.0 */
/* lex.c - drives the scanners. What needs memory of what came before is decided here: a '/' opens a
 * pattern only where a value may stand, a word behind a dot is a key, a '{' behind `as` or `call`
 * opens JSON, a '}' that closes "${" resumes the string. Nothing read here is trusted: every string
 * is valid UTF-8 without U+0000 when it leaves. */
#include "compiler/syntax/lex.h"

#include "compiler/source/text.h"
#include "grammar/policy.h"

enum {
    BYTE_REPORTS_MAX = 8, /* bad bytes named one by one */
    SAFE_DIGITS = 15,     /* decimal digits that an IEEE double always keeps */
    CODE_POINT_DIGITS_MAX = 6,
    DURATION_MAX = 2000000000, /* seconds: some 63 years */
};

static const struct {
    Str word;
    int kind;
} keywords[] = {
// clang-format off
#define KEYWORD(word, token) { STR_INIT(#word), TK_##token },
#define RESERVED(word) { STR_INIT(#word), TK_RESERVED },
#include "compiler/syntax/keyword.def"
#undef KEYWORD
#undef RESERVED
    // clang-format on
};

static const struct {
    int kind;
    Str word;
} words[] = {
    // clang-format off
    { 0, STR_INIT("the end of the source") },
#define KEYWORD(word, token) { TK_##token, STR_INIT("'" #word "'") },
#define RESERVED(word)
#include "compiler/syntax/keyword.def"
#undef KEYWORD
#undef RESERVED
    { TK_RESERVED, STR_INIT("a reserved word") },
    { TK_STRING, STR_INIT("a string") },
    { TK_HEAD, STR_INIT("a string with \"${...}\"") },
    { TK_MIDDLE, STR_INIT("'}'") },
    { TK_TAIL, STR_INIT("'}'") },
    { TK_NUMBER, STR_INIT("a number") },
    { TK_TIME, STR_INIT("a time") }, { TK_DATE, STR_INIT("a date") },
    { TK_DURATION, STR_INIT("a duration") },
    { TK_PLUS, STR_INIT("'+'") }, { TK_MINUS, STR_INIT("'-'") }, { TK_STAR, STR_INIT("'*'") },
    { TK_COLON, STR_INIT("':'") },
    { TK_REGEX, STR_INIT("a pattern") },
    { TK_NAME, STR_INIT("a name") },
    { TK_JSON, STR_INIT("a JSON object") },
    { TK_EQ, STR_INIT("'=='") }, { TK_NE, STR_INIT("'!='") },
    { TK_LT, STR_INIT("'<'") }, { TK_LE, STR_INIT("'<='") },
    { TK_GT, STR_INIT("'>'") }, { TK_GE, STR_INIT("'>='") },
    { TK_ELSE, STR_INIT("'?\?'") }, { TK_ASSIGN, STR_INIT("'='") },
    { TK_DOT, STR_INIT("'.'") }, { TK_COMMA, STR_INIT("','") }, { TK_SEMI, STR_INIT("';'") },
    { TK_LPAREN, STR_INIT("'('") }, { TK_RPAREN, STR_INIT("')'") },
    { TK_LBRACK, STR_INIT("'['") }, { TK_RBRACK, STR_INIT("']'") },
    { TK_LBRACE, STR_INIT("'{'") }, { TK_RBRACE, STR_INIT("'}'") },
    // clang-format on
};

static const struct {
    Str foreign, ours;
    int kind;
} foreign_operators[] = {
    // clang-format off
    { STR_INIT("&&"), STR_INIT("and"), TK_AND },
    { STR_INIT("||"), STR_INIT("or"), TK_OR },
    { STR_INIT("!"), STR_INIT("not"), TK_NOT },
    { STR_INIT("==="), STR_INIT("=="), TK_EQ },
    { STR_INIT("!=="), STR_INIT("!="), TK_NE },
    { STR_INIT("<>"), STR_INIT("!="), TK_NE },
    { STR_INIT("=~"), STR_INIT("matches"), TK_MATCHES },
    { STR_INIT(":="), STR_INIT("="), TK_ASSIGN },
    // clang-format on
};

Str token_word(int kind)
{
    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i].kind == kind)
            return words[i].word;
    return STR("something else");
}

int keyword_kind(Str word)
{
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (str_eq(keywords[i].word, word))
            return keywords[i].kind;
    return 0;
}

void lexer_init(struct lexer *lx, const struct sources *sources, uint32_t source, struct arena *mem,
                struct diags *diags, struct policy *policy)
{
    Str text = sources->items[source].text;
    const unsigned char *begin = (const unsigned char *)text.p;
    *lx = (struct lexer){
        .cursor = begin,
        .marker = begin,
        .limit = begin + text.n,
        .begin = begin,
        .token = begin,
        .source = source,
        .mem = mem,
        .diags = diags,
        .policy = policy,
    };
    buf_init(&lx->scratch, SOURCE_BYTES_MAX);
}

void lexer_free(struct lexer *lx)
{
    buf_free(&lx->scratch);
}

static uint32_t offset_of(const struct lexer *lx, const unsigned char *at)
{
    return (uint32_t)(at - lx->begin);
}

static Span span_from(const struct lexer *lx, uint32_t lo, uint32_t hi)
{
    return (Span){ .source = lx->source, .lo = lo, .hi = hi };
}

/* What the last scanner took. */
static Span taken_span(const struct lexer *lx)
{
    return span_from(lx, offset_of(lx, lx->token), offset_of(lx, lx->cursor));
}

static Str text_between(const struct lexer *lx, uint32_t lo, uint32_t hi)
{
    return (Str){ .p = (const char *)lx->begin + lo, .n = hi - lo };
}

static Str taken(const struct lexer *lx)
{
    Span span = taken_span(lx);
    return text_between(lx, span.lo, span.hi);
}

/* Reports the code point at an offset if it may not stand in a source. */
static bool check_code_point(struct lexer *lx, uint32_t at, uint32_t length, uint32_t code)
{
    Span span = span_from(lx, at, at + length);
    if (code == TEXT_INVALID) {
        diag_add(lx->diags, DIAG_NOT_UTF8, span, lx->begin[at]);
    } else if (code == 0xFEFF && at == 0) {
        diag_add(lx->diags, DIAG_BYTE_ORDER_MARK, span);
        diag_help(lx->diags, "save the file as UTF-8 without a mark");
    } else if (text_is_direction(code)) {
        diag_add(lx->diags, DIAG_DIRECTION_CONTROL, span, code);
        diag_help(lx->diags, "it can make a rule read differently from what it does");
    } else if (text_is_control(code) && code != '\t' && code != '\n' && code != '\r') {
        diag_add(lx->diags, DIAG_CONTROL_CHARACTER, span, code);
    } else {
        return true;
    }
    return false;
}

bool lexer_check_bytes(struct lexer *lx)
{
    Str text = { .p = (const char *)lx->begin, .n = (size_t)(lx->limit - lx->begin) };
    uint32_t bad = 0;
    for (size_t at = 0, length = 0; at < text.n && bad < BYTE_REPORTS_MAX; at += length) {
        uint32_t code = text_decode(text, at, &length);
        if (code < 0x20 || code > 0x7E)
            bad += !check_code_point(lx, (uint32_t)at, (uint32_t)length, code);
    }
    return bad == 0;
}

bool lexer_is_line_start(const struct lexer *lx, uint32_t offset)
{
    while (offset > 0 && (lx->begin[offset - 1] == ' ' || lx->begin[offset - 1] == '\t'))
        offset--;
    return offset == 0 || lx->begin[offset - 1] == '\n' || lx->begin[offset - 1] == '\r';
}

static bool has_line_end(Str text)
{
    return text.n && (memchr(text.p, '\n', text.n) || memchr(text.p, '\r', text.n));
}

static void keep_comment(struct lexer *lx)
{
    Span span = taken_span(lx);
    if (lx->strings) {
        diag_add(lx->diags, DIAG_COMMENT_IN_STRING, span);
        return;
    }
    struct comment *comment = ARENA_NEW(lx->mem, struct comment, 1);
    if (!comment) {
        lx->is_out_of_memory = true;
        return;
    }
    *comment = (struct comment){ .span = span, .is_line_start = lexer_is_line_start(lx, span.lo) };
    if (lx->last_comment)
        lx->last_comment->next = comment;
    else
        lx->policy->comments = comment;
    lx->last_comment = comment;
}

static struct token make_token(int kind, Span span, Str text)
{
    return (struct token){ .kind = kind, .span = span, .text = text };
}

/* The decoded bytes, copied to the arena. */
static Str keep_scratch(struct lexer *lx)
{
    Str text = arena_copy(lx->mem, buf_str(&lx->scratch));
    if (!text.p || lx->scratch.is_full)
        lx->is_out_of_memory = true;
    return text;
}

/* True where a value may begin: then '/' opens a pattern. */
static bool awaits_value(int previous)
{
    static const int ends[] = { TK_NAME, TK_STRING, TK_TAIL,   TK_NUMBER,   TK_REGEX,
                                TK_TRUE, TK_FALSE,  TK_NULL,   TK_RPAREN,   TK_RBRACK,
                                TK_TIME, TK_DATE,   TK_RBRACE, TK_DURATION, TK_NOW };
    for (size_t i = 0; i < COUNT(ends); i++)
        if (ends[i] == previous)
            return false;
    return true;
}

static bool add_hex_digit(uint32_t *code, char digit)
{
    uint32_t value;
    if (digit >= '0' && digit <= '9')
        value = (uint32_t)(digit - '0');
    else if (digit >= 'a' && digit <= 'f')
        value = (uint32_t)(digit - 'a') + 10;
    else if (digit >= 'A' && digit <= 'F')
        value = (uint32_t)(digit - 'A') + 10;
    else
        return false;
    *code = *code << 4 | value;
    return true;
}

static void decode_code_point(struct lexer *lx)
{
    Str whole = taken(lx), digits = str_sub(whole, 3, whole.n - 1);
    uint32_t code = 0;
    bool is_good = digits.n > 0 && digits.n <= CODE_POINT_DIGITS_MAX;
    for (size_t i = 0; is_good && i < digits.n; i++)
        is_good = add_hex_digit(&code, digits.p[i]);
    if (!is_good || code == 0 || code > TEXT_CODE_POINT_MAX || (code >= 0xD800 && code < 0xE000)) {
        diag_add(lx->diags, DIAG_BAD_CODE_POINT, taken_span(lx), STR_ARG(whole));
        diag_help(lx->diags, "1 to 6 hexadecimal digits, from 1 to 10ffff, no surrogate");
        return;
    }
    char bytes[TEXT_UTF8_BYTES_MAX];
    buf_add(&lx->scratch, (Str){ .p = bytes, .n = text_encode(code, bytes) });
}

static void refuse_escape(struct lexer *lx)
{
    diag_add(lx->diags, DIAG_BAD_ESCAPE, taken_span(lx), STR_ARG(taken(lx)));
    diag_help(lx->diags, "there are \\n \\t \\\" \\\\ \\$ and \\u{...}");
}

static void decode_escape(struct lexer *lx)
{
    Str whole = taken(lx);
    switch (whole.p[1]) {
    case 'n': buf_add_char(&lx->scratch, '\n'); return;
    case 't': buf_add_char(&lx->scratch, '\t'); return;
    case '"':
    case '\\':
    case '$': buf_add_char(&lx->scratch, whole.p[1]); return;
    default: refuse_escape(lx); return;
    }
}

static void decode_text(struct lexer *lx)
{
    Str text = taken(lx);
    const char *tab = memchr(text.p, '\t', text.n);
    if (tab) {
        uint32_t at = offset_of(lx, lx->token) + (uint32_t)(tab - text.p);
        diag_add(lx->diags, DIAG_RAW_TAB, span_from(lx, at, at + 1));
        diag_help(lx->diags, "write \\t");
    }
    buf_add(&lx->scratch, text);
}

static void report_open_string(struct lexer *lx, Span quote)
{
    uint32_t hi = offset_of(lx, lx->cursor);
    diag_add(lx->diags, DIAG_STRING_OPEN, span_from(lx, quote.lo, hi > quote.hi ? hi : quote.hi));
    diag_help(lx->diags, "close it with '\"'; a line end in it is written \\n");
}

/* Enters "${": false when strings are nested too deep already. */
static bool open_interpolation(struct lexer *lx, Span quote)
{
    if (lx->strings == LEX_STRINGS_MAX) {
        diag_add(lx->diags, DIAG_STRING_NESTING, taken_span(lx), LEX_STRINGS_MAX);
        return false;
    }
    lx->braces[lx->strings] = 0;
    lx->opened[lx->strings++] = quote;
    return true;
}

/* From behind a quote (or the '}' of an interpolation) to the string's end or the next "${".
 * is_first tells whether the piece is the string's first. */
static struct token lex_string(struct lexer *lx, Span quote, uint32_t lo, bool is_first)
{
    buf_clear(&lx->scratch);
    for (;;) {
        int scan = scan_string(lx);
        if (scan == SCAN_TEXT) {
            decode_text(lx);
        } else if (scan == SCAN_ESCAPE) {
            decode_escape(lx);
        } else if (scan == SCAN_CODE_POINT) {
            decode_code_point(lx);
        } else if (scan == SCAN_INTERPOLATE) {
            if (!open_interpolation(lx, quote))
                continue;
            Span span = span_from(lx, lo, offset_of(lx, lx->cursor));
            return make_token(is_first ? TK_HEAD : TK_MIDDLE, span, keep_scratch(lx));
        } else if (scan == SCAN_BAD) {
            refuse_escape(lx);
        } else {
            if (scan == SCAN_LINE_END) {
                report_open_string(lx, quote);
                lx->is_broken = true;
            }
            Span span = span_from(lx, lo, offset_of(lx, lx->cursor));
            return make_token(is_first ? TK_STRING : TK_TAIL, span, keep_scratch(lx));
        }
    }
}

/* A '}' inside an interpolation either closes a set in it or resumes the string. */
static struct token lex_closing_brace(struct lexer *lx, Span span)
{
    if (!lx->strings)
        return make_token(TK_RBRACE, span, (Str){ .p = NULL, .n = 0 });
    uint32_t *open = &lx->braces[lx->strings - 1];
    if (*open) {
        --*open;
        return make_token(TK_RBRACE, span, (Str){ .p = NULL, .n = 0 });
    }
    Span quote = lx->opened[--lx->strings];
    return lex_string(lx, quote, span.lo, false);
}

/* A string ends on its line, and so does what is interpolated in it. */
static struct token close_interpolation(struct lexer *lx)
{
    lx->cursor = lx->token;
    Span quote = lx->opened[--lx->strings];
    uint32_t end = lx->previous.span.hi;
    if (!lx->is_broken) {
        diag_add(lx->diags, DIAG_STRING_OPEN, span_from(lx, quote.lo, end));
        diag_help(lx->diags, "close \"${\" with '}' and the string with '\"'");
    }
    lx->is_broken = true;
    return make_token(TK_TAIL, span_from(lx, end, end), STR(""));
}

static Str undo_slashes(struct lexer *lx, Str raw)
{
    buf_clear(&lx->scratch);
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '\\' && i + 1 < raw.n) {
            if (raw.p[i + 1] != '/')
                buf_add_char(&lx->scratch, '\\');
            i++;
        }
        buf_add_char(&lx->scratch, raw.p[i]);
    }
    return keep_scratch(lx);
}

static void refuse_flags(struct lexer *lx)
{
    if (scan_token(lx) == SCAN_WORD)
        diag_add(lx->diags, DIAG_PATTERN_FLAGS, taken_span(lx), STR_ARG(taken(lx)));
    else
        lx->cursor = lx->token;
}

static struct token lex_pattern(struct lexer *lx, uint32_t lo)
{
    int scan = scan_pattern(lx);
    uint32_t from = offset_of(lx, lx->token), hi = offset_of(lx, lx->cursor);
    Span span = span_from(lx, lo, hi);
    if (scan == SCAN_CLOSE) {
        Str text = undo_slashes(lx, text_between(lx, from, hi - 1));
        refuse_flags(lx);
        return make_token(TK_REGEX, span, text);
    }
    diag_add(lx->diags, DIAG_PATTERN_OPEN, span);
    diag_help(lx->diags, "close it with '/'; a '/' in it is written \\/");
    lx->is_broken = true;
    return make_token(TK_REGEX, span, undo_slashes(lx, text_between(lx, from, hi)));
}

static struct token lex_json(struct lexer *lx, uint32_t lo)
{
    lx->awaits_json = false;
    int scan = scan_json(lx);
    Span span = span_from(lx, lo, offset_of(lx, lx->cursor));
    if (scan != SCAN_CLOSE) {
        diag_add(lx->diags, DIAG_JSON_OPEN, span_from(lx, lo, lo + 1));
        diag_help(lx->diags, "a '}' is missing");
    }
    return make_token(TK_JSON, span, text_between(lx, lo, span.hi));
}

/* Number text of a token; {NULL, 0} when memory is short. */
static Str count_text(struct lexer *lx, uint64_t count)
{
    buf_clear(&lx->scratch);
    buf_printf(&lx->scratch, "%llu", (unsigned long long)count);
    return keep_scratch(lx);
}

/* 90s, 15m, 2h, 7d: whole numbers of a unit; false when it is no duration. */
static bool read_duration(Str raw, uint64_t *seconds)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
    for (size_t i = 0; i < COUNT(units); i++) {
        if (raw.n < 2 || raw.p[raw.n - 1] != units[i].unit ||
            !str_to_u64(str_sub(raw, 0, raw.n - 1), DURATION_MAX, seconds))
            continue;
        *seconds *= units[i].seconds;
        return *seconds <= DURATION_MAX;
    }
    return false;
}

static uint32_t two_digits(Str text, size_t at)
{
    return (uint32_t)(text.p[at] - '0') * 10 + (uint32_t)(text.p[at + 1] - '0');
}

static struct token lex_time(struct lexer *lx)
{
    Str raw = taken(lx);
    uint32_t hour = two_digits(raw, 0), minute = two_digits(raw, 3);
    uint32_t second = raw.n > 5 ? two_digits(raw, 6) : 0;
    if (hour > 23 || minute > 59 || second > 59)
        diag_add(lx->diags, DIAG_BAD_TIME, taken_span(lx), STR_ARG(raw));
    return make_token(TK_TIME, taken_span(lx), count_text(lx, (hour * 60 + minute) * 60 + second));
}

static struct token lex_date(struct lexer *lx)
{
    static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    Str raw = taken(lx);
    uint32_t year = two_digits(raw, 0) * 100 + two_digits(raw, 2), days = 0;
    uint32_t month = two_digits(raw, 5), day = two_digits(raw, 8);
    uint32_t leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    bool is_good = year >= 1970 && month >= 1 && month <= 12;
    if (!is_good || day < 1 || day > lengths[month - 1] + (month == 2 ? leap : 0)) {
        diag_add(lx->diags, DIAG_BAD_DATE, taken_span(lx), STR_ARG(raw));
        return make_token(TK_DATE, taken_span(lx), STR("0"));
    }
    for (uint32_t y = 1970; y < year; y++)
        days += (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 ? 366 : 365;
    for (uint32_t m = 1; m < month; m++)
        days += lengths[m - 1] + (m == 2 ? leap : 0);
    return make_token(TK_DATE, taken_span(lx), count_text(lx, days + day - 1));
}

static struct token lex_number(struct lexer *lx)
{
    Span span = taken_span(lx);
    Str raw = taken(lx);
    uint64_t seconds;
    if (read_duration(raw, &seconds))
        return make_token(TK_DURATION, span, count_text(lx, seconds));
    if (!text_is_number(raw)) {
        if (!lx->is_quiet) {
            diag_add(lx->diags, DIAG_BAD_NUMBER, span, STR_ARG(raw));
            diag_help(lx->diags, "numbers look like 7, -1.5 and 10_000");
        }
        return make_token(TK_NUMBER, span, STR("0"));
    }
    buf_clear(&lx->scratch);
    for (size_t i = 0; i < raw.n; i++)
        if (raw.p[i] != '_')
            buf_add_char(&lx->scratch, raw.p[i]);
    Str text = keep_scratch(lx);
    if (text.n && !text_is_exact(text)) {
        diag_add(lx->diags, DIAG_NUMBER_DIGITS, span, STR_ARG(raw));
        diag_help(lx->diags, "integers go to %s, decimals have up to %d digits",
                  TEXT_LARGEST_INTEGER, TEXT_SAFE_DIGITS);
    }
    return make_token(TK_NUMBER, span, text);
}

static struct token lex_word(struct lexer *lx)
{
    Str word = taken(lx);
    int kind = lx->previous.kind == TK_DOT ? 0 : keyword_kind(word);
    bool is_statement =
        lx->previous.kind == 0 || lx->previous.kind == TK_SEMI || lx->previous.kind == TK_LBRACE;
    bool is_expected = kind == TK_SET && lx->previous.kind == TK_ALLOW; /* expect allow set {...} */
    if (((kind == TK_AS || kind == TK_CALL) && is_statement) || is_expected)
        lx->awaits_json = true;
    else if (kind && kind != TK_ON)
        lx->awaits_json = false;
    return make_token(kind ? kind : TK_NAME, taken_span(lx), word);
}

static struct token lex_foreign(struct lexer *lx)
{
    Str text = taken(lx);
    size_t i = 0;
    while (i < COUNT(foreign_operators) && !str_eq(foreign_operators[i].foreign, text))
        i++;
    ENSURE(i < COUNT(foreign_operators)); /* the scanner knows no other */
    diag_add(lx->diags, DIAG_FOREIGN_OPERATOR, taken_span(lx), STR_ARG(text));
    diag_help(lx->diags, "write '%.*s'", STR_ARG(foreign_operators[i].ours));
    diag_fix(lx->diags, foreign_operators[i].ours);
    return make_token(foreign_operators[i].kind, taken_span(lx), text);
}

static struct token lex_single_quotes(struct lexer *lx)
{
    Str text = taken(lx);
    diag_add(lx->diags, DIAG_SINGLE_QUOTES, taken_span(lx));
    diag_help(lx->diags, "write \"%.*s\"", (int)text.n - 2, text.p + 1);
    diag_fix(lx->diags, str_sub(text, 1, text.n - 1));
    return make_token(TK_STRING, taken_span(lx), str_sub(text, 1, text.n - 1));
}

/* One report for a run of characters outside of ASCII, so that a word is named whole. */
static void refuse_characters(struct lexer *lx)
{
    bool is_word = *lx->token >= 0x80;
    while (is_word && lx->cursor < lx->limit && *lx->cursor >= 0x80)
        lx->cursor++;
    Str text = taken(lx);
    lx->has_skipped = true;
    if (lx->is_quiet)
        return;
    diag_add(lx->diags, DIAG_UNEXPECTED_CHARACTER, taken_span(lx), STR_ARG(text));
    if (str_starts(text, STR("\xE2\x80\x9C")) || str_starts(text, STR("\xE2\x80\x9D")))
        diag_help(lx->diags, "strings stand in straight quotes: \"");
    else if (is_word)
        diag_help(lx->diags, "outside of strings and comments all is ASCII");
    else if (text.p[0] == '$')
        diag_help(lx->diags, "\"${...}\" stands inside a string");
}

static void refuse_slash(struct lexer *lx)
{
    lx->has_skipped = true;
    if (lx->is_quiet)
        return;
    diag_add(lx->diags, DIAG_PATTERN_PLACE, taken_span(lx));
    diag_help(lx->diags, "there is no division; a /pattern/ follows 'matches'");
}

/* The token that begins with what scan_token took; false for what is no token. */
static bool lex_scanned(struct lexer *lx, int scan, struct token *out)
{
    Span span = taken_span(lx);
    switch (scan) {
    case SCAN_SPACE: return false;
    case SCAN_LINE_COMMENT:
    case SCAN_BLOCK_COMMENT: keep_comment(lx); return false;
    case SCAN_OPEN_COMMENT:
        diag_add(lx->diags, DIAG_COMMENT_OPEN, span);
        diag_help(lx->diags, "close it with '*/'");
        lx->cursor = lx->limit;
        return false;
    case SCAN_BAD: refuse_characters(lx); return false;
    case SCAN_WORD: *out = lex_word(lx); return true;
    case SCAN_NUMBER: *out = lex_number(lx); return true;
    case SCAN_TIME: *out = lex_time(lx); return true;
    case SCAN_DATE: *out = lex_date(lx); return true;
    case SCAN_QUOTE: *out = lex_string(lx, span, span.lo, true); return true;
    case SCAN_SINGLE_QUOTE: *out = lex_single_quotes(lx); return true;
    case SCAN_FOREIGN: *out = lex_foreign(lx); return true;
    case SCAN_SLASH:
        if (awaits_value(lx->previous.kind)) {
            *out = lex_pattern(lx, span.lo);
            return true;
        }
        refuse_slash(lx);
        return false;
    case TK_RBRACE: *out = lex_closing_brace(lx, span); return true;
    case TK_LBRACE:
        if (lx->awaits_json) {
            *out = lex_json(lx, span.lo);
            return true;
        }
        if (lx->strings)
            lx->braces[lx->strings - 1]++;
        break;
    case TK_SEMI: lx->awaits_json = false; break;
    default: break;
    }
    *out = make_token(scan == SCAN_END ? 0 : scan, span, taken(lx));
    return true;
}

struct token lexer_next(struct lexer *lx)
{
    struct token token = { .kind = 0, .span = span_from(lx, 0, 0), .text = STR_INIT("") };
    if (!lx->strings)
        lx->is_broken = false;
    lx->has_skipped = false;
    for (bool is_token = false; !is_token;) {
        int scan = scan_token(lx);
        bool is_line_end = scan == SCAN_SPACE && has_line_end(taken(lx));
        if (lx->strings && (is_line_end || scan == SCAN_END || scan == TK_SEMI)) {
            token = close_interpolation(lx);
            is_token = true;
        } else {
            is_token = lex_scanned(lx, scan, &token);
        }
    }
    lx->previous = token;
    return token;
}
