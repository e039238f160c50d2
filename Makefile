# mcpc and mcpd. `make help` lists the targets. Everything is built under build/<variant>/.
comma    := ,
empty    :=
CC       ?= cc
PREFIX   ?= /usr/local
CCNAME   := $(notdir $(firstword $(CC)))
VARIANT  ?= $(CCNAME)$(if $(SAN),-$(subst $(comma),-,$(SAN)),)
B        := build/$(VARIANT)
Q        := $(if $(V),,@)
VERSION  := 0.1.0
RE2C     ?= re2c
LEMON    ?= lemon
PKGS     := libcurl libevent_core libcjson sqlite3 libxxhash

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wcast-align \
  -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough \
  -Wnull-dereference -Wdouble-promotion -Wredundant-decls -Wbad-function-cast
IS_CLANG := $(findstring clang,$(CCNAME))
WARN += $(if $(IS_CLANG),-Wcomma -Wassign-enum -Wunreachable-code-aggressive \
  -Wconditional-uninitialized -Wshift-sign-overflow,-Wlogical-op -Wduplicated-cond \
  -Wduplicated-branches -Wjump-misses-init -Wtrampolines -Walloca)
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
  -ftrivial-auto-var-init=zero $(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full)
HARDEN_LD := -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
OPT := $(if $(SAN),-O1 -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all,-O2 $(HARDEN))
WERROR ?= 1
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DMCP_VERSION='"$(VERSION)"' -g $(OPT) $(WARN) $(if $(filter 1,$(WERROR)),-Werror) \
  -fno-strict-overflow -fno-delete-null-pointer-checks -fno-common -fvisibility=hidden -fPIE \
  -I. -I$B/gen $(CFLAGS)
# Generated code keeps every warning but the three that its generators cause.
GEN_CFLAGS = $(ALL_CFLAGS) -Wno-missing-prototypes -Wno-unused-parameter -Wno-unused-variable
ALL_LDFLAGS = -pie $(if $(SAN),-fsanitize=$(SAN),$(HARDEN_LD)) -Wl,--as-needed $(LDFLAGS)
LIBS_MCPC := -lcjson -lxxhash -lmbedcrypto
LIBS_MCPD := $(LIBS_MCPC) -lcurl -levent_core -lsqlite3 -lmbedtls -lmbedx509 -lmbedcrypto -lpthread

# Folders a program is made of; a .re file in one of them is generated first.
MCPC_DIRS := compiler grammar runtime/base runtime/json runtime/crypto runtime/bundle runtime/vm
MCPD_DIRS := $(filter-out compiler grammar,$(MCPC_DIRS)) runtime/wire runtime/net runtime/store \
  runtime/oauth runtime/audit runtime/gateway runtime/daemon
src_c  = $(wildcard $(addsuffix /*.c,$1))
src_re = $(wildcard $(addsuffix /*.re,$1))
objs   = $(patsubst %.c,$B/%.o,$(call src_c,$1)) $(patsubst %.re,$B/gen/%.o,$(call src_re,$1)) \
         $(patsubst %.y,$B/gen/%.o,$(wildcard $(addsuffix /*.y,$1)))
MCPC_OBJS := $(call objs,$(MCPC_DIRS))
MCPD_OBJS := $(call objs,$(MCPD_DIRS))
LIB_OBJS  := $(filter-out %/main.o,$(sort $(MCPC_OBJS) $(MCPD_OBJS)))
UNIT_SRC  := $(wildcard tests/unit/test_*.c)
UNIT_BIN  := $(patsubst %.c,$B/%,$(UNIT_SRC))
TEST_HELP := $(patsubst %.c,$B/%.o,$(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c)))
HAND      := $(wildcard $(foreach d,$(MCPC_DIRS) $(MCPD_DIRS) tests/unit tests/bench fuzz,$d/*.c $d/*.h))

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all help check test-unit check-layers check-format format lint install uninstall clean distclean

all: $B/mcpc $B/mcpd ## build mcpc and mcpd (default)

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | awk -F'\t' '{printf "  %-20s %s\n",$$1,$$2}'

$B/mcpc: $(MCPC_OBJS)
	$(if $(Q),@echo '  LD    $@')
	$Q$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_MCPC)
$B/mcpd: $(MCPD_OBJS)
	$(if $(Q),@echo '  LD    $@')
	$Q$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_MCPD)
$B/libmcp.a: $(LIB_OBJS)
	$Qrm -f $@ && ar rcs $@ $^

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC    $<')
	$Q$(CC) $(ALL_CFLAGS) -include runtime/base/banned.h -MMD -MP -c -o $@ $<
$B/gen/%.o: $B/gen/%.c Makefile
	$(if $(Q),@echo '  CC    $<')
	$Q$(CC) $(GEN_CFLAGS) -MMD -MP -c -o $@ $<
$B/gen/%.c: %.re
	@mkdir -p $(@D)
	$(if $(Q),@echo '  RE2C  $<')
	$Q$(RE2C) -W -Werror --no-generation-date -o $@ $<
$B/gen/%.c $B/gen/%.h: %.y
	@mkdir -p $(@D)
	$(if $(Q),@echo '  LEMON $<')
	$Q$(LEMON) -q -d$(@D) $<
# Hand-written files that include the generated token numbers wait for them.
$(patsubst %.c,$B/%.o,$(wildcard compiler/*.c)) $B/gen/grammar/policy_lex.o: | $B/gen/grammar/policy.h

$B/tests/unit/%: $B/tests/unit/%.o $(TEST_HELP) $B/libmcp.a
	$(if $(Q),@echo '  LD    $@')
	$Q$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_MCPD)

test-unit: $(UNIT_BIN) ## unit tests, a program per module
	@fail=0; for t in $(UNIT_BIN); do printf '%-28s ' "$$(basename $$t)"; $$t || fail=1; done; exit $$fail

check-layers: ## prove that no folder includes a higher one or a sibling
	@tests/check-layers

format: ## lay out the C files by .clang-format
	clang-format-14 -i $(HAND)
check-format: ## fail if a C file is not laid out so
	@clang-format-14 --dry-run -Werror $(HAND)

clean: ## remove this variant's build
	rm -rf $B
distclean: ## remove all builds
	rm -rf build

-include $(patsubst %.o,%.d,$(MCPC_OBJS) $(MCPD_OBJS) $(TEST_HELP) $(patsubst %.c,$B/%.d,$(UNIT_SRC)))
