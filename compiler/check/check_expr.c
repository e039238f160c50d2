/* SPDX-License-Identifier: Apache-2.0 */
/* check_expr.c - the types of conditions.
 *
 * A condition (and, or, not, a comparison, has) is true, false or unknown; a value is read from the
 * call or written in the policy. The two don't mix: a condition is never compared, a value is a
 * condition only if it is a bool. Sets, lists and patterns stand only where an operator takes them.
 * TYPE_ANY goes everywhere and is judged at run time. Recursion is bounded by the height that
 * ast.c gives to expressions, and by let_depth. */
#include "compiler/check/check_internal.h"

static const Type type_error = { .kind = TYPE_ERROR, .element = TYPE_ERROR };
static const Type type_bool = { .kind = TYPE_BOOL, .element = TYPE_ANY };

static const struct {
    Str word, what;
} kinds[] = {
    // clang-format off
    [TYPE_ERROR] = { STR_INIT("nothing"), STR_INIT("nothing") },
    [TYPE_ANY] = { STR_INIT("a value"), STR_INIT("values") },
    [TYPE_NULL] = { STR_INIT("null"), STR_INIT("nulls") },
    [TYPE_BOOL] = { STR_INIT("a boolean"), STR_INIT("booleans") },
    [TYPE_NUMBER] = { STR_INIT("a number"), STR_INIT("numbers") },
    [TYPE_STRING] = { STR_INIT("a string"), STR_INIT("strings") },
    [TYPE_LIST] = { STR_INIT("a list"), STR_INIT("lists") },
    [TYPE_OBJECT] = { STR_INIT("an object"), STR_INIT("objects") },
    [TYPE_SET] = { STR_INIT("a set"), STR_INIT("sets") },
    [TYPE_PATTERN] = { STR_INIT("a pattern"), STR_INIT("patterns") },
    [TYPE_TIME] = { STR_INIT("a time of day"), STR_INIT("times of day") },
    [TYPE_DATE] = { STR_INIT("a date"), STR_INIT("dates") },
    [TYPE_DURATION] = { STR_INIT("a duration"), STR_INIT("durations") },
    [TYPE_INSTANT] = { STR_INIT("an instant"), STR_INIT("instants") },
    [TYPE_NETS] = { STR_INIT("address ranges"), STR_INIT("address ranges") },
    // clang-format on
};

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

Str type_word(Type type)
{
    return kinds[type.kind].word;
}

static Str word_of(Type type)
{
    return kinds[type.kind].word;
}

static Type simple(enum type_kind kind)
{
    return (Type){ .kind = kind, .element = TYPE_ANY };
}

static bool is_known(Type type)
{
    return type.kind != TYPE_ERROR && type.kind != TYPE_ANY;
}

/* Accepts kind, and whatever is known only at run time. */
static bool may_be(Type type, enum type_kind kind)
{
    return !is_known(type) || type.kind == kind;
}

bool expr_is_condition(const struct expr *expr)
{
    if (expr->kind == EXPR_QUANTIFIER)
        return expr->quantifier == QUANTIFIER_ANY || expr->quantifier == QUANTIFIER_ALL;
    return expr->kind == EXPR_NOT || expr->kind == EXPR_HAS ||
           (expr->kind == EXPR_BINARY && expr->op < OP2_ADD);
}

/* --------------------------------- names -------------------------------- */

static Type name_local(struct checker *c, struct expr *expr, struct let_decl *local,
                       bool is_guarded)
{
    struct expr *value = local->value;
    local->is_used = true;
    if (value->type.kind == TYPE_ERROR)
        return type_error;
    expr->let = local;
    if (value->kind == EXPR_FIELD && !is_guarded) /* now it matters whether it may be missing */
        (void)check_field(c, value, false);
    expr->schema = value->schema;
    return value->type;
}

