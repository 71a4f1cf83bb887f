# mta-stsd: `make help` lists what to make. Everything that is built goes to build/.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
CFLAGS     ?= -O2 -g
PYTHON     ?= /usr/bin/python3
PYTEST     ?= -n 6
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 300

COMPILE    := -std=c11 -D_GNU_SOURCE -Isrc -Wall -Wextra -Wshadow -Wmissing-prototypes -Wcast-qual -fno-common \
              -MMD -MP @build/mbedtls/cflags
HARDENED   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
SANITIZED  := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -fPIE
COUNTED    := -O0 -g --coverage -fprofile-update=atomic -fdata-sections -fno-builtin-fork -fPIE \
              -DCOUNTS='"$(CURDIR)/build/coverage/counts"' -Wl,-T,tests/coverage.ld -Wl,--wrap=__gcov_exit
LINK       := -pie -Wl,--as-needed -Wl,-z,relro,-z,now
LIBS       := @build/mbedtls/libs -lev -linih

export CC PYTHON MBEDTLS CURVES
MAKEFLAGS  += --no-builtin-rules -j$(shell nproc)
Q          := $(if $(V),,@)

# Of src/wire, what the toolbox alone reads with: nothing of it is linked into the server.
tool_readers   := $(wildcard src/wire/txt*.c src/wire/policy_body*.c src/wire/media_type.c)
server_sources := $(wildcard src/common/*.c src/server/*.c) $(filter-out $(tool_readers),$(wildcard src/wire/*.c))
tool_sources   := $(wildcard src/common/*.c src/tool/*.c) $(tool_readers)
tool_libs       = -ljansson -lidn2 -lcurl -lcares -lz $(gmime_libs)
gmime_libs      = $(shell pkg-config --libs gmime-3.0)
gmime_cflags    = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags gmime-3.0))
units   := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
fuzzers := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

# The unit test or fuzzer X is linked with objects_X and no others; without such a line, with the module X alone.
parts_of      = $(patsubst src/%.c,%,$(wildcard src/$1*.c))
policies     := common/policy common/hostname common/hash
certificates := common/certpair common/certificate common/certfile common/memory common/pem common/hostname
opener       := server/opener common/certopen
curves       := $(call parts_of,server/curves)
messages     := server/message server/packet
outside      := $(patsubst src/%.c,%,$(wildcard src/tool/outside.c src/tool/resolver*.c src/tool/visit*.c)) \
                tool/chain tool/typed common/certificate common/hostname common/region
tlsrpt       := $(call parts_of,tool/tlsrpt) tool/datetime tool/utf8 common/hostname \
                common/region
sums         := $(call parts_of,tool/report_sums) tool/report_table common/hash
mail         := $(call parts_of,tool/mail) tool/unpack tool/buffer

objects_policy   := common/policy common/hash
objects_config   := $(call parts_of,common/config) common/ini_reader common/region common/snapshot $(policies)
objects_config_limits := $(objects_config)
objects_config_isolate := $(objects_config)
objects_curves   := $(filter-out server/curves_selftest,$(curves))
objects_curves_p256     := $(curves)
objects_curves_x25519   := $(curves)
objects_curves_multiply := $(curves)
objects_curves_pair     := $(curves)
objects_curves_sha256   := $(curves)
objects_curves_exp_mod  := $(curves)
objects_curves_seams    := $(curves)
objects_curves_wrong    := server/curves server/curves_memory server/curves_selftest
objects_curves_ecdsa    := $(filter-out server/curves_ecdsa,$(curves))
objects_curves_memory   := $(filter-out server/curves_memory,$(curves))
objects_message  := $(messages)
objects_control  := server/control server/packet
objects_limits   := server/limits common/hash
objects_log      := $(call parts_of,common/log)
objects_notify   := server/notify $(objects_log)
objects_snapshot := $(objects_config)
objects_state    := server/state server/instance common/snapshot common/hash
objects_certfile := common/certfile common/pem
objects_certpair := $(certificates)
objects_certscan := common/certscan common/certopen common/memory $(objects_config)
objects_chain    := tool/chain common/certificate common/memory common/hostname
objects_resolver := $(outside)
objects_resolver_answer := tool/resolver_answer common/region common/hostname
objects_visit    := $(outside)
objects_answers  := server/answers $(policies)
objects_health   := server/health server/process wire/clienthello
objects_instance := server/instance common/hash
objects_admin    := server/admin server/admin_client server/instance common/hash
objects_opener   := $(opener) $(messages) $(objects_config)
objects_txt      := $(call parts_of,wire/txt)
objects_policy_body := $(call parts_of,wire/policy_body)
objects_records  := tool/records $(policies)
objects_check_judge := $(call parts_of,tool/check_judge) $(objects_chain) tool/check_rules tool/printable tool/utf8 common/region $(policies) \
                       $(filter wire/txt% wire/policy_body% wire/media_type,$(patsubst src/%.c,%,$(tool_readers)))
objects_typed    := tool/typed common/hostname
objects_tlsrpt   := $(tlsrpt) $(sums) tool/report_text tool/report_json tool/report_csv tool/report_words tool/printable
objects_report_sums := $(sums) tool/datetime common/hostname common/region
objects_advise_step  := tool/advise_step tool/advise_state_seen tool/datetime common/policy common/hash
objects_advise_state := tool/advise_state tool/advise_state_seen tool/file_replace $(policies)
objects_advise_see   := tool/advise_see tool/check_rules common/hash
objects_unpack   := tool/unpack tool/buffer
objects_mbox     := tool/mbox tool/buffer
objects_mail     := $(mail)
objects_printable := tool/printable tool/utf8
objects_report_html := $(call parts_of,tool/report_html) tool/file_replace tool/report_words tool/datetime tool/printable tool/utf8 \
                       tool/tlsrpt_odd common/hostname
objects_broker   := server/broker server/process $(messages)
objects_certs    := server/certs server/certs_cache server/certs_log server/shortage $(policies)
objects_acme     := server/acme server/shortage $(opener) $(messages) $(objects_config)

# How mbedTLS is made to call src/server/curves_*.c; and how not, for the test of what a start thinks of that.
SEAMS := @build/mbedtls/wraps
%/unit/test_curves_seams: SEAMS = $$(sed 's/--wrap=\(.*\)/--defsym=__real_\1=\1/' build/mbedtls/wraps) \
                                  -Wl,--version-script=tests/unit/curves_seams.map

objects_of = $(patsubst %,$1/src/%.o,$(or $(objects_$2),$(patsubst src/%.c,%,$(wildcard src/*/$2.c))))

