/* SPDX-License-Identifier: Apache-2.0 */
/* check_type.c - what types and operators are called, and which types go together. TYPE_ANY goes
 * everywhere. */
#include "compiler/check/check_internal.h"

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

Str type_plural(enum type_kind kind)
{
    return kinds[kind].what;
}

Type type_of(enum type_kind kind)
{
    return (Type){ .kind = kind, .element = TYPE_ANY };
}

bool type_is_known(Type type)
{
    return type.kind != TYPE_ERROR && type.kind != TYPE_ANY;
}

bool type_may_be(Type type, enum type_kind kind)
{
    return !type_is_known(type) || type.kind == kind;
}

bool type_is_scalar(Type type)
{
    return type.kind != TYPE_LIST && type.kind != TYPE_OBJECT && type.kind != TYPE_SET &&
           type.kind != TYPE_PATTERN;
}

Str operator_word(enum binary_op op)
{
    return op_words[op];
}
