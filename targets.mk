# What people call. The text after ## is what `make help` shows. A room or test with targets of its own has a fragment.
include $(sort $(wildcard store/*.mk daemon/*.mk tests/*/*.mk))

.PHONY: all
all: $(B)/netauditd $(B)/netaudit ## build the daemon and the client

# Tests that are scripts; like the unit programs they print TAP.
SCRIPTS := $(wildcard tests/check_layers.sh tests/*/test_*.py tests/*/run_*.py)

.PHONY: check
check: all $(UNIT) $(TEST_TOOLS) ## every test that needs no cluster (at most 10 minutes on 2 cores)
	$(Q)tests/run_tests.sh $(UNIT) $(SCRIPTS)

.PHONY: check-long
check-long: all $(UNIT) $(TEST_TOOLS) ## the same with longer random runs (at most 25 minutes)
	$(Q)LONG=1 tests/run_tests.sh $(UNIT) $(SCRIPTS)

.PHONY: asan check-san
asan: ## the unit and random tests under AddressSanitizer and UBSan
	$(Q)$(MAKE) SAN=1 check-san
check-san: all $(UNIT) $(TEST_TOOLS)
	$(Q)ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 SAN=1 tests/run_tests.sh $(UNIT)

.PHONY: clean
clean: ## remove what was built
	rm -rf build build-asan

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | sort | expand -t 14
