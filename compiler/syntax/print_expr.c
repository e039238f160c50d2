/* SPDX-License-Identifier: Apache-2.0 */
/* print_expr.c - the pen, and expressions. An expression is printed on one line; only comments in
 * it and the two layouts for what is too long (a chain, a group) break it. Parentheses are set
 * where the grammar needs them and where `and` meets `or`, `not` meets a comparison or a comparison
 * meets `?\?`, so that nobody has to know the precedence to read a rule. */
#include "compiler/source/text.h"
#include "compiler/syntax/print.h"

/* --------------------------------- pen ---------------------------------- */

void pen_text(struct pen *pen, Str text)
{
    if (!text.n)
        return;
    if (pen->is_fresh)
        for (uint32_t i = 0; i < pen->base + pen->indent; i++)
            buf_add_char(pen->out, ' ');
    else if (pen->wants_space)
        buf_add_char(pen->out, ' ');
    buf_add(pen->out, text);
    pen->is_fresh = pen->wants_space = false;
}

void pen_space(struct pen *pen)
{
    pen->wants_space = true;
}

void pen_line(struct pen *pen)
{
    if (!pen->is_fresh)
        buf_add_char(pen->out, '\n');
    pen->is_fresh = true;
    pen->wants_space = false;
}

bool pen_has_comment(const struct pen *pen, uint32_t before)
{
    return pen->comment && pen->comment->span.lo < before;
}

/* Two line ends with nothing between: the author set a blank line. */
static bool has_blank_line(const struct pen *pen, uint32_t before)
{
    uint32_t line_ends = 0;
    for (uint32_t i = pen->end; i < before && i < pen->source->text.n; i++)
        line_ends += pen->source->text.p[i] == '\n';
    return line_ends >= 2;
}

static void keep_blank_line(struct pen *pen, uint32_t before)
{
    bool is_wanted = !pen->is_block_start && has_blank_line(pen, before) && pen->out->n;
    pen->is_block_start = false;
    if (!is_wanted)
        return;
    pen_line(pen);
    buf_add_char(pen->out, '\n');
}

/* True when nothing but blanks follows the comment on its line. */
static bool ends_line(const struct pen *pen, const struct comment *comment)
{
    Str text = pen->source->text;
    uint32_t at = comment->span.hi;
    while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\t'))
        at++;
    return at >= text.n || text.p[at] == '\n' || text.p[at] == '\r';
}

static void print_comment(struct pen *pen, const struct comment *comment)
{
    Str text = str_sub(pen->source->text, comment->span.lo, comment->span.hi);
    while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
        text.n--;
    /* One that the layout has brought to a line's start keeps the line, as it would next time. */
    bool has_line = comment->is_line_start || pen->is_fresh;
    if (has_line)
        pen_line(pen);
    else
        pen_space(pen);
    pen_text(pen, text);
    if (has_line || ends_line(pen, comment))
        pen_line(pen);
    else
        pen_space(pen);
    pen->end = comment->span.hi;
}

void pen_comments(struct pen *pen, uint32_t before)
{
    for (; pen_has_comment(pen, before); pen->comment = pen->comment->next)
        print_comment(pen, pen->comment);
}

void pen_gap(struct pen *pen, uint32_t before)
{
    for (; pen_has_comment(pen, before); pen->comment = pen->comment->next) {
        if (pen->comment->is_line_start)
            keep_blank_line(pen, pen->comment->span.lo);
        print_comment(pen, pen->comment);
    }
    keep_blank_line(pen, before);
}

uint32_t pen_column(const struct pen *pen)
{
    size_t at = pen->out->n;
    uint32_t column = 0;
    while (at > 0 && pen->out->p[at - 1] != '\n')
        column += ((unsigned char)pen->out->p[--at] & 0xC0) != 0x80;
    return column;
}

/* ------------------------------- literals ------------------------------- */

