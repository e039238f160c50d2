/* SPDX-License-Identifier: Apache-2.0 */
/* ref_eval.c - docs/language.md as a program: every rule looked at, every condition computed in
 * three values, nothing indexed, nothing remembered. Clear rather than fast. */
#include "tests/unit/ref_eval.h"

#include "compiler/pattern/kind_pattern.h"
#include "tests/unit/slow_match.h"

#include <stdio.h>
#include <stdlib.h>

enum truth { REF_FALSE, REF_UNKNOWN, REF_TRUE }; /* in this order and is min, or is max */

enum ref_kind { R_UNKNOWN, R_MISSING, R_NULL, R_BOOL, R_NUMBER, R_STRING, R_NODE, R_GROUPS };

struct ref_value {
    enum ref_kind kind;
    bool truth;
    bool is_safe;  /* NUMBER */
    bool is_whole; /* NUMBER: an integer literal of the call */
    Str text;
    uint32_t node;
    const struct json_doc *doc;
};

/* What a variable, or a `[]` being gone over, stands for now. */
struct ref_binding {
    const struct expr *what;
    struct ref_value value;
};

struct ref {
    const struct policy *policy;
    const struct vm_call *call;
    struct ref_binding bindings[16];
    size_t binding_count;
    uint32_t loop_depth; /* loops around what is evaluated */
    uint32_t bodies;     /* that the outermost of them and those in it have evaluated */
    char texts[1 << 20];
    size_t used;
};

/* Numbers here are at most 40 digits with small exponents: digits on a common scale, compared as
 * padded strings. */
enum { WHOLE = 60, PART = 60 };

static void lay_out(Str text, char out[WHOLE + PART + 1], bool *is_negative)
{
    memset(out, '0', WHOLE + PART);
    out[WHOLE + PART] = '\0';
    *is_negative = text.n && text.p[0] == '-';
    char copy[256];
    (void)snprintf(copy, sizeof copy, "%.*s", STR_ARG(text));
    char *mantissa = copy + *is_negative, *e = strpbrk(mantissa, "eE");
    long exponent = e ? strtol(e + 1, NULL, 10) : 0;
    if (e)
        *e = '\0';
    char *point = strchr(mantissa, '.');
    long whole = point ? point - mantissa : (long)strlen(mantissa);
    long place = WHOLE - whole - exponent; /* where the first digit goes */
    for (char *at = mantissa; *at; at++) {
        if (*at == '.')
            continue;
        if (place >= 0 && place < WHOLE + PART)
            out[place] = *at;
        place++;
    }
}

static int order_numbers(Str a, Str b)
{
    char x[WHOLE + PART + 1], y[WHOLE + PART + 1];
    bool x_negative, y_negative;
    lay_out(a, x, &x_negative);
    lay_out(b, y, &y_negative);
    bool x_zero = strspn(x, "0") == WHOLE + PART, y_zero = strspn(y, "0") == WHOLE + PART;
    x_negative &= !x_zero;
    y_negative &= !y_zero;
    if (x_negative != y_negative)
        return x_negative ? -1 : 1;
    int order = strcmp(x, y);
    order = order < 0 ? -1 : order > 0;
    return x_negative ? -order : order;
}

static struct ref_value from_node(const struct json_doc *doc, uint32_t index)
{
    const struct json_node *node = json_at(doc, index);
    struct ref_value v = { .node = index, .text = json_text(node), .doc = doc };
    if (node->type == JSON_NULL)
        v.kind = R_NULL;
    else if (node->type == JSON_TRUE || node->type == JSON_FALSE)
        v.kind = R_BOOL;
    else if (node->type == JSON_NUMBER)
        v.kind = R_NUMBER;
    else
        v.kind = node->type == JSON_STRING ? R_STRING : R_NODE;
    v.truth = node->type == JSON_TRUE;
    v.is_safe = !(node->flags & JSON_UNSAFE_NUMBER);
    v.is_whole = (node->flags & JSON_INTEGER) != 0;
    return v;
}

static struct ref_value field(struct ref *ref, const struct expr *e)
{
    const struct json_doc *doc = ref->call->doc;
    if (e->root == ROOT_PRINCIPAL && str_eq(e->path->text, STR("id")))
        return (struct ref_value){ .kind = R_STRING, .text = ref->call->principal->id };
    if (e->root == ROOT_PRINCIPAL)
        return (struct ref_value){ .kind = R_GROUPS };
    ENSURE(e->root == ROOT_ARGS); /* the others have tests of their own */
    if (!doc)
        return (struct ref_value){ .kind = R_MISSING };
    uint32_t at = ref->call->arguments;
    for (const struct name *key = e->path; key; key = key->next) {
        enum json_type type = (enum json_type)json_at(doc, at)->type;
        if (type == JSON_NULL)
            return (struct ref_value){ .kind = R_MISSING };
        if (type != JSON_OBJECT)
            return (struct ref_value){ .kind = R_UNKNOWN };
        uint32_t found = JSON_NONE;
        for (uint32_t i = json_first(doc, at); i != JSON_NONE; i = json_after(doc, at, i)) {
            if (str_eq(json_key(json_at(doc, i)), key->text))
                found = i;
        }
        if (found == JSON_NONE)
            return (struct ref_value){ .kind = R_MISSING };
        at = found;
    }
    return from_node(doc, at);
}

