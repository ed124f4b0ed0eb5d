# The same names by hand and in the gate.

# Format, lints, documentation.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Everything that this machine can run; says what it skipped and why.
test:
    cargo test --workspace

# One server on http://localhost:5000.
run:
    cargo run --release

# Pictures of every page, in both languages, light and dark, for a phone and a desktop, into `screenshots/`.
screenshots:
    PORTOLAN_SCREENSHOTS=screenshots cargo test -p portolan-tests --test journeys -- web::every_page_is_pictured

# One proof at full size: `just prove R1` (`just prove` lists them; `--control` must fail, `--seed N` repeats, `--short`).
prove *arguments:
    cargo run --quiet -p portolan-prove -- {{arguments}}

# The fuzz targets: `just fuzz 900 claims` (seconds, targets; needs a C++ compiler).
fuzz *arguments:
    .ci/fuzz {{arguments}}

# The benchmark against Debian's docker-registry (`--help` says more).
bench *arguments:
    cargo run --quiet --release -p portolan-bench -- {{arguments}}

# The whole gate, as on the build machine.
ci:
    .ci/run
