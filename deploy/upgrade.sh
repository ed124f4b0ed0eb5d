#!/bin/sh
# Replaces the containers of index and registry by those of the images that `docker compose build` made, or that
# PORTOLAN_VERSION names by now, while clients work: one after the other, the indexes first, each when another one of the
# new version is healthy. PostgreSQL, nginx and the numbers of replicas stay as they are. Cut off, it may be run again.
# usage: deploy/upgrade.sh, where compose.yaml and .env are
set -eu
[ $# = 0 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
image_of() { docker inspect --format '{{.Image}}' "$1"; }
front_conf() { docker compose exec -T front sha256sum /etc/portolan/front/nginx.conf </dev/null; }

before=$(front_conf)
echo "the setup: what this version writes into configurations" >&2
docker compose run --rm -T --no-deps setup </dev/null >/dev/null
for service in index registry; do
  name=$(docker compose config | awk -v service="  $service:" '$0 == service { on = 1 } on && $1 == "image:" { print $2; exit }')
  wanted=$(docker image inspect --format '{{.Id}}' "$name")
  all=$(docker compose ps --quiet "$service")
  old=
  for container in $all; do
    [ "$(image_of "$container")" = "$wanted" ] || old="$old $container"
  done
  count=$(echo "$all" | wc -w)
  for container in $old; do
    echo "$service: another one instead of $(echo "$container" | cut -c 1-12)" >&2
    docker compose up --detach --no-deps --no-recreate --no-build --wait --scale "$service=$((count + 1))" "$service"
    # Requests in flight have the time that compose.yaml gives them.
    docker stop "$container" >/dev/null
    docker rm "$container" >/dev/null
  done
done
if [ "$(front_conf)" != "$before" ]; then
  echo "front: nginx reads its configuration again" >&2
  docker compose exec -T front nginx -c /etc/portolan/front/nginx.conf -s reload </dev/null
fi