static struct ref_value value(struct ref *ref, const struct expr *e);

static struct ref_value interpolate(struct ref *ref, const struct expr *e)
{
    char *start = ref->texts + ref->used;
    for (const struct expr *item = e->items; item; item = item->next) {
        struct ref_value v = value(ref, item);
        bool is_constant_number = v.kind == R_NUMBER && !v.node && !v.is_whole;
        bool can_join = v.kind == R_STRING || is_constant_number ||
                        (v.kind == R_NUMBER && v.is_whole && v.is_safe);
        if (!can_join)
            return (struct ref_value){ .kind = v.kind == R_MISSING ? R_MISSING : R_UNKNOWN };
        Str text = v.kind == R_NUMBER && str_eq(v.text, STR("-0")) ? STR("0") : v.text;
        ENSURE(text.n <= sizeof ref->texts - ref->used);
        memcpy(ref->texts + ref->used, text.p, text.n);
        ref->used += text.n;
    }
    return (struct ref_value){
        .kind = R_STRING, .text = { .p = start, .n = (size_t)(ref->texts + ref->used - start) }
    };
}

static struct ref_value whole_number(struct ref *ref, size_t n)
{
    char *at = ref->texts + ref->used;
    int length = snprintf(at, 24, "%zu", n);
    ref->used += (size_t)length;
    return (struct ref_value){ .kind = R_NUMBER,
                               .is_safe = true,
                               .is_whole = true,
                               .text = { .p = at, .n = (size_t)length } };
}

static struct ref_value measure(struct ref *ref, struct ref_value of)
{
    size_t n = 0;
    if (of.kind == R_STRING)
        n = utf8_length(of.text);
    else if (of.kind == R_NODE)
        n = json_at(of.doc, of.node)->count;
    else if (of.kind == R_GROUPS)
        n = ref->call->principal->group_count;
    else
        return (struct ref_value){ .kind = of.kind == R_MISSING ? R_MISSING : R_UNKNOWN };
    return whole_number(ref, n);
}

static struct ref_value none_of(struct ref_value from)
{
    return (struct ref_value){ .kind = from.kind == R_MISSING ? R_MISSING : R_UNKNOWN };
}

/* ------------------------------ arithmetic ------------------------------ */

__extension__ typedef __int128 Wide;
enum { SCALE = 12 };

/* In units of 10^-12; the tests' numbers are far from its ends. */
static Wide scaled(Str text)
{
    char digits[WHOLE + PART + 1];
    bool is_negative;
    Wide sum = 0;
    lay_out(text, digits, &is_negative);
    for (int i = 0; i < WHOLE + SCALE; i++)
        sum = sum * 10 + (digits[i] - '0');
    return is_negative ? -sum : sum;
}

static struct ref_value from_scaled(struct ref *ref, Wide value)
{
    char *at = ref->texts + ref->used;
    bool is_negative = value < 0;
    value = is_negative ? -value : value;
    Wide one = 1000000000000;
    long long whole = (long long)(value / one), part = (long long)(value % one);
    int n = snprintf(at, 64, "%s%lld.%012lld", is_negative ? "-" : "", whole, part);
    while (at[n - 1] == '0')
        n--;
    n -= at[n - 1] == '.';
    ref->used += 64;
    bool is_whole = memchr(at, '.', (size_t)n) == NULL;
    return (struct ref_value){
        .kind = R_NUMBER, .is_safe = true, .is_whole = is_whole, .text = { .p = at, .n = (size_t)n }
    };
}

static struct ref_value compute(struct ref *ref, char op, struct ref_value a, struct ref_value b)
{
    if (a.kind != R_NUMBER || !a.is_safe)
        return none_of(a);
    if (b.kind != R_NUMBER || !b.is_safe)
        return none_of(b);
    Wide x = scaled(a.text), y = scaled(b.text);
    switch (op) {
    case '+': return from_scaled(ref, x + y);
    case '-': return from_scaled(ref, x - y);
    case '*': return from_scaled(ref, x * y / 1000000000000);
    case '<': return from_scaled(ref, x < y ? x : y);
    default: return from_scaled(ref, x > y ? x : y);
    }
}

/* --------------------------- lists and members -------------------------- */

static bool is_list(struct ref_value v)
{
    return v.kind == R_GROUPS || (v.kind == R_NODE && json_at(v.doc, v.node)->type == JSON_ARRAY);
}

static size_t list_size(struct ref *ref, struct ref_value list)
{
    return list.kind == R_GROUPS ? ref->call->principal->group_count
                                 : json_at(list.doc, list.node)->count;
}

static struct ref_value list_at(struct ref *ref, struct ref_value list, size_t index)
{
    if (list.kind == R_GROUPS)
        return (struct ref_value){ .kind = R_STRING, .text = ref->call->principal->groups[index] };
    uint32_t at = list.node + 1;
    for (; index; index--)
        at = json_at(list.doc, at)->next;
    return from_node(list.doc, at);
}

