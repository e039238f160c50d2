" Highlighting of policies. The line behind a `generated:` comment is written by `make docs`.
if exists('b:current_syntax') | finish | endif
syn case match

" generated: keywords
syn keyword mcpcKeyword advertise all allow always and any args as ask at by call classes client count default deny effect ends expect extends false flag grant has import in let like matches never not now null of on open or param policy principal profile reason role server set starts sum test tool tools true unless version when with within
syn match mcpcKeyword /\<contains\>/
" generated: functions
syn keyword mcpcFunction cidr cli clock email emails find host json keys length lower max min number path shell sql time trim url yaml
syn keyword mcpcConstant true false null
syn keyword mcpcRoot args principal grant client now
syn match mcpcMember /\.\s*\h\w*/
syn match mcpcNumber /\<\d[0-9_]*\(\.\d[0-9_]*\)\?\>/
syn match mcpcNumber /\<\d\+[smhdw]\>/
syn match mcpcNumber /\<\d\{2}:\d\{2}\(:\d\{2}\)\?\>/
syn match mcpcNumber /\<\d\{4}-\d\{2}-\d\{2}\>/
syn match mcpcOperator /==\|!=\|<=\|>=\|??\|[<>=+*-]/
syn match mcpcEscape /\\\([nt"\\$]\|u{\x\{1,6}}\)/ contained
syn region mcpcSet start=/{/ end=/}/ transparent contains=TOP
syn region mcpcInterpolation matchgroup=mcpcDelimiter start=/\${/ end=/}/ oneline contained contains=TOP
syn region mcpcString start=/"/ skip=/\\./ end=/"/ oneline contains=mcpcEscape,mcpcInterpolation
syn region mcpcRegex start=+/\(/\|\*\)\@!+ skip=/\\./ end=+/+ oneline
syn match mcpcComment /#.*$/
syn match mcpcComment +//.*$+
syn region mcpcComment start=+/\*+ end=+\*/+

hi def link mcpcKeyword Keyword
hi def link mcpcFunction Function
hi def link mcpcConstant Constant
hi def link mcpcRoot Identifier
hi def link mcpcMember Normal
hi def link mcpcNumber Number
hi def link mcpcOperator Operator
hi def link mcpcEscape SpecialChar
hi def link mcpcDelimiter Delimiter
hi def link mcpcString String
hi def link mcpcRegex String
hi def link mcpcComment Comment
let b:current_syntax = 'mcpc'
