/* SPDX-License-Identifier: Apache-2.0 */
/* classify.c - puts together what name, description, arguments and hints say. Each may raise the
 * effect; only the name and, where it says nothing, the description may set it. */
#include "compiler/classify/argument.h"
#include "compiler/classify/judge.h"

enum { SHOWN_BYTES = 96 };

struct judging {
    const struct pinned_tool *tool;
    const struct classify_context *context;
    struct classified *out;
    struct arena *mem;
    struct words name_words, sentence_words;
    struct name_verdict name;
    struct sentence_verdict sentence;
    struct argument_facts facts;
    enum deed deed;
    bool has_memory;
};

const char *classify_confidence_text(enum classify_confidence confidence)
{
    static const char *const texts[] = { "low", "medium", "high" };
    return texts[confidence];
}

static uint32_t flag_bit(enum tool_flag flag)
{
    return UINT32_C(1) << flag;
}

static enum tool_effect effect_of_deed(enum deed deed)
{
    switch (deed) {
    case DEED_UNKNOWN:
    case DEED_NEUTRAL: return TOOL_UNCLASSIFIED;
    case DEED_NONE: return TOOL_NONE;
    case DEED_READ: return TOOL_READ;
    case DEED_WRITE:
    case DEED_SEND: return TOOL_WRITE;
    case DEED_ADMIN: return TOOL_ADMIN;
    case DEED_DESTROY: return TOOL_DESTRUCTIVE;
    case DEED_EXECUTE: return TOOL_EXECUTE;
    case DEED_MONEY: return TOOL_MONEY;
    }
    return TOOL_UNCLASSIFIED;
}

/* ------------------------------- reasons -------------------------------- */

static void say(struct judging *j, Str why)
{
    j->has_memory &= why.p != NULL;
    if (j->out->why_count < CLASSIFY_REASONS_MAX)
        j->out->why[j->out->why_count++] = why;
}

static void say_word(struct judging *j, const char *before, Str word, const char *after)
{
    char shown[SHOWN_BYTES];
    Str kept = { .p = shown, .n = 0 };
    for (size_t i = 0; i < word.n && i < sizeof shown; i++) {
        bool is_plain = (unsigned char)word.p[i] >= 0x20 && word.p[i] != 0x7F;
        shown[kept.n++] = is_plain ? word.p[i] : '?';
    }
    say(j, arena_printf(j->mem, "%s\"%.*s\"%s", before, STR_ARG(kept), after));
}

static void raise(struct judging *j, enum deed deed)
{
    if (deed > j->deed)
        j->deed = deed;
}

/* ------------------------- name and description ------------------------- */

/* The name reads, and a worse verb stands in it or in the description. */
static void judge_doubt(struct judging *j)
{
    const struct name_verdict *name = &j->name;
    const struct sentence_verdict *text = &j->sentence;
    bool is_confirmed = text->is_first && text->deed == DEED_READ && text->also == DEED_UNKNOWN;
    if (name->also != DEED_UNKNOWN && !is_confirmed) {
        say_word(j, "its name also has ", name->also_word, "");
        raise(j, name->also);
    }
    bool is_phrase = words_listed("execute executes run runs call calls invoke resolve resolves "
                                  "replies",
                                  text->word);
    bool says_worse = text->is_first && (text->is_plain || !name->is_firm) &&
                      deed_mutates(text->deed) && !is_phrase;
    if (says_worse && !text->is_harmless) {
        say_word(j, "its description begins with ", text->word, "");
        raise(j, text->deed);
    }
}

/* "pods_log" whose description begins with "get": the word in the name is a thing. */
static bool is_thing(const struct judging *j)
{
    const struct sentence_verdict *text = &j->sentence;
    return !j->name.is_clear && deed_mutates(j->name.deed) && j->name.also == DEED_UNKNOWN &&
           text->is_first && text->deed == DEED_READ && text->also == DEED_UNKNOWN;
}

static void judge_by_name(struct judging *j)
{
    const struct name_verdict *name = &j->name;
    if (is_thing(j)) {
        j->deed = DEED_READ;
        j->out->confidence = CLASSIFY_LOW;
        say_word(j, "its description begins with ", j->sentence.word,
                 ", and its name does not differ");
        return;
    }
    j->deed = name->deed;
    j->out->confidence = name->is_clear ? CLASSIFY_MEDIUM : CLASSIFY_LOW;
    say_word(j, "its name has ", name->word, "");
    if (deed_mutates(j->deed)) {
        raise(j, name->also);
        return;
    }
    judge_doubt(j);
}