all: server tool             ## everything that is installed (the default)
server: build/mta-stsd       ## the server alone
tool: build/mta-sts          ## the toolbox alone

# --- Building: in build/ what is used, in build/sanitized/ the same under AddressSanitizer and UBSan, in build/coverage/
# the same with gcov's counters, in build/secrets/ what tells valgrind where secrets become public.

# The flags of this call, in files that change only when the flags do: what was made with others is made again.
flags_compile = $(CC) $(CPPFLAGS) $(CFLAGS)
flags_link    = $(CC) $(CFLAGS) $(LDFLAGS)
build/flags/%: export FLAGS = $(flags_$*)
build/flags/compile build/flags/link: build/flags/%: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS" | cmp -s - $@ || printf '%s\n' "$$FLAGS" >$@

define variant # its folder, its flags, objects that every program has
$1/%.o: %.c build/mbedtls/cflags build/flags/compile
	@mkdir -p $$(@D)
	$(if $V,,@echo "  CC    $$@")
	$$Q$$(CC) $$(COMPILE) $2 $$(CPPFLAGS) -c -o $$@ $$<

$1/mta-stsd: $(server_sources:%.c=$1/%.o)
$1/mta-sts: $(tool_sources:%.c=$1/%.o)
$1/mta-sts: LIBS = $$(tool_libs) @build/mbedtls/libs -linih
$1/src/tool/mail.o: CPPFLAGS += $$(gmime_cflags)
$(foreach x,$(units),$(eval $1/unit/test_$x: $1/tests/unit/test_$x.o $(call objects_of,$1,$x)))
$(foreach x,$(fuzzers),$(eval $1/fuzz/replay_$x: \
    $1/tests/fuzz/fuzz_$x.o $1/tests/fuzz/replay.o $(call objects_of,$1,$x)))

