# mcpc and mcpd. `make help` lists the targets. Everything is built under build/<variant>/.
comma    := ,
empty    :=
CC       ?= cc
PREFIX   ?= /usr/local
CCNAME   := $(notdir $(firstword $(CC)))
VARIANT  ?= $(CCNAME)$(if $(SAN),-$(subst $(comma),-,$(SAN)),)
B        := build/$(VARIANT)
Q        := $(if $(V),,@)
JOBS     := $(shell nproc)
VERSION  := 0.1.0
RE2C     ?= re2c
LEMON    ?= lemon
PKGS     := libcurl libevent_core libcjson sqlite3 libpq libxxhash

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wcast-align \
  -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough \
  -Wnull-dereference -Wdouble-promotion -Wredundant-decls -Wbad-function-cast
IS_CLANG := $(findstring clang,$(CCNAME))
WARN += $(if $(IS_CLANG),-Wcomma -Wassign-enum -Wunreachable-code-aggressive \
  -Wconditional-uninitialized -Wshift-sign-overflow,-Wlogical-op -Wduplicated-cond \
  -Wduplicated-branches -Wjump-misses-init -Wtrampolines -Walloca)
# Zeroed locals: clang 14 wants the second option beside the first.
ZERO_INIT := -ftrivial-auto-var-init=zero \
  $(if $(findstring clang-14,$(CCNAME)),-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
  $(ZERO_INIT) $(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full)
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
LIBS_MCPD := $(LIBS_MCPC) -lcurl -levent_core -lsqlite3 -lpq -lmbedtls -lmbedx509 -lmbedcrypto -lpthread

# Folders a program is made of; a .re file in one of them is generated first.
COMPILER_DIRS := $(addprefix compiler/,source pattern schema classify syntax check emit prove lsp command) grammar
MCPC_DIRS := $(COMPILER_DIRS) runtime/base runtime/json runtime/crypto runtime/pin runtime/bundle runtime/domain runtime/vm
MCPD_DIRS := $(filter-out $(COMPILER_DIRS),$(MCPC_DIRS)) runtime/wire runtime/net runtime/store \
  runtime/oauth runtime/keeper runtime/audit runtime/gateway runtime/daemon
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
BENCH_HELP := $(patsubst %.c,$B/%.o,$(filter-out tests/bench/bench_%.c,$(wildcard tests/bench/*.c)))
HAND_C    := $(wildcard $(foreach d,$(MCPC_DIRS) $(MCPD_DIRS) tests/unit tests/bench fuzz,$d/*.c))
HAND      := $(wildcard $(foreach d,$(MCPC_DIRS) $(MCPD_DIRS) tests/unit tests/bench fuzz,$d/*.c $d/*.h))

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all help check ci demo bench docs test-unit test-million test-postgresql test-golden test-e2e test-policies test-yaml test-url check-layers \
  check-format check-docs format lint lint-programs lint-tidy lint-cppcheck install uninstall fuzz fuzz-build fuzz-list fuzz-short \
  fuzz-afl fuzz-coverage fuzz-replay clean distclean

all: $B/mcpc $B/mcpd ## build mcpc and mcpd (default)

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | awk -F'\t' '{printf "  %-20s %s\n",$$1,$$2}'

# mcpc takes from the runtime's upper folders only what `pin` needs to speak to a server.
$B/mcpc: $(MCPC_OBJS) $B/libmcp.a
	$(if $(Q),@echo '  LD    $@')
	$Q$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_MCPC) -lcurl -levent_core
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
$(patsubst %.c,$B/%.o,$(wildcard compiler/*/*.c)) $B/gen/grammar/policy_lex.o: | $B/gen/grammar/policy.h

$B/tests/unit/%: $B/tests/unit/%.o $(TEST_HELP) $B/libmcp.a
	$(if $(Q),@echo '  LD    $@')
	$Q$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_MCPD)

test-unit: $(UNIT_BIN) ## unit tests, a program per module
	@fail=0; for t in $(UNIT_BIN); do printf '%-28s ' "$$(basename $$t)"; $$t || fail=1; done; exit $$fail

test-postgresql: $(addprefix $B/tests/unit/,test_store test_store_oauth test_store_pg) $B/mcpc $B/mcpd ## the store's tests on a PostgreSQL server of their own (needs ./setup --test)
	@MCPC=$(CURDIR)/$B/mcpc MCPD=$(CURDIR)/$B/mcpd tests/postgres/run $(filter-out %/mcpc %/mcpd,$^) tests/postgres/fleet

test-golden: $B/mcpc ## diagnostics and layout against golden files
	@tests/golden/run $B/mcpc

test-e2e: $B/mcpc $B/mcpd ## real clients and servers through the gateway (needs ./setup --test)
	@SANITIZED=$(SAN) MCPC=$(CURDIR)/$B/mcpc MCPD=$(CURDIR)/$B/mcpd tests/run-e2e

# Ten shares with a seed each, on all cores; the tests of each change run one more.
test-million: $B/tests/unit/test_differential ## the VM against the reference evaluator, on over a million pairs of policy and call
	@seq 1 10 | xargs -P $(JOBS) -I '{}' $B/tests/unit/test_differential 3000 '{}' >$B/million.log || { cat $B/million.log; exit 1; }
	@awk '{ pairs += $$1; policies += $$4; passed += /: 1 passed, 0 failed/ } END { \
	  printf "%d pairs of %d policies, %d of 10 shares agree\n", pairs, policies, passed; exit !(pairs >= 1e6 && passed == 10) }' $B/million.log

.PHONY: check-conformance
check-conformance: $B/mcpc $B/mcpd ## the protocol's conformance suite, both directions, 2 minutes (needs ./setup --test)
	@MCPC=$(CURDIR)/$B/mcpc MCPD=$(CURDIR)/$B/mcpd tests/conformance/run

test-yaml: $B/tests/unit/test_domain_yaml ## the YAML reader against another one (needs ./setup --test)
	@tests/node/run tests/node/yaml_differential.mjs $< 100000

test-url: $B/tests/unit/test_domain_url ## the URL reader against a browser's (needs ./setup --demo)
	@tests/node/run tests/node/url_differential.mjs $< 100000

check: all test-unit test-million test-postgresql test-golden test-policies test-yaml test-url test-e2e check-layers check-format check-docs fuzz-replay ## what every change must pass, under 3 minutes

check: test-classify test-library
.PHONY: test-classify library test-library
library: $B/mcpc ## check, test, compile and index the policy library under build/.../library (LIBRARY_KEY signs it)
	@stdlib-policies/build $B/mcpc $B/library
test-library: library ## the library's policies, their tests with every rule reached, attacks on each of them (30 s)
	@tests/node/run tests/library/attack.mjs $B/mcpc $B/library
	@tests/node/run tests/library/index.mjs

test-classify: $B/mcpc ## what vendors declare of their tools against what they are taken for (1 s)
	@tests/node/run tests/classify/measure.mjs $B/mcpc tests/classify/sample.jsonl --floor 95

test-policies: $B/mcpc ## the tests inside the example policies, and what they claim
	@$B/mcpc test $(wildcard examples/*.pol examples/statements/*.pol)
	@$B/mcpc prove $(wildcard examples/*.pol)

ci: ## everything, as CI runs it
	@tests/ci

demo: all ## the main job: a real client, two real servers, a policy, every verdict explained
	@MCPC=$(CURDIR)/$B/mcpc MCPD=$(CURDIR)/$B/mcpd tests/demo/run

check-layers: ## prove that no folder includes a higher one or a sibling
	@tests/check-layers

check-docs: all ## prove that generated pages are current and that examples in the docs check
	@tests/check-docs $B
docs: all ## write the generated pages again
	@tests/check-docs $B --write

format: ## lay out the C files by .clang-format
	clang-format-14 -i $(HAND)
check-format: ## fail if a C file is not laid out so
	@clang-format-14 --dry-run -Werror $(HAND)
# A stamp a file, so that only what changed is looked at again; the object stands for the headers.
TIDY_FLAGS = -std=c11 -D_GNU_SOURCE -DMCP_VERSION='"$(VERSION)"' -I. -I$B/gen -include runtime/base/banned.h
$B/lint/%.tidy: %.c $B/%.o .clang-tidy
	@mkdir -p $(@D)
	$(if $(Q),@echo '  TIDY  $<')
	$Qclang-tidy-14 --quiet $< -- $(TIDY_FLAGS) >$@.out 2>&1 || { cat $@.out; exit 1; }
	@touch $@
# CI looks at the programs alone: with the tests and the fuzz targets it takes twice as long.
TIDY_C ?= $(HAND_C)
lint-tidy: $(patsubst %.c,$B/lint/%.tidy,$(TIDY_C))
lint-programs: all ## as lint, but clang-tidy on the programs' files only
	@$(MAKE) --no-print-directory lint TIDY_C='$(filter-out tests/% fuzz/%,$(HAND_C))'
lint-cppcheck:
	@mkdir -p $B/lint/cppcheck
	@echo '  CPPCHECK'
	$Qcppcheck --quiet --enable=warning,style,performance,portability --std=c11 --inline-suppr -I. \
	  --suppress=unusedStructMember --suppress=shadowVariable:runtime/base/str.h --suppress=redundantAssignment:tests/unit/test_relay.c --suppress=missingIncludeSystem --cppcheck-build-dir=$B/lint/cppcheck \
	  -j$(JOBS) --error-exitcode=1 $(HAND_C)
lint: all ## clang-tidy and cppcheck on all cores; no finding is accepted
	@$(MAKE) --no-print-directory -k -j$(JOBS) --output-sync=target lint-tidy
	@$(MAKE) --no-print-directory lint-cppcheck
	@echo "lint: $(words $(TIDY_C)) files hold"

install: all library ## copy programs, manual pages and the library below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/mcpc
	install -m 755 $B/mcpc $B/mcpd $(DESTDIR)$(PREFIX)/bin/
	install -m 644 README.md docs/*.md $(DESTDIR)$(PREFIX)/share/doc/mcpc/
	install -d $(DESTDIR)$(PREFIX)/share/mcpc
	cp -R $B/library $(DESTDIR)$(PREFIX)/share/mcpc/
uninstall: ## remove what install copied
	rm -f $(DESTDIR)$(PREFIX)/bin/mcpc $(DESTDIR)$(PREFIX)/bin/mcpd
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/mcpc $(DESTDIR)$(PREFIX)/share/mcpc

# Fuzzing: libFuzzer by default; fuzz-afl builds the same targets for AFL++ in persistent mode.
FUZZ     := $(patsubst fuzz/fuzz_%.c,%,$(wildcard fuzz/fuzz_*.c))
FUZZ_CC  ?= clang-14
TARGET   ?=
SECONDS  ?= 60
FB       := build/fuzz
# Inputs made of the project's own policies: binary ones would go stale with the bundle's format.
$B/fuzz/make_seeds: $B/fuzz/seeds.o $B/libmcp.a
	$Q$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_MCPD)
$B/fuzz/seeds/made: $B/fuzz/make_seeds fuzz/make-seeds $(wildcard examples/*.pol examples/statements/*.pol tests/golden/*/*.pol)
	$Qfuzz/make-seeds $< $(@D) && touch $@
fuzz-build: ## build all fuzz targets for libFuzzer (with ASan and UBSan) under build/fuzz
	@$(MAKE) --no-print-directory CC=$(FUZZ_CC) VARIANT=fuzz SAN=address,undefined \
	  CFLAGS='-fsanitize=fuzzer-no-link -DFUZZING' $(addprefix $(FB)/fuzz/fuzz_,$(FUZZ))
$(FB)/fuzz/fuzz_%: $(FB)/fuzz/fuzz_%.o $(TEST_HELP) $(FB)/libmcp.a
	$Q$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_MCPD)
