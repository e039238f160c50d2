/* SPDX-License-Identifier: Apache-2.0 */
/* slow_match.h - a second opinion on patterns, for tests: reads the pattern's text again for each
 * set of positions, and shares no code with the compiler. The pattern must be one that the
 * compiler accepts. */
#ifndef TESTS_UNIT_SLOW_MATCH_H
#define TESTS_UNIT_SLOW_MATCH_H

#include "compiler/pattern/automaton.h"

enum { SLOW_TEXT_MAX = 63, SLOW_PATTERN_MAX = 512 };

enum slow_answer { SLOW_NO, SLOW_YES, SLOW_UNKNOWN /* too long, or too much work */ };

enum slow_answer slow_match(Str pattern, enum automaton_syntax syntax, Str text);

#endif
