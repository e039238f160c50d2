/* SPDX-License-Identifier: Apache-2.0 */
/* command_library.c - `mcpc library`: what ships with the product. The index and the catalogue are
 * files of JSON Lines, read line by line. */
#include "compiler/command/command.h"
#include "runtime/bundle/library.h"
#include "runtime/json/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LINES_BYTES_MAX = 64 << 20,
    ANSWER_BYTES_MAX = 64 << 20,
    LINE_MEMORY_MAX = 16 << 20,
    FAMILIES_MAX = 256, /* files of the catalogue */
    SERVER_BYTES_MAX = 256,
};

struct library {
    struct library_path folder;
    struct buf text, out;
    struct arena mem; /* of one line */
    Str word;         /* that is looked for; empty: all */
    bool as_json;
    char server[SERVER_BYTES_MAX]; /* of the catalogue's line before */
    size_t server_n;
};

typedef void LineReader(struct library *l, const struct json_doc *doc, Str line);

static enum exit_code read_lines(struct library *l, const char *file, LineReader *reader)
{
    char path[LIBRARY_PATH_MAX + 64];
    int n = snprintf(path, sizeof path, "%s/%s", l->folder.text, file);
    if (n < 0 || (size_t)n >= sizeof path)
        return usage_error("the library's folder has too long a name");
    buf_clear(&l->text);
    enum exit_code code = read_input(str_of(path), &l->text);
    Str rest = buf_str(&l->text);
    while (code == EXIT_OK && rest.n) {
        struct json_doc doc;
        uint32_t at = 0;
        Str line = str_cut(&rest, '\n');
        arena_rewind(&l->mem);
        if (json_parse(line, &json_limits_default, &l->mem, &doc, &at) != JSON_ERR_NONE)
            return usage_error("%s: this is not the library's", path);
        reader(l, &doc, line);
    }
    return code;
}

static void put_text_member(struct library *l, const struct json_doc *doc, const char *key,
                            int width)
{
    Str text = json_member_string(doc, 0, str_of(key));
    buf_printf(&l->out, "%-*.*s", width, STR_ARG(text));
}

/* "NAME" is all profiles of NAME. */
static bool is_wanted(const struct library *l, Str name)
{
    if (!l->word.n || str_eq(l->word, name))
        return true;
    return str_starts(name, l->word) && str_byte(name, l->word.n) == '/';
}

static void list_line(struct library *l, const struct json_doc *doc, Str line)
{
    if (l->as_json) {
        buf_add(&l->out, line);
        buf_add_char(&l->out, '\n');
        return;
    }
    buf_add(&l->out, STR("std:"));
    put_text_member(l, doc, "name", 32);
    put_text_member(l, doc, "title", 0);
    buf_add_char(&l->out, '\n');
}

static void show_line(struct library *l, const struct json_doc *doc, Str line)
{
    if (!is_wanted(l, json_member_string(doc, 0, STR("name"))))
        return;
    if (l->as_json) {
        list_line(l, doc, line);
        return;
    }
    buf_add(&l->out, STR("std:"));
    put_text_member(l, doc, "name", 0);
    buf_add(&l->out, STR("\n  "));
    put_text_member(l, doc, "title", 0);
    buf_add(&l->out, STR("\n  bundle "));
    put_text_member(l, doc, "file", 0);
    buf_add(&l->out, STR(", identity "));
    put_text_member(l, doc, "identity", 0);
    buf_add_char(&l->out, '\n');
    uint32_t params = json_member(doc, 0, STR("params"));
    for (uint32_t i = json_first(doc, params); i != JSON_NONE; i = json_after(doc, params, i))
        buf_printf(&l->out, "  param %.*s\n", STR_ARG(json_text(json_at(doc, i))));
}

