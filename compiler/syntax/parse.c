/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c - feeds tokens to the parser and deals with those it would not take. The question is
 * asked before each token, on a copy of the parser's states, so the answer names exactly what could
 * have stood there. After an error tokens are skipped to a ';', to the '}' of a test, or to a
 * statement's first word at the start of a line, whichever comes first. */
#include "compiler/syntax/parse.h"

#include "grammar/policy.h"

enum { EXPECTED_LISTED_MAX = 12, WORD_DISTANCE_MAX = 2, TOKEN_KINDS_MAX = 128 };

struct feeder {
    struct parse ps;
    struct lexer lx;
    void *parser;
    uint32_t tokens, nesting;
    Span previous; /* the token before */
    int previous_kind;
    bool was_broken; /* the token before swallowed the rest of its line */
    bool is_recovering;
    uint32_t blocks, sets; /* braces opened while recovering */
    struct token head[3];  /* the first tokens of the statement */
    uint32_t head_count;
};

/* Tokens in the order in which a message names them. */
static const int listed[] = {
    TK_STRING,    TK_NUMBER, TK_NAME,    TK_JSON,      TK_POLICY,  TK_SERVER,  TK_LET,
    TK_DEFAULT,   TK_ALLOW,  TK_ASK,     TK_DENY,      TK_NEVER,   TK_ALWAYS,  TK_TEST,
    TK_AS,        TK_AT,     TK_CALL,    TK_EXPECT,    TK_PROFILE, TK_EXTENDS, TK_TOOL,
    TK_EFFECT,    TK_FLAG,   TK_VERSION, TK_TOOLS,     TK_CLASSES, TK_OPEN,    TK_ARGS,
    TK_PRINCIPAL, TK_WITH,   TK_IN,      TK_ELSE,      TK_AND,     TK_OR,      TK_ON,
    TK_WHEN,      TK_UNLESS, TK_SET,     TK_ADVERTISE, TK_REASON,  TK_ASSIGN,  TK_DOT,
    TK_COMMA,     TK_LPAREN, TK_RPAREN,  TK_RBRACK,    TK_LBRACE,  TK_MIDDLE,  TK_TAIL,
    TK_RBRACE,    TK_COLON,  TK_SEMI,
};

static const int statement_starts[] = { TK_IMPORT,  TK_PARAM, TK_POLICY, TK_SERVER, TK_LET,
                                        TK_DEFAULT, TK_ALLOW, TK_ASK,    TK_DENY,   TK_NEVER,
                                        TK_ALWAYS,  TK_TEST,  TK_PROFILE };
static const int test_starts[] = { TK_AS, TK_AT, TK_CALL, TK_EXPECT };
static const int comparisons[] = { TK_EQ,      TK_NE,   TK_LT,     TK_LE,   TK_GT,
                                   TK_GE,      TK_IN,   TK_STARTS, TK_ENDS, TK_CONTAINS,
                                   TK_MATCHES, TK_LIKE, TK_WITHIN };

static bool is_one_of(int kind, const int *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

static bool starts_statement(int kind)
{
    return is_one_of(kind, statement_starts, COUNT(statement_starts));
}

static bool takes(const struct feeder *f, int kind)
{
    return policy_takes(f->parser, kind);
}

/* ------------------------------- messages ------------------------------- */

struct expected {
    Str items[EXPECTED_LISTED_MAX];
    uint32_t count;
};

static void expect_word(struct expected *list, Str word)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (str_eq(list->items[i], word))
            return;
    if (list->count < EXPECTED_LISTED_MAX)
        list->items[list->count++] = word;
}

/* What the parser would have taken, with the many ways to begin a value under one word. */
static void collect_expected(const struct feeder *f, struct expected *list)
{
    bool is_value = takes(f, TK_LBRACK) && takes(f, TK_NAME);
    bool is_statement = takes(f, TK_POLICY);
    bool is_comparison = takes(f, TK_EQ), is_kind = takes(f, TK_TOOL) && takes(f, TK_NAME);
    if (is_kind)
        expect_word(list, STR("a kind of message"));
    if (is_value)
        expect_word(list, STR("a value"));
    if (is_statement)
        expect_word(list, STR("a statement"));
    if (is_comparison)
        expect_word(list, STR("a comparison"));
    for (size_t i = 0; i < COUNT(listed); i++) {
        int kind = listed[i];
        bool is_part_of_value =
            is_value &&
            (kind == TK_STRING || kind == TK_NUMBER || kind == TK_NAME || kind == TK_ARGS ||
             kind == TK_PRINCIPAL || kind == TK_LPAREN || kind == TK_LBRACE);
        bool is_part_of_statement = is_statement && starts_statement(kind);
        bool is_operator = kind == TK_ELSE || kind == TK_DOT || (is_comparison && kind == TK_IN) ||
                           (is_comparison && kind == TK_LPAREN);
        bool is_part_of_kind = is_kind && (kind == TK_TOOL || kind == TK_NAME);
        if (is_part_of_value || is_part_of_statement || is_part_of_kind ||
            (is_comparison && is_operator))
            continue;
        if (takes(f, kind))
            expect_word(list, token_word(kind));
    }
}

