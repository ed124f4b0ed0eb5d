//! Every input that was found worth keeping, and what is near those written by hand, without a fuzzer.

#![expect(clippy::unwrap_used, reason = "a corpus that cannot be read is a failure")]

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target};

/// The whole corpus, so that a clone stays small.
const LARGEST_CORPUS: u64 = 1 << 20;

fn corpus(target: &Target) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The input, and the same with each line repeated, cut off and damaged: a little of what a fuzzer does.
fn variants(input: &[u8]) -> Vec<Vec<u8>> {
    let mut variants = vec![input.to_vec(), Vec::new()];
    for at in [input.len() / 3, input.len() / 2, input.len().saturating_sub(1)] {
        variants.push(input[..at].to_vec());
        let mut damaged = input.to_vec();
        if let Some(byte) = damaged.get_mut(at) {
            *byte ^= 1;
        }
        variants.push(damaged);
    }
    variants.push([input, b"\n", input].concat());
    variants
}

#[test]
fn every_input_of_the_corpus_and_its_variants_keep_every_promise() {
    for target in &TARGETS {
        let inputs = corpus(target);
        assert!(inputs.len() >= 5, "{} has {} inputs", target.name, inputs.len());
        for path in inputs {
            let input = fs::read(&path).unwrap();
            // What a fuzzer has found is a variant already.
            let is_found = path.file_name().unwrap().to_string_lossy().starts_with("found-");
            let inputs = if is_found { vec![input] } else { variants(&input) };
            for (number, input) in inputs.iter().enumerate() {
                let run = catch_unwind(|| (target.run)(input));
                assert!(
                    run.is_ok(),
                    "{}: variant {number} of {}",
                    target.name,
                    path.display()
                );
            }
        }
    }
}

#[test]
fn the_corpus_is_small_and_every_target_has_a_dictionary() {
    let size = |path: PathBuf| fs::metadata(path).unwrap().len();
    let total: u64 = TARGETS.iter().flat_map(corpus).map(size).sum();
    assert!(total <= LARGEST_CORPUS, "{total} bytes");
    for target in &TARGETS {
        let dictionary = format!("{}/dictionary/{}.txt", env!("CARGO_MANIFEST_DIR"), target.name);
        assert!(Path::new(&dictionary).is_file(), "{dictionary}");
    }
}
