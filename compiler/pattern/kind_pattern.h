/* SPDX-License-Identifier: Apache-2.0 */
/* kind_pattern.h - how the names of a rule are read, which depends on the kind of message.
 *
 * Names of tools, prompts and elicitations have no parts: "*" is any run. URIs have: "*" stays
 * between slashes, "**" does not, and "?" begins a query and is no wildcard. Where a URI template
 * can stand, its braces are plain characters.
 */
#ifndef COMPILER_PATTERN_KIND_PATTERN_H
#define COMPILER_PATTERN_KIND_PATTERN_H

#include "compiler/pattern/automaton.h"
#include "runtime/bundle/kind.h"

/* False: the name means itself alone. */
bool kind_name_is_glob(enum message_kind kind, Str name);

enum automaton_syntax kind_name_syntax(enum message_kind kind);

/* The name as a pattern of that syntax: itself, or with what is plain in it quoted (a copy in mem;
 * {NULL, 0} without memory). */
MUST_USE Str kind_name_pattern(enum message_kind kind, Str name, struct arena *mem);

#endif