static Type name_type(struct checker *c, struct expr *expr, bool is_guarded)
{
    const struct symbol *symbol = symbol_find(&c->lets, expr->text);
    if (!expr->text.n) /* reported by the parser */
        return type_error;
    expr->binding = variable_find(c, expr->text);
    if (expr->binding) {
        expr->schema = expr->binding->element_schema;
        return expr->binding->element;
    }
    struct let_decl *local = local_find(c, expr->text);
    if (local)
        return name_local(c, expr, local, is_guarded);
    if (!symbol) {
        diag_add(c->diags, DIAG_UNKNOWN_NAME, expr->span, STR_ARG(expr->text));
        Str best = symbol_nearest(&c->lets, expr->text);
        if (best.n)
            help_nearest(c, best);
        else if (expr->span.lo &&
                 c->sources->items[expr->span.source].text.p[expr->span.lo - 1] == '-')
            diag_help(c->diags, "a key with a hyphen stands in quotes: args.\"a-%.*s\"",
                      STR_ARG(expr->text));
        else
            diag_help(c->diags, "an argument is written args.%.*s, a string \"%.*s\"",
                      STR_ARG(expr->text), STR_ARG(expr->text));
        return type_error;
    }
    struct let_decl *let = symbol->item;
    let->is_used = true;
    if (let->is_busy) {
        diag_add(c->diags, DIAG_LET_CYCLE, expr->span, STR_ARG(expr->text));
        return type_error;
    }
    check_let(c, let);
    if (!let->value || let->value->type.kind == TYPE_ERROR)
        return type_error;
    expr->let = let;
    return let->value->type;
}

Type check_name(struct checker *c, struct expr *expr)
{
    return name_type(c, expr, false);
}

Type check_field(struct checker *c, struct expr *expr, bool is_guarded)
{
    if (!c->rule) {
        Str what = field_text(c, expr);
        diag_add(c->diags, DIAG_LET_NOT_CONSTANT, expr->span, STR_ARG(what));
        return type_error;
    }
    return expr->root == ROOT_ARGS ? check_argument(c, expr, is_guarded || c->defaulted == expr)
                                   : check_root(c, expr);
}

/* -------------------------------- values -------------------------------- */

static Type check_interpolation(struct checker *c, struct expr *expr)
{
    bool is_good = true;
    for (struct expr *item = expr->items; item; item = item->next) {
        Type type = check_value(c, item);
        bool is_fit = may_be(type, TYPE_STRING) || may_be(type, TYPE_NUMBER);
        if (!is_fit)
            diag_add(c->diags, DIAG_INTERPOLATED, item->span, STR_ARG(word_of(type)));
        is_good &= is_fit && type.kind != TYPE_ERROR;
    }
    return is_good ? simple(TYPE_STRING) : type_error;
}

static Type check_length(struct checker *c, struct expr *expr)
{
    Type type = check_value(c, expr->left);
    if (!may_be(type, TYPE_STRING) && !may_be(type, TYPE_LIST) && !may_be(type, TYPE_OBJECT))
        diag_add(c->diags, DIAG_LENGTH_OPERAND, expr->left->span, STR_ARG(word_of(type)));
    return simple(TYPE_NUMBER);
}

/* What a call may come without. */
static bool field_may_lack(const struct expr *field)
{
    bool is_attribute = field->root == ROOT_PRINCIPAL && field->path->next;
    return is_attribute || field->root == ROOT_ARGS || field->root == ROOT_GRANT ||
           field->root == ROOT_CLIENT;
}

/* A rule's name for something that a call may come without, where that is asked for. */
static bool names_lacking(struct checker *c, struct expr *expr)
{
    if (expr->kind != EXPR_NAME || variable_find(c, expr->text) || !local_find(c, expr->text))
        return false;
    expr->type = name_type(c, expr, true);
    const struct expr *behind = expr_behind(expr);
    return behind->kind == EXPR_MEMBER || behind->kind == EXPR_INDEX ||
           (behind->kind == EXPR_FIELD && field_may_lack(behind));
}

