# The store alone, without a cluster: build/tests/bench/store_bench prints its measures.
$(B)/tests/bench/store_bench: $(B)/tests/bench/store_bench.o $(foreach r,$(below_store),$(call lib,$(r)))
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

# The meaning of policies alone: build/tests/bench/meaning_bench.
$(B)/tests/bench/meaning_bench: $(B)/tests/bench/meaning_bench.o $(foreach r,$(below_rules),$(call lib,$(r)))
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

bench: $(B)/tests/bench/meaning_bench

# Who can reach whom: build/tests/bench/matrix_bench.
$(B)/tests/bench/matrix_bench: $(B)/tests/bench/matrix_bench.o $(foreach r,$(below_rules),$(call lib,$(r)))
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

bench: $(B)/tests/bench/matrix_bench
