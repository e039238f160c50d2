/* SPDX-License-Identifier: Apache-2.0 */
/* workspace.c - a policy's constants are one name space with those of all it imports, so whoever
 * renames one has to know who imports what. Only parsing and imports are needed for that. */
#include "compiler/lsp/workspace.h"

#include "compiler/check/check.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

struct files {
    Str paths[WORKSPACE_FILES_MAX]; /* real */
    bool is_taken[WORKSPACE_FILES_MAX];
    uint32_t count, entries;
};

/* The sources of all policies that were taken. */
struct family {
    Str *members; /* real paths */
    uint32_t count, capacity;
    struct arena *mem;
};

static bool is_member(const struct family *family, Str real)
{
    for (uint32_t i = 0; i < family->count; i++)
        if (str_eq(family->members[i], real))
            return true;
    return false;
}

static void join(struct family *family, const struct analysis *analysis)
{
    for (uint32_t i = 0; i < analysis->sources.count; i++) {
        Str real = path_real(analysis->sources.items[i].path, family->mem);
        if (family->count < family->capacity && !is_member(family, real))
            family->members[family->count++] = arena_copy(family->mem, real);
    }
}

static bool is_related(const struct family *family, const struct analysis *analysis)
{
    for (uint32_t i = 0; i < analysis->sources.count; i++)
        if (is_member(family, path_real(analysis->sources.items[i].path, family->mem)))
            return true;
    return false;
}

/* ---------------------------------- disk --------------------------------- */

static void scan(struct lsp *lsp, struct files *files, Str folder, uint32_t depth);

static void scan_entry(struct lsp *lsp, struct files *files, Str folder, const char *name,
                       uint32_t depth)
{
    struct stat info;
    if (name[0] == '.' || str_eq(str_of(name), STR("node_modules")))
        return;
    Str path = arena_printf(&lsp->mem, "%.*s/%s", STR_ARG(folder), name);
    if (!path.p || lstat(path.p, &info) != 0)
        return;
    if (S_ISDIR(info.st_mode))
        scan(lsp, files, path, depth + 1);
    else if (S_ISREG(info.st_mode) && str_ends(path, STR(".pol")) &&
             files->count < WORKSPACE_FILES_MAX)
        files->paths[files->count++] = path;
}

static void scan(struct lsp *lsp, struct files *files, Str folder, uint32_t depth)
{
    DIR *dir = depth < WORKSPACE_DEPTH_MAX ? opendir(folder.p) : NULL;
    const struct dirent *entry;
    /* One thread: readdir's buffer is this call's alone until closedir. */
    while (dir && files->entries++ < WORKSPACE_ENTRIES_MAX && (entry = readdir(dir)) != NULL)
        scan_entry(lsp, files, folder, entry->d_name, depth);
    if (dir)
        (void)closedir(dir);
}

/* -------------------------------- relatives ------------------------------ */

struct search {
    struct lsp *lsp;
    struct family family;
    struct files *files;
    void (*take)(void *user, struct analysis *analysis);
    void *user;
};

/* Parsed with its imports; false when the file can't be read. */
static bool read_policy(struct search *s, Str path, struct analysis *a)
{
    analysis_init(a);
    diags_init(&a->diags, &a->mem);
    a->sources.overlay = &s->lsp->overlay;
    if (source_read(&a->sources, path, &a->mem, &a->source) != ST_OK)
        return false;
    a->policy = policy_parse(&a->sources, a->source, &a->mem, &a->diags);
    (void)policy_import(a->policy, &a->sources, &a->mem, &a->diags);
    return true;
}

/* Takes a file if it is related; true when it was. */
static bool try_file(struct search *s, uint32_t i)
{
    struct analysis *a = calloc(1, sizeof *a);
    if (!a)
        return false;
    bool is_one = read_policy(s, s->files->paths[i], a) && is_related(&s->family, a);
    if (is_one) {
        join(&s->family, a);
        s->take(s->user, a);
    }
    analysis_free(a);
    free(a);
    return is_one;
}

static bool try_document(struct search *s, struct document *document)
{
    if (!document->is_policy || document->is_lost)
        return false;
    struct analysis *a = document_analysis(document, &s->lsp->overlay);
    if (!a->policy || !is_related(&s->family, a))
        return false;
    uint32_t before = s->family.count;
    join(&s->family, a);
    s->take(s->user, a);
    return s->family.count > before;
}

/* One round; true when something new was taken that could have relatives of its own. */
static bool widen(struct search *s)
{
    bool is_wider = false;
    for (struct document *d = s->lsp->documents.first; d; d = d->next)
        is_wider |= try_document(s, d);
    for (uint32_t i = 0; i < s->files->count; i++) {
        if (s->files->is_taken[i])
            continue;
        s->files->is_taken[i] = try_file(s, i);
        is_wider |= s->files->is_taken[i];
    }
    return is_wider;
}

void workspace_relatives(struct lsp *lsp, struct document *document,
                         void (*take)(void *user, struct analysis *analysis), void *user)
{
    enum { MEMBERS_MAX = WORKSPACE_FILES_MAX + DOCUMENTS_MAX };
    struct search s = { .lsp = lsp, .take = take, .user = user };
    s.files = ARENA_NEW(&lsp->mem, struct files, 1);
    s.family = (struct family){ .members = ARENA_NEW(&lsp->mem, Str, MEMBERS_MAX),
                                .capacity = MEMBERS_MAX,
                                .mem = &lsp->mem };
    if (!s.files || !s.family.members)
        return;
    for (uint32_t i = 0; i < lsp->folder_count; i++)
        scan(lsp, s.files, arena_copy(&lsp->mem, buf_str(&lsp->folders[i])), 0);
    struct analysis *own = document_analysis(document, &lsp->overlay);
    join(&s.family, own);
    take(user, own);
    while (widen(&s)) {
    }
}