static void judge_by_sentence(struct judging *j)
{
    const struct sentence_verdict *text = &j->sentence;
    j->out->confidence = text->is_first ? CLASSIFY_MEDIUM : CLASSIFY_LOW;
    if (text->deed > DEED_NEUTRAL) {
        j->deed = text->deed;
        say_word(j, "its name does not say; its description has ", text->word, "");
    } else if (j->name.is_state) {
        j->deed = DEED_READ;
        j->out->confidence = CLASSIFY_LOW;
        say(j, STR("its name has no verb and ends like what one asks for"));
    } else {
        j->deed = DEED_UNKNOWN;
        j->out->confidence = CLASSIFY_LOW;
        say(j, STR("neither its name nor its description says what it does"));
    }
}

static void judge_texts(struct judging *j)
{
    if (j->name.deed > DEED_NEUTRAL)
        judge_by_name(j);
    else
        judge_by_sentence(j);
    const struct sentence_verdict *text = &j->sentence;
    if (text->also != DEED_UNKNOWN && text->also > j->deed) {
        say_word(j, "its description also has ", text->also_word, "");
        raise(j, text->also);
    }
    if (text->phrase.n && j->deed != DEED_NONE) {
        say_word(j, "its description says ", text->phrase, "");
        raise(j, DEED_DESTROY);
    }
    bool agrees = deed_mutates(text->deed) == deed_mutates(j->deed) && text->deed > DEED_NEUTRAL;
    if (agrees && j->out->confidence == CLASSIFY_MEDIUM && j->name.is_clear)
        j->out->confidence = CLASSIFY_HIGH;
}

/* "manage_...": whatever else is said, it changes what it manages. A variant says which of its
 * values do. */
static void judge_manager(struct judging *j)
{
    bool manages = j->name.deed == DEED_NEUTRAL || j->name.deed == DEED_UNKNOWN;
    if (!manages || j->deed >= DEED_DESTROY || j->out->variant.n)
        return;
    if (j->sentence.manages && j->facts.open_picker.n) {
        say_word(j, "an argument picks what it does, from no list: ", j->facts.open_picker, "");
        raise(j, DEED_DESTROY);
    } else if (j->sentence.manages && !deed_mutates(j->deed)) {
        say(j, STR("its description says that it manages"));
        raise(j, DEED_WRITE);
    }
    for (uint32_t i = 0; i < j->name_words.count; i++) {
        if (!words_listed("manage administer control operate handle manager",
                          word_text(&j->name_words.items[i])))
            continue;
        say(j, STR("what is managed is changed"));
        raise(j, j->facts.open_picker.n ? DEED_DESTROY : DEED_WRITE);
        return;
    }
}

/* What it is done to: who may do what, and money. */
static void judge_objects(struct judging *j)
{
    const struct name_verdict *name = &j->name;
    if (j->deed == DEED_WRITE && name->power_word.n) {
        say_word(j, "it changes ", name->power_word, "");
        raise(j, DEED_ADMIN);
    }
    bool moves = words_listed("create send place submit make execute capture issue approve process "
                              "initiate authorize confirm put add post sign broadcast",
                              name->word);
    if (name->money_word.n && moves && deed_mutates(j->deed)) {
        say_word(j, "it moves money: ", name->money_word, "");
        raise(j, DEED_MONEY);
    }
}

/* ------------------------------ arguments ------------------------------- */

static bool speaks_of_data(const struct judging *j)
{
    for (uint32_t i = 0; i < j->name_words.count; i++)
        if (words_listed(
                "sql postgres postgresql mysql sqlite mssql database db bigquery snowflake "
                "redshift clickhouse duckdb oracle pg mariadb databricks athena warehouse cypher",
                word_text(&j->name_words.items[i])))
            return true;
    return false;
}

static bool reads_by_word(const struct judging *j)
{
    return words_listed("query read select ask run", j->name.word) || j->name.deed <= DEED_NEUTRAL;
}

/* A query argument of a tool that speaks of a database is SQL to whoever judges it. */
static void find_sql(struct judging *j)
{
    if (j->facts.sql.n || !speaks_of_data(j) || !reads_by_word(j))
        return;
    for (uint32_t i = 0; i < j->out->role_count; i++) {
        struct classified_role *role = &j->out->roles[i];
        if (str_eq(role->pointer, STR("/query")) || str_eq(role->pointer, STR("/q"))) {
            role->role = ROLE_SQL;
            j->facts.sql = role->pointer;
        }
    }
}

