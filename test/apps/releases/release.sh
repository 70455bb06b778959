# Ends as the config var says: well, if it says nothing.
echo "Migrating as $DYNO"
sleep "${RELEASE_SECONDS:-0}"
exit "${RELEASE_EXIT:-0}"