static struct ref_value member_of(struct ref_value of, Str key)
{
    if (of.kind == R_MISSING || of.kind == R_NULL)
        return (struct ref_value){ .kind = R_MISSING };
    if (of.kind != R_NODE || json_at(of.doc, of.node)->type != JSON_OBJECT)
        return none_of(of);
    for (uint32_t i = json_first(of.doc, of.node); i != JSON_NONE;
         i = json_after(of.doc, of.node, i))
        if (str_eq(json_key(json_at(of.doc, i)), key))
            return from_node(of.doc, i);
    return (struct ref_value){ .kind = R_MISSING };
}

static struct ref_value element_of(struct ref *ref, struct ref_value of, size_t index)
{
    if (of.kind == R_MISSING || of.kind == R_NULL)
        return (struct ref_value){ .kind = R_MISSING };
    if (!is_list(of))
        return none_of(of);
    if (index >= list_size(ref, of))
        return (struct ref_value){ .kind = R_MISSING };
    return list_at(ref, of, index);
}

static const struct ref_value *bound(const struct ref *ref, const struct expr *what)
{
    for (size_t i = ref->binding_count; i > 0; i--)
        if (ref->bindings[i - 1].what == what)
            return &ref->bindings[i - 1].value;
    return NULL;
}

static struct ref_value lowered(struct ref *ref, struct ref_value v)
{
    if (v.kind != R_STRING)
        return none_of(v);
    char *at = ref->texts + ref->used;
    for (size_t i = 0; i < v.text.n; i++)
        at[i] = v.text.p[i];
    for (size_t i = 0; i < v.text.n; i++) {
        if (at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char)(at[i] | 0x20);
    }
    ref->used += v.text.n;
    return (struct ref_value){ .kind = R_STRING, .text = { .p = at, .n = v.text.n } };
}

/* As RFC 8259 writes a number, checked letter by letter. */
static struct ref_value as_number(struct ref_value v)
{
    static const struct ref_value unknown = { .kind = R_UNKNOWN };
    struct json_doc doc;
    struct arena mem;
    if (v.kind != R_STRING)
        return none_of(v);
    size_t i = v.text.n && v.text.p[0] == '-', digits = 0;
    for (; i < v.text.n && v.text.p[i] >= '0' && v.text.p[i] <= '9'; i++)
        digits++;
    if (!digits || (digits > 1 && v.text.p[i - digits] == '0'))
        return unknown;
    for (i = 0; i < v.text.n; i++)
        if (strchr(" \t\n\r", v.text.p[i]))
            return unknown;
    arena_init(&mem, 1 << 20);
    struct ref_value out = unknown;
    if (json_parse(v.text, &json_limits_default, &mem, &doc, NULL) == JSON_ERR_NONE)
        out = from_node(&doc, 0);
    out.doc = NULL;
    out.text = v.text;
    arena_reset(&mem);
    return out;
}

static struct ref_value call_function(struct ref *ref, const struct expr *e)
{
    struct ref_value first = value(ref, e->items);
    if (e->function == FN_LOWER)
        return lowered(ref, first);
    if (e->function == FN_NUMBER)
        return as_number(first);
    ENSURE(e->function == FN_MIN || e->function == FN_MAX);
    return compute(ref, e->function == FN_MIN ? '<' : '>', first, value(ref, e->items->next));
}

static struct ref_value tally(struct ref *ref, const struct expr *e);

static struct ref_value empty_list(void)
{
    static struct arena mem;
    static struct json_doc doc;
    if (!mem.limit) {
        arena_init(&mem, 1 << 16);
        ENSURE(json_parse(STR("[]"), &json_limits_default, &mem, &doc, NULL) == JSON_ERR_NONE);
    }
    return from_node(&doc, 0);
}

static struct ref_value value(struct ref *ref, const struct expr *e)
{
    const struct ref_value *known = bound(ref, e->kind == EXPR_NAME ? e->binding : e);
    if (known)
        return *known;
    switch (e->kind) {
    case EXPR_NULL: return (struct ref_value){ .kind = R_NULL };
    case EXPR_BOOL: return (struct ref_value){ .kind = R_BOOL, .truth = e->truth };
    case EXPR_NUMBER:
        return (struct ref_value){ .kind = R_NUMBER, .is_safe = true, .text = e->text };
    case EXPR_STRING: return (struct ref_value){ .kind = R_STRING, .text = e->text };
    case EXPR_INTERPOLATION: return interpolate(ref, e);
    case EXPR_NAME: return value(ref, e->let->value);
    case EXPR_FIELD: return field(ref, e);
    case EXPR_LENGTH: return measure(ref, value(ref, e->left));
    case EXPR_MEMBER: return member_of(value(ref, e->left), e->text);
    case EXPR_INDEX: return element_of(ref, value(ref, e->left), e->index);
    case EXPR_CALL: return call_function(ref, e);
    case EXPR_QUANTIFIER: return tally(ref, e);
    case EXPR_BINARY: {
        struct ref_value left = value(ref, e->left);
        if (e->op != OP2_ELSE)
            return compute(ref,
                           e->op == OP2_ADD   ? '+'
                           : e->op == OP2_SUB ? '-'
                                              : '*',
                           left, value(ref, e->right));
        return left.kind == R_MISSING || left.kind == R_NULL ? value(ref, e->right) : left;
    }
    case EXPR_LIST: return empty_list();
    case EXPR_PATTERN:
    case EXPR_SET:
    case EXPR_NOT:
    case EXPR_EACH:
    case EXPR_HAS: break;
    }
    UNREACHABLE("no value");
}