$1/unit/%: LIBS = -lcmocka $$(tool_libs) $(LIBS)
$1/fuzz/%: LIBS = $$(tool_libs) $(LIBS)
$1/mta-stsd $1/mta-sts $(units:%=$1/unit/test_%) $(fuzzers:%=$1/fuzz/replay_%): $3 build/mbedtls/libs build/mbedtls/wraps build/flags/link
	@mkdir -p $$(@D)
	$(if $V,,@echo "  LINK  $$@")
	$$Q$$(CC) $2 $$(LINK) $$(LDFLAGS) -o $$@ $$(sort $$(filter %.o,$$^)) \
	    $$(if $$(filter %/curves.o,$$^),$$(SEAMS)) $$(LIBS)
endef

$(eval $(call variant,build,$(HARDENED) $(CFLAGS)))
$(eval $(call variant,build/sanitized,$(SANITIZED),build/sanitized/tests/sanitized.o))
$(eval $(call variant,build/coverage,$(COUNTED),build/coverage/tests/coverage.o))
$(eval $(call variant,build/secrets,$(HARDENED) $(CFLAGS) -DCURVES_SECRETS))
-include $(foreach v,build build/sanitized build/coverage build/secrets,$(wildcard $v/src/*/*.d $v/tests/*.d $v/tests/*/*.d))

# --- What it needs, which depends on what was asked for. The three files change only when mbedTLS moves.

for_goals = $(if $(filter $1,$(or $(MAKECMDGOALS),all)),$2)
needed   := build server \
            $(call for_goals,deps run,demo) \
            $(call for_goals,deps all tool install check check-sanitized coverage lint lint-% build/mta-sts build/unit/% build/sanitized/unit/%,tool) \
            $(call for_goals,deps check check-sanitized check-memory check-curves soak coverage build/unit/% build/sanitized/unit/%,test) \
            $(call for_goals,deps check-sanitized check-curves lint lint-%,sanitized) \
            $(call for_goals,bench,test bench) \
            $(call for_goals,lint lint-% format,test bench lint)

deps: build/mbedtls/libs     ## get what building, running and testing need
build/mbedtls/cflags build/mbedtls/libs build/mbedtls/wraps &: FORCE
	@contrib/build/deps.sh $(needed)
FORCE:

deps-update:                 ## Debian 12: get the newest mbedTLS and Nettle, which the next make links in
	@contrib/build/deps.sh update

# --- Testing

test_programs = --unit $(units:%=$1/unit/test_%) --replay $(fuzzers:%=$1/fuzz/replay_%) --server $1/mta-stsd
tested        = $1/mta-stsd $1/mta-sts $(units:%=$1/unit/test_%) $(fuzzers:%=$1/fuzz/replay_%)
run_tests    := tests/private-net.sh $(PYTHON) tests/run.py --pytest="$(PYTEST)"

check: $(call tested,build)  ## unit tests, fuzz replays, layering, system tests (PYTEST="-k WORD" for some of these)
	@$(run_tests) $(call test_programs,build) --layering tests/layering.py

