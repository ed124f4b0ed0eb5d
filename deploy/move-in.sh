#!/bin/sh
# Moves what `portolan up` kept in its data folder into a deployment by compose.yaml that has nothing yet, and starts it. Stop
# that server first; its folder stays as it is. Run it as who may read the folder. A master key is named as for `portolan up`,
# by PORTOLAN_MASTER_KEY_FILE.
# usage: deploy/move-in.sh DATA-FOLDER, where compose.yaml and .env are
set -eu
[ $# = 1 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
from=$(cd "$1" && pwd)
if ! [ -f "$from/index.db" ] || ! [ -d "$from/registry" ]; then
  echo "$from is no data folder of portolan up: it holds no index.db and registry/" >&2
  exit 1
fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# A copy that the service's user may read, with what the log of SQLite still holds.
cp "$from"/index.db* "$copy/" && chmod 755 "$copy" && chmod 644 "$copy"/*

index() { docker compose run --rm -T --volume "$copy:/from" --entrypoint sh portolan -c "$1" >&2; }
echo "the index" >&2
# SQLite writes beside a file that it reads.
index 'cp /from/index.db* /tmp/ && portolan db copy --from sqlite:///tmp/index.db --to @/etc/portolan/index/database'
if [ -n "${PORTOLAN_MASTER_KEY_FILE:-}" ]; then
  cp "$PORTOLAN_MASTER_KEY_FILE" "$copy/master-key" && chmod 644 "$copy/master-key"
  index 'cat /from/master-key > /etc/portolan/index/master-key'
else
  index 'portolan keys encrypt --config /etc/portolan/index/index.yml --new-master-key-file /etc/portolan/index/master-key'
fi

TOTAL=$(du -sk --apparent-size "$from/registry" | cut -f1)
export TOTAL
# Called by tar every 200 records of 10 KiB.
SHOW='done=$((TAR_CHECKPOINT * 1000 / (TOTAL + 1))); [ $done -le 100 ] || done=100
  bar=$(printf "%*s" $((done * 3 / 10)) "" | tr " " "#"); printf "\r%-30s %3d %%" "$bar" $done >&2'
[ -t 2 ] || SHOW=:
echo "content, $((TOTAL / 1024)) MiB" >&2
tar -C "$from/registry" --checkpoint=200 --checkpoint-action="exec=$SHOW" -cf - . |
  docker compose run --rm -T --no-deps --entrypoint tar registry -C /var/lib/registry -xf -
[ ! -t 2 ] || printf '\r%-30s 100 %%\n' '##############################' >&2
docker compose up --detach