static Str list_expected(struct feeder *f, const struct expected *list)
{
    struct buf *text = &f->lx.scratch;
    buf_clear(text);
    for (uint32_t i = 0; i < list->count; i++) {
        if (i)
            buf_add(text, i + 1 == list->count ? STR(" or ") : STR(", "));
        buf_add(text, list->items[i]);
    }
    if (list->count == 0)
        buf_add(text, STR("nothing more"));
    return arena_copy(f->ps.mem, buf_str(text));
}

static bool is_word(const struct token *token)
{
    if (!token->text.n)
        return false;
    char first = token->text.p[0];
    return token->kind != TK_STRING && token->kind != TK_HEAD && token->kind != TK_REGEX &&
           token->kind != TK_JSON &&
           ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_');
}

static Str describe(struct feeder *f, const struct token *token)
{
    if (!is_word(token))
        return token_word(token->kind);
    Str quoted = arena_printf(f->ps.mem, "'%.*s'", STR_ARG(token->text));
    return quoted.p ? quoted : token_word(token->kind);
}

/* Words that people bring from other policy languages. */
static const struct {
    Str foreign;
    int kind;
} synonyms[] = {
    // clang-format off
    { STR_INIT("if"), TK_WHEN }, { STR_INIT("where"), TK_WHEN }, { STR_INIT("permit"), TK_ALLOW },
    { STR_INIT("forbid"), TK_DENY }, { STR_INIT("block"), TK_DENY }, { STR_INIT("because"), TK_REASON },
    { STR_INIT("const"), TK_LET }, { STR_INIT("var"), TK_LET }, { STR_INIT("is"), TK_EQ },
    { STR_INIT("regex"), TK_MATCHES }, { STR_INIT("glob"), TK_LIKE }, { STR_INIT("user"), TK_PRINCIPAL },
    // clang-format on
};

/* The keyword that could stand here and is nearest to the word found; 0 when none is near. */
static int nearest_keyword(const struct feeder *f, Str word)
{
    for (size_t i = 0; i < COUNT(synonyms); i++)
        if (str_eq_nocase(synonyms[i].foreign, word) && takes(f, synonyms[i].kind))
            return synonyms[i].kind;
    static const int kinds[] = {
#define KEYWORD(spelling, token) TK_##token,
#define RESERVED(spelling)
#include "compiler/syntax/keyword.def"
#undef KEYWORD
#undef RESERVED
    };
    int best = 0;
    size_t max = word.n <= 3 ? 1 : WORD_DISTANCE_MAX, best_distance = max + 1;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        Str quoted = token_word(kinds[i]), plain = str_sub(quoted, 1, quoted.n - 1);
        size_t distance = str_eq_nocase(plain, word) ? 0 : str_distance(plain, word, max);
        if (distance < best_distance && takes(f, kinds[i])) {
            best = kinds[i];
            best_distance = distance;
        }
    }
    return best;
}

/* word is quoted. */
static void help_near(struct feeder *f, Str word)
{
    diag_help(f->ps.diags, "did you mean %.*s?", STR_ARG(word));
    diag_fix(f->ps.diags, str_sub(word, 1, word.n - 1));
}

