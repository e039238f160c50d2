/* SPDX-License-Identifier: Apache-2.0 */
/* suppress.c - goes over each source's tokens once more, as comments belong to no tree: a comment
 * with our mark, then the extent of the statement behind it. */
#include "compiler/check/suppress.h"

#include "compiler/syntax/lex.h"
#include "grammar/policy.h"

#define MARK "mcpc:"
enum { CODES_MAX = 8 }; /* in one comment */

struct directive {
    Span comment;
    enum diag_id codes[CODES_MAX];
    bool is_used[CODES_MAX];
    uint32_t count;
    uint32_t lo, hi; /* of the statement behind it; hi 0: there is none */
};

static void skip_blanks(Str *s)
{
    while (s->n && (s->p[0] == ' ' || s->p[0] == '\t'))
        *s = str_sub(*s, 1, s->n);
}

static bool take(Str *s, Str word)
{
    skip_blanks(s);
    if (!str_starts(*s, word))
        return false;
    *s = str_sub(*s, word.n, s->n);
    return true;
}

static bool take_code(Str *s, enum diag_id *id)
{
    size_t n = 0;
    skip_blanks(s);
    while (n < s->n && ((s->p[n] >= '0' && s->p[n] <= '9') || (n == 0 && s->p[n] == 'W')))
        n++;
    Str code = str_sub(*s, 0, n);
    *s = str_sub(*s, n, s->n);
    return diag_find(code, id) && diag_severity(*id) == SEVERITY_WARNING &&
           *id != DIAG_UNUSED_ALLOW && *id != DIAG_BAD_ALLOW;
}

/* A reason in quotes with something in it, and nothing behind. */
static bool take_reason(Str s)
{
    skip_blanks(&s);
    if (s.n < 3 || s.p[0] != '"')
        return false;
    Str rest = str_sub(s, 1, s.n), reason = str_cut(&rest, '"');
    return rest.p && str_trim(reason).n > 0 && str_trim(rest).n == 0;
}

/* True when the comment has our mark; codes are filled when it is written well, else count is 0. */
static bool read_directive(Str comment, struct directive *directive)
{
    bool is_block = str_starts(comment, STR("/*"));
    if (is_block && str_ends(comment, STR("*/")))
        comment = str_sub(comment, 0, comment.n - 2);
    comment = str_sub(comment, str_starts(comment, STR("#")) ? 1 : 2, comment.n);
    if (!take(&comment, STR(MARK)))
        return false;
    bool is_good = take(&comment, STR("allow"));
    do
        is_good = is_good && directive->count < CODES_MAX &&
                  take_code(&comment, &directive->codes[directive->count++]);
    while (is_good && take(&comment, STR(",")));
    if (!is_good || !take_reason(comment))
        directive->count = 0;
    return true;
}

/* The extent of the statement that begins with token; *next is the token behind it. */
static uint32_t statement_end(struct lexer *lx, struct token token, struct token *next)
{
    bool is_block = token.kind == TK_TEST;
    uint32_t depth = 0, hi = token.span.hi;
    for (; token.kind; token = lexer_next(lx)) {
        hi = token.span.hi;
        depth += token.kind == TK_LBRACE;
        if (token.kind == TK_RBRACE && depth > 0 && --depth == 0 && is_block)
            break;
        if (token.kind == TK_SEMI && depth == 0)
            break;
    }
    *next = token.kind ? lexer_next(lx) : token;
    return hi;
}

static void apply(struct directive *directive, struct diags *diags)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        bool is_accepted = false;
        for (uint32_t k = 0; k < directive->count; k++) {
            if (diag->id != directive->codes[k] || diag->span.source != directive->comment.source ||
                diag->span.lo < directive->lo || diag->span.lo >= directive->hi)
                continue;
            is_accepted = true;
            directive->is_used[k] = true;
        }
        if (!is_accepted)
            diags->items[kept++] = diags->items[i];
    }
    diags->count = kept;
    diags->last = NULL;
}

static void judge(struct directive *directive, struct diags *diags)
{
    if (directive->count == 0) {
        diag_add(diags, DIAG_BAD_ALLOW, directive->comment);
        diag_help(diags, "// mcpc: allow W803 \"the reason\"");
        return;
    }
    if (directive->hi)
        apply(directive, diags);
    /* Without a check of the whole policy nobody knows what a statement has. */
    for (uint32_t k = 0; k < directive->count && diags->errors == 0; k++) {
        if (!directive->is_used[k])
            diag_add(diags, DIAG_UNUSED_ALLOW, directive->comment,
                     diag_number(directive->codes[k]));
    }
}

static void suppress_in(const struct sources *sources, uint32_t source, struct arena *mem,
                        struct diags *diags)
{
    struct policy comments = { .source = source };
    struct diags *unheard = ARENA_NEW(mem, struct diags, 1); /* said already, by the parser */
    struct lexer lx;
    if (!unheard)
        return;
    diags_init(unheard, mem);
    lexer_init(&lx, sources, source, mem, unheard, &comments);
    if (!lexer_check_bytes(&lx)) {
        lexer_free(&lx);
        return;
    }
    /* Comments before a token are kept when the token is taken. */
    const struct comment *comment = NULL, *last = NULL;
    for (struct token token = lexer_next(&lx), next = { .kind = 0 };; token = next) {
        uint32_t begin = token.span.lo, hi = token.kind ? statement_end(&lx, token, &next) : 0;
        for (comment = last ? last->next : comments.comments; comment; comment = comment->next) {
            struct directive directive = { .comment = comment->span, .lo = begin, .hi = hi };
            Str text = str_sub(sources->items[source].text, comment->span.lo, comment->span.hi);
            if (token.kind && comment->span.lo > begin)
                break;
            last = comment;
            if (read_directive(text, &directive))
                judge(&directive, diags);
        }
        if (!token.kind)
            break;
    }
    lexer_free(&lx);
}

void suppress_warnings(const struct sources *sources, struct arena *mem, struct diags *diags)
{
    for (uint32_t i = 0; i < sources->count; i++)
        suppress_in(sources, i, mem, diags);
}