static enum truth claim(bool holds)
{
    return holds ? REF_TRUE : REF_FALSE;
}

static bool is_scalar(struct ref_value v)
{
    return v.kind == R_BOOL || v.kind == R_NUMBER || v.kind == R_STRING;
}

static enum truth equal(struct ref_value a, struct ref_value b)
{
    if (!is_scalar(a) || a.kind != b.kind)
        return REF_UNKNOWN;
    if (a.kind == R_BOOL)
        return claim(a.truth == b.truth);
    if (a.kind == R_STRING)
        return claim(str_eq(a.text, b.text));
    if (!a.is_safe || !b.is_safe)
        return REF_UNKNOWN;
    return claim(order_numbers(a.text, b.text) == 0);
}

static enum truth less(struct ref_value a, struct ref_value b, bool or_equal)
{
    if (a.kind != b.kind || (a.kind != R_NUMBER && a.kind != R_STRING))
        return REF_UNKNOWN;
    if (a.kind == R_NUMBER && (!a.is_safe || !b.is_safe))
        return REF_UNKNOWN;
    int order = a.kind == R_NUMBER ? order_numbers(a.text, b.text) : str_cmp(a.text, b.text);
    return claim(order < 0 || (or_equal && order == 0));
}

static enum truth any_equal(struct ref *ref, struct ref_value x, struct ref_value list)
{
    enum truth result = REF_FALSE;
    if (list.kind == R_GROUPS) {
        if (x.kind != R_STRING)
            return REF_UNKNOWN;
        for (size_t i = 0; i < ref->call->principal->group_count; i++) {
            if (str_eq(ref->call->principal->groups[i], x.text))
                result = REF_TRUE;
        }
        return result;
    }
    if (!is_list(list) || !is_scalar(x))
        return REF_UNKNOWN;
    const struct json_doc *doc = list.doc;
    for (uint32_t i = json_first(doc, list.node); i != JSON_NONE && result != REF_TRUE;
         i = json_after(doc, list.node, i)) {
        enum truth one = equal(x, from_node(doc, i));
        result = one > result ? one : result;
    }
    return result;
}

static const struct expr *resolve(const struct expr *e)
{
    while (e->kind == EXPR_NAME && e->let)
        e = e->let->value;
    return e;
}

static bool holds_constants(const struct expr *list)
{
    for (const struct expr *item = list->items; item; item = item->next) {
        if (resolve(item)->kind != EXPR_STRING && resolve(item)->kind != EXPR_NUMBER &&
            resolve(item)->kind != EXPR_BOOL && resolve(item)->kind != EXPR_INTERPOLATION)
            return false;
    }
    return true;
}

static enum truth member(struct ref *ref, const struct expr *e)
{
    const struct expr *right = resolve(e->right);
    struct ref_value x = value(ref, e->left);
    if (right->kind != EXPR_SET && right->kind != EXPR_LIST)
        return any_equal(ref, x, value(ref, right));
    bool is_constant = holds_constants(right);
    if (is_constant && (!is_scalar(x) || (x.kind == R_NUMBER && !x.is_safe)))
        return REF_UNKNOWN;
    enum truth result = REF_FALSE;
    bool is_comparable = !right->items;
    for (const struct expr *item = right->items; item && result != REF_TRUE; item = item->next) {
        enum truth one = equal(x, value(ref, item));
        is_comparable |= one != REF_UNKNOWN;
        /* Among constants an element of another type is simply not it. */
        if (is_constant && one == REF_UNKNOWN)
            one = REF_FALSE;
        result = one > result ? one : result;
    }
    return is_constant && !is_comparable ? REF_UNKNOWN : result;
}

/* Some piece of the text, cut between code points, is in the pattern's language. */
static enum truth contains_match(struct ref_value v, Str pattern)
{
    if (v.kind != R_STRING)
        return REF_UNKNOWN;
    for (size_t i = 0; i <= v.text.n; i++) {
        for (size_t k = i; k <= v.text.n; k++) {
            Str piece = str_sub(v.text, i, k);
            if (utf8_is_valid(piece) && slow_match(pattern, AUTOMATON_REGEX, piece) == SLOW_YES)
                return REF_TRUE;
        }
    }
    return REF_FALSE;
}