static void help_expected(struct feeder *f, const struct token *token)
{
    int near = is_word(token) ? nearest_keyword(f, token->text) : 0;
    bool is_operator = is_one_of(token->kind, comparisons, COUNT(comparisons));
    if (near)
        help_near(f, token_word(near));
    else if (token->kind == TK_STAR && takes(f, TK_STRING))
        diag_help(f->ps.diags, "a glob stands in quotes: \"*\"");
    else if (token->kind == TK_ASSIGN && takes(f, TK_EQ))
        diag_help(f->ps.diags, "'==' compares");
    else if ((token->kind == TK_WHEN || token->kind == TK_UNLESS) && takes(f, TK_AND))
        diag_help(f->ps.diags, "a rule has one condition: write 'and', or 'and not (...)'");
    else if (is_operator && takes(f, TK_AND))
        diag_help(f->ps.diags, "comparisons don't chain: write 'a < b and b < c'");
    else if (starts_statement(token->kind) && takes(f, TK_EXPECT))
        diag_help(f->ps.diags, "statements stand outside of tests: is a '}' missing before?");
    else if (keyword_kind(token->text) && is_word(token) && takes(f, TK_NAME))
        diag_help(f->ps.diags, "it is a keyword: take another name");
    else if (takes(f, TK_POLICY) && !takes(f, TK_AS))
        diag_help(f->ps.diags,
                  "statements begin with policy, server, import, param, let, default, allow, deny, "
                  "never, always, profile or test");
    else if (f->ps.profile && !f->ps.test && takes(f, TK_TEST))
        diag_help(f->ps.diags,
                  "a profile holds rules, claims and tests: all else stands outside of it");
}

/* The word that stands where a kind of message does and is none; NULL: that is not so. */
static const struct token *bad_kind(const struct feeder *f)
{
    bool is_claim = f->head[0].kind == TK_NEVER || f->head[0].kind == TK_ALWAYS;
    uint32_t at = is_claim ? 1 : 0;
    int effect = f->head[at].kind;
    const struct token *word = &f->head[at + 1];
    bool is_bad =
        f->head_count >= at + 2 && word->kind == TK_NAME &&
        (effect == TK_ALLOW || effect == TK_ASK || effect == TK_DENY || effect == TK_CALL) &&
        kind_of_word(word->text) == KIND_COUNT;
    return is_bad ? word : NULL;
}

static void report(struct feeder *f, const struct token *token)
{
    const struct token *bad = bad_kind(f);
    if (bad) {
        ast_bad_kind(&f->ps, *bad);
        return;
    }
    if (token->kind == TK_RESERVED) {
        diag_add(f->ps.diags, DIAG_RESERVED_WORD, token->span, STR_ARG(token->text));
        if (takes(f, TK_NAME) && !takes(f, TK_LBRACK))
            diag_help(f->ps.diags, "take another name");
        return;
    }
    if (token->kind == TK_HEAD && takes(f, TK_STRING)) {
        diag_add(f->ps.diags, DIAG_PLAIN_STRING, token->span);
        diag_help(f->ps.diags, "write \\${ for the characters themselves");
        return;
    }
    struct expected list = { .count = 0 };
    collect_expected(f, &list);
    Str expected = list_expected(f, &list), found = describe(f, token);
    diag_add(f->ps.diags, DIAG_EXPECTED, token->span, STR_ARG(expected), STR_ARG(found));
    help_expected(f, token);
}

/* ------------------------------- recovery ------------------------------- */

static void push(struct feeder *f, int kind, struct token token)
{
    policy_push(f->parser, kind, token);
}

static struct token semicolon_at(uint32_t source, uint32_t at)
{
    return (struct token){ .kind = TK_SEMI,
                           .span = { .source = source, .lo = at, .hi = at },
                           .text = STR_INIT(";") };
}

/* A name that a broken statement would have declared is declared all the same, so that its uses
 * are not reported as well. */
static void declare_broken(struct feeder *f)
{
    const struct token *word = &f->head[0], *name = &f->head[1];
    if (f->head_count < 2)
        return;
    if (word->kind == TK_LET && name->kind == TK_NAME) {
        struct token unknown = { .kind = TK_NAME, .span = name->span, .text = STR_INIT("") };
        ast_let(&f->ps, *name, ast_literal(&f->ps, EXPR_NAME, unknown), name->span);
    } else if (word->kind == TK_SERVER && name->kind == TK_STRING) {
        struct token absent = { .kind = 0 };
        ast_server(&f->ps, *name, absent, absent, absent, name->span);
    }
}

/* The parser drops what it has of the statement; skipping begins. */
static void begin_recovery(struct feeder *f)
{
    declare_broken(f);
    push(f, TK_RESERVED, (struct token){ .kind = TK_RESERVED, .span = f->previous });
    f->is_recovering = true;
    f->blocks = f->sets = f->nesting = 0;
}

/* Braces of a test or an object hold statements; braces of a set don't. */
static bool skip_brace(struct feeder *f, int kind)
{
    bool is_block = f->previous_kind == TK_STRING || f->previous_kind == TK_NAME;
    if (kind == TK_LBRACE) {
        *(is_block ? &f->blocks : &f->sets) += 1;
        return true;
    }
    if (f->sets) {
        f->sets--;
        return true;
    }
    if (f->blocks) {
        f->blocks--;
        return true;
    }
    return !f->ps.test && !f->ps.profile; /* closes what the error is in */
}