/* The inside of a string literal; next_opens: an interpolation follows, so a last '$' is quoted. */
static void escape_text(struct pen *pen, Str text, bool next_opens)
{
    for (size_t at = 0, length = 0; at < text.n; at += length) {
        uint32_t code = text_decode(text, at, &length);
        bool is_last = at + 1 == text.n;
        bool is_opening = code == '$' && (is_last ? next_opens : text.p[at + 1] == '{');
        if (code == '\n')
            buf_add(pen->out, STR("\\n"));
        else if (code == '\t')
            buf_add(pen->out, STR("\\t"));
        else if (code == '"' || code == '\\' || is_opening)
            buf_printf(pen->out, "\\%c", (char)code);
        else if (text_is_control(code) || text_is_direction(code))
            buf_printf(pen->out, "\\u{%x}", code);
        else
            buf_add(pen->out, str_sub(text, at, at + length));
    }
}

void pen_string(struct pen *pen, Str text)
{
    pen_text(pen, STR("\""));
    escape_text(pen, text, false);
    buf_add_char(pen->out, '"');
}

static void print_pattern(struct pen *pen, Str text)
{
    pen_text(pen, STR("/"));
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '/')
            buf_add_char(pen->out, '\\');
        buf_add_char(pen->out, text.p[i]);
    }
    buf_add_char(pen->out, '/');
}

static bool is_plain_key(Str key)
{
    for (size_t i = 0; i < key.n; i++) {
        char ch = key.p[i];
        bool is_letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
        if (!is_letter && (i == 0 || ch < '0' || ch > '9'))
            return false;
    }
    return key.n > 0;
}

static void print_key(struct pen *pen, Str key)
{
    pen_text(pen, STR("."));
    if (is_plain_key(key))
        pen_text(pen, key);
    else
        pen_string(pen, key);
}

static void print_field(struct pen *pen, const struct expr *expr)
{
    static const Str roots[] = {
        // clang-format off
        [ROOT_ARGS] = STR_INIT("args"), [ROOT_PRINCIPAL] = STR_INIT("principal"),
        [ROOT_GRANT] = STR_INIT("grant"), [ROOT_CLIENT] = STR_INIT("client"),
        [ROOT_CALL] = STR_INIT("call"), [ROOT_NOW] = STR_INIT("now"),
        // clang-format on
    };
    pen_text(pen, roots[expr->root]);
    for (const struct name *key = expr->path; key; key = key->next) {
        print_key(pen, key->text);
    }
}

static void print_interpolation(struct pen *pen, const struct expr *expr)
{
    pen_text(pen, STR("\""));
    for (const struct expr *item = expr->items; item; item = item->next) {
        if (item->is_piece) {
            escape_text(pen, item->text, item->next != NULL);
            continue;
        }
        pen_text(pen, STR("${"));
        print_expr(pen, item, LEVEL_CHAIN);
        pen_text(pen, STR("}"));
    }
    pen_text(pen, STR("\""));
}

/* ------------------------------- operators ------------------------------ */

static const Str op_words[] = {
    // clang-format off
    [OP2_AND] = STR_INIT("and"), [OP2_OR] = STR_INIT("or"), [OP2_EQ] = STR_INIT("=="),
    [OP2_NE] = STR_INIT("!="), [OP2_LT] = STR_INIT("<"), [OP2_LE] = STR_INIT("<="),
    [OP2_GT] = STR_INIT(">"), [OP2_GE] = STR_INIT(">="), [OP2_IN] = STR_INIT("in"),
    [OP2_STARTS] = STR_INIT("starts with"), [OP2_ENDS] = STR_INIT("ends with"),
    [OP2_CONTAINS] = STR_INIT("contains"), [OP2_MATCHES] = STR_INIT("matches"),
    [OP2_LIKE] = STR_INIT("like"), [OP2_ELSE] = STR_INIT("?\?"),
    [OP2_WITHIN] = STR_INIT("within"), [OP2_ADD] = STR_INIT("+"), [OP2_SUB] = STR_INIT("-"),
    [OP2_MUL] = STR_INIT("*"),
    // clang-format on
};

