#!/bin/sh
# Runs a command in a network of its own: loopback, and an address for stacks that refuse 127.0.0.1. Nothing gets out.
# Only root can do that; for others the command runs as it is.
[ "$(id -u)" = 0 ] && command -v ip > /dev/null || exec "$@"
exec unshare --net sh -c '
    ip link set lo up
    ip link add bench0 type veth peer name bench1
    ip addr add 192.0.2.1/24 dev bench0
    ip link set bench0 up
    ip link set bench1 up
    exec "$@"' sh "$@"
