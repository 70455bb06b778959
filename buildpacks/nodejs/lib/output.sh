header() { echo "-----> $*"; }
detail() { sed -u 's/^/       /'; }
warn() { printf ' !     %s\n' "$@"; }
fail() {
  warn "$@"
  exit 1
}
