# shellcheck shell=bash
# Shared by the scripts beside it; sourced, not run.
#
# What stands here: the packages that each system needs, the choice of the compiler, and progress
# lines. Debian 12, Debian 13 and Ubuntu 24.04 are known; on anything else the scripts go on with
# what is installed and say so.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
logs="$root/build/logs"

say() { printf '\033[1m==\033[0m %s\n' "$*"; }
warn() { printf 'perdure: %s\n' "$*" >&2; }
fail() {
  warn "$*"
  exit 1
}
[ -t 1 ] || say() { printf '== %s\n' "$*"; }

# --- The system ---------------------------------------------------------------------------------

system_name() {
  # /etc/os-release is a shell file; a subshell keeps its variables away from ours.
  (
    . /etc/os-release 2>/dev/null || true
    case "${ID:-unknown}:${VERSION_CODENAME:-${VERSION_ID:-}}" in
      debian:bookworm | debian:12) echo debian12 ;;
      debian:trixie | debian:13) echo debian13 ;;
      ubuntu:noble | ubuntu:24.04) echo ubuntu24 ;;
      *) echo unknown ;;
    esac
  )
}

system="$(system_name)"

# packages demo|test|fuzz|tidy: what this system needs for it, one line.
packages() {
  local common="ca-certificates ccache cmake flatbuffers-compiler libcaf-dev libcli11-dev \
libcpp-httplib-dev libflatbuffers-dev liblmdb-dev libsqlite3-dev libssl-dev libxxhash-dev \
libzstd-dev ninja-build nlohmann-json3-dev pkg-config python3"
  local compiler checks
  case "$system" in
    # clang brings libstdc++ 12 along, which is fine. g++ 12 miscompiles coroutines: it is wanted
    # only by the test that it is refused.
    debian12)
      compiler="clang-19 libboost1.81-dev"
      checks="libclang-rt-19-dev clang-format-19 llvm-19 g++-12"
      ;;
    # Both compilers, because the compile-fail tests ask both.
    debian13)
      compiler="g++ libboost1.83-dev"
      checks="clang-19 libclang-rt-19-dev clang-format-19"
      ;;
    ubuntu24)
      compiler="g++-14 libboost1.83-dev"
      checks=""
      ;;
    *) return 0 ;;
  esac
  local tests="libcurl4-openssl-dev libgtest-dev"
  case "$1" in
    demo) echo $common $compiler ;;
    test) echo $common $compiler $checks $tests libbenchmark-dev ;;
    fuzz) echo $common $compiler $checks $tests clang-19 libclang-rt-19-dev ;;
    tidy) echo $common $compiler $checks $tests libbenchmark-dev clang-tidy-19 ;;
  esac
}

# install_packages demo|test|fuzz|tidy: installs what is missing; asks only dpkg where nothing is.
install_packages() {
  if [ "$system" = unknown ]; then
    say "This system is not one of Debian 12, Debian 13 or Ubuntu 24.04: using what is installed"
    return 0
  fi
  local package missing=()
  for package in $(packages "$1"); do
    case "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" in
      installed) ;;
      *) missing+=("$package") ;;
    esac
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "Packages: all installed"
    return 0
  fi
  say "Packages: installing ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      fail "packages are missing and there is no sudo; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
    # A password is asked for here: what runs in the background below can't ask.
    sudo -v || fail "sudo refused; as root: apt-get install ${missing[*]}"
  fi
  # One retry, because a mirror now and then drops a connection.
  local attempt
  for attempt in 1 2; do
    if logged packages "${as_root[@]}" apt-get -q update &&
      logged packages "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends "${missing[@]}"; then
      return 0
    fi
    [ "$attempt" -eq 2 ] || say "Packages: trying once more"
  done
  fail "apt could not install the packages above; its output is in $logs/packages.log"
}

# --- The compiler -------------------------------------------------------------------------------