fuzz-list: ## the names of all fuzz targets
	@echo $(FUZZ)
fuzz: fuzz-build $B/fuzz/seeds/made ## run one target with libFuzzer: make fuzz TARGET=json SECONDS=600; without TARGET, build all
	@[ -z "$(TARGET)" ] || fuzz/run libfuzzer $(TARGET) $(SECONDS) $B/fuzz/seeds
fuzz-short: fuzz-build $B/fuzz/seeds/made ## every target for a moment, the same inputs each time
	@fuzz/run short "$(FUZZ)" $B/fuzz/seeds
fuzz-afl: $B/fuzz/seeds/made ## the same with AFL++ in persistent mode: make fuzz-afl TARGET=json SECONDS=600
	@$(MAKE) --no-print-directory CC=afl-clang-fast VARIANT=afl SAN=address,undefined FB=build/afl \
	  CFLAGS='-DFUZZING' $(addprefix build/afl/fuzz/fuzz_,$(FUZZ))
	@[ -z "$(TARGET)" ] || fuzz/run afl "$(TARGET)" $(SECONDS) $B/fuzz/seeds

# Stored inputs and seeds (every find is among them) through the plain build: part of check.
$B/fuzz/replay_%: $B/fuzz/fuzz_%.o $B/fuzz/replay.o $(TEST_HELP) $B/libmcp.a
	$Q$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_MCPD)