bool expr_is_chain(const struct expr *expr)
{
    return expr->kind == EXPR_BINARY && (expr->op == OP2_AND || expr->op == OP2_OR);
}

/* any and all, which end where their body ends; count and sum stand in parentheses. */
static bool is_bare_quantifier(const struct expr *expr)
{
    return expr->kind == EXPR_QUANTIFIER &&
           (expr->quantifier == QUANTIFIER_ANY || expr->quantifier == QUANTIFIER_ALL);
}

static bool is_arithmetic(const struct expr *expr)
{
    return expr->kind == EXPR_BINARY &&
           (expr->op == OP2_ADD || expr->op == OP2_SUB || expr->op == OP2_MUL);
}

/* not (a in b), which is written a not in b. */
static bool is_not_in(const struct expr *expr)
{
    return expr->kind == EXPR_NOT && expr->left->kind == EXPR_BINARY && expr->left->op == OP2_IN;
}

/* Parentheses are no place of their own: the printer sets them as it likes. So a comment belongs
 * before the first or behind the last token that is printed in any case. */
uint32_t expr_begin(const struct expr *expr)
{
    while (expr->kind == EXPR_BINARY || is_not_in(expr))
        expr = expr->left;
    if (expr->kind != EXPR_FIELD || !expr->path)
        return expr->span.lo;
    const struct name *last = expr->path;
    while (last->next)
        last = last->next;
    return last->span.lo; /* what stands between its keys moves before it */
}

uint32_t expr_end(const struct expr *expr)
{
    while (expr->kind == EXPR_BINARY || expr->kind == EXPR_NOT || is_bare_quantifier(expr))
        expr = expr->kind == EXPR_NOT ? expr->left : expr->right;
    return expr->span.hi;
}

static enum print_level level_of(const struct expr *expr)
{
    if (expr_is_chain(expr))
        return LEVEL_CHAIN;
    if (expr->kind == EXPR_NOT)
        return is_not_in(expr) ? LEVEL_COMPARISON : LEVEL_NOT;
    if (is_bare_quantifier(expr))
        return LEVEL_NOT;
    if (expr->kind == EXPR_BINARY)
        return expr->op == OP2_ELSE || is_arithmetic(expr) ? LEVEL_VALUE : LEVEL_COMPARISON;
    return LEVEL_PRIMARY;
}

static void print_operator(struct pen *pen, const struct expr *right, Str word)
{
    pen_comments(pen, expr_begin(right));
    pen_space(pen);
    pen_text(pen, word);
    pen_space(pen);
}

static void print_group(struct pen *pen, const struct expr *group)
{
    bool is_set = group->kind == EXPR_SET;
    pen_text(pen, is_set ? STR("{") : STR("["));
    for (const struct expr *item = group->items; item; item = item->next) {
        if (is_set && item == group->items)
            pen_space(pen);
        print_expr(pen, item, LEVEL_CHAIN);
        if (item->next) {
            pen_text(pen, STR(","));
            pen_comments(pen, expr_begin(item->next));
            pen_space(pen);
        } else if (is_set) {
            pen_space(pen);
        }
    }
    pen_comments(pen, group->span.hi);
    pen_text(pen, is_set ? STR("}") : STR("]"));
}

void print_group_lines(struct pen *pen, const struct expr *group)
{
    bool is_set = group->kind == EXPR_SET;
    uint32_t indent = pen->indent;
    pen_text(pen, is_set ? STR("{") : STR("["));
    pen->indent = indent + PRINT_INDENT;
    for (const struct expr *item = group->items; item; item = item->next) {
        pen_comments(pen, expr_begin(item));
        pen_line(pen);
        print_expr(pen, item, LEVEL_CHAIN);
        pen_text(pen, STR(","));
    }
    pen_comments(pen, group->span.hi);
    pen->indent = indent;
    pen_line(pen);
    pen_text(pen, is_set ? STR("}") : STR("]"));
}