# Without the tests that make allocations fail: LeakSanitizer knows what the dynamic linker holds by who called malloc,
# which is the preloaded library then, and reports it. Those tests count the blocks themselves.
check-sanitized: $(call tested,build/sanitized) $(units:%=build/unit/test_%)  ## the same under sanitizers and valgrind
	@$(run_tests) $(call test_programs,build/sanitized) --valgrind $(units:%=build/unit/test_%) \
	    --pytest="$(PYTEST) --ignore=tests/system/test_memory.py"

# Those tests again, but not each kind of allocation fails once: every single one does.
check-memory: build/mta-stsd  ## the server without memory: every allocation of a start, a fetch, a reload fails once
	@$(run_tests) --server $< --tests tests/system/test_memory.py --pytest="$(PYTEST) --every-allocation"

# With 100,000 random products on each curve, and more of all that is random.
of_curves := $(filter curves%,$(units))
check-curves: $(of_curves:%=build/unit/test_%) build/secrets/curves  ## the proof that src/server/curves* is right (with Nettle)
	@CURVES_TIMES=200 $(run_tests) --unit $(of_curves:%=build/unit/test_%) --secrets build/secrets/curves \
	    --mutants tests/mutants.py

build/secrets/curves: build/secrets/tests/secrets/curves.o $(curves:%=build/secrets/src/%.o) build/mbedtls/libs build/flags/link
	$(if $V,,@echo "  LINK  $@")
	$Q$(CC) $(HARDENED) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $(filter %.o,$^) @build/mbedtls/wraps $(LIBS)

coverage: $(call tested,build/coverage)  ## the lines of src/ that the tests reach, and those that they must (gcov)
	@$(PYTHON) tests/coverage.py --build build/coverage --programs $^ \
	    --run $(run_tests) $(call test_programs,build/coverage)

bench: build/mta-stsd build/tests/bench/load build/tests/bench/siege  ## what it costs beside nginx, Caddy and Apache (root; QUICK=1: two minutes)
	@tests/bench.sh $(if $(QUICK),--quick) $(PARTS)

build/tests/bench/load: build/tests/bench/load.o build/tests/bench/load_options.o build/flags/link
	$(if $V,,@echo "  LINK  $@")
	$Q$(CC) $(HARDENED) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $(filter %.o,$^) -lssl -lcrypto

build/tests/bench/siege: build/tests/bench/siege.o build/flags/link
	$(if $V,,@echo "  LINK  $@")
	$Q$(CC) $(HARDENED) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $(filter %.o,$^) -lssl -lcrypto

limits-model: build/tests/bench/limits_model  ## a simulation of src/server/limits.c, beside other rules, under attack
	@$<

build/tests/bench/limits_model: build/tests/bench/limits_model.o build/src/server/limits.o build/src/common/hash.o build/flags/link
	$(if $V,,@echo "  LINK  $@")
	$Q$(CC) $(HARDENED) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $(filter %.o,$^)

# Not a part of any check: the pages are held by tests, the pictures are for people.
pictures: build/mta-sts      ## the pictures of docs/reports.md (needs chromium-headless-shell, or chromium)
	@$(PYTHON) tests/pictures.py $< docs

check-fresh:                 ## make check, run and lint in fresh Debian systems, from what is committed (root)
	@contrib/build/deps.sh fresh
	@tests/fresh.sh

check-world:                 ## the server among programs of others: ACME clients, senders, scanners (root)
	@tests/world.sh "$(if $(filter file,$(origin PYTEST)),-n 2 --dist loadfile,$(PYTEST))"

soak: build/mta-stsd         ## five minutes of a provider with 50,000 domains (check-world has one); SOAK_SECONDS=N
	@HOSTING_SECONDS=$(SOAK_SECONDS) $(run_tests) --server $< --tests tests/world/test_hosting.py --pytest=-s

# Every fuzzer for a while, with what it finds kept in build/fuzz.
fuzz: $(fuzzers:%=build/fuzz/fuzz_%)  ## run every fuzzer for FUZZ_SECONDS (needs clang)
	@for x in $(fuzzers); do \
		mkdir -p build/fuzz/corpus/$$x && \
		build/fuzz/fuzz_$$x -max_total_time=$(FUZZ_SECONDS) -timeout=5 -print_final_stats=1 \
		    -artifact_prefix=build/fuzz/$$x- build/fuzz/corpus/$$x tests/fuzz/corpus/$$x || exit 1; \
	done