/* What a chain of members and elements begins with: missing there is missing all the way. */
static const struct expr *field_below(const struct expr *expr)
{
    while (expr->kind == EXPR_MEMBER || expr->kind == EXPR_INDEX)
        expr = expr->left;
    return expr;
}

/* The left of "??": an argument, or another "??" in parentheses. */
static Type check_else_left(struct checker *c, struct expr *expr)
{
    if (names_lacking(c, expr))
        return expr->type;
    bool may_lack = expr->kind == EXPR_MEMBER || expr->kind == EXPR_INDEX;
    if (may_lack) {
        c->defaulted = field_below(expr);
        Type type = check_value(c, expr);
        c->defaulted = NULL;
        return type;
    }
    if (expr->kind == EXPR_FIELD && field_may_lack(expr)) {
        expr->type = check_field(c, expr, true);
        return expr->type;
    }
    if (expr->kind == EXPR_BINARY && expr->op == OP2_ELSE)
        return check_value(c, expr);
    Str what = STR_INIT("something else");
    Type type = expr_is_condition(expr) ? type_bool : check_value(c, expr);
    if (expr->kind == EXPR_FIELD)
        what = field_text(c, expr);
    else if (is_known(type))
        what = word_of(type);
    if (type.kind != TYPE_ERROR)
        diag_add(c->diags, DIAG_ELSE_LEFT, expr->span, STR_ARG(what));
    return type_error;
}

static Type check_else(struct checker *c, struct expr *expr)
{
    Type left = check_else_left(c, expr->left), right = check_value(c, expr->right);
    if (left.kind == TYPE_ERROR || right.kind == TYPE_ERROR)
        return type_error;
    if (is_known(left) && is_known(right) && left.kind != right.kind && right.kind != TYPE_NULL) {
        diag_add(c->diags, DIAG_ELSE_TYPES, expr->right->span, STR_ARG(word_of(left)),
                 STR_ARG(word_of(right)));
        return type_error;
    }
    return left.kind == right.kind ? left : simple(TYPE_ANY);
}

static Type no_value(struct checker *c, const struct expr *expr, Str what)
{
    diag_add(c->diags, DIAG_NO_VALUE, expr->span, STR_ARG(what));
    return type_error;
}

static Type number_type(const struct expr *expr)
{
    static const enum type_kind types[] = { [UNIT_NONE] = TYPE_NUMBER,
                                            [UNIT_TIME] = TYPE_TIME,
                                            [UNIT_DATE] = TYPE_DATE,
                                            [UNIT_DURATION] = TYPE_DURATION };
    return simple(types[expr->unit]);
}

/* The type of a sum, a difference or a product; TYPE_ERROR when it has none. */
static enum type_kind arithmetic_kind(enum binary_op op, enum type_kind a, enum type_kind b)
{
    bool is_plus = op == OP2_ADD, is_times = op == OP2_MUL;
    if (a == TYPE_ANY)
        a = b == TYPE_ANY || is_times ? TYPE_NUMBER : b;
    if (b == TYPE_ANY)
        b = a == TYPE_INSTANT ? TYPE_DURATION : is_times ? TYPE_NUMBER : a;
    if (a == TYPE_NUMBER && b == TYPE_NUMBER)
        return TYPE_NUMBER;
    if (is_times)
        return (a == TYPE_DURATION && b == TYPE_NUMBER) || (a == TYPE_NUMBER && b == TYPE_DURATION)
                   ? TYPE_DURATION
                   : TYPE_ERROR;
    if (a == TYPE_DURATION && b == TYPE_DURATION)
        return TYPE_DURATION;
    if (a == TYPE_INSTANT && b == TYPE_DURATION)
        return TYPE_INSTANT;
    if (is_plus && a == TYPE_DURATION && b == TYPE_INSTANT)
        return TYPE_INSTANT;
    return !is_plus && a == TYPE_INSTANT && b == TYPE_INSTANT ? TYPE_DURATION : TYPE_ERROR;
}

