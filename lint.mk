# `make lint`: formatting, cppcheck, clang-tidy (its checks are in .clang-tidy). Each leaves a stamp under $(B)/lint, so a second run
# looks only at what changed and `-j2` uses both cores. Tests are formatted, and compiled as strictly as the rest; no more.
DEB_LINT := clang clang-format clang-tidy cppcheck
LINT := $(B)/lint
LINT_C := $(foreach r,$(ALL_ROOMS),$(wildcard $(r)/*.c))
LINT_ALL := $(LINT_C) $(foreach r,$(ALL_ROOMS),$(wildcard $(r)/*.h)) $(wildcard tests/*.[ch] tests/*/*.[ch])

.PHONY: lint lint-deps
lint: $(LINT)/format.ok $(LINT)/cppcheck.ok $(LINT_C:%=$(LINT)/%.ok) ## formatting, static analysis
lint-deps:
	$(Q).ci/install-deps "$(DEPS)" $(DEB_LINT)

$(LINT)/format.ok: $(LINT_ALL) .clang-format | lint-deps
	@mkdir -p $(@D)
	$(say) FORMAT
	$(Q)clang-format --dry-run -Werror $(LINT_ALL)
	@touch $@

# It keeps its own record of what it has seen of each file.
$(LINT)/cppcheck.ok: $(filter-out tests/%,$(LINT_ALL)) | lint-deps
	@mkdir -p $(LINT)/cppcheck
	$(say) CHECK "every room"
	$(Q)cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability \
		--suppress=missingIncludeSystem --suppress=readdirCalled --suppress=ctunullpointer --library=posix \
		-D__cppcheck__ -I. --cppcheck-build-dir=$(LINT)/cppcheck $(ALL_ROOMS)
	@touch $@

# The object stands for the headers: it is rebuilt when one of them changes.
$(LINT)/%.c.ok: %.c $(B)/%.o .clang-tidy | lint-deps
	@mkdir -p $(@D)
	$(say) TIDY $<
	$(Q)clang-tidy --quiet $< -- $(CPPFLAGS_ALL) -I$(B)/gen -std=c11 2>&1 | sed '/warnings\? generated\.$$/d'
	@touch $@
