/* SPDX-License-Identifier: Apache-2.0 */
/* uri.h - is a resource's URI spelled in the one way in which it is judged?
 *
 * A server may open `file:///a/%2e%2e/b`, `file:///a/../b` and `FILE:///b` alike, so a rule that
 * names one of them says nothing of the others. Of each resource one spelling is canonical: the
 * normal form of RFC 3986, section 6.2.2, narrowed to what file systems and servers read alike.
 * docs/domains.md has the rule; uri.c each part of it.
 */
#ifndef RUNTIME_DOMAIN_URI_H
#define RUNTIME_DOMAIN_URI_H

#include "runtime/base/arena.h"
#include "runtime/base/str.h"

enum { URI_BYTES_MAX = 8192 };

/* mem is for what is undone and given back; without memory the answer is no. */
bool uri_is_canonical(Str uri, struct arena *mem);

/* The same of a URI template (RFC 6570): with each of its expressions taken as one letter. */
bool uri_template_is_canonical(Str text, struct arena *mem);

/* A letter, then letters, digits, '+', '-' and '.', then ':': in any case. */
bool uri_has_scheme(Str text);

#endif