static Type check_arithmetic(struct checker *c, struct expr *expr)
{
    Type left = check_value(c, expr->left), right = check_value(c, expr->right);
    if (left.kind == TYPE_ERROR || right.kind == TYPE_ERROR)
        return type_error;
    enum type_kind kind = arithmetic_kind(expr->op, left.kind, right.kind);
    if (kind == TYPE_ERROR)
        diag_add(c->diags, DIAG_ARITHMETIC, expr->span, STR_ARG(op_words[expr->op]),
                 STR_ARG(word_of(left)), STR_ARG(word_of(right)));
    return simple(kind);
}

static Type value_type(struct checker *c, struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_NULL: return simple(TYPE_NULL);
    case EXPR_BOOL: return type_bool;
    case EXPR_NUMBER: return number_type(expr);
    case EXPR_STRING: return simple(TYPE_STRING);
    case EXPR_INTERPOLATION: return check_interpolation(c, expr);
    case EXPR_NAME: return check_name(c, expr);
    case EXPR_FIELD: return check_field(c, expr, false);
    case EXPR_LENGTH: return check_length(c, expr);
    case EXPR_PATTERN: return no_value(c, expr, STR("a pattern"));
    case EXPR_LIST: return expr->items ? no_value(c, expr, STR("a list")) : simple(TYPE_LIST);
    case EXPR_SET: return no_value(c, expr, STR("a set"));
    case EXPR_BINARY:
        if (expr->op == OP2_ELSE)
            return check_else(c, expr);
        if (expr->op >= OP2_ADD)
            return check_arithmetic(c, expr);
        break;
    case EXPR_MEMBER: return check_member_of(c, expr);
    case EXPR_INDEX: return check_index(c, expr);
    case EXPR_CALL: return check_call_of(c, expr);
    case EXPR_EACH: diag_add(c->diags, DIAG_EACH_PLACE, expr->span); return type_error;
    case EXPR_QUANTIFIER:
        if (!expr_is_condition(expr))
            return check_quantifier(c, expr);
        break;
    case EXPR_NOT:
    case EXPR_HAS: break;
    }
    return no_value(c, expr, STR("a condition"));
}

Type check_value(struct checker *c, struct expr *expr)
{
    expr->type = value_type(c, expr);
    /* A name may stand for what is no value. */
    const struct expr *behind = expr_behind(expr);
    bool is_named = expr->kind == EXPR_NAME && expr->let;
    if (is_named && expr_is_condition(behind))
        expr->type = no_value(c, expr, STR("a condition"));
    else if (is_named && (behind->kind == EXPR_SET || behind->kind == EXPR_PATTERN ||
                          (behind->kind == EXPR_LIST && behind->items)))
        expr->type = no_value(c, expr, word_of(expr->type));
    return expr->type;
}

/* --------------------------- lists and sets ----------------------------- */

static bool is_scalar(Type type)
{
    return type.kind != TYPE_LIST && type.kind != TYPE_OBJECT && type.kind != TYPE_SET &&
           type.kind != TYPE_PATTERN;
}

/* The type of one element; what can't be one is reported. */
static Type check_member(struct checker *c, struct expr *item, bool is_set)
{
    Type type = check_value(c, item);
    if (type.kind == TYPE_ERROR)
        return type;
    bool is_fit = is_scalar(type);
    if (is_set && (!expr_is_constant(item) || type.kind == TYPE_NULL))
        is_fit = false;
    if (is_fit)
        return type;
    Str holder =
        is_set ? STR("a set holds constants that are not null") : STR("a list holds plain values");
    Str what = item->kind == EXPR_FIELD ? field_text(c, item) : word_of(type);
    diag_add(c->diags, DIAG_ELEMENT_CONSTANT, item->span, STR_ARG(holder), STR_ARG(what));
    return type_error;
}

