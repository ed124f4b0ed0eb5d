#!/bin/sh
# The crates that these packages are made of, as CycloneDX 1.5: names, versions, licences, package URLs, checksums.
# usage: deploy/sbom.sh PACKAGE…
set -eu
for package; do set -- "$@" --package "$package"; shift; done
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cargo tree --locked --quiet --edges normal --prefix none --no-dedupe --format '{p}|{l}' "$@" | sed 's/ (\*)//' | sort -u |
  awk -F'|' -v portolan="$version" '
    # The lock file says what each crate was verified by.
    FNR == NR {
      split($0, words, "\"")
      if ($0 ~ /^name = /) name = words[2]
      if ($0 ~ /^version = /) version = words[2]
      if ($0 ~ /^checksum = /) checksum[name version] = words[2]
      next
    }
    FNR == 1 {
      printf "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"metadata\":{\"component\":"
      printf "{\"type\":\"application\",\"name\":\"portolan\",\"version\":\"%s\"}},\"components\":[", portolan
    }
    $1 != "" {
      split($1, words, " ")
      version = words[2]; sub(/^v/, "", version)
      if (seen[words[1] version]++) next
      licence = $2; gsub(/\//, " OR ", licence)
      printf "%s\n{\"type\":\"library\",\"name\":\"%s\",\"version\":\"%s\",\"purl\":\"pkg:cargo/%s@%s\"", comma, words[1], version, words[1], version
      if (licence != "") printf ",\"licenses\":[{\"expression\":\"%s\"}]", licence
      if (words[1] version in checksum) printf ",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"%s\"}]", checksum[words[1] version]
      printf "}"
      comma = ","
    }
    END { print "\n]}" }' Cargo.lock -
