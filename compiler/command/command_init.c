/* SPDX-License-Identifier: Apache-2.0 */
/* command_init.c - `mcpc init`: a server's snapshot and a first policy beside it. What was made is
 * compiled before anything is written, and nothing that is there is ever overwritten. */
#include "compiler/check/suppress.h"
#include "compiler/command/init_policy.h"
#include "compiler/command/pin_source.h"
#include "compiler/command/pin_write.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { ALIAS_MAX = 64 };

struct initiation {
    struct pinning pinning;
    struct snapshot snapshot;
    Str alias, file; /* file: of the snapshot, without its folder */
    Str tools_path, policy_path;
    struct buf tools, policy;
};

/* ------------------------------ the alias ------------------------------- */

static bool is_one_of(Str word, const char *list)
{
    Str rest = str_of(list);
    while (rest.n)
        if (str_eq(str_cut(&rest, ' '), word))
            return true;
    return false;
}

/* The last part of a path or a package's name, without what every server's name has around it. */
static Str bare_name(Str text)
{
    static const Str before[] = { STR_INIT("@"), STR_INIT("mcp-server-"), STR_INIT("server-"),
                                  STR_INIT("mcp-") };
    static const Str behind[] = { STR_INIT(".json"), STR_INIT(".tools"),
                                  STR_INIT(".js"),   STR_INIT(".mjs"),
                                  STR_INIT(".py"),   STR_INIT("-mcp-server"),
                                  STR_INIT("-mcp"),  STR_INIT("_mcp_server"),
                                  STR_INIT("_mcp") };
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '@' && i > 0 && text.p[i - 1] != '/')
            text = str_sub(text, 0, i); /* name@version */
    for (size_t i = text.n; i > 0; i--)
        if (text.p[i - 1] == '/') {
            text = str_sub(text, i, text.n);
            break;
        }
    for (size_t i = 0; i < COUNT(behind); i++)
        if (str_ends(text, behind[i]))
            text = str_sub(text, 0, text.n - behind[i].n);
    for (size_t i = 0; i < COUNT(before); i++)
        if (str_starts(text, before[i]) && text.n > before[i].n)
            text = str_sub(text, before[i].n, text.n);
    return text;
}

/* The part of a path that names what it is: not dist/index.js but what holds it. */
static Str telling_part(Str path)
{
    Str name = bare_name(path);
    while (is_one_of(name, "index main server dist build src bin out lib mcp")) {
        size_t at = path.n;
        while (at > 0 && path.p[at - 1] != '/')
            at--;
        if (at <= 1)
            return name;
        path = str_sub(path, 0, at - 1);
        name = bare_name(path);
    }
    return name;
}

/* The label of a host that says most: github of api.github.com. */
static Str host_part(Str url)
{
    Str rest = url;
    (void)str_cut(&rest, '/');
    (void)str_cut(&rest, '/');
    Str host = str_cut(&rest, '/'), labels = str_cut(&host, ':'), best = labels;
    while (labels.n) {
        best = str_cut(&labels, '.');
        if (!is_one_of(best, "mcp api www"))
            break;
    }
    return best;
}

/* A command is named after its first word that is neither a runner nor an option. */
static Str command_part(const struct options *options)
{
    for (int i = 0; i < options->file_count; i++) {
        Str word = options->files[i], name = bare_name(word);
        if (!str_starts(word, STR("-")) &&
            !is_one_of(name, "npx node uvx uv bunx bun deno python python3 docker podman run exec "
                             "sh bash env tool x"))
            return telling_part(word);
    }
    return STR("");
}

/* What can be an alias of it: a-z, 0-9, single marks between them. */
static Str as_alias(struct arena *mem, Str text)
{
    char alias[ALIAS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < text.n && n < sizeof alias; i++) {
        char ch = char_lower(text.p[i]);
        bool is_plain = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
        if (is_plain)
            alias[n++] = ch;
        else if (n > 0 && alias[n - 1] != '-')
            alias[n++] = '-';
    }
    while (n > 0 && alias[n - 1] == '-')
        n--;
    return n ? arena_copy(mem, (Str){ .p = alias, .n = n }) : STR("server");
}

static Str choose_alias(struct arena *mem, const struct options *options)
{
    Str first = options->files[0];
    if (options->server.n)
        return options->server;
    if (options->stdio)
        return as_alias(mem, command_part(options));
    bool is_url = str_starts(first, STR("http://")) || str_starts(first, STR("https://"));
    return as_alias(mem, is_url ? host_part(first) : bare_name(first));
}