/* { ... } and [ ... ]: scalars; a set only constants. */
Type check_group(struct checker *c, struct expr *expr)
{
    bool is_set = expr->kind == EXPR_SET, is_good = true;
    Type group = { .kind = is_set ? TYPE_SET : TYPE_LIST, .element = TYPE_ANY };
    for (struct expr *item = expr->items; item; item = item->next) {
        Type type = check_member(c, item, is_set);
        is_good &= type.kind != TYPE_ERROR;
        bool is_same = item == expr->items || group.element == type.kind;
        group.element = is_same ? type.kind : TYPE_ANY;
    }
    expr->type = is_good ? group : type_error;
    return expr->type;
}

/* What stands behind `in`. */
static Type check_container(struct checker *c, struct expr *expr)
{
    if (expr->kind == EXPR_SET || expr->kind == EXPR_LIST)
        return check_group(c, expr);
    Type type = expr->kind == EXPR_NAME ? check_name(c, expr) : check_value(c, expr);
    expr->type = type;
    if (type.kind == TYPE_ERROR || type.kind == TYPE_ANY || type.kind == TYPE_LIST ||
        type.kind == TYPE_SET || type.kind == TYPE_NETS)
        return type;
    diag_add(c->diags, DIAG_IN_RIGHT, expr->span, STR_ARG(word_of(type)));
    if (type.kind == TYPE_STRING)
        diag_help(c->diags, "for a part of a string write: %s", "whole contains part");
    return type_error;
}

static Str group_words(struct checker *c, Type group)
{
    Str whole = kinds[group.kind].word;
    if (group.element == TYPE_ANY)
        return whole;
    return arena_printf(c->mem, "%.*s of %.*s", STR_ARG(whole), STR_ARG(kinds[group.element].what));
}

/* Can a value of this type be an element? If not it is reported at span. */
static void check_element(struct checker *c, Type type, Type group, Span span)
{
    bool is_same = !is_known(type) || group.element == TYPE_ANY || type.kind == group.element;
    if (type.kind == TYPE_ERROR || group.kind == TYPE_ERROR || (is_scalar(type) && is_same))
        return;
    Str words = group_words(c, group);
    diag_add(c->diags, DIAG_ELEMENT_TYPE, span, STR_ARG(word_of(type)), STR_ARG(words));
}

static void need_string(struct checker *c, const struct expr *expr, Type type, enum binary_op op);

static void check_in(struct checker *c, struct expr *expr)
{
    Type left = check_value(c, expr->left), right = check_container(c, expr->right);
    if (right.kind == TYPE_NETS) {
        need_string(c, expr->left, left, OP2_IN);
        return;
    }
    check_element(c, left, right, expr->left->span);
    const struct expr *group = expr_behind(expr->right);
    if (right.kind == TYPE_ERROR || (group->kind != EXPR_SET && group->kind != EXPR_LIST))
        return;
    for (const struct expr *item = group->items; item; item = item->next) {
        Str text;
        bool is_here = group == expr->right;
        if (expr_text(c, item, &text))
            check_enum_value(c, expr->left, text, is_here ? item->span : expr->right->span);
    }
}

/* ----------------------------- comparisons ------------------------------ */

static bool compare_whole(struct checker *c, const struct expr *expr, Type type)
{
    if (is_scalar(type))
        return false;
    diag_add(c->diags, DIAG_COMPARE_WHOLE, expr->span, STR_ARG(word_of(type)));
    const struct expr *behind = expr_behind(expr);
    if (type.kind == TYPE_LIST)
        diag_help(c->diags, "'in' asks for an element: \"x\" in a list");
    else if (behind->kind == EXPR_CALL && behind->function == FN_PATH)
        diag_help(c->diags, "ask whether it lies in a folder: path(...) within \"...\", or for "
                            "path(...).path");
    else if (behind->kind == EXPR_CALL)
        diag_help(c->diags, "ask for a part of what %.*s finds; docs/domains.md lists them",
                  STR_ARG(function_table[behind->function].word));
    return true;
}

