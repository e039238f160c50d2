/* SPDX-License-Identifier: Apache-2.0 */
/* print_test.c - blocks, and the statements of tests. An `as` or `at` is printed before the first
 * call that it is in force for. */
#include "compiler/syntax/print.h"

void open_block(struct pen *pen, Span before)
{
    pen_space(pen);
    pen_text(pen, STR("{"));
    pen->is_block_start = true;
    pen->end = before.hi;
}

void close_block(struct pen *pen, Span span)
{
    pen->indent = PRINT_INDENT;
    pen_comments(pen, span.hi);
    pen->indent = 0;
    pen_line(pen);
    pen_text(pen, STR("}"));
    pen->is_block_start = false;
    pen->end = span.hi;
}

static void print_json_part(struct pen *pen, Str json, Span span)
{
    pen_comments(pen, span.lo);
    pen_space(pen);
    pen_text(pen, json);
}

static void print_as(struct pen *pen, const struct test_call *call)
{
    begin_statement(pen, call->as_span, PRINT_INDENT);
    pen_text(pen, STR("as"));
    print_json_part(pen, call->principal, call->principal_span);
    end_statement(pen, call->as_span);
}

static void print_at(struct pen *pen, const struct test_call *call)
{
    begin_statement(pen, call->at_span, PRINT_INDENT);
    pen_text(pen, STR("at"));
    print_worded(pen, STR(""), call->at, call->at_text_span);
    end_statement(pen, call->at_span);
}

static void print_call(struct pen *pen, const struct test_call *call)
{
    begin_statement(pen, call->call_span, PRINT_INDENT);
    pen_text(pen, STR("call"));
    if (call->kind_span.hi && call->kind < KIND_COUNT) {
        pen_comments(pen, call->kind_span.lo);
        pen_space(pen);
        pen_text(pen, kind_table[call->kind].word);
    }
    if (call->name_span.hi)
        print_worded(pen, STR(""), call->name, call->name_span);
    if (call->method_span.hi)
        print_worded(pen, STR("by"), call->method, call->method_span);
    if (call->server_span.hi)
        print_worded(pen, STR("on"), call->server, call->server_span);
    if (call->arguments_span.hi)
        print_json_part(pen, call->arguments, call->arguments_span);
    end_statement(pen, call->call_span);
    if (!call->expect_span.hi)
        return;
    begin_statement(pen, call->expect_span, PRINT_INDENT);
    pen_text(pen, STR("expect"));
    pen_space(pen);
    pen_text(pen, call->expectation == EXPECT_ALLOW ? STR("allow") : STR("deny"));
    if (call->expect_reason_span.hi)
        print_worded(pen, STR(""), call->reason, call->expect_reason_span);
    if (call->set_span.hi) {
        pen_space(pen);
        pen_text(pen, STR("set"));
        print_json_part(pen, call->set, call->set_span);
    }
    end_statement(pen, call->expect_span);
}

void print_test(struct pen *pen, const struct test *test)
{
    begin_statement(pen, test->span, 0);
    pen_text(pen, STR("test"));
    print_worded(pen, STR(""), test->name, test->name_span);
    open_block(pen, test->name_span);
    uint32_t as = UINT32_MAX, at = UINT32_MAX;
    for (const struct test_call *call = test->calls; call; call = call->next) {
        bool is_new_as = call->as_span.hi && call->as_span.lo != as;
        bool is_new_at = call->at_span.hi && call->at_span.lo != at;
        bool at_first = is_new_at && call->at_span.lo < call->as_span.lo;
        if (at_first)
            print_at(pen, call);
        if (is_new_as)
            print_as(pen, call);
        if (is_new_at && !at_first)
            print_at(pen, call);
        as = call->as_span.lo;
        at = call->at_span.lo;
        print_call(pen, call);
    }
    close_block(pen, test->span);
}