/* True when the token ends the skipping. */
static bool is_sync(struct feeder *f, const struct token *token)
{
    int kind = token->kind;
    if (kind == 0)
        return true;
    /* In a test only a statement that is not indented shows that the test was not closed. */
    uint32_t at = token->span.lo;
    bool is_statement =
        starts_statement(kind) && (!f->ps.test || at == 0 || f->lx.begin[at - 1] == '\n');
    bool is_item = f->ps.test && is_one_of(kind, test_starts, COUNT(test_starts));
    if ((is_statement || is_item) && lexer_is_line_start(&f->lx, at))
        return true;
    if (kind == TK_LBRACE || kind == TK_RBRACE)
        return !skip_brace(f, kind);
    return kind == TK_SEMI && f->blocks == 0;
}

/* Ends the skipping at token: the broken statement is closed as if by a ';'. */
static void end_recovery(struct feeder *f, const struct token *token)
{
    f->is_recovering = false;
    push(f, TK_SEMI, semicolon_at(f->ps.source, token->span.lo));
    if (f->ps.test && starts_statement(token->kind))
        push(f, TK_RBRACE, (struct token){ .kind = TK_RBRACE, .span = f->previous });
    /* A statement that no profile takes: the block before it was not closed. */
    if (f->ps.profile && starts_statement(token->kind) && !takes(f, token->kind))
        push(f, TK_RBRACE, (struct token){ .kind = TK_RBRACE, .span = f->previous });
}

/* A ';' that was forgotten: the token begins the next statement, or nothing follows. */
static bool insert_semicolon(struct feeder *f, const struct token *token)
{
    bool is_next = token->kind == 0 || token->kind == TK_RBRACE || starts_statement(token->kind) ||
                   is_one_of(token->kind, test_starts, COUNT(test_starts));
    if (!is_next || !takes(f, TK_SEMI))
        return false;
    if (!f->was_broken) {
        uint32_t at = f->previous.hi;
        diag_add(f->ps.diags, DIAG_MISSING_SEMICOLON,
                 (Span){ .source = f->ps.source, .lo = at, .hi = at });
        diag_fix(f->ps.diags, STR(";"));
    }
    push(f, TK_SEMI, semicolon_at(f->ps.source, f->previous.hi));
    return true;
}

/* Brackets open at once are bounded, whatever the grammar makes of them. */
static bool count_nesting(struct feeder *f, const struct token *token)
{
    switch (token->kind) {
    case TK_LPAREN:
    case TK_LBRACK:
    case TK_LBRACE:
    case TK_HEAD: f->nesting++; break;
    case TK_RPAREN:
    case TK_RBRACK:
    case TK_RBRACE:
    case TK_TAIL: f->nesting -= f->nesting > 0; break;
    case TK_SEMI: f->nesting = 0; break;
    default: break;
    }
    if (f->nesting <= POLICY_NESTING_MAX)
        return true;
    parse_too_deep(&f->ps, token->span);
    return false;
}

static void feed(struct feeder *f, struct token token)
{
    if (f->is_recovering) {
        if (!is_sync(f, &token))
            return;
        end_recovery(f, &token);
        if (token.kind == TK_SEMI)
            return;
    }
    /* A bad token before has said enough. */
    bool is_quiet = (f->was_broken || f->lx.has_skipped) && f->ps.diags->errors > 0;
    if (!takes(f, token.kind) && !insert_semicolon(f, &token) && !is_quiet)
        report(f, &token);
    if (!takes(f, token.kind)) {
        begin_recovery(f);
        if (!is_sync(f, &token))
            return;
        end_recovery(f, &token);
        if (token.kind == TK_SEMI || !takes(f, token.kind))
            return;
    }
    if (count_nesting(f, &token))
        push(f, token.kind, token);
}

static void count_token(struct feeder *f, const struct token *token)
{
    if (++f->tokens <= POLICY_TOKENS_MAX)
        return;
    diag_add(f->ps.diags, DIAG_TOO_MANY_TOKENS, token->span, POLICY_TOKENS_MAX);
    f->ps.is_stopped = true;
}

