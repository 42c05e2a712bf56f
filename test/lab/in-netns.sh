#!/bin/sh
# Runs a command in a network and a mount namespace of its own: loopback, no route that leads out, a /run/netns
# of its own. Everything the lab makes is in there, and vanishes with the last process in it.
#   test/lab/in-netns.sh node_modules/.bin/bun --bun node_modules/.bin/vitest run test/lab
set -eu
[ "$(id -u)" = 0 ] || { echo "$0: the lab needs root" >&2; exit 1; }
exec unshare --net --mount --propagation private sh -c '
  mkdir -p /run/netns
  mount -t tmpfs tmpfs /run/netns
  ip link set dev lo up
  exec "$@"
' sh "$@"
