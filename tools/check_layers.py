#!/usr/bin/env python3
"""Fail when a file includes something its layer may not see, or grows beyond its limit. Reads only #include lines.

    tools/check_layers.py [root]
"""
import fnmatch
import pathlib
import re
import sys

# Layer -> the layers it may include besides itself, in reading order. Nobody sees testing.
MAY_SEE = {
    "base": "",
    "coro": "base",
    "loop": "base coro",
    "net": "base coro loop",
    "http": "base coro loop net",
    "web": "base coro loop net http",
    "db": "base coro loop net",
    "ops": "base coro loop net http web",
    "testing": "base coro loop net http web ops",
}

# Third-party or kernel header -> the files that may include it. The first prefix that fits counts.
OWNERS = {
    "openssl/": "src/base/crypto.cpp src/net/tls_openssl* src/web/auth/jwt_key.cpp src/testing/test_certificates.cpp",
    "argon2.h": "src/web/auth/password.cpp",
    "idn2.h": "src/http/idna.cpp",
    "nghttp2/": "src/http/http2_*",
    "zlib.h": "src/http/compress_deflate.cpp",
    "brotli/": "src/http/compress_brotli.cpp",
    "zstd.h": "src/http/compress_zstd.cpp",
    "ares.h": "src/net/resolver*",
    "re2/": "src/*regex*",
    "boost/describe": "include/coronado/base/describe.hpp",
    "boost/mp11": "include/coronado/base/describe.hpp",  # the loops over what Describe lists
    "boost/json": "src/base/json*",
    "boost/url": "src/*/url*",
    "simdjson": "src/base/json* src/base/escape.cpp",
    "fmt/": "src/*.cpp",
    "spdlog/": "src/ops/logging*",
    "CLI/": "src/ops/options.cpp",
    "toml++/": "src/ops/options.cpp",
    "sys/epoll.h": "src/loop/epoll_*",
    "linux/io_uring.h": "src/loop/uring_*",
    "linux/tls.h": "src/loop/kernel_tls.cpp src/net/tls_openssl_kernel.cpp",
    "liburing": "src/loop/uring_*",
    "libpq-fe.h": "src/db/postgres*",
    "hiredis": "src/db/redis*",
    "sqlite3.h": "src/db/sqlite*",
    "curl/": "src/http/curl_*",
    "gtest/": "include/coronado/testing/* src/testing/*",
    "gmock/": "include/coronado/testing/* src/testing/*",
}

# Too heavy for everyone who would include a public header.
HEAVY = {"regex", "iostream", "fstream", "sstream", "filesystem", "thread", "future", "ranges"}

COMPILER = re.compile(r"(\w*mmintrin|immintrin|arm_neon|cxxabi)\.h$")  # intrinsics, demangling: no system calls
SYSTEM = re.compile(r"(sys|net|netinet|arpa|linux|asm)/|\w+\.h$")  # used with match: no other folder fits
SYSTEM_FREE = {  # layer -> its only files with system calls
    "base": "src/base/crypto.cpp src/base/log.cpp",
    "coro": "",
}

LINE_LIMIT = {"include": 500, "src": 900}
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)')


def fits(path, globs):
    return any(fnmatch.fnmatch(path, glob) for glob in globs.split())


def check_own(name, layer):
    """Why a file of `layer` may not include our own header `name` ("net/socket.hpp"), or None. No layer: an umbrella."""
    other = name.split("/")[0] if "/" in name else None
    if layer is None:
        return None
    if other is None:
        return None if name == "fwd.hpp" else "umbrellas are for applications"
    if other not in MAY_SEE:
        return f"no such layer: {other}"
    if other != layer and other not in MAY_SEE[layer].split():
        return f"{layer} may not see {other}"
    return None


def check_foreign(name, path, layer, public):
    """Why the file at `path` may not include the foreign header `name`, or None."""
    for prefix, owners in OWNERS.items():
        if name.startswith(prefix):
            return None if fits(path, owners) else f"belongs in {owners}"
    if public and name in HEAVY:
        return "too heavy for a public header"
    if COMPILER.match(name):
        return "no compiler header in a public header" if public else None
    if SYSTEM.match(name):
        if public:
            return "no system header in a public header"
        if layer in SYSTEM_FREE and not fits(path, SYSTEM_FREE[layer]):
            return f"{layer} makes no system calls" + (f" but in {SYSTEM_FREE[layer]}" if SYSTEM_FREE[layer] else "")
        return None
    if "/" in name:
        return "unknown library: give it one owner in tools/check_layers.py"
    return None


def check_file(path, text):
    """All complaints about one file; `path` is relative to the root, with slashes."""
    parts = path.split("/")
    public = parts[0] == "include"
    folders = parts[2:-1] if public else parts[1:-1]
    layer = folders[0] if folders else None
    if layer is not None and layer not in MAY_SEE:
        return [f"{path}:1: no such layer: {layer}"]
    lines = text.splitlines()
    bad = []
    limit = LINE_LIMIT[parts[0]]
    if len(lines) > limit:
        bad.append(f"{path}:{limit + 1}: {len(lines)} lines, at most {limit}")
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quote, name = found.groups()
        if name.startswith("coronado/"):
            why = check_own(name.removeprefix("coronado/"), layer)
        elif quote == '"' and public:
            why = "public headers include public headers only"
        elif quote == '"':
            why = check_own(name, layer) if "/" in name and ".." not in name else "write the full path"
        else:
            why = check_foreign(name, path, layer, public)
        if why:
            bad.append(f"{path}:{number}: {name}: {why}")
    return bad


def main(root):
    bad = []
    files = sorted(path for top in LINE_LIMIT for path in (root / top).rglob("*.[ch]pp"))
    for path in files:
        bad += check_file(path.relative_to(root).as_posix(), path.read_text())
    print("\n".join(bad) or f"{len(files)} files ok")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