fuzz-replay: $(addprefix $B/fuzz/replay_,$(FUZZ)) $B/fuzz/seeds/made ## run all stored fuzz inputs and seeds once
	@fuzz/run replay "$(FUZZ)" $B/fuzz/seeds $B/fuzz

# What the stored inputs and seeds reach, and those below CORPUS, a folder per target.
CORPUS ?=
fuzz-coverage: $B/fuzz/seeds/made ## lines that stored fuzz inputs reach (CORPUS=DIR: and inputs in DIR/TARGET)
	@$(MAKE) --no-print-directory CC=$(FUZZ_CC) VARIANT=coverage WERROR=0 LDFLAGS=-fprofile-instr-generate \
	  CFLAGS='-fprofile-instr-generate -fcoverage-mapping -O1' $(addprefix build/coverage/fuzz/replay_,$(FUZZ))
	@fuzz/coverage build/coverage fuzz/corpus $B/fuzz/seeds $(CORPUS)

bench: all ## figures: decisions, JSON, throughput beside a direct connection and nginx, memory
	@$(MAKE) --no-print-directory $(patsubst tests/bench/%.c,$B/tests/bench/%,$(wildcard tests/bench/bench_*.c))
	@MCPC=$(CURDIR)/$B/mcpc MCPD=$(CURDIR)/$B/mcpd B=$(CURDIR)/$B tests/bench/run
$B/tests/bench/%: $B/tests/bench/%.o $(BENCH_HELP) $B/libmcp.a
	$Q$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_MCPD)

clean: ## remove this variant's build
	rm -rf $B
distclean: ## remove all builds
	rm -rf build

-include $(patsubst %.c,$B/%.d,$(HAND_C)) $(patsubst %.o,%.d,$(MCPC_OBJS) $(MCPD_OBJS))
