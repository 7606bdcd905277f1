# shellcheck shell=bash
# dev/common.sh - what the scripts of this folder share. Sourced, never run.

TDA_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LLVM_MAJOR=22

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() {
  printf '%s: error: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# unknown_option WORD: the one answer to a flag that a script does not know.
unknown_option() {
  die "unknown option '$1'; see '$0 --help'"
}

# value_of FLAG [VALUE]: VALUE, or an error that names the flag.
value_of() {
  [ -n "${2:-}" ] || die "$1 needs a value; see '$0 --help'"
  printf '%s' "$2"
}

# build_dir PRESET: where CMakePresets.json puts that preset.
build_dir() {
  case $1 in
  default) printf '%s/build' "$TDA_ROOT" ;;
  *) printf '%s/build/%s' "$TDA_ROOT" "$1" ;;
  esac
}

# mlir_dir: MLIR_DIR if set, else where the packages of Debian and of
# apt.llvm.org put MLIR.
mlir_dir() {
  printf '%s' "${MLIR_DIR:-/usr/lib/llvm-$LLVM_MAJOR/lib/cmake/mlir}"
}

# check_mlir_dir: dies unless mlir_dir holds MLIR of the right version.
check_mlir_dir() {
  local dir config version
  dir=$(mlir_dir)
  config=$dir/MLIRConfig.cmake
  [ -f "$config" ] ||
    die "no MLIRConfig.cmake in '$dir'; run dev/setup, or point MLIR_DIR at" \
      "lib/cmake/mlir of an LLVM $LLVM_MAJOR build"
  version=$(sed -n 's/^set(LLVM_VERSION \([0-9.]*\)).*/\1/p' "$config")
  case $version in
  "$LLVM_MAJOR".*) ;;
  *) die "'$dir' holds MLIR ${version:-of unknown version};" \
    "tda needs $LLVM_MAJOR" ;;
  esac
}

# kernel_arch: what to compile for here: the architecture of the first GPU, or
# sm_90, which newer GPUs run too, where there is none or the target table has
# no row for it.
kernel_arch() {
  local capability
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader \
    2>/dev/null | head -n 1) || true
  case $capability in
  8.0 | 8.6 | 8.9) printf 'sm_%s' "${capability/./}" ;;
  *) printf sm_90 ;;
  esac
}
