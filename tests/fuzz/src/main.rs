//! The fuzzer: libFuzzer on the target that `PORTOLAN_FUZZ_TARGET` names. Started by `.ci/fuzz`.
#![no_main]
#![allow(
    unsafe_code,
    reason = "libFuzzer's entry point is a C symbol, made by its macro"
)]

use std::sync::OnceLock;

use fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

#[expect(clippy::disallowed_methods, reason = "main reads the environment")]
fn chosen() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var("PORTOLAN_FUZZ_TARGET").unwrap_or_default();
        let target = fuzz::TARGETS.iter().find(|target| target.name == name);
        target.unwrap_or_else(|| panic!("PORTOLAN_FUZZ_TARGET names no target: {name:?}"))
    })
}

fuzz_target!(|data: &[u8]| (chosen().run)(data));