# Sets and exports CC and CXX, unless the caller did.
choose_compiler() {
  if [ -n "${CXX:-}" ]; then
    say "Compiler: $CXX (from CXX)"
    return 0
  fi
  local pair
  local candidates="clang-19:clang++-19 gcc-14:g++-14 gcc:g++ clang:clang++"
  case "$system" in
    debian13) candidates="gcc-14:g++-14 clang-19:clang++-19" ;;
    ubuntu24) candidates="gcc-14:g++-14 clang-19:clang++-19 gcc-13:g++-13" ;;
  esac
  for pair in $candidates; do
    if command -v "${pair#*:}" >/dev/null; then
      export CC="${pair%:*}" CXX="${pair#*:}"
      say "Compiler: $("$CXX" --version | head -n 1)"
      return 0
    fi
  done
  fail "no C++ compiler found (looked for $candidates)"
}

# As many jobs as there are processors, and 1.5 GiB of memory for each.
jobs_wanted() {
  local processors memory
  processors="$(nproc)"
  memory="$(awk '/^MemAvailable/ { print int($2 / 1572864) }' /proc/meminfo)"
  [ "$memory" -ge 1 ] || memory=1
  [ "$processors" -le "$memory" ] && echo "$processors" || echo "$memory"
}

# --- Progress -----------------------------------------------------------------------------------

# logged NAME command...: runs it with its output in build/logs/NAME.log, shows that it is alive,
# and shows the end of the log if it fails.
logged() {
  local name="$1" log="$logs/$1.log" status=0 shown=""
  shift
  mkdir -p "$logs"
  : >"$log"
  # A process group of its own (set -m), so that an interrupt ends the whole build and not its head.
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  set +m
  local pid=$! waited=0 line
  trap 'kill -- "-$pid" 2>/dev/null || true; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    waited=$((waited + 1))
    # Every half second on a terminal, every 20 seconds in a log file.
    if [ -t 1 ] && [ $((waited % 3)) -eq 0 ]; then
      line="$(tail -n 1 "$log" | tr -cd '[:print:]' | cut -c "1-$((${COLUMNS:-100} - 4))")"
      printf '\r\033[K   %s' "$line"
      shown=yes
    elif [ ! -t 1 ] && [ $((waited % 100)) -eq 0 ]; then
      printf '   %s\n' "$(tail -n 1 "$log" | cut -c 1-100)"
    fi
  done
  wait "$pid" || status=$?
  trap - INT TERM
  [ -z "$shown" ] || printf '\r\033[K'
  if [ "$status" -ne 0 ]; then
    warn "$name failed (exit $status): $*"
    grep -v '^$' "$log" | tail -n "${PERDURE_LOG_LINES:-80}" >&2
    warn "the whole output is in $log"
  fi
  return "$status"
}

# phase NAME command...: times it for the table that print_phases shows.
phases=()
phase() {
  local name="$1" started status=0
  shift
  started="$(date +%s)"
  "$@" || status=$?
  phases+=("$(printf '%-34s %5d s  %s' "$name" "$(($(date +%s) - started))" \
    "$([ $status -eq 0 ] && echo ok || echo FAILED)")")
  return "$status"
}

print_phases() {
  local line
  say "Phases"
  for line in "${phases[@]}"; do printf '   %s\n' "$line"; done
}

# --- Building -----------------------------------------------------------------------------------

# configure PRESET [cmake argument...]
configure() {
  local preset="$1" cache="$root/build/$1/CMakeCache.txt" before
  shift
  # A build tree belongs to one compiler; CMake can't change it afterwards.
  if [ -f "$cache" ]; then
    before="$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$cache")"
    if [ "$(basename "$before")" != "$(basename "$CXX")" ]; then
      say "build/$preset was made with $before: starting it anew"
      rm -rf "$root/build/$preset"
    fi
  fi
  (cd "$root" && logged "configure-$preset" cmake --preset "$preset" "$@")
}

# build PRESET [target...]
build() {
  local preset="$1"
  shift
  (cd "$root" && logged "build-$preset" \
    cmake --build "build/$preset" -j "$(jobs_wanted)" ${1:+--target "$@"})
}
