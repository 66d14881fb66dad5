#!/usr/bin/env bash
# Makes .venv/bin/realms. Installs the system packages that building and running it lacks, never a daemon.
#   tools/setup.sh          what it takes to run
#   tools/setup.sh --tests  and what the tests need besides (tmux)
set -euo pipefail
cd "$(dirname "$0")/.."

with_tests=no
[ "${1:-}" = --tests ] && with_tests=yes

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else
    echo "setup: needs root to install packages: run it as root, or install by hand: $*" >&2
    exit 1
  fi
}

# install DEBIAN-NAMES -- FEDORA-NAMES
install() {
  local debian=() fedora=() side=debian word
  for word in "$@"; do
    if [ "$word" = -- ]; then side=fedora
    elif [ $side = debian ]; then debian+=("$word")
    else fedora+=("$word"); fi
  done
  if command -v apt-get >/dev/null; then
    echo "setup: installing ${debian[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${debian[@]}" >/dev/null
  elif command -v dnf >/dev/null; then
    echo "setup: installing ${fedora[*]}"
    as_root dnf install -y -q "${fedora[@]}"
  else
    echo "setup: no apt-get and no dnf here; install by hand what these Debian packages hold: ${debian[*]}" >&2
    exit 1
  fi
}

# A Python that can make an environment and compile against its own headers, 3.11 or newer.
usable() {
  "$1" - 2>/dev/null <<'PYTHON'
import pathlib, sys, sysconfig
import ensurepip, venv
assert sys.version_info >= (3, 11)
assert pathlib.Path(sysconfig.get_path("include"), "Python.h").exists()
PYTHON
}

# The system's own Python first: distributions build theirs with profile-guided optimisation, which halves start-up.
find_python() {
  local candidate
  for candidate in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && usable "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import sys; assert sys.version_info >= (3, 11)' 2>/dev/null; then
  if ! usable /usr/bin/python3; then
    if /usr/bin/python3 -c 'import sys; assert sys.version_info < (3, 11)' 2>/dev/null; then
      find_python >/dev/null || install python3.11 python3.11-venv python3.11-dev -- python3.11 python3.11-devel
    else
      install python3 python3-venv python3-dev -- python3 python3-devel
    fi
  fi
  python=$(find_python) || { echo "setup: no Python 3.11 or newer with venv and headers was found" >&2; exit 1; }
  rm -rf .venv
  "$python" -m venv .venv
fi

if ! command -v cc >/dev/null || ! command -v pkg-config >/dev/null || ! pkg-config --atleast-version=9.0.0 libvirt; then
  install gcc libc6-dev pkg-config libvirt-dev -- gcc pkgconf-pkg-config libvirt-devel
fi
if ! command -v ssh >/dev/null; then install openssh-client -- openssh-clients; fi
if [ $with_tests = yes ] && ! command -v tmux >/dev/null; then install tmux -- tmux; fi

wanted=$(cat constraints.txt pyproject.toml tools/setup.sh | sha256sum)
if [ ! -x .venv/bin/realms ] || [ "$(cat .venv/installed 2>/dev/null)" != "$wanted" ]; then
  echo "setup: installing the Python packages of constraints.txt into .venv"
  pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@"; }
  # What builds the packages is pinned too, so nothing is built in isolation with whatever is newest.
  pip install --constraint constraints.txt setuptools wheel hatchling editables
  pip install --constraint constraints.txt --no-build-isolation --editable '.[dev]'
  .venv/bin/python -m compileall -q -j 0 .venv/lib core tui >/dev/null || true
  printf '%s' "$wanted" > .venv/installed
fi
