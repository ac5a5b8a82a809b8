# The C engine behind a pipe, for the comparison with the oracle (tests/oracle/run_oracle.py).
$(B)/tests/oracle/reach_server: $(B)/tests/oracle/reach_server.o $(foreach r,$(below_front),$(call lib,$(r)))
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)
TEST_TOOLS += $(B)/tests/oracle/reach_server
.PHONY: check-oracle
check-oracle: $(B)/tests/oracle/reach_server ## the second, slow evaluator, and the comparison with it (ORACLE_RUNS=N)
	$(Q)NETAUDIT_BUILD=$(B) tests/run_tests.sh $(wildcard tests/oracle/test_*.py tests/oracle/run_*.py)
