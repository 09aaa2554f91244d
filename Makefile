# make run    set up, build, publish specs/ifsw from the shipped exports
# make test   set up, build, run every test, under sanitizers too
# make lint   what compilers find; make memcheck: a run under valgrind
# make bench  measure every station, against R where it is installed
# Switches: MPI=1 (several processes: mpirun -np 4 build/mpi/responsive run ...)  BUILD=folder  SAN=1 (address and undefined-behaviour sanitizers)  COV=1 (coverage)  CC=clang

VERSION := 0.1.0
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null)
BUILD   ?= build$(if $(MPI),/mpi)
QUIET   ?= @

# What the program reads while it runs.
DATA_PACKAGES := fonts-noto-core fonts-open-sans hyphen-en-gb hyphen-de hyphen-da hyphen-fr hyphen-pl hyphen-pt-pt hyphen-ro
comma := ,
space := $(subst ,, )
PACKAGES := build-essential pkg-config libcsv-dev libgsl-dev libopenblas-dev liblapacke-dev libcairo2-dev \
  libpango1.0-dev libfontconfig-dev libxlsxwriter-dev libyaml-dev libuchardet-dev libicu-dev libhyphen-dev libqpdf-dev \
  libsqlite3-dev libxml2-dev libzip-dev libreadstat-dev libjansson-dev nettle-dev \
  libsodium-dev libpng-dev zlib1g-dev libisal-dev libglpk-dev libcmocka-dev \
  qpdf poppler-utils libxml2-utils unzip python3 glpk-utils $(DATA_PACKAGES)

