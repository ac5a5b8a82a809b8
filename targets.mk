# What people call. The text after ## is what `make help` shows. A room or test with targets of its own has a fragment.
include $(sort lint.mk $(wildcard store/*.mk daemon/*.mk tests/*/*.mk))

.PHONY: all
all: $(B)/netauditd $(B)/netaudit ## build the daemon and the client

TEST_TOOLS += $(FAKE)
# Tests that are scripts; like the unit programs they print TAP.
SCRIPTS := $(wildcard tests/check_layers.sh tests/*/test_*.py tests/*/run_*.py)

# Those that have a longer form say so by asking for LONG.
LONG_SOURCES := $(shell grep -lE '(getenv.|environ.*)"LONG"' $(foreach r,$(ALL_ROOMS),$(wildcard tests/$(r)/test_*.c)) $(SCRIPTS))
LONG_TESTS = $(patsubst %.c,$(B)/%,$(filter %.c,$(LONG_SOURCES))) $(filter-out %.c,$(LONG_SOURCES))

.PHONY: check
check: all $(UNIT) $(TEST_TOOLS) ## every test that needs no cluster (at most 10 minutes on 2 cores)
	$(Q)NETAUDIT_BUILD=$(B) tests/run_tests.sh $(UNIT) $(SCRIPTS)

.PHONY: check-long
check-long: all $(UNIT) $(TEST_TOOLS) ## the random tests, longer (at most 25 minutes)
	$(Q)LONG=1 TEST_TIMEOUT=1400 NETAUDIT_BUILD=$(B) tests/run_tests.sh $(LONG_TESTS)

.PHONY: asan check-san
asan: ## the same tests under AddressSanitizer and UBSan
	$(Q)$(MAKE) SAN=1 check-san
check-san: all $(UNIT) $(TEST_TOOLS)
	$(Q)ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 SAN=1 NETAUDIT_BUILD=$(B) FAKE_APISERVER=$(FAKE) tests/run_tests.sh $(UNIT) $(SCRIPTS)

# ---- looking, measuring, installing -------------------------------------------------------------
.PHONY: demo
demo: all $(TEST_TOOLS) ## a sample cluster, the real daemon, a short story of changes (DEMO_SECONDS=N ends it)
	$(Q)NETAUDIT_BUILD=$(B) tests/demo/demo.py

.PHONY: bench
bench: all $(TEST_TOOLS) $(B)/tests/bench/store_bench ## measurements, one JSON line each (BENCH=name for one)
	$(Q)NETAUDIT_BUILD=$(B) tests/bench/run.sh $(BENCH)

BINDIR := $(PREFIX)/bin
UNITDIR := $(PREFIX)/lib/systemd/system
DOCDIR := $(PREFIX)/share/doc/netauditd
.PHONY: install
install: all ## into DESTDIR, under PREFIX (/usr/local)
	$(say) INSTALL $(DESTDIR)$(PREFIX)
	$(Q)install -D -m 0755 -s $(B)/netauditd $(DESTDIR)$(BINDIR)/netauditd
	$(Q)install -D -m 0755 -s $(B)/netaudit $(DESTDIR)$(BINDIR)/netaudit
	$(Q)ln -sf netaudit $(DESTDIR)$(BINDIR)/kubectl-netaudit
	$(Q)install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(DOCDIR)
	$(Q)sed 's#@BINDIR@#$(BINDIR)#; s#@DOCDIR@#$(DOCDIR)#g' systemd/netauditd.service >$(DESTDIR)$(UNITDIR)/netauditd.service
	$(Q)install -m 0644 README.md SECURITY.md LICENSE docs/*.md docs/netauditd.yaml $(DESTDIR)$(DOCDIR)

.PHONY: dist
dist: ## build/netauditd-VERSION.tar.gz of what is committed
	@mkdir -p $(B)
	$(Q)git archive --format=tar --prefix=netauditd-$(VERSION)/ HEAD | gzip -n9 >$(B)/netauditd-$(VERSION).tar.gz
	$(say) DIST $(B)/netauditd-$(VERSION).tar.gz

.PHONY: clean
clean: ## remove what was built
	rm -rf build build-asan

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | sort | expand -t 14