static void judge_arguments(struct judging *j)
{
    const struct argument_facts *facts = &j->facts;
    find_sql(j);
    bool is_quiet = j->deed <= DEED_READ;
    bool surely_reads = j->deed == DEED_READ && j->name.is_firm && !deed_mutates(j->sentence.deed);
    if (facts->shell.n && !surely_reads && (is_quiet || !j->name.is_firm) && !facts->picker.n) {
        say_word(j, "an argument is a command: ", facts->shell, "");
        raise(j, DEED_EXECUTE);
    } else if (facts->sql.n && is_quiet && !j->sentence.is_harmless) {
        say_word(j, "an argument is SQL: ", facts->sql, "");
        raise(j, DEED_EXECUTE);
    } else if (facts->runs.n && j->deed <= DEED_NEUTRAL) {
        say_word(j, "an argument may be run: ", facts->runs, "");
        raise(j, DEED_EXECUTE);
    }
    if (j->sentence.is_local && is_quiet) {
        say(j, STR("its description says that files are written"));
        raise(j, DEED_WRITE);
    }
    if (is_quiet && str_eq(j->name.word, STR("download")) && !j->tool->description.n) {
        say(j, STR("what is downloaded may be written to a file"));
        raise(j, DEED_WRITE);
    }
    bool is_kept = facts->has_id || facts->has_path || !j->tool->arguments->lists_members;
    if (j->deed == DEED_NONE && is_kept && words_listed("convert render parse", j->name.word)) {
        say_word(j, "it may change what it names: ", j->name.word, "");
        raise(j, DEED_WRITE);
    }
    if (facts->target.n && is_quiet) {
        say_word(j, "an argument names a file to write: ", facts->target, "");
        raise(j, DEED_WRITE);
    }
}

/* ------------------------------- variants ------------------------------- */

/* "preview" or "execute" what the tool does anyway: no choice of deeds. */
static bool is_rehearsal(const struct schema *values)
{
    for (uint32_t i = 0; i < values->enum_count; i++)
        if (str_eq(values->enum_strings[i], STR("execute")))
            return true;
    return false;
}

static enum deed worst_value(const struct schema *values, bool *differ, bool *all_known)
{
    enum deed worst = DEED_UNKNOWN;
    bool reads = false, changes = false;
    *all_known = true;
    for (uint32_t i = 0; i < values->enum_count; i++) {
        enum deed deed = judge_value(values->enum_strings[i]);
        *all_known &= deed > DEED_NEUTRAL;
        reads |= deed == DEED_READ || deed == DEED_NONE;
        changes |= deed_mutates(deed);
        worst = deed > worst ? deed : worst;
    }
    *differ = reads && changes;
    return worst;
}

/* With a name that says what is done, values can't be milder than it; a name that leaves it open
 * (manage_..., ..._write) has the value decide. */
static enum tool_effect effect_of_value(const struct judging *j, enum deed deed,
                                        enum tool_effect unknown)
{
    const struct words *words = &j->name_words;
    bool is_open = j->name.deed <= DEED_NEUTRAL || !deed_mutates(j->name.deed) ||
                   words_listed("handle update", j->name.word) ||
                   words_listed("write", word_text(&words->items[words->count - 1]));
    if (deed <= DEED_NEUTRAL)
        return unknown;
    if (deed == DEED_WRITE && j->name.power_word.n)
        deed = DEED_ADMIN;
    enum tool_effect effect = effect_of_deed(deed);
    if (!is_open && effect < effect_of_deed(j->name.deed))
        return effect_of_deed(j->name.deed);
    return effect;
}

static void judge_variant(struct judging *j)
{
    const struct schema *values = j->facts.picker_values;
    bool differ = false, all_known = false;
    if (!j->facts.picker.n || values->enum_count > CLASSIFY_VALUES_MAX)
        return;
    enum deed worst = worst_value(values, &differ, &all_known);
    bool is_open = j->deed <= DEED_NEUTRAL || j->name.deed <= DEED_NEUTRAL;
    if (worst <= DEED_NEUTRAL ||
        (j->facts.is_picker_weak && (!differ || !is_open || is_rehearsal(values))) ||
        (!differ && !is_open && worst <= j->deed))
        return;
    raise(j, worst);
    if (!all_known)
        raise(j, DEED_WRITE);
    say_word(j, "an argument picks what it does: ", j->facts.picker, "");
    j->out->variant = j->facts.picker;
    j->out->otherwise = effect_of_deed(j->deed);
    for (uint32_t i = 0; i < values->enum_count; i++) {
        enum deed deed = judge_value(values->enum_strings[i]);
        j->out->values[j->out->value_count++] = (struct classified_value){
            .value = values->enum_strings[i],
            .effect = effect_of_value(j, deed, j->out->otherwise),
        };
    }
    j->out->flags |= flag_bit(FLAG_VARIANT);
}

/* ------------------------------ the whole ------------------------------- */

