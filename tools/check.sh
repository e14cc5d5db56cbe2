#!/bin/sh
# Every check that needs no build. Runs all of them, then fails if one failed.
cd "$(dirname "$0")/.." || exit 1

failed=
check() {
  name=$1
  shift
  printf -- '-- %s\n' "$name"
  "$@" 2>&1 || failed="$failed '$name'"
}
formatted() {
  files=$(tools/cpp_files | xargs -0 clang-format-19 --dry-run -Werror 2>&1 | sed -n 's/:.*: error: .*//p' | uniq -c)
  if [ -n "$files" ]; then
    printf '%s\nplaces not formatted; "make format" does it\n' "$files"
    return 1
  fi
  tools/cpp_files | xargs -0 clang-format-19 --dry-run -Werror # and no other error, such as a missing program
}

export PYTHONDONTWRITEBYTECODE=1
check 'the checks themselves' python3 -m unittest discover -q -s tools/tests -p '*_test.py'
check 'layers and includes' python3 tools/check_layers.py
check 'one name in three trees' python3 tools/check_mirror.py
check 'doc labels' python3 tools/check_docs.py
check 'where the names of Tornado are' python3 tools/check_parity.py
check 'coroutine rules' python3 tools/lint_coroutines.py
check 'listings in the documents' python3 tools/check_snippets.py
check 'translations' python3 tools/check_translations.py
check 'formatting' formatted
check 'each header alone' python3 tools/check_headers.py

if [ -n "$failed" ]; then
  echo "check.sh: failed:$failed" >&2
  exit 1
fi
echo 'check.sh: all checks passed'
