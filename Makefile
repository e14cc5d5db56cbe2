# Shortcuts around the CMake presets. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help deps run test interop release asan tsan bench check format install clean

PREFIX ?= /usr/local

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

deps: ## install what the build needs (Debian packages)
	@tools/install-deps

run: deps ## build the tour and serve it at http://localhost:8888
	cmake --preset release
	cmake --build --preset release --target tour
	@echo "http://localhost:8888  (Ctrl-C stops)"
	build/release/bin/tour

release: deps ## build all programs but the tests with -O2 and ThinLTO
	cmake --preset release
	cmake --build --preset release --target coronado_programs

# The three test runs differ in nothing but the preset.
test: ## build and run all tests
asan: ## the same under AddressSanitizer and UndefinedBehaviorSanitizer
tsan: ## the tests with several threads under ThreadSanitizer
test: preset = debug
asan: preset = asan
tsan: preset = tsan
test asan tsan: deps
	cmake --preset $(preset)
	cmake --build --preset $(preset)
	ctest --preset $(preset)

interop: deps ## a table of curl, h2load, aiohttp, websockets, Node, nginx, OpenSSL with ours; Tornado's cases
	cmake --preset debug
	cmake --build --preset debug --target interop_server interop_client coronado-fetch cases_server arena_server socks5_proxy
	python3 -B tests/interop/peers_test.py build/debug/bin --all

bench: ## compare with nginx, Tornado and a bare epoll server
	@tools/install-deps --bench
	cmake --preset release
	cmake --build --preset release --target bench_server
	python3 bench/compare.py

check: ## layers, headers, mirror, docs, coroutine rules, formatting
	tools/check.sh

format: ## format every C++ file
	tools/cpp_files | xargs -0 clang-format-19 -i

install: deps ## install library, headers and CMake package under PREFIX (/usr/local)
	cmake --preset package
	cmake --build --preset package
	cmake --install build/package --prefix $(PREFIX)

clean: ## remove build/
	rm -rf build
