/* SPDX-License-Identifier: Apache-2.0 */
/* narrow_schema.c - keywords are spliced into the server's bytes: a list of places with the text
 * that goes there, in the order of the document. A keyword that is there already is only ever
 * replaced by a narrower one of its own form.
 */
#include "runtime/gateway/narrow_schema.h"

#include "runtime/bundle/decimal.h"

enum { SPLICES_MAX = VM_NARROW_FIELDS_MAX * 6 };

/* Text for the document's bytes [from, to). */
struct splice {
    uint32_t from, to;
    size_t at, n; /* in texts */
};

struct narrowing {
    const struct json_doc *doc;
    struct splice splices[SPLICES_MAX];
    uint32_t count;
    struct buf texts;
    uint32_t schema; /* of the argument in hand */
    bool has_added;  /* a keyword was added to it */
};

/* -------------------------------- splices -------------------------------- */

static void end_splice(struct narrowing *n, uint32_t from, uint32_t to, size_t at)
{
    if (n->count == SPLICES_MAX || n->texts.is_full) {
        n->texts.is_full = true;
        return;
    }
    n->splices[n->count++] =
        (struct splice){ .from = from, .to = to, .at = at, .n = n->texts.n - at };
}

/* "keyword": behind what the schema has. The text of its value is the caller's to write. */
static size_t begin_keyword(struct narrowing *n, const char *keyword)
{
    size_t at = n->texts.n;
    bool is_first = json_at(n->doc, n->schema)->count == 0 && !n->has_added;
    buf_printf(&n->texts, "%s\"%s\":", is_first ? "" : ",", keyword);
    n->has_added = true;
    return at;
}

static void end_keyword(struct narrowing *n, size_t at)
{
    const struct json_node *node = json_at(n->doc, n->schema);
    uint32_t end = node->raw + node->raw_n - 1; /* before the brace */
    end_splice(n, end, end, at);
}

static void end_replaced(struct narrowing *n, uint32_t value, size_t at)
{
    const struct json_node *node = json_at(n->doc, value);
    end_splice(n, node->raw, node->raw + node->raw_n, at);
}

/* --------------------------------- values -------------------------------- */

/* As a person would write it, where that is short. */
static void write_number(struct buf *out, Str literal)
{
    char text[DECIMAL_TEXT_BYTES];
    struct number number;
    Decimal decimal;
    if (number_parse(literal, &number) && decimal_of(&number, &decimal))
        buf_add(out, (Str){ .p = text, .n = decimal_write(decimal, text, sizeof text) });
    else
        buf_add(out, literal);
}

static void write_literal(struct buf *out, const struct vm_literal *literal)
{
    if (literal->type == B_CONST_STRING)
        json_write_string(out, literal->text);
    else if (literal->type == B_CONST_NUMBER)
        write_number(out, literal->text);
    else
        buf_add(out, literal->truth ? STR("true") : STR("false"));
}

/* False: one can't be compared. */
static bool order_of(Str a, Str b, int *order)
{
    struct number x, y;
    bool is_good = number_parse(a, &x) && number_parse(b, &y);
    *order = is_good ? number_cmp(&x, &y) : 0;
    return is_good;
}

static bool is_value(const struct json_node *node, const struct vm_literal *literal)
{
    int order;
    switch (literal->type) {
    case B_CONST_STRING: return node->type == JSON_STRING && str_eq(json_text(node), literal->text);
    case B_CONST_NUMBER:
        return node->type == JSON_NUMBER && order_of(json_text(node), literal->text, &order) &&
               order == 0;
    case B_CONST_BOOL: return node->type == (literal->truth ? JSON_TRUE : JSON_FALSE);
    default: return false;
    }
}

static bool is_needed(const struct json_node *node, const struct vm_need *need)
{
    for (uint32_t i = 0; i < need->value_count; i++)
        if (is_value(node, &need->values[i]))
            return true;
    return need->takes_null && node->type == JSON_NULL;
}

/* Those of the schema's own enum that are needed, as they stand. */
static void narrow_enum(struct narrowing *n, uint32_t own, const struct vm_need *need)
{
    size_t at = n->texts.n;
    uint32_t kept = 0;
    buf_add_char(&n->texts, '[');
    for (uint32_t i = json_first(n->doc, own); i != JSON_NONE; i = json_after(n->doc, own, i)) {
        if (!is_needed(json_at(n->doc, i), need))
            continue;
        buf_add(&n->texts, kept++ ? STR(",") : STR(""));
        buf_add(&n->texts, json_raw(n->doc, i));
    }
    buf_add_char(&n->texts, ']');
    if (kept && kept < json_at(n->doc, own)->count)
        end_replaced(n, own, at);
}

