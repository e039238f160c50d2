/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what was found, for people, for machines, and as a class file. */
#ifndef COMPILER_CLASSIFY_REPORT_H
#define COMPILER_CLASSIFY_REPORT_H

#include "compiler/classify/classify.h"

enum classify_format { CLASSIFY_TEXT, CLASSIFY_JSON, CLASSIFY_CLASSES };

/* Appends a tool. server may be empty. As CLASSES it is a member of the class file's object, with a
 * comma before it unless it is the first; what is unclassified is left out, and false is returned.
 */
bool classify_write(const struct classified *tool, Str server, enum classify_format format,
                    bool is_first, struct buf *out);

#endif
