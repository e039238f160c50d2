/* SPDX-License-Identifier: Apache-2.0 */
/* certain.c - a policy compares bytes; the file system or server behind it may fold, drop or map
 * characters first. What is known to be folded to ASCII or dropped is refused here, once for
 * paths, URLs, mail and names: HFS+ drops zero-width characters, APFS and ext4 with case folding
 * take U+212A for k, Windows' best fit takes U+FF0F for a slash and U+00A5 for a backslash. */
#include "runtime/domain/certain.h"

struct points {
    uint32_t first, last;
};

/* In order. */
static const struct points uncertain[] = {
    { 0x0000, 0x001F },   /* controls */
    { 0x007F, 0x009F },   /* DEL and the second controls */
    { 0x00A5, 0x00A5 },   /* yen: a backslash in code page 932 */
    { 0x00AD, 0x00AD },   /* soft hyphen */
    { 0x017F, 0x017F },   /* long s, folds to s */
    { 0x061C, 0x061C },   /* direction */
    { 0x200B, 0x200F },   /* zero width, direction */
    { 0x2024, 0x2025 },   /* one and two dot leader */
    { 0x2028, 0x202E },   /* line ends, direction */
    { 0x2044, 0x2044 },   /* fraction slash */
    { 0x2060, 0x206F },   /* invisible operators, direction */
    { 0x20A9, 0x20A9 },   /* won: a backslash in code page 949 */
    { 0x212A, 0x212A },   /* kelvin, folds to k */
    { 0x2215, 0x2216 },   /* division slash, set minus */
    { 0xFE52, 0xFE52 },   /* small full stop */
    { 0xFE68, 0xFE68 },   /* small reverse solidus */
    { 0xFEFF, 0xFEFF },   /* byte order mark */
    { 0xFF0E, 0xFF0F },   /* fullwidth full stop, solidus */
    { 0xFF3C, 0xFF3C },   /* fullwidth reverse solidus */
    { 0xFFE5, 0xFFE6 },   /* fullwidth yen, won */
    { 0xFFF0, 0xFFFF },   /* specials, replacement character, no characters */
    { 0xE0000, 0xE0FFF }, /* tags, selectors */
};

static const struct points blanks[] = {
    { 0x0020, 0x0020 }, { 0x00A0, 0x00A0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200A },
    { 0x202F, 0x202F }, { 0x205F, 0x205F }, { 0x3000, 0x3000 },
};

static bool is_among(uint32_t point, const struct points *ranges, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (point > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && point >= ranges[low].first;
}

/* The code point at text[*at], behind which *at moves. The text is valid UTF-8. */
static uint32_t next_point(Str text, size_t *at)
{
    unsigned char lead = (unsigned char)text.p[(*at)++];
    if (lead < 0x80)
        return lead;
    uint32_t point = lead & (lead >= 0xF0 ? 0x07 : lead >= 0xE0 ? 0x0F : 0x1F);
    while (*at < text.n && ((unsigned char)text.p[*at] & 0xC0) == 0x80)
        point = point << 6 | ((unsigned char)text.p[(*at)++] & 0x3F);
    return point;
}

bool code_point_is_certain(uint32_t point)
{
    bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
    return point <= 0x10FFFF && !is_surrogate && !is_among(point, uncertain, COUNT(uncertain));
}

bool text_is_certain(Str text)
{
    if (!utf8_is_valid(text))
        return false;
    for (size_t at = 0; at < text.n;) {
        if (!code_point_is_certain(next_point(text, &at)))
            return false;
    }
    return true;
}

bool text_begins_blank(Str text)
{
    size_t at = 0;
    return text.n > 0 && is_among(next_point(text, &at), blanks, COUNT(blanks));
}

bool name_ends_certain(Str name)
{
    size_t at = name.n;
    if (at == 0)
        return false;
    do
        at--;
    while (at > 0 && ((unsigned char)name.p[at] & 0xC0) == 0x80);
    uint32_t point = next_point(name, &at);
    return point != '.' && !is_among(point, blanks, COUNT(blanks));
}
