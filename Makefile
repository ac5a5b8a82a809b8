# netauditd: one Makefile, out of source under build/. `make help` lists the targets.
#
# A room is one static library; a program is its main file plus the rooms below it. Files are found by
# wildcard, so a new source or test needs no edit here.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

VERSION := 0.1.0
SAN ?= 0
ifeq ($(SAN),1)
B := build-asan
else
B := build
endif

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
DESTDIR ?=
V ?= 0

# ---- dependencies -----------------------------------------------------------------------------
include deps.mk

# ---- flags ------------------------------------------------------------------------------------
PKGS := libcurl libcjson libuv sqlite3 openssl yaml-0.1 zlib
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null)

WARN := -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wformat=2 -Wno-format-truncation -Wvla -Wundef -Wwrite-strings -Werror
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero \
	-fno-strict-overflow -ffunction-sections -fdata-sections -fPIE
HARDEN_LD := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
ifeq ($(SAN),1)
OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDSAN := -fsanitize=address,undefined
else
OPT := -O2 -g -D_FORTIFY_SOURCE=3
LDSAN :=
endif
ifneq ($(shell uname -m),x86_64)
HARDEN := $(filter-out -fcf-protection,$(HARDEN))
endif
CPPFLAGS_ALL = -I. -D_GNU_SOURCE -DNETAUDITD_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL = -std=c11 $(OPT) $(WARN) $(HARDEN) -MMD -MP $(CFLAGS)
LDFLAGS_ALL = $(HARDEN_LD) $(LDSAN) -Wl,--gc-sections $(LDFLAGS)
LIBS_ALL = $(PKG_LIBS) -lpthread -lm

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-6s %s\n'
endif

# ---- rooms, lowest last (link order) ------------------------------------------------------------
ROOMS := front store watchers rules cluster base
lib = $(B)/lib$(1).a
LIBS_FRONT := $(foreach r,$(ROOMS),$(call lib,$(r)))
# What a test of one room may link: the room and those below it.
below_base := base
below_cluster := cluster base
below_rules := rules cluster base
below_store := store rules cluster base
below_watchers := watchers cluster base
below_front := $(ROOMS)
below_daemon := daemon $(ROOMS)
below_cli := cli $(ROOMS)

ALL_ROOMS := base cluster rules store watchers front daemon cli
src = $(filter-out daemon/main.c cli/main.c,$(wildcard $(1)/*.c))
define room_rule
$(B)/lib$(1).a: $(patsubst %.c,$(B)/%.o,$(call src,$(1)))
	$$(say) AR $$@
	$$(Q)rm -f $$@; ar rcs $$@ $$(filter %.o,$$^)
endef
$(foreach r,$(ALL_ROOMS),$(eval $(call room_rule,$(r))))

$(B)/%.o: %.c | deps
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(OBJ_EXTRA) -c -o $@ $<

# Text that a program carries: store/schema.sql and the like become C arrays at build time.
$(B)/gen/%.inc: %
	@mkdir -p $(@D)
	$(say) EMBED $<
	$(Q)od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g' > $@

$(B)/netauditd: $(B)/daemon/main.o $(call lib,daemon) $(LIBS_FRONT)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

$(B)/netaudit: $(B)/cli/main.o $(call lib,cli) $(LIBS_FRONT)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

# ---- tests ------------------------------------------------------------------------------------
define test_rule
$(B)/tests/$(1)/test_%: $(B)/tests/$(1)/test_%.o $(foreach r,$(below_$(1)),$(call lib,$(r)))
	$$(say) LINK $$@
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(LIBS_ALL) -lcmocka
UNIT_$(1) := $(patsubst %.c,$(B)/%,$(wildcard tests/$(1)/test_*.c))
.PHONY: check-$(1)
check-$(1): $$(UNIT_$(1))
	$$(Q)tests/run_tests.sh $$^
endef
$(foreach r,$(ALL_ROOMS),$(eval $(call test_rule,$(r))))
UNIT := $(foreach r,$(ALL_ROOMS),$(UNIT_$(r)))
.PRECIOUS: $(B)/%.o $(B)/gen/%.inc

include targets.mk

-include $(shell find $(B) -name '*.d' 2>/dev/null)