static void check_equality(struct checker *c, struct expr *expr)
{
    Type left = check_value(c, expr->left), right = check_value(c, expr->right);
    bool is_null = left.kind == TYPE_NULL || right.kind == TYPE_NULL;
    if (!is_null && (compare_whole(c, expr->left, left) || compare_whole(c, expr->right, right)))
        return;
    if (is_known(left) && is_known(right) && left.kind != right.kind && !is_null)
        diag_add(c->diags, DIAG_NEVER_EQUAL, expr->span, STR_ARG(word_of(left)),
                 STR_ARG(word_of(right)));
    Str text;
    if (expr_text(c, expr->right, &text))
        check_enum_value(c, expr->left, text, expr->right->span);
    else if (expr_text(c, expr->left, &text))
        check_enum_value(c, expr->right, text, expr->left->span);
}

static bool is_temporal(Type type)
{
    return type.kind == TYPE_TIME || type.kind == TYPE_DATE || type.kind == TYPE_DURATION ||
           type.kind == TYPE_INSTANT;
}

static bool check_order_operand(struct checker *c, struct expr *expr, Str op, Type *type)
{
    *type = check_value(c, expr);
    if (may_be(*type, TYPE_NUMBER) || may_be(*type, TYPE_STRING) || is_temporal(*type))
        return true;
    diag_add(c->diags, DIAG_ORDER_OPERAND, expr->span, STR_ARG(op), STR_ARG(word_of(*type)));
    return false;
}

static void check_order(struct checker *c, struct expr *expr)
{
    Type left, right;
    Str op = op_words[expr->op];
    bool is_good = check_order_operand(c, expr->left, op, &left);
    is_good &= check_order_operand(c, expr->right, op, &right);
    if (is_good && is_known(left) && is_known(right) && left.kind != right.kind)
        diag_add(c->diags, DIAG_ORDER_TYPES, expr->span, STR_ARG(op), STR_ARG(word_of(left)),
                 STR_ARG(word_of(right)));
}

static void need_string(struct checker *c, const struct expr *expr, Type type, enum binary_op op)
{
    if (!may_be(type, TYPE_STRING))
        diag_add(c->diags, DIAG_STRING_NEEDED, expr->span, STR_ARG(op_words[op]),
                 STR_ARG(word_of(type)));
}

static void check_strings(struct checker *c, struct expr *expr)
{
    need_string(c, expr->left, check_value(c, expr->left), expr->op);
    need_string(c, expr->right, check_value(c, expr->right), expr->op);
}

static const struct expr *named(struct checker *c, struct expr *expr);

/* contains /pattern/: somewhere in the string. */
static bool contains_pattern(struct checker *c, struct expr *expr)
{
    struct expr *right = expr->right;
    const struct expr *behind = right->kind == EXPR_NAME ? named(c, right) : right;
    if (behind->kind != EXPR_PATTERN)
        return false;
    need_string(c, expr->left, check_value(c, expr->left), OP2_CONTAINS);
    if (right->kind == EXPR_PATTERN)
        (void)check_pattern_literal(c, right);
    return true;
}

static void check_contains(struct checker *c, struct expr *expr)
{
    if (contains_pattern(c, expr))
        return;
    Type left = check_value(c, expr->left), right = check_value(c, expr->right);
    if (!may_be(left, TYPE_STRING) && !may_be(left, TYPE_LIST))
        diag_add(c->diags, DIAG_CONTAINS_LEFT, expr->left->span, STR_ARG(word_of(left)));
    else if (left.kind == TYPE_STRING)
        need_string(c, expr->right, right, OP2_CONTAINS);
    else if (left.kind == TYPE_LIST || left.kind == TYPE_ANY)
        check_element(c, right,
                      left.kind == TYPE_LIST ? left
                                             : (Type){ .kind = TYPE_LIST, .element = TYPE_ANY },
                      expr->right->span);
}

/* ------------------------------- patterns ------------------------------- */

