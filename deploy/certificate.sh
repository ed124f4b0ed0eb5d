#!/bin/sh
# Puts a certificate in the place of the one that the front door serves; it counts at the next handshake.
# usage: deploy/certificate.sh FOLDER [CHAIN KEY], FOLDER being PORTOLAN_TLS, the others PEM files.
# certbot says by itself where they are: --deploy-hook 'deploy/certificate.sh /etc/portolan-tls'
set -eu
if [ $# = 1 ] && [ -n "${RENEWED_LINEAGE:-}" ]; then
  set -- "$1" "$RENEWED_LINEAGE/fullchain.pem" "$RENEWED_LINEAGE/privkey.pem"
fi
[ $# = 3 ] && [ -d "$1" ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
# 101 is nginx in its container.
umask 077
cp "$2" "$1/tls.crt.new"
cp "$3" "$1/tls.key.new"
chgrp 101 "$1/tls.key.new"
chmod 640 "$1/tls.key.new"
chmod 644 "$1/tls.crt.new"
# Between the two a handshake may fail; by renaming that is as short as it can be.
mv -f "$1/tls.key.new" "$1/tls.key"
mv -f "$1/tls.crt.new" "$1/tls.crt"
