#!/bin/sh
# The crates that these packages are made of, as CycloneDX 1.5: names, versions, licences, package URLs.
# usage: deploy/sbom.sh PACKAGE…
set -eu
for package; do set -- "$@" --package "$package"; shift; done
cargo tree --locked --quiet --edges normal --prefix none --no-dedupe --format '{p}|{l}' "$@" | sed 's/ (\*)//' | sort -u |
  awk -F'|' '
    BEGIN { printf "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"components\":[" }
    $1 != "" {
      split($1, words, " ")
      version = words[2]; sub(/^v/, "", version)
      if (seen[words[1] version]++) next
      licence = $2; gsub(/\//, " OR ", licence)
      printf "%s\n{\"type\":\"library\",\"name\":\"%s\",\"version\":\"%s\",\"purl\":\"pkg:cargo/%s@%s\"", comma, words[1], version, words[1], version
      if (licence != "") printf ",\"licenses\":[{\"expression\":\"%s\"}]", licence
      printf "}"
      comma = ","
    }
    END { print "\n]}" }'
