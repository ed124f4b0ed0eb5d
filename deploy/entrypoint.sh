#!/bin/sh
# The entry point of an image that stands in for the official one of distribution: a file is served, `sh` is a shell,
# anything else is an argument of `registry`, which is a link to registry-service.
set -e
if [ -f "$1" ]; then
  exec registry serve "$@"
elif [ "$1" = sh ]; then
  exec "$@"
fi
exec registry "$@"
