/* SPDX-License-Identifier: Apache-2.0 */
/* certain.h - characters that make a name uncertain: what is not UTF-8, what a terminal hides, and
 * what some file system or server reads as another character. Private to runtime/domain.
 *
 * The list is in certain.c and in docs/domains.md. It is about spelling only: letters that merely
 * look alike in a font are names of their own everywhere and pass.
 */
#ifndef RUNTIME_DOMAIN_CERTAIN_H
#define RUNTIME_DOMAIN_CERTAIN_H

#include "runtime/base/str.h"

bool code_point_is_certain(uint32_t point);

/* Valid UTF-8 of certain code points. */
bool text_is_certain(Str text);

/* A blank of any width is the first character. The text is valid UTF-8. */
bool text_begins_blank(Str text);

/* A file name or part of a path: certain, and neither a dot nor a blank at its end, which Windows,
 * vfat and SMB drop. Call it for names only, not for "." and "..". The text is valid UTF-8. */
bool name_ends_certain(Str name);

#endif
