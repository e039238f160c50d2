-- SPDX-License-Identifier: Apache-2.0
-- Neovim 0.11 or later: put this into init.lua, and the vim folder beside it on the runtime path.
vim.lsp.config("mcpc", { cmd = { "mcpc", "lsp" }, filetypes = { "mcpc" }, root_markers = { ".git" } })
vim.lsp.enable("mcpc")
