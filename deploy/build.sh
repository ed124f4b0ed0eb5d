#!/bin/sh
# What deploy/Dockerfile runs in its build stage: `dependencies`, compiled before our sources are there, then `binaries`,
# which lie in /out in the end, laid out as the images have them, with what they are made of (CycloneDX).
# PROFILE is cargo's. TARGETARCH, as engines name it, may be another than the builder's.
set -eu
packages="index-service registry-service portolan"

case $PROFILE in
  dev) folder=target/debug ;;
  *) folder=target/$PROFILE ;;
esac
# Paths of the builder tell nothing in a binary; neither do those of the libraries in C.
RUSTFLAGS="--remap-path-prefix=/src=. --remap-path-prefix=${CARGO_HOME:-/usr/local/cargo}=cargo"
export CFLAGS="-ffile-prefix-map=/src=. -ffile-prefix-map=${CARGO_HOME:-/usr/local/cargo}=cargo"
# A megabyte of addresses in a thirtieth of it, since glibc 2.36 (Debian 12). And no names of functions.
export RUSTFLAGS="$RUSTFLAGS -C link-arg=-Wl,-z,pack-relative-relocs -C strip=symbols"

# Functions that came out alike are one, where the linker can: Rust brings one that does for this platform.
case ${TARGETARCH:-$(uname -m)} in
  amd64 | x86_64) RUSTFLAGS="$RUSTFLAGS -C link-arg=-Wl,--icf=all" ;;
esac

case ${TARGETARCH:-native} in
  native) triple= ;;
  amd64) triple=x86_64-unknown-linux-gnu gnu=x86-64-linux-gnu ;;
  arm64) triple=aarch64-unknown-linux-gnu gnu=aarch64-linux-gnu ;;
  *) echo "no target is known for $TARGETARCH" >&2; exit 1 ;;
esac
[ "$triple" != "$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')" ] || triple=
[ -z "$triple" ] || folder=target/$triple${folder#target}

# The linker and the standard library of another platform, where the builder lacks them.
cross() {
  [ -n "$triple" ] || return 0
  if ! command -v "$gnu-gcc" >/dev/null; then
    apt-get update --quiet
    apt-get install --quiet --yes --no-install-recommends "gcc-$gnu" "libc6-dev-$TARGETARCH-cross"
  fi
  [ -d "$(rustc --print sysroot)/lib/rustlib/$triple/lib" ] || rustup target add "$triple"
}

build() {
  for package in $packages; do set -- "$@" --package "$package" --bin "$package"; done
  if [ -n "$triple" ]; then
    linker=$(echo "CARGO_TARGET_${triple}_LINKER" | tr 'a-z-' 'A-Z_')
    export "$linker=$gnu-gcc"
    set -- "$@" --target "$triple"
  fi
  cargo build --locked --profile "$PROFILE" "$@"
}

# What every image has, and each of the three besides; dated alike.
lay_out() {
  mkdir -p /out && cd /out
  mkdir -p every/etc/ssl/certs every/usr/share/doc/portolan registry/etc/docker/registry
  mkdir -p state/registry/registry state/portolan && mkdir -m 700 state/portolan/portolan
  for pair in index-service:index registry-service:registry portolan:portolan; do
    binary=/made/${pair%:*} bin=${pair#*:}/usr/local/bin
    mkdir -p "$bin"
    [ ! -e "$binary" ] || cp "$binary" "$bin/"
  done
  # No shell, no home.
  (cat /accounts/passwd; echo 'portolan:x:10001:10001::/nonexistent:/bin/false') > every/etc/passwd
  (cat /accounts/group; echo 'portolan:x:10001:') > every/etc/group
  cp /etc/ssl/certs/ca-certificates.crt every/etc/ssl/certs/
  cp /made/sbom.json every/usr/share/doc/portolan/sbom.cdx.json
  ln -s registry-service registry/usr/local/bin/registry
  ln -s registry-service registry/usr/local/bin/htpasswd
  cp /src/deploy/entrypoint.sh registry/ && chmod 755 registry/entrypoint.sh
  cp /src/deploy/registry/config.yml registry/etc/docker/registry/
  find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

case $1 in
dependencies)
  [ ! -e prebuilt/registry-service ] || exit 0
  cross
  # A workspace of empty crates.
  for manifest in $(find . -name Cargo.toml -not -path './vendor/*' -not -path './.cargo/*' -not -path './prebuilt/*'); do
    root=$(dirname "$manifest")
    sed -n 's/^ *path = "\(.*\.rs\)"/\1/p' "$manifest" | while read -r source; do
      mkdir -p "$root/$(dirname "$source")"
      echo 'fn main() {}' > "$root/$source"
    done
    mkdir -p "$root/src"
    for source in main lib; do
      [ -e "$root/src/$source.rs" ] || echo 'fn main() {}' > "$root/src/$source.rs"
    done
  done
  build
  # What is compiled of ours is of empty sources.
  set -- --package shared --package index-service --package registry-service --package portolan
  cargo clean --locked --profile "$PROFILE" ${triple:+--target "$triple"} "$@"
  rm -r shared/src index-service/src registry-service/src src
  ;;
binaries)
  mkdir -p /made
  if [ -e prebuilt/registry-service ]; then
    rm prebuilt/Cargo.toml
    cp prebuilt/* /made/
    [ -e /made/sbom.json ] || echo '{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[]}' > /made/sbom.json
  else
    build
    for package in $packages; do cp "$folder/$package" /made/; done
    sh deploy/sbom.sh $packages > /made/sbom.json
  fi
  lay_out
  ;;
esac