static void parse_tokens(struct feeder *f)
{
    struct token token;
    do {
        f->lx.is_quiet = f->is_recovering;
        token = lexer_next(&f->lx);
        count_token(f, &token);
        if (f->lx.is_out_of_memory)
            parse_no_memory(&f->ps);
        if (f->ps.is_stopped)
            break;
        feed(f, token);
        f->previous = token.span;
        f->previous_kind = token.kind;
        if (token.kind == TK_SEMI || token.kind == TK_RBRACE)
            f->head_count = 0;
        else if (f->head_count < COUNT(f->head))
            f->head[f->head_count++] = token;
        f->was_broken = f->lx.is_broken;
    } while (token.kind && !f->ps.is_stopped);
}

struct policy *policy_parse(struct sources *sources, uint32_t source, struct arena *mem,
                            struct diags *diags)
{
    static struct policy without_memory;
    ENSURE(source < sources->count);
    struct policy *policy = ARENA_NEW(mem, struct policy, 1);
    struct feeder *f = ARENA_NEW(mem, struct feeder, 1);
    void *parser = arena_alloc(mem, policy_parser_bytes(), _Alignof(max_align_t), 1);
    if (!policy || !f || !parser) {
        diag_add(diags, DIAG_NO_MEMORY, (Span){ .source = source, .lo = 0, .hi = 0 });
        without_memory = (struct policy){ .source = source };
        return &without_memory;
    }
    policy->source = source;
    f->ps = (struct parse){ .mem = mem, .diags = diags, .policy = policy, .source = source };
    f->parser = parser;
    policy_pushInit(parser, &f->ps);
    lexer_init(&f->lx, sources, source, mem, diags, policy);
    if (lexer_check_bytes(&f->lx))
        parse_tokens(f);
    lexer_free(&f->lx);
    if (f->ps.is_stopped) /* what was read may have holes: show nobody */
        *policy = (struct policy){ .source = source };
    return policy;
}

/* ----------------------------- for editors ------------------------------ */

static bool push_all(struct feeder *f, const struct token *tokens, int count)
{
    for (int i = 0; i < count; i++) {
        if (f->ps.is_stopped || !takes(f, tokens[i].kind) || !count_nesting(f, &tokens[i]))
            return false;
        push(f, tokens[i].kind, tokens[i]);
    }
    return !f->ps.is_stopped;
}

static void collect_kinds(const struct feeder *f, bool could[POLICY_KINDS_MAX])
{
    static const int kinds[] = {
#define KEYWORD(spelling, token) TK_##token,
#define RESERVED(spelling)
#include "compiler/syntax/keyword.def"
#undef KEYWORD
#undef RESERVED
    };
    for (int i = 0; i < POLICY_KINDS_MAX; i++)
        could[i] = false;
    for (size_t i = 0; i < COUNT(kinds); i++)
        could[kinds[i]] = takes(f, kinds[i]);
    for (size_t i = 0; i < COUNT(listed); i++)
        could[listed[i]] = takes(f, listed[i]);
    could[TK_LBRACK] = takes(f, TK_LBRACK); /* with a name: a value */
}

/* The heads of the blocks that the statement stands in. */
static bool push_block(struct feeder *f, enum policy_block block)
{
    static const struct token tests[] = { { .kind = TK_TEST },
                                          { .kind = TK_STRING, .text = STR_INIT("") },
                                          { .kind = TK_LBRACE } };
    static const struct token profile[] = { { .kind = TK_PROFILE },
                                            { .kind = TK_STRING, .text = STR_INIT("") },
                                            { .kind = TK_LBRACE } };
    bool is_profile = block == BLOCK_PROFILE || block == BLOCK_TEST_OF_PROFILE;
    bool is_test = block == BLOCK_TEST || block == BLOCK_TEST_OF_PROFILE;
    return (!is_profile || push_all(f, profile, COUNT(profile))) &&
           (!is_test || push_all(f, tests, COUNT(tests)));
}

bool policy_could_follow(const struct token *tokens, int count, enum policy_block block,
                         struct arena *mem, bool could[POLICY_KINDS_MAX])
{
    struct policy *policy = ARENA_NEW(mem, struct policy, 1);
    struct diags *unheard = ARENA_NEW(mem, struct diags, 1);
    struct feeder *f = ARENA_NEW(mem, struct feeder, 1);
    void *parser = arena_alloc(mem, policy_parser_bytes(), _Alignof(max_align_t), 1);
    if (!policy || !unheard || !f || !parser)
        return false;
    diags_init(unheard, mem);
    f->ps = (struct parse){ .mem = mem, .diags = unheard, .policy = policy };
    f->parser = parser;
    policy_pushInit(parser, &f->ps);
    if (!push_block(f, block) || !push_all(f, tokens, count))
        return false;
    collect_kinds(f, could);
    return true;
}