static enum truth text_claim(struct ref *ref, const struct expr *e)
{
    struct ref_value a = value(ref, e->left);
    const struct expr *right = resolve(e->right);
    bool is_pattern = e->op == OP2_MATCHES || e->op == OP2_LIKE;
    if (e->op == OP2_CONTAINS && right->kind == EXPR_PATTERN)
        return contains_match(a, right->text);
    struct ref_value b = { .kind = R_STRING };
    if (right->kind == EXPR_PATTERN)
        b.text = right->text;
    else
        b = value(ref, right);
    if (e->op == OP2_CONTAINS && is_list(a))
        return any_equal(ref, b, a);
    if (a.kind != R_STRING || b.kind != R_STRING)
        return REF_UNKNOWN;
    if (e->op == OP2_STARTS)
        return claim(str_starts(a.text, b.text));
    if (e->op == OP2_ENDS)
        return claim(str_ends(a.text, b.text));
    if (!is_pattern)
        return claim(str_contains(a.text, b.text));
    enum slow_answer answer =
        slow_match(b.text, e->op == OP2_LIKE ? AUTOMATON_GLOB : AUTOMATON_REGEX, a.text);
    ENSURE(answer != SLOW_UNKNOWN);
    return claim(answer == SLOW_YES);
}

static enum truth truth_of(struct ref *ref, const struct expr *e);

static enum truth binary(struct ref *ref, const struct expr *e)
{
    enum truth left, right;
    switch (e->op) {
    case OP2_AND:
    case OP2_OR:
        left = truth_of(ref, e->left);
        right = truth_of(ref, e->right);
        return (e->op == OP2_AND) == (left < right) ? left : right;
    case OP2_EQ:
    case OP2_NE: {
        struct ref_value a = value(ref, e->left), b = value(ref, e->right);
        bool is_null_test =
            resolve(e->left)->kind == EXPR_NULL || resolve(e->right)->kind == EXPR_NULL;
        struct ref_value x = resolve(e->left)->kind == EXPR_NULL ? b : a;
        enum truth same = !is_null_test                                ? equal(a, b)
                          : x.kind == R_MISSING || x.kind == R_UNKNOWN ? REF_UNKNOWN
                                                                       : claim(x.kind == R_NULL);
        return e->op == OP2_EQ ? same : (enum truth)(REF_TRUE - same);
    }
    case OP2_LT: return less(value(ref, e->left), value(ref, e->right), false);
    case OP2_LE: return less(value(ref, e->left), value(ref, e->right), true);
    case OP2_GT: return less(value(ref, e->right), value(ref, e->left), false);
    case OP2_GE: return less(value(ref, e->right), value(ref, e->left), true);
    case OP2_IN: return member(ref, e);
    case OP2_STARTS:
    case OP2_ENDS:
    case OP2_CONTAINS:
    case OP2_MATCHES:
    case OP2_LIKE: return text_claim(ref, e);
    case OP2_WITHIN:
    case OP2_ADD:
    case OP2_SUB:
    case OP2_MUL:
    case OP2_ELSE: break;
    }
    struct ref_value v = value(ref, e);
    return v.kind == R_BOOL ? claim(v.truth) : REF_UNKNOWN;
}

/* ------------------------------ quantifiers ----------------------------- */

/* What a quantifier has seen: of any and all the result; of count and sum a number. */
struct seen {
    enum truth truth;
    struct ref_value number;
    bool is_over; /* nothing that follows would change it */
};

enum { REF_BODIES_MAX = 1024 };

static void see(struct ref *ref, const struct expr *q, struct seen *seen)
{
    if (q->quantifier == QUANTIFIER_SUM) {
        seen->number = compute(ref, '+', seen->number, value(ref, q->right));
        seen->is_over = seen->number.kind == R_UNKNOWN;
        return;
    }
    enum truth one = truth_of(ref, q->right);
    if (q->quantifier == QUANTIFIER_ANY)
        seen->truth = one > seen->truth ? one : seen->truth;
    else if (q->quantifier == QUANTIFIER_ALL)
        seen->truth = one < seen->truth ? one : seen->truth;
    else if (one == REF_UNKNOWN)
        seen->number = (struct ref_value){ .kind = R_UNKNOWN };
    else if (one == REF_TRUE)
        seen->number = compute(ref, '+', seen->number, whole_number(ref, 1));
    if (q->quantifier == QUANTIFIER_ANY || q->quantifier == QUANTIFIER_ALL)
        seen->is_over = seen->truth == (q->quantifier == QUANTIFIER_ANY ? REF_TRUE : REF_FALSE);
    else
        seen->is_over = seen->number.kind == R_UNKNOWN;
}

/* One body more than a condition may evaluate: true, and no answer. */
static bool is_too_many(struct ref *ref, struct seen *seen)
{
    if (ref->bodies++ < REF_BODIES_MAX)
        return false;
    seen->truth = REF_UNKNOWN;
    seen->number = (struct ref_value){ .kind = R_UNKNOWN };
    seen->is_over = true;
    return true;
}

static void lose(const struct expr *q, struct seen *seen)
{
    seen->number = (struct ref_value){ .kind = R_UNKNOWN };
    if (q->quantifier == QUANTIFIER_ANY && seen->truth == REF_FALSE)
        seen->truth = REF_UNKNOWN;
    if (q->quantifier == QUANTIFIER_ALL && seen->truth == REF_TRUE)
        seen->truth = REF_UNKNOWN;
}

