#!/bin/sh
# Starts a program as a part of a sandbox's node: enters its control groups, leaves its process id, and becomes it.
# The process does both itself, so that it is known even when whoever started it is killed in the same moment; and it
# ends here when the groups have been removed meanwhile.
# Usage: enter.sh PIDFILE GROUP... -- PROGRAM ARGUMENT...
set -eu
pidfile=$1
shift
while [ "$1" != -- ]; do
  echo $$ >"$1/cgroup.procs"
  shift
done
shift
echo $$ >"$pidfile.new"
mv "$pidfile.new" "$pidfile"
exec "$@"
