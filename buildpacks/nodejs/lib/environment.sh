# Config vars are at hand while dependencies are installed and the app is built, except for
# those that would lead the build itself astray.
export_config_vars() {
  local file name
  [ -d "$env_dir" ] || return 0
  for file in "$env_dir"/*; do
    [ -f "$file" ] || continue
    name=$(basename "$file")
    case $name in
    PATH | GIT_DIR | CPATH | CPPATH | LD_PRELOAD | LIBRARY_PATH | LANG | BUILD_DIR | HOME) ;;
    *) export "$name=$(cat "$file")" ;;
    esac
  done
  export NODE_ENV=${NODE_ENV:-production}
  export NODE_VERBOSE=${NODE_VERBOSE:-false}
}