/* A server may say that a tool does worse than it seems; that it does less is no evidence. */
static void judge_hints(struct judging *j)
{
    const struct pinned_hints *hints = &j->tool->hints;
    if (j->context->ignore_hints)
        return;
    if (hints->destructive == SCHEMA_HINT_TRUE && hints->read_only != SCHEMA_HINT_TRUE &&
        j->deed < DEED_DESTROY) {
        say(j, STR("the server says that it may destroy"));
        raise(j, DEED_DESTROY);
    } else if (hints->read_only == SCHEMA_HINT_FALSE && j->deed < DEED_WRITE) {
        say(j, STR("the server says that it does not only read"));
        raise(j, DEED_WRITE);
    } else if (hints->read_only == SCHEMA_HINT_TRUE && j->deed <= DEED_READ &&
               j->deed > DEED_NEUTRAL) {
        say(j, STR("the server says that it only reads"));
    } else if (hints->read_only == SCHEMA_HINT_TRUE) {
        say(j, STR("the server says that it only reads, which is not taken for it"));
    }
}

static void set_flags(struct judging *j)
{
    static const struct {
        enum object_kind kind;
        enum tool_flag flag;
        bool only_reads;
    } rows[] = { { OBJECT_SECRET, FLAG_SECRET, false },      { OBJECT_PRIVATE, FLAG_PRIVATE, true },
                 { OBJECT_UNTRUSTED, FLAG_UNTRUSTED, true }, { OBJECT_CODE, FLAG_CODE, false },
                 { OBJECT_BULK, FLAG_BULK, false },          { OBJECT_COST, FLAG_COST, false } };
    const struct argument_facts *facts = &j->facts;
    struct classified *out = j->out;
    bool reads = out->effect == TOOL_READ || out->effect == TOOL_NONE || out->variant.n;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (j->name.objects & (uint32_t)rows[i].kind && (reads || !rows[i].only_reads))
            out->flags |= flag_bit(rows[i].flag);
    bool sends = j->name.deed == DEED_SEND || j->name.also == DEED_SEND;
    bool speaks =
        deed_mutates(j->deed) &&
        (words_listed("comment post message review", j->name.word) || facts->has_recipient);
    if (sends || speaks)
        out->flags |= flag_bit(FLAG_EGRESS);
    if (facts->url.n || facts->net.n)
        out->flags |= flag_bit(FLAG_NET);
    if (facts->url.n && reads)
        out->flags |= flag_bit(FLAG_UNTRUSTED);
    if (facts->has_path)
        out->flags |= flag_bit(FLAG_FS);
    if (facts->has_secret)
        out->flags |= flag_bit(FLAG_SECRET);
}

uint32_t classify_prefix(const struct pinned_tool *tools, uint32_t count)
{
    struct words first;
    if (count < 2)
        return 0;
    words_of_name(tools[0].name, &first);
    uint32_t shared = first.count;
    for (uint32_t i = 1; i < count && shared; i++) {
        struct words other;
        words_of_name(tools[i].name, &other);
        uint32_t same = 0;
        while (same < shared && same + 1 < other.count && same + 1 < first.count &&
               str_eq(word_text(&first.items[same]), word_text(&other.items[same])))
            same++;
        shared = same;
    }
    for (uint32_t i = 0; i < shared; i++) {
        struct verb verb = verb_of_base(word_text(&first.items[i]));
        if (verb.place == DEED_ANYWHERE && verb.deed != DEED_UNKNOWN)
            return i;
    }
    return shared;
}

bool classify_tool(const struct pinned_tool *tool, const struct classify_context *context,
                   struct arena *mem, struct classified *out)
{
    struct judging j = {
        .tool = tool, .context = context, .out = out, .mem = mem, .has_memory = true
    };
    *out = (struct classified){ .tool = tool };
    words_of_name(tool->name, &j.name_words);
    judge_name(&j.name_words, context->prefix, &j.name);
    judge_sentence(tool->description, &j.sentence_words, &j.sentence);
    j.has_memory &= arguments_look(tool, mem, &j.facts, out);
    judge_texts(&j);
    judge_objects(&j);
    judge_arguments(&j);
    judge_variant(&j);
    judge_manager(&j);
    judge_hints(&j);
    out->effect = effect_of_deed(j.deed);
    set_flags(&j);
    bool is_unsure = j.name_words.is_odd || out->is_partial;
    if (is_unsure && out->confidence == CLASSIFY_HIGH)
        out->confidence = CLASSIFY_MEDIUM;
    if (out->effect == TOOL_UNCLASSIFIED)
        out->confidence = CLASSIFY_LOW;
    return j.has_memory;
}
