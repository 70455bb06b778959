# npm's own downloads are kept from build to build; what they make is made anew each time,
# so that a build never depends on the one before.

install_dependencies() {
  export npm_config_cache=$cache_dir/npm npm_config_update_notifier=false
  export npm_config_fund=false npm_config_audit=false
  rm -rf node_modules
  if has_nothing_to_install; then
    echo 'There are no dependencies' | detail
    return
  fi
  # Development dependencies build the app, and are pruned after it.
  if [ -f package-lock.json ] || [ -f npm-shrinkwrap.json ]; then
    echo 'Installing node modules (package-lock.json)' | detail
    run npm ci --include=dev ||
      fail 'npm ci failed. Where package-lock.json does not fit package.json, run npm install' \
        'and commit the changed lock file.'
  else
    echo 'Installing node modules (package.json)' | detail
    run npm install --include=dev --no-package-lock || fail 'npm install failed.'
  fi
}

# Neither dependencies of any kind, nor scripts that npm runs while it installs.
has_nothing_to_install() {
  [ ! -f package-lock.json ] && [ ! -f npm-shrinkwrap.json ] &&
    jq -e '([.dependencies, .devDependencies, .optionalDependencies, .peerDependencies,
             .workspaces] | map(. // {} | length) | add) == 0
           and (.scripts // {} | keys
             | all(test("^(pre|post)?(install|prepare)$|^prepublish$") | not))' \
      package.json >/dev/null
}

prune_dependencies() {
  if [ "${NPM_CONFIG_PRODUCTION:-}" = false ] || [ "${NODE_ENV:-production}" != production ]; then
    echo 'Skipping: the environment asks for them' | detail
  elif [ ! -d node_modules ]; then
    echo 'There are no dependencies' | detail
  elif [ -f package-lock.json ] || [ -f npm-shrinkwrap.json ]; then
    run npm prune --omit=dev --ignore-scripts || fail 'npm prune failed.'
  else
    run npm prune --omit=dev --ignore-scripts --no-package-lock || fail 'npm prune failed.'
  fi
}

has_script() { [ "$(jq -r --arg name "$1" '.scripts[$name]? // empty' package.json)" ]; }

run_script() {
  has_script "$1" || return 0
  echo "Running $1" | detail
  run npm run "$1" --if-present || fail "The script $1 of package.json failed."
}

run() { "$@" 2>&1 </dev/null | detail; }