/* The innermost `[]` of the list that is not being gone over. */
static const struct expr *next_each(const struct ref *ref, const struct expr *list)
{
    const struct expr *found = NULL;
    for (; list && !bound(ref, list); list = list->left)
        found = list->kind == EXPR_EACH ? list : found;
    return found;
}

static void go_over(struct ref *ref, const struct expr *q, bool is_plain, struct seen *seen)
{
    const struct expr *each = is_plain ? NULL : next_each(ref, q->left);
    struct ref_binding *binding = &ref->bindings[ref->binding_count];
    ENSURE(ref->binding_count < COUNT(ref->bindings));
    if (!each && !is_plain) {
        *binding = (struct ref_binding){ .what = q, .value = value(ref, q->left) };
        ref->binding_count++;
        see(ref, q, seen);
        ref->binding_count--;
        return;
    }
    struct ref_value list = value(ref, each ? each->left : q->left);
    if (!is_list(list)) {
        lose(q, seen);
        return;
    }
    ref->loop_depth++;
    for (size_t i = 0, size = list_size(ref, list); i < size && !seen->is_over; i++) {
        if (is_too_many(ref, seen))
            break;
        *binding = (struct ref_binding){ .what = each ? each : q, .value = list_at(ref, list, i) };
        ref->binding_count++;
        if (each)
            go_over(ref, q, false, seen);
        else
            see(ref, q, seen);
        ref->binding_count--;
    }
    ref->loop_depth--;
}

/* Over a set or list of the policy's own: its elements, each computed anew. */
static void go_over_group(struct ref *ref, const struct expr *q, const struct expr *group,
                          struct seen *seen)
{
    struct ref_binding *binding = &ref->bindings[ref->binding_count];
    ENSURE(ref->binding_count < COUNT(ref->bindings));
    for (const struct expr *item = group->items; item; item = item->next) {
        *binding = (struct ref_binding){ .what = q, .value = value(ref, item) };
        ref->binding_count++;
        see(ref, q, seen);
        ref->binding_count--;
    }
}

static struct seen quantify(struct ref *ref, const struct expr *q)
{
    struct seen seen = { .truth = q->quantifier == QUANTIFIER_ALL ? REF_TRUE : REF_FALSE,
                         .number = whole_number(ref, 0) };
    const struct expr *group = resolve(q->left);
    if (group->kind == EXPR_SET || (group->kind == EXPR_LIST && group->items)) {
        go_over_group(ref, q, group, &seen);
        return seen;
    }
    if (ref->loop_depth == 0)
        ref->bodies = 0;
    go_over(ref, q, !next_each(ref, q->left), &seen);
    return seen;
}

static struct ref_value tally(struct ref *ref, const struct expr *e)
{
    return quantify(ref, e).number;
}

static enum truth truth_of(struct ref *ref, const struct expr *e)
{
    e = resolve(e);
    if (ref->binding_count == 0)
        ref->used = 0;
    if (e->kind == EXPR_QUANTIFIER && e->quantifier <= QUANTIFIER_ALL)
        return quantify(ref, e).truth;
    if (e->kind == EXPR_NOT)
        return (enum truth)(REF_TRUE - truth_of(ref, e->left));
    if (e->kind == EXPR_BINARY)
        return binary(ref, e);
    struct ref_value v = value(ref, e->kind == EXPR_HAS ? e->left : e);
    if (e->kind == EXPR_HAS)
        return v.kind == R_UNKNOWN ? REF_UNKNOWN : claim(v.kind != R_MISSING && v.kind != R_NULL);
    return v.kind == R_BOOL ? claim(v.truth) : REF_UNKNOWN;
}

static bool concerns(const struct rule *rule, const struct vm_call *call)
{
    static struct arena mem;
    bool on_server = !rule->servers, names_it = !rule->names;
    enum automaton_syntax syntax = kind_name_syntax(call->kind);
    if (!mem.limit)
        arena_init(&mem, (size_t)1 << 24);
    arena_reset(&mem);
    for (const struct name *server = rule->servers; server; server = server->next)
        on_server |= str_eq(server->text, call->server);
    for (const struct name *name = rule->names; name; name = name->next) {
        Str pattern = kind_name_pattern(call->kind, name->text, &mem);
        names_it |= kind_name_is_glob(call->kind, name->text)
                        ? slow_match(pattern, syntax, call->name) == SLOW_YES
                        : str_eq(name->text, call->name);
    }
    return rule->kind == call->kind && on_server && names_it;
}

static bool knows_keys(const struct json_doc *doc, uint32_t node, const struct schema *schema)
{
    const struct json_node *at = json_at(doc, node);
    if (!schema)
        return true;
    for (uint32_t i = json_first(doc, node); i != JSON_NONE; i = json_after(doc, node, i)) {
        const struct schema *below = at->type == JSON_ARRAY ? schema->items : NULL;
        if (at->type == JSON_OBJECT && (schema->types & SCHEMA_OBJECT)) {
            const struct schema_member *m = schema_member(schema, json_key(json_at(doc, i)));
            if (!m && !schema->is_open)
                return false;
            below = m ? m->schema : NULL;
        }
        if (!knows_keys(doc, i, below))
            return false;
    }
    return true;
}

