//! Ranges of blobs (end-2 with `Range`; RFC 9110, section 14).

use harness::api::Answer;
use harness::{Result, Suite, ensure};
use http::Method;

use super::target::{Target, error_code, noise};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "range",
        [open, open_sha512, tokens],
        a_range_inside_a_blob_is_206_with_exactly_those_bytes,
        an_open_range_goes_to_the_end,
        a_suffix_range_is_the_end_of_the_blob,
        a_range_past_the_end_is_cut_to_the_blob,
        a_range_that_ends_before_it_begins_is_416,
        a_range_wholly_past_the_end_is_416,
    );
    checks!(
        suite,
        "range",
        [open, tokens],
        a_suffix_longer_than_the_blob_is_the_whole_blob,
        a_suffix_of_nothing_is_416,
        any_range_of_an_empty_blob_is_416,
        an_unknown_unit_gives_the_whole_blob,
        several_ranges_give_the_whole_blob_or_all_of_them,
        if_range_with_another_entity_tag_gives_the_whole_blob,
        if_range_with_the_right_entity_tag_gives_the_range,
        blobs_say_that_they_accept_ranges,
        a_malformed_range_is_never_a_server_error,
    );
}

const LENGTH: usize = 2048;

struct Blob {
    path: String,
    bytes: Vec<u8>,
}

impl Blob {
    fn push(target: &Target) -> Result<Self> {
        let (name, bytes) = (target.repository(), noise(LENGTH));
        let digest = target.push(&name, &bytes)?;
        Ok(Self {
            path: format!("/v2/{name}/blobs/{digest}"),
            bytes,
        })
    }

    fn get(&self, target: &Target, range: &str) -> Result<Answer> {
        target.send(Method::GET, &self.path, &[("range", range)], &[])
    }

    /// That this range is answered with the bytes from `start` up to, not including, `end`.
    fn partial(&self, target: &Target, range: &str, start: usize, end: usize) -> Result<()> {
        let answer = self.get(target, range)?.expect(206)?;
        let wanted = format!("bytes {start}-{}/{LENGTH}", end - 1);
        ensure!(
            answer.header("content-range")? == wanted,
            "should have been {wanted}: {answer}"
        );
        ensure!(
            answer.header("content-length")? == (end - start).to_string(),
            "wrong length: {answer}"
        );
        ensure!(answer.body == self.bytes[start..end], "other bytes: {answer}");
        Ok(())
    }
}

fn not_satisfiable(answer: Answer, length: usize) -> Result<()> {
    let answer = answer.expect(416)?;
    ensure!(
        answer.header("content-range")? == format!("bytes */{length}"),
        "wrong length: {answer}"
    );
    error_code(&answer).map(drop)
}

fn whole(answer: Answer, bytes: &[u8]) -> Result<()> {
    let answer = answer.expect(200)?;
    ensure!(
        answer.header("content-length")? == bytes.len().to_string(),
        "wrong length: {answer}"
    );
    ensure!(answer.body == bytes, "other bytes: {answer}");
    Ok(())
}

fn a_range_inside_a_blob_is_206_with_exactly_those_bytes(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    blob.partial(target, "bytes=500-1499", 500, 1500)?;
    blob.partial(target, "bytes=0-0", 0, 1)?;
    blob.partial(target, "bytes=0-2047", 0, LENGTH)
}

fn an_open_range_goes_to_the_end(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    blob.partial(target, "bytes=500-", 500, LENGTH)?;
    blob.partial(target, "bytes=2047-", 2047, LENGTH)
}

fn a_suffix_range_is_the_end_of_the_blob(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    blob.partial(target, "bytes=-500", LENGTH - 500, LENGTH)
}

fn a_range_past_the_end_is_cut_to_the_blob(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    blob.partial(target, "bytes=2000-5000", 2000, LENGTH)
}

fn a_range_that_ends_before_it_begins_is_416(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    not_satisfiable(blob.get(target, "bytes=500-0")?, LENGTH)
}

fn a_range_wholly_past_the_end_is_416(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    not_satisfiable(blob.get(target, "bytes=5000-10000")?, LENGTH)?;
    not_satisfiable(blob.get(target, "bytes=2048-")?, LENGTH)
}

fn a_suffix_longer_than_the_blob_is_the_whole_blob(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    blob.partial(target, "bytes=-99999", 0, LENGTH)
}

fn a_suffix_of_nothing_is_416(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    not_satisfiable(blob.get(target, "bytes=-0")?, LENGTH)
}

fn any_range_of_an_empty_blob_is_416(target: &Target) -> Result<()> {
    let name = target.repository();
    let digest = target.push(&name, b"")?;
    let path = format!("/v2/{name}/blobs/{digest}");
    not_satisfiable(target.send(Method::GET, &path, &[("range", "bytes=0-")], &[])?, 0)
}

fn an_unknown_unit_gives_the_whole_blob(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    whole(blob.get(target, "lines=1-2")?, &blob.bytes)
}

fn several_ranges_give_the_whole_blob_or_all_of_them(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    let answer = blob.get(target, "bytes=0-1,100-101")?;
    if answer.status == 206 {
        ensure!(
            answer.header("content-type")?.starts_with("multipart/byteranges"),
            "one of two ranges: {answer}"
        );
        return Ok(());
    }
    whole(answer, &blob.bytes)
}

fn if_range_with_another_entity_tag_gives_the_whole_blob(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    let headers = [("range", "bytes=0-9"), ("if-range", "\"another\"")];
    whole(target.send(Method::GET, &blob.path, &headers, &[])?, &blob.bytes)
}

fn if_range_with_the_right_entity_tag_gives_the_range(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    let etag = target.head(&blob.path)?.expect(200)?.header("etag")?.to_owned();
    let headers = [("range", "bytes=0-9"), ("if-range", &*etag)];
    let answer = target.send(Method::GET, &blob.path, &headers, &[])?.expect(206)?;
    ensure!(answer.body == blob.bytes[..10], "other bytes: {answer}");
    Ok(())
}

fn blobs_say_that_they_accept_ranges(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    for answer in [target.head(&blob.path)?, target.get(&blob.path)?] {
        ensure!(answer.header("accept-ranges")? == "bytes", "no ranges: {answer}");
    }
    Ok(())
}

fn a_malformed_range_is_never_a_server_error(target: &Target) -> Result<()> {
    let blob = Blob::push(target)?;
    let ranges = [
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=1",
        "bytes = 1-2",
        "bytes=18446744073709551615-18446744073709551616",
        "bytes=99999999999999999999999999999999-",
        "bytes=-99999999999999999999999999999999",
        "bytes=0-99999999999999999999999999999999",
        "=0-1",
        "bytes=0-1,",
        "bytes=,",
    ];
    for range in ranges {
        let answer = blob.get(target, range)?;
        // RFC 9110, section 14.2: an invalid range is ignored or refused.
        ensure!([200, 206, 400, 416].contains(&answer.status), "{range}: {answer}");
    }
    Ok(())
}