/* A quantifier ends where `and` and `or` begin, which nobody should have to know: it stands in
 * parentheses unless nothing follows it. */
static enum print_level operand_level(const struct expr *expr, bool is_last)
{
    return is_bare_quantifier(expr) && !is_last ? LEVEL_PRIMARY : LEVEL_NOT;
}

static void print_chain(struct pen *pen, const struct expr *expr, enum binary_op op, bool is_last)
{
    const struct expr *sides[] = { expr->left, expr->right };
    for (size_t i = 0; i < COUNT(sides); i++) {
        if (i)
            print_operator(pen, sides[i], op_words[op]);
        if (sides[i]->kind == EXPR_BINARY && sides[i]->op == op)
            print_chain(pen, sides[i], op, is_last && i);
        else
            print_expr(pen, sides[i], operand_level(sides[i], is_last && i));
    }
}

static void print_binary(struct pen *pen, const struct expr *expr, Str word)
{
    const struct expr *right = expr->right;
    bool is_else = expr->op == OP2_ELSE && right->kind == EXPR_BINARY && right->op == OP2_ELSE;
    print_expr(pen, expr->left, LEVEL_PRIMARY);
    print_operator(pen, right, word);
    print_expr(pen, right, is_else ? LEVEL_VALUE : LEVEL_PRIMARY);
}

/* Sums chain to the left without parentheses; a product stands bare in a sum. */
static void print_arithmetic(struct pen *pen, const struct expr *expr)
{
    bool is_product = expr->op == OP2_MUL;
    const struct expr *sides[] = { expr->left, expr->right };
    for (size_t i = 0; i < COUNT(sides); i++) {
        bool has_same =
            is_arithmetic(sides[i]) && (i == 0 ? !is_product || sides[i]->op == OP2_MUL
                                               : !is_product && sides[i]->op == OP2_MUL);
        if (i)
            print_operator(pen, sides[i], op_words[expr->op]);
        print_expr(pen, sides[i], has_same ? LEVEL_VALUE : LEVEL_PRIMARY);
    }
}

static void print_items(struct pen *pen, const struct expr *items)
{
    for (const struct expr *item = items; item; item = item->next) {
        print_expr(pen, item, LEVEL_CHAIN);
        if (!item->next)
            break;
        pen_text(pen, STR(","));
        pen_comments(pen, expr_begin(item->next));
        pen_space(pen);
    }
}

static void print_call(struct pen *pen, const struct expr *expr)
{
    pen_text(pen, function_table[expr->function].word);
    pen_text(pen, STR("("));
    print_items(pen, expr->items);
    pen_comments(pen, expr->span.hi);
    pen_text(pen, STR(")"));
}

static void print_roles(struct pen *pen, const struct expr *expr)
{
    pen_text(pen, STR("args by role"));
    pen_space(pen);
    for (const struct name *role = expr->roles; role; role = role->next) {
        pen_text(pen, role->text);
        if (role->next)
            pen_text(pen, STR(", "));
    }
}

/* any v in LIST: */
static void print_quantifier_head(struct pen *pen, const struct expr *expr)
{
    static const Str words[] = {
        // clang-format off
        [QUANTIFIER_ANY] = STR_INIT("any "), [QUANTIFIER_ALL] = STR_INIT("all "),
        [QUANTIFIER_COUNT] = STR_INIT("count("), [QUANTIFIER_SUM] = STR_INIT("sum("),
        // clang-format on
    };
    pen_text(pen, words[expr->quantifier]);
    pen_text(pen, expr->text);
    pen_text(pen, STR(" in"));
    pen_space(pen);
    if (expr->roles)
        print_roles(pen, expr);
    else
        print_expr(pen, expr->left, LEVEL_PRIMARY);
    pen_text(pen, STR(":"));
    pen_comments(pen, expr_begin(expr->right));
    pen_space(pen);
}

