# SPDX-License-Identifier: Apache-2.0
#
# A thin front of tools/setup and meson. The program in the tree is an installation under
# build/stage, so that it is tried as it will be shipped; ./abhost points there.

PREFIX ?= /usr/local
DESTDIR ?=
# More for `meson setup`, for instance MESON_OPTIONS='--werror -Db_lto=true'.
MESON_OPTIONS ?=
# A packager who has brought everything says SETUP=true.
SETUP ?= tools/setup

MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.PHONY: all run test check-asan check-tsan install clean help

SANITIZERS := ASAN_OPTIONS=halt_on_error=1:abort_on_error=1:detect_leaks=1 \
  LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 \
  UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1 G_SLICE=always-malloc

# Sanitizers: to compile takes longer than to run; reports need lines, and nothing else of -g.
QUICK := -Doptimization=1 -Ddebug=false -Dc_args=-g1

# $(call build,folder,prefix,options,target): leaves `folder` configured, and the target (product where
# none is given) compiled. meson.build finds
# the components by looking for their files, so another list of files configures again (and empties
# the stage of what may be gone); other options, or a tree that was moved, begin anew.
define build
@set -e; dir='$1'; how='$(CURDIR) --prefix=$2 $3 $(MESON_OPTIONS)'; \
files=$$(find sdk host plugins tests examples -type f ! -name '.*' \( -name '*.[ch]' \
  -o -name '*.cu' -o -name '*.cuh' -o -name '*.h5' -o -name '*.py' -o -name '*.sh' \
  -o -name '*.yaml' -o -name meson.build \) 2>/dev/null | LC_ALL=C sort); \
if [ ! -f "$$dir/build.ninja" ] || [ "$$how" != "$$(cat "$$dir/.options" 2>/dev/null)" ]; then again=; \
elif [ "$$files" != "$$(cat "$$dir/.sources" 2>/dev/null)" ]; then again=--reconfigure; \
else again=no; fi; \
if [ "$$again" != no ]; then \
  [ -n "$$again" ] && rm -rf "$$dir/stage" || rm -rf "$$dir"; \
  mkdir -p "$$dir"; log="$$dir/setup.log"; \
  meson setup $$again "$$dir" --prefix='$2' $3 $(MESON_OPTIONS) >"$$log" 2>&1 || \
    { cat "$$log"; echo "make: meson could not configure $$dir"; exit 1; }; \
  sed -n -e 's/^Message: //p' -e '/WARNING/p' "$$log"; \
  printf '%s\n' "$$how" >"$$dir/.options"; printf '%s\n' "$$files" >"$$dir/.sources"; \
fi; \
if ! ninja -C "$$dir" -n $(or $4,product) | grep -q 'no work to do'; then \
  echo "compiling in $$dir"; \
  if [ -t 1 ]; then ninja -C "$$dir" $(or $4,product); \
  else ninja -C "$$dir" --quiet $(or $4,product); fi; \
fi
endef

stage = @meson install -C $1 --no-rebuild --only-changed --quiet

all: ## what is missing is installed, the program is built: ./abhost
	@$(SETUP)
	$(call build,build,$(CURDIR)/build/stage,--libdir=lib -Dbuildtype=release)
	$(call stage,build)
	@[ -e abhost ] || ln -sf build/stage/bin/abhost abhost

run: all ## a first run: an auto-encoder learns to reconstruct digits
	@./abhost run examples/digits-reconstruct.yaml

test: ## build, then all tests
	@$(SETUP) test
	@$(MAKE) all
	@ninja -C build --quiet meson-test-prereq
	@meson test -C build --no-rebuild --print-errorlogs

check-asan: ## all tests under the address and undefined-behaviour sanitizers
	@$(SETUP) test
	$(call build,build-asan,$(CURDIR)/build-asan/stage,--libdir=lib $(QUICK) -Db_sanitize=address$(comma)undefined -Db_lundef=false)
	$(call stage,build-asan)
	@ninja -C build-asan --quiet meson-test-prereq
	@$(SANITIZERS) meson test -C build-asan --no-rebuild --print-errorlogs --timeout-multiplier 5

# The thread sanitizer understands neither libgomp (so there is one OpenMP thread: tests/meson.build) nor
# GLib's locks, which the host has: it looks at the SDK.
check-tsan: ## the tests of the SDK under the thread sanitizer
	@$(SETUP) test
	$(call build,build-tsan,$(CURDIR)/build-tsan/stage,--libdir=lib $(QUICK) -Db_sanitize=thread -Db_lundef=false,sdk-tests)
	@TSAN_OPTIONS=halt_on_error=1:abort_on_error=1:allocator_may_return_null=1 \
	  meson test -C build-tsan --no-rebuild --print-errorlogs --timeout-multiplier 5 --suite sdk

install: ## into PREFIX (/usr/local), below DESTDIR if given
	@$(SETUP)
	$(call build,build-install,$(PREFIX),--libdir=lib -Dbuildtype=release)
	@DESTDIR='$(DESTDIR)' meson install -C build-install --no-rebuild --quiet
	@echo "installed: $(DESTDIR)$(PREFIX)/bin/abhost"

clean: ## remove all that was built
	rm -rf build build-asan build-tsan build-bench build-install abhost

help: ## this list
	@awk -F ':.*## ' 'NF == 2 && /^[a-z]/ { printf "  make %-12s%s\n", $$1, $$2 }' Makefile

comma := ,