/* Does the pin, if there is one, know the tool and the arguments? False with *refused otherwise. */
static bool is_in_world(const struct policy *policy, const struct vm_call *call)
{
    const struct server_decl *server = policy->servers;
    if (!server)
        return true;
    while (server && !str_eq(server->alias, call->server))
        server = server->next;
    if (!server)
        return false;
    if (!server->snapshot || server->is_open || call->kind != KIND_TOOL)
        return true;
    const struct pinned_tool *tool = snapshot_tool(server->snapshot, call->name);
    return tool && (!call->doc || knows_keys(call->doc, call->arguments, tool->arguments));
}

/* ------------------------------- rewriting ------------------------------ */

enum { SETS = 256 };

/* What the rules that act set. */
struct ref_set {
    const struct expr *place;
    Str json;
};

struct ref_sets {
    struct ref_set items[SETS];
    size_t count;
    bool is_bad; /* a value is unknown, or two disagree */
    struct arena mem;
};

static Str as_json(struct ref *ref, struct ref_sets *sets, struct ref_value v)
{
    struct buf text;
    Str kept = { .p = NULL, .n = 0 };
    buf_init(&text, 1 << 20);
    if (v.kind == R_NUMBER && !v.doc)
        v = from_scaled(ref, scaled(v.text));
    switch (v.kind) {
    case R_UNKNOWN:
    case R_MISSING: break;
    case R_NULL: buf_add(&text, STR("null")); break;
    case R_BOOL: buf_add(&text, v.truth ? STR("true") : STR("false")); break;
    case R_NUMBER: buf_add(&text, v.text); break;
    case R_STRING: json_write_string(&text, v.text); break;
    case R_NODE: json_write_value(&text, v.doc, v.node); break;
    case R_GROUPS:
        for (size_t i = 0; i < ref->call->principal->group_count; i++) {
            buf_add(&text, i ? STR(",") : STR("["));
            json_write_string(&text, ref->call->principal->groups[i]);
        }
        buf_add(&text, ref->call->principal->group_count ? STR("]") : STR("[]"));
        break;
    }
    if (text.n)
        kept = arena_copy(&sets->mem, buf_str(&text));
    buf_free(&text);
    return kept;
}

/* 0: apart, 1: one lies in the other, 2: the same. */
static int overlap(const struct expr *a, const struct expr *b)
{
    const struct name *x = a->path, *y = b->path;
    for (; x && y; x = x->next, y = y->next)
        if (!str_eq(x->text, y->text))
            return 0;
    return !x && !y ? 2 : 1;
}

static void gather(struct ref *ref, const struct rule *rule, struct ref_sets *sets)
{
    for (const struct set_decl *set = rule->sets; set; set = set->next) {
        ref->used = 0;
        struct ref_set one = { .place = set->place };
        one.json = as_json(ref, sets, value(ref, set->value));
        if (!one.json.p) {
            sets->is_bad = true;
            continue;
        }
        for (size_t i = 0; i < sets->count; i++) {
            int how = overlap(sets->items[i].place, one.place);
            sets->is_bad |= how == 1 || (how == 2 && !str_eq(sets->items[i].json, one.json));
        }
        ENSURE(sets->count < SETS);
        sets->items[sets->count++] = one;
    }
}

/* The rest of the set's place below the first `depth` keys of `at`; NULL when it is not below. */
static const struct name *rest_of(const struct ref_set *set, const struct expr *at, uint32_t depth)
{
    const struct name *x = at ? at->path : NULL, *y = set->place->path;
    for (uint32_t k = 0; k < depth && y; k++, x = x->next, y = y->next)
        if (!str_eq(x->text, y->text))
            return NULL;
    return y;
}

/* An object of the document while it is written anew: at the first `depth` keys of `at`. */
struct ref_object {
    const struct json_doc *doc;
    uint32_t index;
    const struct expr *at;
    uint32_t depth;
};

static void write_object(const struct ref_object *object, const struct ref_sets *sets,
                         struct buf *out);

static void write_member(const struct ref_object *object, uint32_t member,
                         const struct ref_sets *sets, struct buf *out)
{
    const struct expr *below = NULL;
    Str put = { .p = NULL, .n = 0 }, key = json_key(json_at(object->doc, member));
    for (size_t i = 0; i < sets->count; i++) {
        const struct name *rest = rest_of(&sets->items[i], object->at, object->depth);
        if (!rest || !str_eq(rest->text, key))
            continue;
        put = rest->next ? put : sets->items[i].json;
        below = rest->next ? sets->items[i].place : below;
    }
    if (put.p)
        buf_add(out, put);
    else if (below && json_at(object->doc, member)->type == JSON_OBJECT)
        write_object(&(struct ref_object){ object->doc, member, below, object->depth + 1 }, sets,
                     out);
    else
        buf_add(out, json_raw(object->doc, member));
}

