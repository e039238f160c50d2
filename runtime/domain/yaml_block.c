/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_block.c - literal (`|`) and folded (`>`) scalars.
 *
 * Refused, since readers disagree: an explicit indentation, white space lines that are longer than
 * the indentation, folded lines that are indented deeper, and a last line without its line end
 * (unless that is stripped anyway).
 */
#include "runtime/domain/yaml.h"

enum chomp { CHOMP_CLIP, CHOMP_STRIP, CHOMP_KEEP };

struct block {
    bool is_folded;
    enum chomp chomp;
    size_t first, end; /* the lines' bytes in the text */
    size_t indent;     /* of the content; 0: none seen */
    size_t blanks;     /* spaces of the longest white line before the content */
    bool lacks_end;    /* the last line has no LF */
};

static bool read_header(struct yaml *y, struct block *block)
{
    block->is_folded = yaml_peek(y) == '>';
    y->at++;
    char c = yaml_peek(y);
    block->chomp = c == '-' ? CHOMP_STRIP : c == '+' ? CHOMP_KEEP : CHOMP_CLIP;
    y->at += block->chomp != CHOMP_CLIP;
    return yaml_ends_line(y);
}

/* Spaces at the start of the line that was entered; the cursor is behind them. */
static size_t measure(struct yaml *y)
{
    yaml_skip_spaces(y);
    return y->at - y->line;
}

enum line { LINE_INSIDE, LINE_BEHIND, LINE_REFUSED };

/* A line that holds nothing but spaces. */
static enum line judge_white(struct block *block, size_t spaces)
{
    if (!block->indent)
        block->blanks = spaces > block->blanks ? spaces : block->blanks;
    return block->indent && spaces > block->indent ? LINE_REFUSED : LINE_INSIDE;
}

/* What the line entered is to the scalar, whose content must be indented by `least` spaces. */
static enum line judge_line(struct yaml *y, struct block *block, size_t least)
{
    size_t spaces = measure(y);
    if (y->at == y->line_end)
        return judge_white(block, spaces);
    size_t needed = block->indent ? block->indent : least;
    if (spaces < needed)
        return yaml_peek(y) == '\t' ? LINE_REFUSED : LINE_BEHIND;
    if (!block->indent) {
        if (yaml_peek(y) == '\t' || block->blanks > spaces)
            return LINE_REFUSED;
        block->indent = spaces;
    }
    y->at = y->line + block->indent;
    bool is_deeper = yaml_peek(y) == ' ' || yaml_peek(y) == '\t';
    return block->is_folded && is_deeper ? LINE_REFUSED : LINE_INSIDE;
}

/* Finds the scalar's lines; the cursor is then at the end of the last of them. */
static bool find_lines(struct yaml *y, struct block *block, size_t least)
{
    size_t last = y->line;
    block->first = block->end = y->line_end < y->text.n ? y->line_end + 1 : y->text.n;
    while (block->end < y->text.n) {
        yaml_enter_line(y, block->end);
        enum line line = judge_line(y, block, least);
        if (line == LINE_REFUSED)
            return false;
        if (line == LINE_BEHIND)
            break;
        last = y->line;
        block->lacks_end = y->line_end == y->text.n;
        block->end = y->line_end + !block->lacks_end;
    }
    yaml_enter_line(y, last);
    y->at = y->line_end;
    return true;
}

/* The content with one LF at the end of each line, folded ones joined. */
static size_t write_lines(struct yaml *y, const struct block *block, char *out)
{
    size_t n = 0, breaks = 0;
    bool has_content = false;
    for (size_t at = block->first; at < block->end;) {
        const char *line = y->text.p + at;
        const char *end = memchr(line, '\n', block->end - at);
        size_t length = end ? (size_t)(end - line) : block->end - at;
        at += length + 1;
        if (length <= block->indent) { /* longer ones hold content, as judged */
            out[n++] = '\n';
            breaks++;
            continue;
        }
        if (block->is_folded && has_content) {
            /* The content line's own LF is a space, or gives way to the blank lines. */
            n -= breaks + 1;
            size_t kept = breaks ? breaks : 1;
            memset(out + n, breaks ? '\n' : ' ', kept);
            n += kept;
        }
        memcpy(out + n, line + block->indent, length - block->indent);
        n += length - block->indent;
        out[n++] = '\n';
        breaks = 0;
        has_content = true;
    }
    return n;
}

static size_t chomped(const struct block *block, const char *text, size_t n)
{
    if (block->chomp == CHOMP_KEEP)
        return n;
    size_t end = n;
    while (end && text[end - 1] == '\n')
        end--;
    return end && block->chomp == CHOMP_CLIP ? end + 1 : end;
}

bool yaml_add_block_scalar(struct yaml *y)
{
    ENSURE(y->depth > 0);
    struct block block = { .indent = 0 };
    size_t least = y->levels[y->depth - 1].indent + 1;
    if (!read_header(y, &block) || !find_lines(y, &block, least))
        return false;
    if (block.lacks_end && block.chomp != CHOMP_STRIP)
        return false;
    if (!block.indent && block.chomp == CHOMP_KEEP)
        return false;
    if (!block.indent) {
        json_build_string(&y->build, STR(""));
        return true;
    }
    /* A line that lacks its LF gets one. */
    char *out = arena_alloc_raw(y->mem, 1, 1, block.end - block.first + 1);
    if (!out)
        return false;
    size_t n = write_lines(y, &block, out);
    json_build_string(&y->build, (Str){ .p = out, .n = chomped(&block, out, n) });
    return true;
}
