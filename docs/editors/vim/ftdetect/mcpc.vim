autocmd BufRead,BufNewFile *.pol setfiletype mcpc