static void print_quantifier(struct pen *pen, const struct expr *expr)
{
    bool is_bare = is_bare_quantifier(expr);
    print_quantifier_head(pen, expr);
    print_expr(pen, expr->right, is_bare ? LEVEL_NOT : LEVEL_CHAIN);
    if (is_bare)
        return;
    pen_comments(pen, expr->span.hi);
    pen_text(pen, STR(")"));
}

static void print_bare(struct pen *pen, const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_NULL: pen_text(pen, STR("null")); break;
    case EXPR_BOOL: pen_text(pen, expr->truth ? STR("true") : STR("false")); break;
    case EXPR_NUMBER: /* as written: the author grouped its digits */
        pen_text(pen, str_sub(pen->source->text, expr->span.lo, expr->span.hi));
        break;
    case EXPR_STRING: pen_string(pen, expr->text); break;
    case EXPR_INTERPOLATION: print_interpolation(pen, expr); break;
    case EXPR_PATTERN: print_pattern(pen, expr->text); break;
    case EXPR_LIST:
    case EXPR_SET: print_group(pen, expr); break;
    case EXPR_NAME: pen_text(pen, expr->text); break;
    case EXPR_FIELD: print_field(pen, expr); break;
    case EXPR_NOT:
        if (is_not_in(expr)) {
            print_binary(pen, expr->left, STR("not in"));
            break;
        }
        pen_text(pen, STR("not"));
        pen_comments(pen, expr_begin(expr->left));
        pen_space(pen);
        print_expr(pen, expr->left, LEVEL_PRIMARY);
        break;
    case EXPR_HAS:
        pen_text(pen, STR("has"));
        pen_comments(pen, expr_begin(expr->left));
        pen_space(pen);
        print_expr(pen, expr->left, LEVEL_PRIMARY);
        break;
    case EXPR_CALL: print_call(pen, expr); break;
    case EXPR_QUANTIFIER: print_quantifier(pen, expr); break;
    case EXPR_MEMBER:
        print_expr(pen, expr->left, LEVEL_PRIMARY);
        print_key(pen, expr->text);
        break;
    case EXPR_INDEX:
        print_expr(pen, expr->left, LEVEL_PRIMARY);
        buf_printf(pen->out, "[%u]", expr->index);
        break;
    case EXPR_EACH:
        print_expr(pen, expr->left, LEVEL_PRIMARY);
        pen_text(pen, STR("[]"));
        break;
    case EXPR_LENGTH:
        pen_text(pen, STR("length("));
        print_expr(pen, expr->left, LEVEL_CHAIN);
        pen_comments(pen, expr->span.hi);
        pen_text(pen, STR(")"));
        break;
    case EXPR_BINARY:
        if (expr_is_chain(expr))
            print_chain(pen, expr, expr->op, true);
        else if (is_arithmetic(expr))
            print_arithmetic(pen, expr);
        else
            print_binary(pen, expr, op_words[expr->op]);
        break;
    }
}

void print_expr(struct pen *pen, const struct expr *expr, enum print_level level)
{
    bool is_wrapped = level_of(expr) < level;
    pen_comments(pen, expr_begin(expr));
    if (is_wrapped)
        pen_text(pen, STR("("));
    print_bare(pen, expr);
    if (is_wrapped)
        pen_text(pen, STR(")"));
}

/* -------------------------- what is too long ---------------------------- */

/* The comparison that ends in a group, with the word of its operator. */
static const struct expr *group_comparison(const struct expr *expr, Str *word)
{
    bool is_negated = is_not_in(expr);
    const struct expr *in = is_negated ? expr->left : expr;
    *word = is_negated ? STR("not in") : STR("in");
    bool is_in = in->kind == EXPR_BINARY && in->op == OP2_IN;
    return is_in && (in->right->kind == EXPR_SET || in->right->kind == EXPR_LIST) ? in : NULL;
}

