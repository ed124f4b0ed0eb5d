#!/bin/sh
# Everything that a deployment by compose.yaml keeps, into a new folder, while it runs: secrets.tar (secrets,
# configuration, certificate), index.db (what the index knows), content.tar. Whoever has the folder has everything.
# usage: deploy/backup.sh FOLDER, where compose.yaml and .env are
set -eu
[ $# = 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
umask 077
mkdir "$1"
run() { docker compose run --rm -T --no-deps "$@" </dev/null; }

echo "the index" >&2
run --entrypoint sh portolan -c 'cd /etc/portolan/index && rm -f backup.db \
  && portolan backup backup.db --config index.yml >&2 && cat backup.db && rm backup.db' > "$1/index.db"
echo "secrets" >&2
run --entrypoint tar setup -C /setup -cf - authority front index registry postgres tls > "$1/secrets.tar"
# Last, so that all is there that the index names. What is pushed meanwhile may be in it or not: tar says so with 1.
echo "content" >&2
run --entrypoint tar registry -C /var/lib/registry -cf - . > "$1/content.tar" || [ $? = 1 ]
sync -f "$1" 2>/dev/null || sync
echo "$1 is complete" >&2