/* Is it the first set that adds a member to the object? */
static bool is_added(const struct ref_object *object, const struct ref_sets *sets, size_t which)
{
    const struct name *rest = rest_of(&sets->items[which], object->at, object->depth);
    if (!rest || rest->next || json_member(object->doc, object->index, rest->text) != JSON_NONE)
        return false;
    for (size_t before = 0; before < which; before++)
        if (overlap(sets->items[before].place, sets->items[which].place) == 2)
            return false;
    return true;
}

static void write_object(const struct ref_object *object, const struct ref_sets *sets,
                         struct buf *out)
{
    const struct json_doc *doc = object->doc;
    const char *between = "{";
    for (uint32_t m = json_first(doc, object->index); m != JSON_NONE;
         m = json_after(doc, object->index, m)) {
        buf_add(out, str_of(between));
        json_write_string(out, json_key(json_at(doc, m)));
        buf_add_char(out, ':');
        write_member(object, m, sets, out);
        between = ",";
    }
    for (size_t i = 0; i < sets->count; i++) {
        if (!is_added(object, sets, i))
            continue;
        buf_add(out, str_of(between));
        json_write_string(out, rest_of(&sets->items[i], object->at, object->depth)->text);
        buf_add_char(out, ':');
        buf_add(out, sets->items[i].json);
        between = ",";
    }
    buf_add(out, *between == '{' ? STR("{}") : STR("}"));
}

/* Has the document that value in that place? */
static bool has_set(const struct json_doc *doc, uint32_t at, const struct ref_set *set)
{
    for (const struct name *key = set->place->path; key; key = key->next) {
        at = json_at(doc, at)->type == JSON_OBJECT ? json_member(doc, at, key->text) : JSON_NONE;
        if (at == JSON_NONE)
            return false;
    }
    struct buf text;
    buf_init(&text, 1 << 20);
    json_write_value(&text, doc, at);
    bool is_same = str_eq(buf_str(&text), set->json);
    buf_free(&text);
    return is_same;
}

static bool has_all(const struct json_doc *doc, uint32_t at, const struct ref_sets *sets)
{
    for (size_t i = 0; i < sets->count; i++)
        if (!has_set(doc, at, &sets->items[i]))
            return false;
    return true;
}

/* ------------------------------- judgement ------------------------------ */

/* Denies first, in source order, then allows; of the allows all that act, for what they set. */
static struct ref_result judge(const struct policy *policy, const struct vm_call *call,
                               struct ref_sets *sets)
{
    static struct ref ref;
    struct ref_result result = { .verdict = REF_DENY };
    ref = (struct ref){ .policy = policy, .call = call };
    if (!is_in_world(policy, call))
        return (struct ref_result){ .verdict = REF_REFUSED };
    for (int pass = 0; pass < 2; pass++) {
        enum effect effect = pass == 0 ? EFFECT_DENY : EFFECT_ALLOW;
        for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
            if (rule->effect != effect || !concerns(rule, call))
                continue;
            enum truth truth = rule->when ? truth_of(&ref, rule->when) : REF_TRUE;
            if (effect == EFFECT_DENY && truth != REF_FALSE)
                return (struct ref_result){ .verdict = REF_DENY, .rule = rule };
            if (effect == EFFECT_DENY || truth != REF_TRUE)
                continue;
            gather(&ref, rule, sets);
            if (!result.rule)
                result = (struct ref_result){ .verdict = REF_ALLOW, .rule = rule };
        }
    }
    return result;
}

struct ref_result ref_decide(const struct policy *policy, const struct vm_call *call)
{
    static struct ref_sets first, second;
    static struct json_doc doc;
    static const struct ref_result denied = { .verdict = REF_DENY };
    struct vm_call again = *call;
    struct buf text;
    if (!first.mem.limit) {
        arena_init(&first.mem, (size_t)1 << 24);
        arena_init(&second.mem, (size_t)1 << 24);
    }
    arena_reset(&first.mem);
    arena_reset(&second.mem);
    first.count = second.count = 0;
    first.is_bad = second.is_bad = false;
    struct ref_result result = judge(policy, call, &first);
    if (result.verdict != REF_ALLOW || (!first.count && !first.is_bad))
        return result;
    if (first.is_bad)
        return denied;
    if (call->doc && has_all(call->doc, call->arguments, &first))
        return result;
    ENSURE(json_parse(STR("{}"), &json_limits_default, &first.mem, &doc, NULL) == JSON_ERR_NONE);
    buf_init(&text, 1 << 20);
    struct ref_object root = { .doc = call->doc ? call->doc : &doc,
                               .index = call->doc ? call->arguments : 0 };
    write_object(&root, &first, &text);
    Str kept = arena_copy(&first.mem, buf_str(&text));
    buf_free(&text);
    ENSURE(json_parse(kept, &json_limits_default, &first.mem, &doc, NULL) == JSON_ERR_NONE);
    if (!has_all(&doc, 0, &first))
        return denied; /* no object to put it into */
    again.doc = &doc;
    again.arguments = 0;
    result = judge(policy, &again, &second);
    if (result.verdict == REF_ALLOW && (second.is_bad || !has_all(&doc, 0, &second)))
        return denied;
    result.rewritten = result.verdict == REF_ALLOW ? &doc : NULL;
    return result;
}
