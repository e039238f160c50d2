/* SPDX-License-Identifier: Apache-2.0 */
/* form.h - application/x-www-form-urlencoded, written and read (RFC 6749 appendix B, WHATWG URL
 * section 5).
 *
 * Written: letters, digits, `*-._` as they are, a space as '+', all else as %XX. Read: strictly;
 * what two readers could take for two things (a broken escape, a name twice) is the caller's to
 * refuse and form_next's to tell.
 */
#ifndef RUNTIME_OAUTH_FORM_H
#define RUNTIME_OAUTH_FORM_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/str.h"

void form_write(struct buf *out, Str text);

/* "name=value", with a '&' before it unless out is empty or ends in '?' or '&'. */
void form_add(struct buf *out, Str name, Str value);

struct form_field {
    Str name, value; /* decoded; in the arena */
};

enum form_result { FORM_FIELD, FORM_END, FORM_BAD };

/* Takes the next field off the front of *rest. FORM_BAD: a broken escape, a NUL, bytes that are no
 * UTF-8 when decoded, or no memory. */
enum form_result form_next(Str *rest, struct arena *mem, struct form_field *field);

#endif
