/* SPDX-License-Identifier: Apache-2.0 */
/* import.c - one policy out of several files. What is imported only adds: servers, lets, params,
 * rules and claims, and a default's reason if the policy has none. Since a deny is never undone and
 * order never matters, a baseline holds whatever imports it. */
#include "compiler/check/check_internal.h"

#include <limits.h>
#include <stdlib.h>

enum { IMPORT_FILES_MAX = 64, IMPORT_DEPTH_MAX = 16 };

struct importer {
    struct policy *policy;
    struct sources *sources;
    struct arena *mem;
    struct diags *diags;
    Str files[IMPORT_FILES_MAX]; /* real paths of what was read */
    uint32_t count;
    uint32_t open[IMPORT_DEPTH_MAX], depth; /* files being read: indexes into files */
};

static Str beside(struct importer *im, Str path, uint32_t source)
{
    Str own = im->sources->items[source].path;
    size_t folder = own.n;
    while (folder > 0 && own.p[folder - 1] != '/')
        folder--;
    if (str_starts(path, STR("/")) || folder == 0)
        return path;
    return arena_printf(im->mem, "%.*s%.*s", (int)folder, own.p, STR_ARG(path));
}

/* The file behind links and dots; the path itself when it can't be found. */
static Str real_path(struct importer *im, Str path)
{
    char plain[PATH_MAX];
    Str whole = arena_printf(im->mem, "%.*s", STR_ARG(path));
    if (!whole.p || !realpath(whole.p, plain))
        return path;
    return arena_copy(im->mem, str_of(plain));
}

static uint32_t file_index(const struct importer *im, Str file)
{
    uint32_t i = 0;
    while (i < im->count && !str_eq(im->files[i], file))
        i++;
    return i;
}

static void append_servers(struct policy *policy, struct server_decl *more)
{
    struct server_decl **at = &policy->servers;
    while (*at)
        at = &(*at)->next;
    *at = more;
}

static void append_lets(struct policy *policy, struct let_decl *more)
{
    struct let_decl **at = &policy->lets;
    while (*at)
        at = &(*at)->next;
    *at = more;
}

static void append_profiles(struct policy *policy, struct profile_decl *more)
{
    struct profile_decl **at = &policy->profiles;
    while (*at)
        at = &(*at)->next;
    *at = more;
}

static void append_rules(struct rule **at, struct rule *more)
{
    while (*at)
        at = &(*at)->next;
    *at = more;
}

static void read_imports(struct importer *im, const struct policy *from);

static void read_file(struct importer *im, struct import_decl *import, Str path, Str file)
{
    uint32_t source;
    enum status status = source_read(im->sources, path, im->mem, &source);
    if (status != ST_OK) {
        diag_add(im->diags, DIAG_IMPORT_READ, import->path_span, STR_ARG(path),
                 status_text(status));
        return;
    }
    import->source = source;
    im->open[im->depth++] = im->count;
    im->files[im->count++] = file;
    struct policy *part = policy_parse(im->sources, source, im->mem, im->diags);
    read_imports(im, part);
    im->depth--;
    append_servers(im->policy, part->servers);
    append_lets(im->policy, part->lets);
    append_profiles(im->policy, part->profiles);
    append_rules(&im->policy->rules, part->rules);
    append_rules(&im->policy->claims, part->claims);
    if (!im->policy->fallback.is_present)
        im->policy->fallback = part->fallback;
}

static void read_imports(struct importer *im, const struct policy *from)
{
    for (struct import_decl *import = from->imports; import; import = import->next) {
        Str path = beside(im, import->path, import->span.source), file = real_path(im, path);
        uint32_t index = file_index(im, file);
        for (uint32_t i = 0; i < im->depth; i++) {
            if (im->open[i] == index) {
                diag_add(im->diags, DIAG_IMPORT_CYCLE, import->path_span, STR_ARG(import->path));
                return;
            }
        }
        if (index < im->count)
            continue; /* here already */
        if (im->count == IMPORT_FILES_MAX || im->depth == IMPORT_DEPTH_MAX) {
            diag_add(im->diags, DIAG_IMPORT_TOO_MANY, import->path_span, IMPORT_FILES_MAX,
                     IMPORT_DEPTH_MAX);
            return;
        }
        read_file(im, import, path, file);
    }
}

bool policy_import(struct policy *policy, struct sources *sources, struct arena *mem,
                   struct diags *diags)
{
    struct importer *im = ARENA_NEW(mem, struct importer, 1);
    uint32_t errors = diags->errors;
    if (!policy->imports)
        return true;
    if (!im) {
        diag_add(diags, DIAG_NO_MEMORY, policy->name_span);
        return false;
    }
    *im = (struct importer){ .policy = policy, .sources = sources, .mem = mem, .diags = diags };
    im->files[im->count++] = real_path(im, sources->items[policy->source].path);
    im->open[im->depth++] = 0;
    read_imports(im, policy);
    return diags->errors == errors;
}
