#!/bin/sh
# Install one hashed lock into .venv: with uv, or with pip where uv is not to be had. Run by make.
set -eu
lock=$1
python=.venv/bin/python

if ! [ -x .venv/bin/uv ]; then
    $python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/uv.txt 2> .venv/uv.log || true
fi
if .venv/bin/uv --version > /dev/null 2>&1; then
    # uv keeps downloads in the home directory; where there is none to write to, it does without.
    cache=${UV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}}
    mkdir -p "$cache" 2> /dev/null && [ -w "$cache" ] || export UV_NO_CACHE=1
    UV_LINK_MODE=copy .venv/bin/uv pip install --quiet --python $python --require-hashes -r "$lock" && exit 0
    echo "uv could not install $lock; trying pip." >&2
fi
$python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