/* A chain in parentheses, one operand a line; the body of a quantifier begins on a line of its own.
 */
static void print_chain_block(struct pen *pen, const struct expr *chain, bool is_body)
{
    uint32_t indent = pen->indent, inner = indent + PRINT_INDENT;
    pen_text(pen, STR("("));
    pen->indent = inner + (uint32_t)op_words[chain->op].n + 1;
    if (is_body)
        pen_line(pen);
    print_chain_lines(pen, chain, inner);
    pen_text(pen, STR(")"));
    pen->indent = indent;
}

/* What has a chain in it to break: the chain, not before it, and quantifiers around it. */
static bool is_breakable(const struct expr *expr)
{
    while (is_bare_quantifier(expr) || (expr->kind == EXPR_NOT && !is_not_in(expr)))
        expr = is_bare_quantifier(expr) ? expr->right : expr->left;
    return expr_is_chain(expr);
}

static void print_broken(struct pen *pen, const struct expr *expr)
{
    if (expr_is_chain(expr)) {
        print_chain_block(pen, expr, false);
    } else if (is_bare_quantifier(expr)) {
        print_quantifier_head(pen, expr);
        if (expr_is_chain(expr->right))
            print_chain_block(pen, expr->right, true);
        else
            print_fitted(pen, expr->right, LEVEL_NOT);
    } else {
        bool is_wrapped = level_of(expr->left) < LEVEL_PRIMARY && !expr_is_chain(expr->left);
        pen_text(pen, STR("not"));
        pen_comments(pen, expr_begin(expr->left));
        pen_space(pen);
        pen_text(pen, is_wrapped ? STR("(") : STR(""));
        print_fitted(pen, expr->left, is_wrapped ? LEVEL_CHAIN : LEVEL_PRIMARY);
        pen_text(pen, is_wrapped ? STR(")") : STR(""));
    }
}

void print_fitted(struct pen *pen, const struct expr *expr, enum print_level level)
{
    Str word;
    const struct expr *in = group_comparison(expr, &word);
    bool has_comment = pen_has_comment(pen, expr_end(expr));
    bool may_break = in || (is_breakable(expr) && !has_comment);
    struct pen saved = *pen;
    size_t start = pen->out->n;
    if (!in || !has_comment)
        print_expr(pen, expr, level);
    if (!may_break || (pen->out->n != start && pen_column(pen) <= PRINT_COLUMNS))
        return;
    pen->out->n = start;
    *pen = saved;
    if (!in) {
        bool is_wrapped = is_bare_quantifier(expr) && level == LEVEL_PRIMARY;
        pen_text(pen, is_wrapped ? STR("(") : STR(""));
        print_broken(pen, expr);
        pen_text(pen, is_wrapped ? STR(")") : STR(""));
        return;
    }
    print_expr(pen, in->left, LEVEL_PRIMARY);
    print_operator(pen, in->right, word);
    print_group_lines(pen, in->right);
}

static void chain_lines(struct pen *pen, const struct expr *chain, uint32_t indent, bool is_last)
{
    const struct expr *sides[] = { chain->left, chain->right };
    for (size_t i = 0; i < COUNT(sides); i++) {
        if (i) {
            pen_comments(pen, expr_begin(sides[i]));
            pen->indent = indent;
            pen_line(pen);
            pen_text(pen, op_words[chain->op]);
            pen_space(pen);
        }
        if (sides[i]->kind == EXPR_BINARY && sides[i]->op == chain->op)
            chain_lines(pen, sides[i], indent, is_last && i);
        else
            print_fitted(pen, sides[i], operand_level(sides[i], is_last && i));
    }
}

void print_chain_lines(struct pen *pen, const struct expr *chain, uint32_t indent)
{
    chain_lines(pen, chain, indent, true);
}
