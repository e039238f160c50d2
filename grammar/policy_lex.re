/* SPDX-License-Identifier: Apache-2.0 */
/* policy_lex.re - where tokens begin and end. Four scanners over one buffer: the source outside of
 * strings, the inside of a string, of a /pattern/, and of a test's JSON. The buffer has a NUL behind
 * its end (re2c's end-of-input rule needs it); a NUL inside was refused before. */
#include "compiler/syntax/lex.h"
#include "grammar/policy.h"

/*!re2c
    re2c:api:style = free-form;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = "lx->cursor";
    re2c:define:YYMARKER = "lx->marker";
    re2c:define:YYLIMIT = "lx->limit";
    re2c:yyfill:enable = 0;
    re2c:eof = 0;

    line_end = [\r\n];
    letter   = [A-Za-z_];
    digit    = [0-9];
    plain    = [^\x00"\\$\r\n];
*/

int scan_token(struct lexer *lx)
{
    lx->token = lx->cursor;
    /*!re2c
    $                                    { return SCAN_END; }
    [ \t\r\n]+                           { return SCAN_SPACE; }
    letter (letter | digit)*             { return SCAN_WORD; }
    digit (letter | digit | [.])*        { return SCAN_NUMBER; }
    digit{2} ":" digit{2} (":" digit{2})? { return SCAN_TIME; }
    digit{4} "-" digit{2} "-" digit{2}   { return SCAN_DATE; }
    ["]                                  { return SCAN_QUOTE; }
    "'" [^'\x00\r\n]* "'"                { return SCAN_SINGLE_QUOTE; }

    "//" [^\x00\r\n]*                    { return SCAN_LINE_COMMENT; }
    "#" [^\x00\r\n]*                     { return SCAN_LINE_COMMENT; }
    "/*" ([^\x00*] | "*"+ [^\x00*/])* "*"+ "/" { return SCAN_BLOCK_COMMENT; }
    "/*"                                 { return SCAN_OPEN_COMMENT; }
    "/"                                  { return SCAN_SLASH; }

    "=="                                 { return TK_EQ; }
    "!="                                 { return TK_NE; }
    "<="                                 { return TK_LE; }
    ">="                                 { return TK_GE; }
    "<"                                  { return TK_LT; }
    ">"                                  { return TK_GT; }
    "??"                                 { return TK_ELSE; }
    "="                                  { return TK_ASSIGN; }
    "+"                                  { return TK_PLUS; }
    "-"                                  { return TK_MINUS; }
    "*"                                  { return TK_STAR; }
    ":"                                  { return TK_COLON; }
    "."                                  { return TK_DOT; }
    ","                                  { return TK_COMMA; }
    ";"                                  { return TK_SEMI; }
    "("                                  { return TK_LPAREN; }
    ")"                                  { return TK_RPAREN; }
    "["                                  { return TK_LBRACK; }
    "]"                                  { return TK_RBRACK; }
    "{"                                  { return TK_LBRACE; }
    "}"                                  { return TK_RBRACE; }

    "&&" | "||" | "!" | "===" | "!==" | "=~" | "<>" | ":=" { return SCAN_FOREIGN; }
    *                                    { return SCAN_BAD; }
    */
}

int scan_string(struct lexer *lx)
{
    lx->token = lx->cursor;
    /*!re2c
    $                              { return SCAN_LINE_END; }
    line_end                       { lx->cursor = lx->token; return SCAN_LINE_END; }
    plain+                         { return SCAN_TEXT; }
    "$"                            { return SCAN_TEXT; }
    "${"                           { return SCAN_INTERPOLATE; }
    ["]                            { return SCAN_CLOSE; }
    "\\u{" [^\x00"}\r\n]* "}"      { return SCAN_CODE_POINT; }
    "\\" [^\x00\r\n\x80-\xff]      { return SCAN_ESCAPE; }
    *                              { return SCAN_BAD; }
    */
}

int scan_pattern(struct lexer *lx)
{
    lx->token = lx->cursor;
    for (;;) {
        /*!re2c
        $                          { return SCAN_LINE_END; }
        line_end                   { lx->cursor--; return SCAN_LINE_END; }
        [^\x00/\\\r\n]+            { continue; }
        "\\" [^\x00\r\n]           { continue; }
        "/"                        { return SCAN_CLOSE; }
        *                          { continue; }
        */
    }
}

/* JSON has no ';' outside of its strings, so one ends an object that nobody closed. */
int scan_json(struct lexer *lx)
{
    uint32_t open = 1;
    lx->token = lx->cursor;
    for (;;) {
        /*!re2c
        $                                           { return SCAN_LINE_END; }
        ";"                                         { lx->cursor--; return SCAN_LINE_END; }
        "{"                                         { open++; continue; }
        "}"                                         { if (--open == 0) return SCAN_CLOSE; continue; }
        ["] ([^\x00"\\\r\n] | "\\" [^\x00\r\n])* ["]? { continue; }
        [^\x00"{};]                                 { continue; }
        *                                           { continue; }
        */
    }
}
