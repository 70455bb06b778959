# Sourced as a dyno starts: the slug's own Node, and how many processes fit into the dyno.
export PATH="/app/.heroku/node/bin:/app/node_modules/.bin:$PATH"
export NODE_HOME="/app/.heroku/node"
export NODE_ENV="${NODE_ENV:-production}"

if [ -z "${MEMORY_AVAILABLE:-}" ]; then
  for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    [ -r "$limit" ] || continue
    limit=$(cat "$limit")
    # Without a limit there is a word, or a number larger than any machine.
    case $limit in
    *[!0-9]* | '' | ???????????????*) ;;
    *)
      MEMORY_AVAILABLE=$((limit / 1048576))
      # Shared dynos are stopped at twice what they are meant to use.
      [ "$MEMORY_AVAILABLE" -gt 2048 ] || MEMORY_AVAILABLE=$((MEMORY_AVAILABLE / 2))
      ;;
    esac
    break
  done
  unset limit
fi
export MEMORY_AVAILABLE="${MEMORY_AVAILABLE:-512}"
export WEB_MEMORY="${WEB_MEMORY:-512}"
if [ -z "${WEB_CONCURRENCY:-}" ]; then
  WEB_CONCURRENCY=$((MEMORY_AVAILABLE / WEB_MEMORY))
  [ "$WEB_CONCURRENCY" -ge 1 ] || WEB_CONCURRENCY=1
fi
export WEB_CONCURRENCY