static void check_matches(struct checker *c, struct expr *expr)
{
    need_string(c, expr->left, check_value(c, expr->left), OP2_MATCHES);
    struct expr *right = expr->right;
    if (right->kind == EXPR_PATTERN) {
        (void)check_pattern_literal(c, right);
        return;
    }
    Type type = right->kind == EXPR_NAME ? check_name(c, right) : check_value(c, right);
    right->type = type;
    if (type.kind == TYPE_ERROR || type.kind == TYPE_PATTERN)
        return;
    Str what = right->kind == EXPR_FIELD ? field_text(c, right) : word_of(type);
    diag_add(c->diags, DIAG_PATTERN_NEEDED, right->span, STR_ARG(what));
    if (right->kind == EXPR_STRING)
        diag_help(c->diags, "a pattern is written between slashes; a glob follows 'like'");
}

/* What a name stands for, before it is known to be a value; itself when it is not known. */
static const struct expr *named(struct checker *c, struct expr *expr)
{
    return check_name(c, expr).kind == TYPE_ERROR ? expr : expr_behind(expr);
}

static void check_globs(struct checker *c, struct expr *right, const struct expr *group)
{
    Str text;
    right->type = right == group ? check_group(c, right) : group->type;
    if (right->type.kind == TYPE_ERROR)
        return;
    for (const struct expr *item = group->items; item; item = item->next) {
        if (expr_text(c, item, &text))
            check_pattern(c, text, AUTOMATON_GLOB, item->span);
        else
            diag_add(c->diags, DIAG_GLOB_NEEDED, item->span, STR_ARG(STR("something else")));
    }
}

static void check_like(struct checker *c, struct expr *expr)
{
    Str text;
    need_string(c, expr->left, check_value(c, expr->left), OP2_LIKE);
    struct expr *right = expr->right;
    const struct expr *group = right->kind == EXPR_NAME ? named(c, right) : right;
    if (group->kind == EXPR_SET || group->kind == EXPR_LIST) {
        check_globs(c, right, group);
        return;
    }
    Type type = right->kind == EXPR_PATTERN ? simple(TYPE_PATTERN) : check_value(c, right);
    if (type.kind == TYPE_ERROR)
        return;
    if (expr_text(c, right, &text)) {
        check_pattern(c, text, AUTOMATON_GLOB, right->span);
        return;
    }
    Str what = right->kind == EXPR_FIELD ? field_text(c, right) : word_of(type);
    if (right->kind == EXPR_INTERPOLATION)
        what = STR("a string that is not constant");
    diag_add(c->diags, DIAG_GLOB_NEEDED, right->span, STR_ARG(what));
    if (type.kind == TYPE_PATTERN)
        diag_help(c->diags, "a /pattern/ follows 'matches'");
}

/* ------------------------------ conditions ------------------------------ */

/* A name that a domain function has read: a raw string may hold anything before the dot. */
static bool is_host_name(const struct expr *expr)
{
    if (expr->kind != EXPR_MEMBER)
        return false;
    const struct expr *of = expr_behind(expr->left);
    bool is_email = of->kind == EXPR_NAME || (of->kind == EXPR_CALL && of->function == FN_EMAIL);
    return (is_email && str_eq(expr->text, STR("domain"))) ||
           (of->kind == EXPR_CALL && of->function == FN_URL && str_eq(expr->text, STR("host"))) ||
           (of->kind == EXPR_CALL && of->function == FN_HOST && str_eq(expr->text, STR("name")));
}