/* Does the schema's own `type` leave null out? */
static bool refuses_null(const struct narrowing *n)
{
    uint32_t type = json_member(n->doc, n->schema, STR("type"));
    if (type == JSON_NONE)
        return false;
    if (json_at(n->doc, type)->type == JSON_STRING)
        return !str_eq(json_text(json_at(n->doc, type)), STR("null"));
    if (json_at(n->doc, type)->type != JSON_ARRAY)
        return false;
    for (uint32_t i = json_first(n->doc, type); i != JSON_NONE; i = json_after(n->doc, type, i))
        if (str_eq(json_text(json_at(n->doc, i)), STR("null")))
            return false;
    return true;
}

static void narrow_values(struct narrowing *n, const struct vm_need *need)
{
    uint32_t own = json_member(n->doc, n->schema, STR("enum"));
    bool takes_null = need->takes_null && !refuses_null(n);
    if (!need->has_values || !need->value_count ||
        json_member(n->doc, n->schema, STR("const")) != JSON_NONE)
        return;
    if (own != JSON_NONE) {
        if (json_at(n->doc, own)->type == JSON_ARRAY)
            narrow_enum(n, own, need);
        return;
    }
    if (need->value_count == 1 && !takes_null) {
        size_t at = begin_keyword(n, "const");
        write_literal(&n->texts, &need->values[0]);
        end_keyword(n, at);
        return;
    }
    size_t at = begin_keyword(n, "enum");
    for (uint32_t i = 0; i < need->value_count; i++) {
        buf_add_char(&n->texts, i ? ',' : '[');
        write_literal(&n->texts, &need->values[i]);
    }
    buf_add(&n->texts, takes_null ? STR(",null]") : STR("]"));
    end_keyword(n, at);
}

/* --------------------------------- limits -------------------------------- */

/* sign: 1 if a greater number is narrower. In drafts of old, an exclusive limit was a bool beside
 * the other: such a schema is left alone. */
static void narrow_limit(struct narrowing *n, const struct vm_limit *limit, int sign)
{
    const char *plain = sign > 0 ? "minimum" : "maximum";
    const char *strict = sign > 0 ? "exclusiveMinimum" : "exclusiveMaximum";
    uint32_t old = json_member(n->doc, n->schema, str_of(strict));
    if (!limit->is_set || (old != JSON_NONE && json_at(n->doc, old)->type != JSON_NUMBER))
        return;
    const char *keyword = limit->is_exclusive ? strict : plain;
    uint32_t own = json_member(n->doc, n->schema, str_of(keyword));
    if (own == JSON_NONE) {
        size_t at = begin_keyword(n, keyword);
        write_number(&n->texts, limit->number);
        end_keyword(n, at);
        return;
    }
    const struct json_node *node = json_at(n->doc, own);
    int order;
    if (node->type != JSON_NUMBER || !order_of(limit->number, json_text(node), &order) ||
        order * sign <= 0)
        return;
    size_t at = n->texts.n;
    write_number(&n->texts, limit->number);
    end_replaced(n, own, at);
}

/* --------------------------------- the tool ------------------------------ */

static void narrow_argument(struct narrowing *n, uint32_t properties, const struct vm_need *need)
{
    n->schema = json_member(n->doc, properties, need->key);
    n->has_added = false;
    if (n->schema == JSON_NONE || json_at(n->doc, n->schema)->type != JSON_OBJECT)
        return;
    narrow_values(n, need);
    narrow_limit(n, &need->least, 1);
    narrow_limit(n, &need->most, -1);
}

/* Stable, and there are few: what goes to one place stays in the order in which it was made. */
static void sort_splices(struct narrowing *n)
{
    for (uint32_t i = 1; i < n->count; i++) {
        struct splice one = n->splices[i];
        uint32_t k = i;
        for (; k > 0 && n->splices[k - 1].from > one.from; k--)
            n->splices[k] = n->splices[k - 1];
        n->splices[k] = one;
    }
}

static void write_spliced(struct narrowing *n, uint32_t tool, struct buf *out)
{
    const struct json_node *node = json_at(n->doc, tool);
    uint32_t at = node->raw;
    sort_splices(n);
    for (uint32_t i = 0; i < n->count; i++) {
        buf_add(out, str_sub(n->doc->text, at, n->splices[i].from));
        buf_add(out,
                str_sub(buf_str(&n->texts), n->splices[i].at, n->splices[i].at + n->splices[i].n));
        at = n->splices[i].to;
    }
    buf_add(out, str_sub(n->doc->text, at, node->raw + node->raw_n));
}

void narrow_schema_write(const struct json_doc *doc, uint32_t tool, const struct vm_needs *needs,
                         struct buf *out)
{
    struct narrowing n = { .doc = doc };
    uint32_t schema = json_member(doc, tool, STR("inputSchema"));
    uint32_t properties =
        schema == JSON_NONE ? JSON_NONE : json_member(doc, schema, STR("properties"));
    buf_init(&n.texts, NARROW_BYTES_MAX);
    for (uint32_t i = 0; i < needs->count && properties != JSON_NONE; i++)
        narrow_argument(&n, properties, &needs->items[i]);
    if (n.texts.is_full)
        buf_add(out, json_raw(doc, tool));
    else
        write_spliced(&n, tool, out);
    buf_free(&n.texts);
}
