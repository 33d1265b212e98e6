# Thin names for `cargo xtask`; the work is in xtask/. `make` alone lists them.
PREFIX  ?= /usr/local
DESTDIR ?=

# rustup puts cargo here; a shell opened before rustup ran does not know it yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help build demo test check fix bench install uninstall setup need

help: ## list the targets
	@echo "weft: one fabric for every machine you own"
	@echo
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20
	@echo
	@echo "New here? make demo"

build: need ## build the weft binary (release)
	@cargo build --release --package weft && echo "built: target/release/weft"

demo: need ## install what is missing, start weft, boot a real VM, clean up
	@cargo xtask demo

test: need ## install what the tests need and run them all
	@cargo xtask test

check: need ## everything CI checks; writes nothing
	@cargo --locked xtask check

fix: need ## format, apply lint fixes, regenerate generated files
	@cargo xtask fix

bench: need ## measure weft beside its floors
	@cargo xtask bench

install: need ## install under PREFIX (default /usr/local) and DESTDIR
	@cargo xtask install --prefix "$(PREFIX)" --destdir "$(DESTDIR)"

uninstall: need ## remove what `make install` put there; state is kept
	@cargo xtask uninstall --prefix "$(PREFIX)" --destdir "$(DESTDIR)"

setup: need ## only install what demo and test need
	@cargo xtask setup

need:
	@command -v cargo >/dev/null 2>&1 || { \
	  if [ -n "$$SUDO_USER" ]; then \
	    echo "make: run this without sudo; it asks for sudo itself where it needs it." >&2; exit 1; fi; \
	  echo "make: Rust is not installed (no cargo in PATH or ~/.cargo/bin)." >&2; \
	  echo "Get it with this one command (see rustup.rs), then run make again:" >&2; \
	  echo "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y" >&2; \
	  exit 1; }
	@command -v cc >/dev/null 2>&1 || { \
	  echo "make: no C compiler (cc), which Rust needs to link programs." >&2; \
	  echo "On Debian or Ubuntu: sudo apt-get install -y build-essential" >&2; \
	  exit 1; }
	@[ -x "$${CARGO_TARGET_DIR:-target}/debug/xtask" ] || \
	  echo "building the task runner first; this takes about a minute ..."