/* A line of the catalogue is a server's, or that of one of its tools. */
static void search_line(struct library *l, const struct json_doc *doc, Str line)
{
    Str server = json_member_string(doc, 0, STR("server"));
    Str tool = json_member_string(doc, 0, STR("tool"));
    (void)line;
    if (server.n) {
        l->server_n = server.n < sizeof l->server ? server.n : sizeof l->server;
        memcpy(l->server, server.p, l->server_n);
        return;
    }
    Str of = { .p = l->server, .n = l->server_n };
    if (!str_contains(of, l->word) && !str_contains(tool, l->word))
        return;
    buf_printf(&l->out, "%.*s %.*s ", STR_ARG(of), STR_ARG(tool));
    put_text_member(l, doc, "effect", 0);
    buf_add(&l->out, STR(" by "));
    put_text_member(l, doc, "by", 0);
    buf_add_char(&l->out, '\n');
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* The catalogue's files, in the order of their names. */
static enum exit_code search_catalogue(struct library *l)
{
    char folder[LIBRARY_PATH_MAX + 64];
    char *names[FAMILIES_MAX];
    size_t count = 0;
    enum exit_code code = EXIT_OK;
    (void)snprintf(folder, sizeof folder, "%s/source/catalog", l->folder.text);
    DIR *open = opendir(folder);
    if (!open)
        return usage_error("can't read %s", folder);
    for (struct dirent *entry; count < FAMILIES_MAX && (entry = readdir(open));)
        if (str_ends(str_of(entry->d_name), STR(".jsonl")) &&
            (names[count] = strdup(entry->d_name)))
            count++;
    (void)closedir(open);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        char file[LIBRARY_PATH_MAX];
        (void)snprintf(file, sizeof file, "source/catalog/%s", names[i]);
        if (code == EXIT_OK)
            code = read_lines(l, file, search_line);
        free(names[i]);
    }
    return code;
}

/* The library's source with params of one's own, as a bundle. */
static enum exit_code instantiate(struct library *l, const struct options *options)
{
    Str name, profile;
    char path[LIBRARY_PATH_MAX + 160];
    if (library_split(l->word, &name, &profile) != ST_OK)
        return usage_error("\"%.*s\" is no NAME/PROFILE of the library", STR_ARG(l->word));
    if (!options->output.n)
        return usage_error("library instantiate needs -o FILE.polb");
    (void)snprintf(path, sizeof path, "%s/source/servers/%.*s/%.*s.pol", l->folder.text,
                   STR_ARG(name), STR_ARG(name));
    Str file = str_of(path);
    struct options compile = *options;
    compile.files = &file;
    compile.file_count = 1;
    compile.profile = arena_copy(&l->mem, profile);
    enum exit_code code = compile.profile.p ? mcpc_compile(&compile) : usage_error("no memory");
    return code;
}

static enum exit_code run(struct library *l, Str verb, const struct options *options)
{
    bool needs_word = !str_eq(verb, STR("list"));
    if ((options->file_count == 2) != needs_word || options->file_count > 2)
        return usage_error(
            "library takes list, show NAME, search WORD or instantiate NAME/PROFILE");
    if (str_eq(verb, STR("list")))
        return read_lines(l, "index.jsonl", list_line);
    l->word = options->files[1];
    if (library_is_named(l->word))
        l->word = str_sub(l->word, 4, l->word.n);
    if (str_eq(verb, STR("show")))
        return read_lines(l, "index.jsonl", show_line);
    if (str_eq(verb, STR("search")))
        return search_catalogue(l);
    if (str_eq(verb, STR("instantiate")))
        return instantiate(l, options);
    return usage_error("library can list, show, search and instantiate, not \"%.*s\"",
                       STR_ARG(verb));
}

enum exit_code mcpc_library(const struct options *options)
{
    static struct library l;
    if (library_folder(&l.folder) != ST_OK)
        return usage_error(
            "there is no library: `make library` makes it, `make install` installs it; "
            "MCPC_LIBRARY names another folder");
    l.as_json = options->json;
    buf_init(&l.text, LINES_BYTES_MAX);
    buf_init(&l.out, ANSWER_BYTES_MAX);
    arena_init(&l.mem, LINE_MEMORY_MAX);
    enum exit_code code = run(&l, options->files[0], options);
    bool is_empty = code == EXIT_OK && l.out.n == 0 && !options->output.n;
    if (is_empty)
        code = EXIT_FINDINGS;
    else if (code == EXIT_OK)
        code = put_text(buf_str(&l.out));
    buf_free(&l.text);
    buf_free(&l.out);
    arena_reset(&l.mem);
    return code;
}