/* ------------------------------- the files ------------------------------ */

static bool is_there(Str path)
{
    return access(path.p, F_OK) == 0 || errno != ENOENT;
}

static enum exit_code choose_paths(struct initiation *in, const struct options *options)
{
    struct arena *mem = &in->pinning.mem;
    in->alias = choose_alias(mem, options);
    Str folder = options->output.n ? options->output : STR(".");
    in->file = arena_printf(mem, "%.*s.tools.json", STR_ARG(in->alias));
    in->tools_path = arena_printf(mem, "%.*s/%.*s", STR_ARG(folder), STR_ARG(in->file));
    in->policy_path = arena_printf(mem, "%.*s/%.*s.pol", STR_ARG(folder), STR_ARG(in->alias));
    if (!in->file.p || !in->tools_path.p || !in->policy_path.p)
        return usage_error("out of memory");
    if (memchr(in->alias.p, '/', in->alias.n))
        return usage_error("\"%.*s\" can't be a server's alias", STR_ARG(in->alias));
    if (access(folder.p, F_OK) != 0)
        return usage_error("there is no folder %.*s", STR_ARG(folder));
    if (is_there(in->tools_path) || is_there(in->policy_path))
        return usage_error("%.*s is there already; nothing was written",
                           STR_ARG(is_there(in->policy_path) ? in->policy_path : in->tools_path));
    return EXIT_OK;
}

static bool find_tools(void *user, Str path, Str *text)
{
    const struct initiation *in = user;
    *text = buf_str(&in->tools);
    return str_eq(path, in->tools_path);
}

/* Lays the policy out and compiles it against the snapshot that is about to be written. */
static enum exit_code compile(struct initiation *in, const struct options *options)
{
    struct compilation c;
    struct buf laid_out;
    struct overlay overlay = { .find = find_tools, .user = in };
    compilation_init(&c);
    buf_init(&laid_out, SOURCE_BYTES_MAX);
    c.sources.overlay = &overlay;
    enum exit_code code = EXIT_COMPILE;
    if (source_add(&c.sources, in->policy_path, buf_str(&in->policy), &c.mem, &c.source) == ST_OK) {
        c.policy = policy_parse(&c.sources, c.source, &c.mem, &c.diags);
        policy_print(c.policy, &c.sources.items[c.source], &laid_out);
        if (policy_check(c.policy, &c.sources, c.source, &c.mem, &c.diags) && !laid_out.is_full &&
            c.diags.count == 0 && compilation_emit(&c))
            code = EXIT_OK;
    }
    report_diags(&c, options);
    buf_clear(&in->policy);
    buf_add(&in->policy, buf_str(&laid_out));
    buf_free(&laid_out);
    compilation_free(&c);
    return code;
}

static enum exit_code write_both(const struct initiation *in)
{
    enum exit_code code = write_new(in->tools_path, buf_str(&in->tools), 0666);
    if (code != EXIT_OK)
        return code;
    code = write_new(in->policy_path, buf_str(&in->policy), 0666);
    if (code != EXIT_OK)
        (void)unlink(in->tools_path.p); /* just made: a snapshot alone is not what was asked for */
    return code;
}

static enum exit_code begin(struct initiation *in, const struct options *options)
{
    struct arena *mem = &in->pinning.mem;
    enum exit_code code = choose_paths(in, options);
    if (code == EXIT_OK)
        code = pinning_read_words(&in->pinning, 0, &in->snapshot);
    if (code != EXIT_OK)
        return code;
    if (!pin_write(&in->snapshot, mem, &in->tools) ||
        !init_write_policy(&in->snapshot, in->alias, in->file, mem, &in->policy))
        return usage_error("the server has more tools than one policy can list");
    code = compile(in, options);
    return code == EXIT_OK ? write_both(in) : code;
}

enum exit_code mcpc_init(const struct options *options)
{
    struct initiation in = { .file = STR("") };
    pinning_init(&in.pinning, options);
    buf_init(&in.tools, SOURCE_BYTES_MAX);
    buf_init(&in.policy, SOURCE_BYTES_MAX);
    enum exit_code code = begin(&in, options);
    if (code == EXIT_OK)
        (void)fprintf(stderr, "mcpc: wrote %.*s and %.*s; read the policy, then `mcpc test %.*s`\n",
                      STR_ARG(in.tools_path), STR_ARG(in.policy_path), STR_ARG(in.policy_path));
    buf_free(&in.tools);
    buf_free(&in.policy);
    arena_reset(&in.pinning.mem);
    return code;
}
