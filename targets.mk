.PHONY: all check help clean
all: $(B)/netauditd $(B)/netaudit

check: all $(UNIT)
	$(Q)tests/run_tests.sh $(UNIT)

clean:
	rm -rf build build-asan
include tests/e2e/e2e.mk
