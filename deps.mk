# What the build needs, by Debian package name. `make deps` installs what is missing; DEPS=0 only says how.
DEPS ?= 1
DEB_BUILD := gcc libc6-dev pkg-config libcurl4-openssl-dev libcjson-dev libuv1-dev libsqlite3-dev libssl-dev \
	libyaml-dev zlib1g-dev uthash-dev libcmocka-dev python3 python3-yaml ca-certificates

.PHONY: deps
deps:
	@.ci/install-deps "$(DEPS)" $(DEB_BUILD)