# In the order of the data's way.
STATIONS := base study intake clean weight estimate measure model results render batch
LIB_SRC  := $(foreach s,$(STATIONS),$(wildcard engine/$(s)/*.c))
TESTS    := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))

MODULES  := gsl cairo cairo-pdf pangocairo pangoft2 harfbuzz fontconfig yaml-0.1 icu-i18n icu-uc sqlite3 libxml-2.0 libzip \
  jansson nettle libsodium libpng zlib libisal uchardet libqpdf lapacke openblas xlsxwriter
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CFLAGS   ?= -O2 -g
# Contraction of a*b+c into one rounding is left to explicit fma(): results must not depend on the compiler's choice.
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE $(WARN) $(CFLAGS) -ffp-contract=off -fopenmp -Iinclude -Iengine \
  $(shell pkg-config --cflags $(MODULES) 2>/dev/null)
# Before `setup` there may be no pkg-config to answer. OpenBLAS stands before GSL's own CBLAS so that its kernels win.
LIBS     := $(shell pkg-config --libs openblas lapacke 2>/dev/null) $(shell pkg-config --libs $(filter-out gsl,$(MODULES)) 2>/dev/null) -lgsl -lcsv \
  -lhyphen -lreadstat -lglpk -lm
# Ours instead of a library's (engine/base/hooks.c, engine/base/packing.c, engine/render/workbook_parts.c): taken in, and seen by the libraries.
HOOKS    := getenv register_printf_type deflateInit_ deflateInit2_ deflate deflateEnd deflateReset \
            lxw_tmpfile
LDFLAGS  += $(foreach f,$(HOOKS),-Wl,-u,$(f) -Wl,--export-dynamic-symbol=$(f))
ifdef MPI
  CC         := mpicc
  PACKAGES   += libopenmpi-dev openmpi-bin
  ALL_CFLAGS += -DRSP_MPI
endif
ifdef SAN
  ALL_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
  LDFLAGS    += -fsanitize=address,undefined
  # clang has no name for it that code could ask for, and vectorises less
  ALL_CFLAGS += $(if $(findstring clang,$(CC)),-D__SANITIZE_ADDRESS__ -Wno-pass-failed)
endif
ifdef COV
  ALL_CFLAGS += --coverage
  LDFLAGS    += --coverage
endif

# Code under libFuzzer: everything up to the published table. Whole runs, pages included, are changed by tests/test_mutants.c.
FUZZ_TARGETS := expression formula lavaan yaml decode delimited export form study
FUZZ_SECONDS ?= 60
ifdef FUZZ
  CC         := clang
  LIB_SRC    := $(filter-out engine/render/% engine/batch/%,$(LIB_SRC))
  ALL_CFLAGS += -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -Wno-pass-failed -DRSP_FUZZ
endif

OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
MAIN := $(BUILD)/engine/main.o $(BUILD)/engine/allocator.o

PREFIX  ?= /usr/local
SYSTEMD ?= $(PREFIX)/lib/systemd/system

.PHONY: all run test check setup coverage recovery fuzz lint memcheck bench soak ranks install deb clean
all: $(BUILD)/responsive

# Installs the Debian packages that are missing, and says so.
setup:
	@missing=""; for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q "ok installed" || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing Debian packages:$$missing"; \
	  if [ "$$(id -u)" = 0 ]; then sudo=""; else sudo=sudo; fi; \
	  $$sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -q --no-install-recommends $$missing; \
	fi

run: setup
	@$(MAKE) --no-print-directory -j2 all
	$(BUILD)/responsive run specs/ifsw
	@echo "open out/ifsw/latest/index.html in a browser; briefs and tables are linked there"

test: setup
	@$(MAKE) --no-print-directory -j2 all
	@$(MAKE) --no-print-directory -j2 check
	@$(MAKE) --no-print-directory -j2 check BUILD=build/san SAN=1

# Sanitizers would report what Open MPI keeps to itself.
RANKS_PROGRAM = $(if $(SAN),,$(if $(shell command -v mpicc),$(BUILD)/tests/responsive_ranks))
check: $(TESTS:%=$(BUILD)/tests/%) $(BUILD)/tests/bench $(BUILD)/responsive $(BUILD)/tests/faults.so $(RANKS_PROGRAM)
	@BUILD=$(BUILD) tests/run $(TESTS:%=$(BUILD)/tests/%)

# What a night costs, station by station, at each of BENCH_SIZES respondents, the best of BENCH_BEST nights; where R has
# the packages that specs/bench/peer.R names, also how long R takes over the first size.
BENCH_SIZES ?= 12000 100000 1000000
BENCH_BEST  ?= 1
bench: setup
	@$(MAKE) --no-print-directory -j2 $(BUILD)/tests/bench
	@$(BUILD)/tests/bench --best $(BENCH_BEST) --one yes $(if $(shell command -v Rscript),--peer Rscript) specs/bench $(BUILD)/bench $(BENCH_SIZES)

# Each target for FUZZ_SECONDS; what it finds is build/fuzz/TARGET-crash-*, -timeout-* or -oom-*; of whole runs build/san/nights-SEED.
fuzz: PACKAGES += clang libomp-dev
fuzz: setup
	@$(MAKE) --no-print-directory -j2 fuzz-targets BUILD=build/fuzz FUZZ=1
	@$(MAKE) --no-print-directory -j2 build/san/responsive build/san/tests/test_mutants BUILD=build/san SAN=1
	@tests/fuzz/run build/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS) nights

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%)

# Lines reached by the tests, as gcovr counts them (threads that count the same branch at once can make its number negative, which
# gcovr takes for an error); then how often intervals hold the truth.
coverage: PACKAGES += gcovr
coverage: setup
	@$(MAKE) --no-print-directory -j2 check BUILD=build/cov COV=1 CFLAGS="-O1 -g"
	gcovr --root . --filter engine/ --exclude-throw-branches --gcov-ignore-parse-errors build/cov --print-summary --sort-percentage
	@$(MAKE) --no-print-directory recovery

# Nights of worlds with known parameters: coverage of intervals and size of tests, some ten minutes of one core. Fails
# where an interval misses by more than chance without a reason that is known.
RECOVERY_NIGHTS ?= 2000
recovery: setup
	@$(MAKE) --no-print-directory -j2 $(BUILD)/tests/test_recovery
	$(BUILD)/tests/test_recovery --nights $(RECOVERY_NIGHTS) --write fixtures/reference/recovery.csv

# Findings at zero: all code through clang's warnings, and what meets foreign input and owns files through gcc's analyser
# (LINT_STATIONS="$(STATIONS)" for all of it: some minutes). Left out are the analyser's warnings that gcc 12 gives where an
# allocation cannot fail or a list is known not to be empty; the sanitizers and memcheck look for what they mean.
LINT_STATIONS ?= base study intake clean results batch
LINT_FLAGS    = $(filter-out -O%,$(ALL_CFLAGS)) -DRESPONSIVE_VERSION='"lint"' -DRESPONSIVE_COMMIT='""'
STRICT := -Wformat=2 -Wno-format-nonliteral -Wimplicit-fallthrough -Wloop-analysis -Wmissing-variable-declarations \
  -Wnull-pointer-arithmetic -Wover-aligned -Wpointer-arith -Wshift-sign-overflow -Wshorten-64-to-32 -Wstrict-overflow \
  -Wtautological-compare -Wundef -Wunreachable-code -Wwrite-strings -Wenum-conversion -Wassign-enum -Wpedantic
ANALYSER := -fanalyzer -Wno-analyzer-null-dereference -Wno-analyzer-null-argument -Wno-analyzer-malloc-leak \
  -Wno-analyzer-possible-null-dereference -Wno-analyzer-possible-null-argument
lint: PACKAGES += clang libomp-dev
lint: setup
	@echo "  clang: all code"
	@printf '%s\n' engine/*.c $(LIB_SRC) $(wildcard tests/*.c) | xargs -P$$(nproc) -n1 clang -c -o /dev/null $(LINT_FLAGS) $(STRICT)
	@echo "  gcc -fanalyzer: $(LINT_STATIONS)"
	@printf '%s\n' $(foreach s,$(LINT_STATIONS),$(wildcard engine/$(s)/*.c)) | \
	  xargs -P$$(nproc) -n1 gcc -c -o /dev/null -O1 $(LINT_FLAGS) $(ANALYSER)

# A whole run under valgrind: nothing read before it is written, nothing lost. Some self-tests of the last digits warn, since
# valgrind computes long doubles as doubles: 1 is as good as 0.
memcheck: PACKAGES += valgrind
memcheck: setup
	@$(MAKE) --no-print-directory -j2 all
	@rm -rf $(BUILD)/memcheck
	OMP_NUM_THREADS=1 valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	  --suppressions=tests/valgrind.supp --error-exitcode=99 --num-callers=30 $(BUILD)/responsive run specs/wvs \
	  --out $(BUILD)/memcheck --lang en --only poverty --quiet --jobs 1 || [ $$? = 1 ]

$(BUILD)/responsive: $(MAIN) $(BUILD)/libresponsive.a
	$(QUIET)$(CC) -fopenmp $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/libresponsive.a: $(OBJ)
	$(QUIET)rm -f $@ && ar rcs $@ $(OBJ)

# Written anew when it changes, so that manifests name the commit that was built.
.PHONY: FORCE
$(BUILD)/commit: FORCE
	@mkdir -p $(@D)
	@echo $(COMMIT) | cmp -s - $@ || echo $(COMMIT) > $@

$(BUILD)/engine/base/system.o: $(BUILD)/commit
$(BUILD)/engine/base/system.o: ALL_CFLAGS += -DRESPONSIVE_VERSION='"$(VERSION)"' -DRESPONSIVE_COMMIT='"$(COMMIT)"'

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(QUIET)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: tests/%.c $(BUILD)/libresponsive.a
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(QUIET)$(CC) $(ALL_CFLAGS) -MMD -MP -fopenmp $(LDFLAGS) -o $@ $< $(BUILD)/libresponsive.a -lcmocka $(LIBS)

# Never with sanitizers: they and LD_PRELOAD do not mix.
$(BUILD)/tests/faults.so: tests/faults.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(QUIET)$(CC) -std=c17 -D_GNU_SOURCE $(WARN) -O2 -fPIC -shared -o $@ $<

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/libresponsive.a
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(QUIET)$(CC) $(ALL_CFLAGS) -MMD -MP -fopenmp -fsanitize=fuzzer,address,undefined -o $@ $< $(BUILD)/libresponsive.a $(LIBS)

# What is derived from the table of keys (engine/study/keys.c): the schema, and the reference at the end of specs/README.md.
.PHONY: schema
schema: all
	$(BUILD)/responsive schema > specs/study.schema.json
	sed -i '/^| key | /,$$d' specs/README.md
	$(BUILD)/responsive schema --reference >> specs/README.md

-include $(OBJ:.o=.d) $(MAIN:.o=.d) $(TESTS:%=$(BUILD)/tests/%.d)

# The program for several processes, for test_ranks: the same objects but for the two that differ (make MPI=1 builds all of it).
$(BUILD)/tests/responsive_ranks: engine/main.c engine/base/ranks.c $(BUILD)/engine/allocator.o $(BUILD)/libresponsive.a
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(QUIET)$(CC) $(ALL_CFLAGS) -DRSP_MPI $(shell mpicc --showme:compile) -fopenmp $(LDFLAGS) -o $@ $^ \
	  $(shell mpicc --showme:link) $(LIBS)

# A hundred nights of growing exports, with kills, full disks, wrong studies and broken exports thrown in.
SOAK_NIGHTS ?= 100
soak: setup
	@$(MAKE) --no-print-directory -j2 all $(BUILD)/tests/faults.so
	@tests/soak.sh $(BUILD)/responsive $(BUILD)/tests/faults.so $(SOAK_NIGHTS)

# A night for every call that touches the disk, twice, and for every place that asks for memory: about half an hour of two cores.
.PHONY: faults
faults: setup
	@$(MAKE) --no-print-directory -j2 all $(BUILD)/tests/test_faults $(BUILD)/tests/faults.so
	@printf '%s\n' failing_calls failing_allocations | XDG_CONFIG_HOME=$(abspath $(BUILD))/config \
	  BUILD=$(BUILD) FAULTS=all VERBOSE=1 xargs -P2 -n1 $(BUILD)/tests/test_faults

# The build for several processes, held against the one for one.
ranks: PACKAGES += libopenmpi-dev openmpi-bin procps
ranks: setup
	@$(MAKE) --no-print-directory -j2 all
	@$(MAKE) --no-print-directory -j2 all MPI=1
	@tests/ranks.sh $(BUILD)/responsive build/mpi/responsive

# Data of `responsive selftest`: the list, and the folders it names.
SELFTEST := $(shell sed -n 's/.*{study: \([^,]*\),.*/\1/p' fixtures/reference/selftest.yaml)

# Program, studies that ship, page texts, data of the self-test, manual page, completion and units, below $(DESTDIR)$(PREFIX).
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/responsive $(DESTDIR)$(PREFIX)/share/man/man1 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/doc/responsive $(DESTDIR)$(SYSTEMD)
	install -m 755 $(BUILD)/responsive $(DESTDIR)$(PREFIX)/bin/
	cp -r reports specs $(DESTDIR)$(PREFIX)/share/responsive/
	install -d $(DESTDIR)$(PREFIX)/share/responsive/fixtures/reference
	cd fixtures/reference && cp -r --parents selftest.yaml $(notdir $(wildcard fixtures/reference/recovery.csv)) $(SELFTEST) $(abspath $(DESTDIR)$(PREFIX))/share/responsive/fixtures/reference/
	$(BUILD)/responsive manual man > $(DESTDIR)$(PREFIX)/share/man/man1/responsive.1
	$(BUILD)/responsive manual bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/responsive
	install -m 644 README.md CHANGELOG.md LICENSE engine/batch/operation/responsive.cron $(DESTDIR)$(PREFIX)/share/doc/responsive/
	sed 's|/usr/bin|$(PREFIX)/bin|' engine/batch/operation/responsive@.service > $(DESTDIR)$(SYSTEMD)/responsive@.service
	install -m 644 engine/batch/operation/responsive@.timer $(DESTDIR)$(SYSTEMD)/

# A Debian package of it: build/responsive_VERSION_ARCHITECTURE.deb
DEB := $(BUILD)/deb
deb: PACKAGES += dpkg-dev
deb: setup all
	rm -rf $(DEB)
	$(MAKE) --no-print-directory install DESTDIR=$(DEB)/root PREFIX=/usr SYSTEMD=/lib/systemd/system
	strip $(DEB)/root/usr/bin/responsive && gzip -9n $(DEB)/root/usr/share/man/man1/responsive.1
	mkdir -p $(DEB)/debian $(DEB)/root/DEBIAN && printf 'Source: responsive\n\nPackage: responsive\nArchitecture: any\n' > $(DEB)/debian/control
	cd $(DEB) && { \
	  echo "Package: responsive"; echo "Version: $(VERSION)"; echo "Architecture: $$(dpkg --print-architecture)"; \
	  echo "Maintainer: the responsive project <responsive@localhost>"; echo "Section: science"; echo "Priority: optional"; \
	  echo "Depends: $$(dpkg-shlibdeps -O root/usr/bin/responsive | sed 's/^shlibs:Depends=//'), $(strip $(subst $(space),$(comma) ,$(DATA_PACKAGES)))"; \
	  echo "Description: batch analytics engine for questionnaires"; \
	  echo " Reads the exports of a survey, cleans and weights the answers, estimates, fits models, protects the"; \
	  echo " respondents and publishes briefs, charts, workbooks and open data, every night."; \
	} > root/DEBIAN/control
	dpkg-deb --root-owner-group --build $(DEB)/root $(BUILD)/responsive_$(VERSION)_$$(dpkg --print-architecture).deb

clean:
	rm -rf build
