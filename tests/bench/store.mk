# The store alone, without a cluster: build/tests/bench/store_bench prints its measures.
$(B)/tests/bench/store_bench: $(B)/tests/bench/store_bench.o $(foreach r,$(below_store),$(call lib,$(r)))
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)