/* A path, a host or all of a list: what `within` asks for follows from its left. */
static void check_within(struct checker *c, struct expr *expr)
{
    struct expr *right = expr->right;
    Type type = check_value(c, expr->left);
    const struct expr *left = expr_behind(expr->left);
    bool is_path = left->kind == EXPR_CALL && left->function == FN_PATH;
    bool is_list = type.kind == TYPE_LIST;
    Str text, wanted = is_path   ? STR("a constant path or a set of them")
                       : is_list ? STR("a set")
                                 : STR("a constant host name or a set of them");
    if (type.kind == TYPE_ERROR)
        return;
    if (!is_path && !is_list && !(may_be(type, TYPE_STRING) && is_host_name(left))) {
        diag_add(c->diags, DIAG_WITHIN_LEFT, expr->left->span, STR_ARG(word_of(type)));
        return;
    }
    const struct expr *group = right->kind == EXPR_NAME ? named(c, right) : right;
    bool is_group = group->kind == EXPR_SET || group->kind == EXPR_LIST;
    if (is_group && right->kind != EXPR_NAME)
        (void)check_group(c, right);
    bool is_good =
        is_list ? group->kind == EXPR_SET : is_group || (expr_text(c, right, &text) && text.n > 0);
    for (const struct expr *item = is_group && !is_list ? group->items : NULL; item;
         item = item->next)
        is_good &= expr_text(c, item, &text);
    if (!is_good)
        diag_add(c->diags, DIAG_WITHIN_RIGHT, right->span, STR_ARG(wanted));
}

static void check_has(struct checker *c, struct expr *expr)
{
    if (names_lacking(c, expr->left))
        return;
    if (expr->left->kind == EXPR_MEMBER || expr->left->kind == EXPR_INDEX) {
        (void)check_value(c, expr->left);
        return;
    }
    if (expr->left->kind != EXPR_FIELD || !field_may_lack(expr->left))
        diag_add(c->diags, DIAG_HAS_OPERAND, expr->left->span);
    else
        expr->left->type = check_field(c, expr->left, true);
}

static void check_operator(struct checker *c, struct expr *expr)
{
    switch (expr->op) {
    case OP2_AND:
    case OP2_OR:
        check_condition(c, expr->left,
                        expr->op == OP2_AND ? "comes before 'and'" : "comes before 'or'");
        check_condition(c, expr->right, expr->op == OP2_AND ? "follows 'and'" : "follows 'or'");
        break;
    case OP2_EQ:
    case OP2_NE: check_equality(c, expr); break;
    case OP2_LT:
    case OP2_LE:
    case OP2_GT:
    case OP2_GE: check_order(c, expr); break;
    case OP2_IN: check_in(c, expr); break;
    case OP2_STARTS:
    case OP2_ENDS: check_strings(c, expr); break;
    case OP2_CONTAINS: check_contains(c, expr); break;
    case OP2_MATCHES: check_matches(c, expr); break;
    case OP2_LIKE: check_like(c, expr); break;
    case OP2_WITHIN: check_within(c, expr); break;
    case OP2_ADD:
    case OP2_SUB:
    case OP2_MUL:
    case OP2_ELSE: break; /* a value */
    }
}

/* A rule's name for a condition. */
static bool names_condition(struct checker *c, struct expr *expr)
{
    const struct let_decl *local = NULL;
    if (expr->kind == EXPR_NAME && !variable_find(c, expr->text))
        local = local_find(c, expr->text);
    if (!local || !expr_is_condition(expr_behind(local->value)))
        return false;
    expr->type = check_name(c, expr);
    return true;
}

void check_condition(struct checker *c, struct expr *expr, const char *what)
{
    if (names_condition(c, expr))
        return;
    if (expr_is_condition(expr)) {
        if (expr->kind == EXPR_NOT)
            check_condition(c, expr->left, "follows 'not'");
        else if (expr->kind == EXPR_HAS)
            check_has(c, expr);
        else if (expr->kind == EXPR_QUANTIFIER)
            (void)check_quantifier(c, expr);
        else
            check_operator(c, expr);
        expr->type = type_bool;
        return;
    }
    Type type = check_value(c, expr);
    if (may_be(type, TYPE_BOOL))
        return;
    Str place = arena_printf(c->mem, "what %s", what);
    diag_add(c->diags, DIAG_NOT_BOOL, expr->span, STR_ARG(place), STR_ARG(word_of(type)));
    if (expr->kind == EXPR_FIELD)
        diag_help(c->diags, "to ask whether it is there write 'has %.*s'",
                  STR_ARG(field_text(c, expr)));
}
