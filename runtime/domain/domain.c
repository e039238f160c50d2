/* SPDX-License-Identifier: Apache-2.0 */
/* domain.c - the table of domains, and the way from a number to its reader. */
#include "runtime/domain/readers.h"

const struct domain_info domain_table[DOMAIN_COUNT] = {
#define DOMAIN(NAME, word, touches, growth, doc, schema) { word, schema, touches, growth },
#include "runtime/domain/domain.def"
#undef DOMAIN
};

bool domain_read(enum domain domain, Str text, struct arena *mem, struct json_doc *out)
{
    if (text.n > DOMAIN_TEXT_MAX)
        return false;
    switch (domain) {
    case DOMAIN_PATH: return read_path(text, mem, out);
    case DOMAIN_URL: return read_url(text, mem, out);
    case DOMAIN_HOST: return read_host(text, mem, out);
    case DOMAIN_EMAIL: return read_email(text, mem, out);
    case DOMAIN_EMAILS: return read_emails(text, mem, out);
    case DOMAIN_SQL: return read_sql(text, mem, out);
    case DOMAIN_SHELL: return read_shell(text, mem, out);
    case DOMAIN_JSON: return read_json(text, mem, out);
    case DOMAIN_YAML: return read_yaml(text, mem, out);
    case DOMAIN_COUNT: break;
    }
    return false;
}
