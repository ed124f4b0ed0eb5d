//! end-5: uploads in chunks, in order and out of order.

use harness::{Result, Suite, ensure};
use http::Method;

use super::target::{OCTETS, Target, error_code, noise, refused, refused_with_one_of, with_query};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "chunked_upload",
        [open, open_sha512, tokens],
        end_5_one_chunk_and_an_empty_put_store_a_blob,
        end_5_several_chunks_and_an_empty_put_store_a_blob,
        the_last_chunk_may_come_with_the_put,
        a_chunk_out_of_order_is_416_and_the_upload_goes_on,
        a_last_chunk_out_of_order_in_the_put_is_416_and_the_upload_goes_on,
    );
    checks!(
        suite,
        "chunked_upload",
        [open, tokens],
        a_chunk_sent_again_to_its_old_location_is_416_and_that_location_tells_the_status,
        every_location_of_a_session_names_the_same_session,
        a_content_range_that_is_none_is_refused_and_the_upload_goes_on,
        a_content_range_of_another_length_than_the_body_is_refused,
        a_chunk_without_a_content_range_is_appended,
    );
}

/// Sends the content in chunks of this size and gives the last location.
fn send_chunks(target: &Target, mut location: String, bytes: &[u8], size: usize) -> Result<String> {
    let mut start = 0;
    for chunk in bytes.chunks(size) {
        let answer = target.chunk(&location, start, chunk)?.expect(202)?;
        start += chunk.len();
        ensure!(
            answer.header("range")? == format!("0-{}", start - 1),
            "wrong range: {answer}"
        );
        answer.header("location")?.clone_into(&mut location);
    }
    Ok(location)
}

fn end_5_one_chunk_and_an_empty_put_store_a_blob(target: &Target) -> Result<()> {
    whole_upload(target, 512, 512)
}

fn end_5_several_chunks_and_an_empty_put_store_a_blob(target: &Target) -> Result<()> {
    whole_upload(target, 3 * 1024 - 5, 1024)
}

fn whole_upload(target: &Target, length: usize, size: usize) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(length));
    let location = send_chunks(target, target.begin(&name)?, &bytes, size)?;
    let digest = target.digest(&bytes);
    let answer = target.finish(&location, &digest, b"")?.expect(201)?;
    ensure!(
        answer.header("docker-content-digest")? == digest,
        "wrong digest: {answer}"
    );
    let got = target.get(answer.header("location")?)?.expect(200)?;
    ensure!(got.body == bytes, "other bytes at the location: {got}");
    target.holds(&name, &digest, &bytes)
}

fn the_last_chunk_may_come_with_the_put(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(3 * 1024 - 5));
    let location = send_chunks(target, target.begin(&name)?, &bytes[..2048], 1024)?;
    put_last(target, &location, 2048, &bytes[2048..], &target.digest(&bytes))?.expect(201)?;
    target.holds(&name, &target.digest(&bytes), &bytes)
}

fn put_last(
    target: &Target,
    location: &str,
    start: usize,
    chunk: &[u8],
    digest: &str,
) -> Result<harness::api::Answer> {
    let range = format!("{start}-{}", start + chunk.len() - 1);
    let path = with_query(location, &format!("digest={digest}"));
    target.send(Method::PUT, &path, &[OCTETS, ("content-range", &range)], chunk)
}

/// The location to go on with, after the status was held to this many bytes.
fn status(target: &Target, location: &str, length: usize) -> Result<String> {
    let answer = target.get(location)?.expect(204)?;
    let wanted = format!("0-{}", length.saturating_sub(1));
    ensure!(
        answer.header("range")? == wanted,
        "should have been {wanted}: {answer}"
    );
    Ok(answer.header("location")?.to_owned())
}

fn a_chunk_out_of_order_is_416_and_the_upload_goes_on(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(3 * 1024 - 5));
    let mut location = target.begin(&name)?;
    for start in (0..bytes.len()).step_by(1024) {
        let ahead = if start + 1024 < bytes.len() {
            start + 1024
        } else {
            0
        };
        let wrong = &bytes[ahead..(ahead + 1024).min(bytes.len())];
        let answer = target.chunk(&location, ahead, wrong)?.expect(416)?;
        error_code(&answer)?;
        location = status(target, &location, start)?;
        let right = &bytes[start..(start + 1024).min(bytes.len())];
        target
            .chunk(&location, start, right)?
            .expect(202)?
            .header("location")?
            .clone_into(&mut location);
    }
    target
        .finish(&location, &target.digest(&bytes), b"")?
        .expect(201)?;
    target.holds(&name, &target.digest(&bytes), &bytes)
}

