/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/command/driver.h"

#include "compiler/check/suppress.h"

#include <errno.h>

void compilation_init(struct compilation *c)
{
    *c = (struct compilation){ .source = 0 };
    arena_init(&c->mem, COMPILATION_BYTES_MAX);
    diags_init(&c->diags, &c->mem);
    buf_init(&c->bundle, BUNDLE_BYTES_MAX);
}

void compilation_free(struct compilation *c)
{
    buf_free(&c->bundle);
    arena_reset(&c->mem);
}

bool compilation_parse(struct compilation *c, Str path)
{
    errno = 0;
    enum status status = source_read(&c->sources, path, &c->mem, &c->source);
    if (status != ST_OK) {
        const char *why = status == ST_IO && errno ? strerror(errno) : status_text(status);
        diag_add(&c->diags, DIAG_SOURCE_READ, (Span){ 0 }, STR_ARG(path), why);
        return false;
    }
    if (str_starts(c->sources.items[c->source].text, STR(BUNDLE_MAGIC))) {
        c->sources.count = 0; /* bytes that are no text are not quoted */
        diag_add(&c->diags, DIAG_SOURCE_READ, (Span){ 0 }, STR_ARG(path),
                 "it is a compiled bundle; name its source, FILE.pol");
        return false;
    }
    c->policy = policy_parse(&c->sources, c->source, &c->mem, &c->diags);
    return c->diags.errors == 0;
}

/* {"name": value, ...} of --params. */
static void read_params(struct compilation *c)
{
    Str text;
    uint32_t at = 0;
    struct json_doc *doc = ARENA_NEW(&c->mem, struct json_doc, 1);
    if (!c->params_path.n || !doc)
        return;
    enum status status = file_read(c->params_path, SOURCE_BYTES_MAX, &c->mem, &text);
    if (status != ST_OK) {
        diag_add(&c->diags, DIAG_IMPORT_READ, (Span){ 0 }, STR_ARG(c->params_path),
                 status_text(status));
        return;
    }
    enum json_error error = json_parse(text, &json_limits_default, &c->mem, doc, &at);
    if (error == JSON_ERR_NONE && json_at(doc, 0)->type == JSON_OBJECT)
        c->params.doc = doc;
    else
        diag_add(&c->diags, DIAG_IMPORT_READ, (Span){ 0 }, STR_ARG(c->params_path),
                 error == JSON_ERR_NONE ? "it holds no object" : json_error_text(error));
}

bool compilation_check(struct compilation *c, Str path)
{
    (void)compilation_parse(c, path);
    if (!c->policy)
        return false;
    read_params(c);
    (void)policy_import(c->policy, &c->sources, &c->mem, &c->diags);
    /* Checked also after syntax errors: what could be read may have more to report. */
    bool is_good = policy_check_with(c->policy, &c->sources, c->source,
                                     c->params.doc ? &c->params : NULL, &c->mem, &c->diags);
    suppress_warnings(&c->sources, &c->mem, &c->diags);
    return is_good && c->diags.errors == 0;
}

uint32_t compilation_profiles(const struct compilation *c, Str names[PROFILES_MAX])
{
    uint32_t count = c->profile.n ? 0 : policy_profiles(c->policy, names);
    if (count == 0)
        names[count++] = c->profile;
    return count;
}

/* Nothing of a claim is in the bundle; errors that only the emitter finds are found all the same.
 */
static bool check_claims(struct compilation *c)
{
    struct policy claims = *c->policy;
    struct buf unused;
    if (!claims.claims)
        return true;
    claims.rules = claims.claims;
    buf_init(&unused, BUNDLE_BYTES_MAX);
    bool is_good = policy_emit(&claims, &c->sources, &c->mem, &c->diags, &unused);
    buf_free(&unused);
    return is_good;
}

bool compilation_emit(struct compilation *c)
{
    buf_clear(&c->bundle);
    if (c->profile.n && !policy_choose(c->policy, c->profile)) {
        diag_add(&c->diags, DIAG_UNKNOWN_PROFILE, c->policy->name_span, STR_ARG(c->profile));
        if (c->policy->profiles)
            diag_help(&c->diags, "there is \"%.*s\"", STR_ARG(c->policy->profiles->name));
        return false;
    }
    if (!c->profile.n && c->policy->profiles) {
        diag_add(&c->diags, DIAG_PROFILE_NEEDED, c->policy->name_span);
        diag_help(&c->diags, "write: --profile %.*s", STR_ARG(c->policy->profiles->name));
        return false;
    }
    return check_claims(c) && policy_emit(c->policy, &c->sources, &c->mem, &c->diags, &c->bundle);
}

bool compilation_program(struct compilation *c, Str path, struct program **out)
{
    return compilation_check(c, path) && compilation_load(c, out);
}

bool compilation_load(struct compilation *c, struct program **out)
{
    struct bundle_error error;
    if (!compilation_emit(c))
        return false;
    if (program_load(buf_str(&c->bundle), out, &error) == ST_OK)
        return true;
    diag_add(&c->diags, DIAG_POLICY_TOO_LARGE, c->policy->name_span, error.text);
    return false;
}
