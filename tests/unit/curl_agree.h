/* SPDX-License-Identifier: Apache-2.0 */
/* curl_agree.h - a second opinion on URLs: what libcurl's own reader makes of a text. */
#ifndef TESTS_UNIT_CURL_AGREE_H
#define TESTS_UNIT_CURL_AGREE_H

#include "runtime/json/json.h"

/* Does libcurl read the text, and to the same scheme, host, port, decoded path, query, fragment and
 * user as doc, which url() made of it? */
bool curl_agrees(Str text, const struct json_doc *doc, struct arena *mem);

#endif
