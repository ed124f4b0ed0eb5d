#!/bin/sh
# Puts a folder of deploy/backup.sh into a deployment that has nothing yet (`docker compose down --volumes` makes it so),
# and starts it.
# usage: deploy/restore.sh FOLDER, where compose.yaml and .env are
set -eu
[ $# = 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
for name in secrets.tar index.db content.tar; do
  [ -s "$1/$name" ] || { echo "$1/$name is missing" >&2; exit 1; }
done

echo "secrets" >&2
docker compose run --rm -T --no-deps --entrypoint tar setup -C /setup -xpf - < "$1/secrets.tar"
# Starts PostgreSQL, with the password that was just put back.
echo "the index" >&2
docker compose run --rm -T --entrypoint sh portolan -c 'cd /etc/portolan/index && cat > restore.db \
  && portolan restore restore.db --config index.yml && rm restore.db' < "$1/index.db" >&2
echo "content" >&2
docker compose run --rm -T --no-deps --entrypoint tar registry -C /var/lib/registry -xpf - < "$1/content.tar"
docker compose up --detach