fn a_last_chunk_out_of_order_in_the_put_is_416_and_the_upload_goes_on(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(3 * 1024 - 5));
    let digest = target.digest(&bytes);
    let location = send_chunks(target, target.begin(&name)?, &bytes[..1024], 1024)?;
    let answer = put_last(target, &location, 2048, &bytes[2048..], &digest)?.expect(416)?;
    error_code(&answer)?;
    let location = status(target, &location, 1024)?;
    let location = target
        .chunk(&location, 1024, &bytes[1024..2048])?
        .expect(202)?
        .header("location")?
        .to_owned();
    put_last(target, &location, 2048, &bytes[2048..], &digest)?.expect(201)?;
    target.holds(&name, &digest, &bytes)
}

fn a_chunk_sent_again_to_its_old_location_is_416_and_that_location_tells_the_status(
    target: &Target,
) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(300));
    let first = target.begin(&name)?;
    let second = target
        .chunk(&first, 0, &bytes[..100])?
        .expect(202)?
        .header("location")?
        .to_owned();
    target.chunk(&first, 0, &bytes[..100])?.expect(416)?;
    status(target, &first, 100)?;
    let third = target
        .chunk(&second, 100, &bytes[100..200])?
        .expect(202)?
        .header("location")?
        .to_owned();
    target.chunk(&second, 100, &bytes[100..200])?.expect(416)?;
    for old in [&first, &second, &third] {
        status(target, old, 200)?;
    }
    let answer = put_last(target, &third, 200, &bytes[200..], &target.digest(&bytes))?;
    answer.expect(201)?;
    target.holds(&name, &target.digest(&bytes), &bytes)
}

fn every_location_of_a_session_names_the_same_session(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(300));
    let first = target.begin(&name)?;
    target.chunk(&first, 0, &bytes[..100])?.expect(202)?;
    // The next chunk at the location of the POST: its place decides, not the age of the location.
    let location = target
        .chunk(&first, 100, &bytes[100..])?
        .expect(202)?
        .header("location")?
        .to_owned();
    target
        .finish(&location, &target.digest(&bytes), b"")?
        .expect(201)?;
    target.holds(&name, &target.digest(&bytes), &bytes)
}

fn a_content_range_that_is_none_is_refused_and_the_upload_goes_on(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(100));
    let location = target.begin(&name)?;
    for range in [
        "",
        "abc",
        "0",
        "0-",
        "-99",
        "99-0",
        "bytes 0-99/100/1",
        "0-99-",
        "0-18446744073709551616",
        "+0-99",
    ] {
        let answer = target.send(
            Method::PATCH,
            &location,
            &[OCTETS, ("content-range", range)],
            &bytes,
        )?;
        let codes = ["RANGE_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_INVALID"];
        refused_with_one_of(&answer, &[400, 416], &codes)?;
        status(target, &location, 0)?;
    }
    target
        .finish(&location, &target.digest(&bytes), &bytes)?
        .expect(201)?;
    target.holds(&name, &target.digest(&bytes), &bytes)
}

fn a_content_range_of_another_length_than_the_body_is_refused(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(100));
    let location = target.begin(&name)?;
    for range in ["0-98", "0-100"] {
        let answer = target.send(
            Method::PATCH,
            &location,
            &[OCTETS, ("content-range", range)],
            &bytes,
        )?;
        refused_with_one_of(
            &answer,
            &[400, 416],
            &["SIZE_INVALID", "RANGE_INVALID", "BLOB_UPLOAD_INVALID"],
        )?;
    }
    let answer = target.get(&location)?;
    if answer.status != 204 {
        refused(&answer, 404, "BLOB_UPLOAD_UNKNOWN")?;
    }
    Ok(())
}

fn a_chunk_without_a_content_range_is_appended(target: &Target) -> Result<()> {
    let (name, bytes) = (target.repository(), noise(300));
    let mut location = target.begin(&name)?;
    for chunk in bytes.chunks(100) {
        let answer = target
            .send(Method::PATCH, &location, &[OCTETS], chunk)?
            .expect(202)?;
        answer.header("location")?.clone_into(&mut location);
    }
    target
        .finish(&location, &target.digest(&bytes), b"")?
        .expect(201)?;
    target.holds(&name, &target.digest(&bytes), &bytes)
}
