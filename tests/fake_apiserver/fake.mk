# The fake API server: one program of its own, linked with nothing of the daemon so that both cannot share a mistake.
# Its objects live under $(B)/obj because the program itself is called $(B)/tests/fake_apiserver.
FAKE := $(B)/tests/fake_apiserver
FAKE_OBJ := $(patsubst tests/fake_apiserver/%.c,$(B)/obj/fake_apiserver/%.o,$(wildcard tests/fake_apiserver/*.c))
FAKE_LIBS = $(shell pkg-config --libs libuv libcjson openssl zlib)

$(B)/obj/fake_apiserver/%.o: tests/fake_apiserver/%.c | deps
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(FAKE): $(FAKE_OBJ)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(FAKE_LIBS) -lpthread

.PHONY: fake check-fake
fake: $(FAKE)
check-fake: $(FAKE)
	$(Q)FAKE_APISERVER=$(FAKE) tests/run_tests.sh tests/fake_apiserver/test_fake.py tests/fake_apiserver/test_faults.py