build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(wildcard src/common/*.[ch] src/wire/*.[ch] src/tool/*.[ch]) build/mbedtls/libs
	@mkdir -p $(@D)
	clang -std=c11 -D_GNU_SOURCE -Isrc -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	    $(gmime_cflags) -o $@ $< $(patsubst build/%.o,%.c,$(call objects_of,build,$*)) -linih $(tool_libs)

man_pages := $(wildcard docs/*.1 docs/*.5 docs/*.8)

lint: build/mbedtls/cflags   ## all that judges the sources without running them (lint-STEP for one step of tests/lint.py)
	@$(PYTHON) tests/lint.py

lint-%: build/mbedtls/cflags
	@$(PYTHON) tests/lint.py $*

format: build/mbedtls/cflags  ## lay out the C sources as .clang-format says
	clang-format -i $(wildcard src/*/*.[ch] tests/*.c tests/*/*.[ch])

# --- Using

run: build/mta-stsd          ## serve three demonstration domains on this machine
	@contrib/build/demo.sh

units_of_systemd := $(wildcard contrib/systemd/*.service contrib/systemd/*.socket)
prefix           := $(DESTDIR)$(PREFIX)
# What install puts below the prefix, so what uninstall removes.
installed := sbin/mta-stsd bin/mta-sts $(addprefix lib/systemd/system/,$(notdir $(units_of_systemd))) \
             share/zsh/site-functions/_mta-sts \
             $(addprefix share/bash-completion/completions/,mta-sts mta-stsd) \
             $(foreach page,$(notdir $(man_pages)),share/man/man$(subst .,,$(suffix $(page)))/$(page))

install: server tool         ## install both programs (DESTDIR, PREFIX, SYSCONFDIR); a configuration that is there stays
	install -D -t "$(prefix)/sbin" build/mta-stsd
	install -D -t "$(prefix)/bin" build/mta-sts
	install -D -m 644 contrib/completion/mta-sts.bash "$(prefix)/share/bash-completion/completions/mta-sts"
	ln -sf mta-sts "$(prefix)/share/bash-completion/completions/mta-stsd"
	install -D -m 644 -t "$(prefix)/share/zsh/site-functions" contrib/completion/_mta-sts
	for page in $(man_pages); do install -D -m 644 -t "$(prefix)/share/man/man$${page##*.}" $$page; done
	[ -e "$(DESTDIR)$(SYSCONFDIR)/mta-sts/mta-stsd.ini" ] || \
	    install -D -m 644 -t "$(DESTDIR)$(SYSCONFDIR)/mta-sts" etc/mta-stsd.ini
	for unit in $(units_of_systemd); do \
		install -D -m 644 -t "$(prefix)/lib/systemd/system" $$unit && \
		sed -i 's|/usr/sbin/|$(PREFIX)/sbin/|' "$(prefix)/lib/systemd/system/$${unit##*/}"; \
	done

uninstall:                   ## remove what install put there (DESTDIR, PREFIX), but not the configuration
	@for file in $(installed); do rm -fv "$(prefix)/$$file"; done
	@echo "kept: $(DESTDIR)$(SYSCONFDIR)/mta-sts, and the user. A server that runs goes on: systemctl disable --now mta-stsd"

clean:                       ## remove what was built; what was downloaded stays
	rm -rf $(filter-out build/deps build/apt build/fresh build/world build/bench build/tools,$(wildcard build/*))

help:                        ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## */  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

.PHONY: all server tool deps deps-update check check-sanitized check-memory check-curves coverage check-fresh check-world soak pictures bench limits-model fuzz lint format run install uninstall clean help FORCE
