//! Ranges, offsets and digests that do not fit, on uploads and downloads.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use harness::archive::digest;
use harness::process::wait_for;
use harness::{Journey, Need, Result, Suite, ensure};

use harness::bad_request::Request;
use harness::bad_request::{Ground, LAYER};

pub(super) fn add(suite: &mut Suite) {
    let needs = [Need::Portolan];
    suite.add(
        "bad_input::upload",
        "wrong_offsets_are_refused_and_the_session_stays_as_it_was",
        &needs,
        offsets,
    );
    suite.add(
        "bad_input::upload",
        "wrong_digests_are_refused_and_nothing_is_kept",
        &needs,
        digests,
    );
    suite.add(
        "bad_input::upload",
        "malformed_ranges_of_blobs_are_never_a_server_error",
        &needs,
        ranges,
    );
    suite.add(
        "bad_input::upload",
        "an_upload_cut_off_in_the_middle_leaves_the_session_usable",
        &needs,
        cut_off,
    );
    suite.add(
        "bad_input::upload",
        "one_chunk_sent_by_many_at_once_is_taken_once",
        &needs,
        many_at_once,
    );
    suite.add(
        "bad_input::upload",
        "an_upload_that_says_to_be_encoded_is_refused",
        &needs,
        encoded,
    );
}

fn offsets(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let location = ground.begin()?;
    let first = ground.send(
        Request::new("PATCH", &location)
            .header("Content-Range", "0-9")
            .body("0123456789"),
    )?;
    ensure!(first.status == 202, "should have been 202: {first}");
    let ranges = [
        ("0-9", 10),
        ("5-14", 10),
        ("9-18", 10),
        ("11-20", 10),
        ("10-18", 10),
        ("10-20", 10),
        ("10-9", 10),
        ("18446744073709551606-18446744073709551615", 10),
        ("99999999999999999999-100000000000000000008", 10),
        ("-10", 10),
        ("10-", 10),
        ("10", 10),
        ("x-y", 10),
        ("bytes 10-19/*x", 10),
        ("10-19, 20-29", 10),
        ("0x0a-0x13", 10),
        ("+10-+19", 10),
    ];
    for (range, length) in ranges {
        let body = "x".repeat(length);
        for method in ["PATCH", "PUT"] {
            let target = match method {
                "PUT" => format!(
                    "{location}&digest={}",
                    digest(format!("0123456789{body}").as_bytes())
                ),
                _ => location.clone(),
            };
            let reply = ground.send(
                Request::new(method, target)
                    .header("Content-Range", range)
                    .body(body.as_str()),
            )?;
            let codes = [
                "RANGE_INVALID",
                "SIZE_INVALID",
                "BLOB_UPLOAD_INVALID",
                "DIGEST_INVALID",
            ];
            reply
                .refuses(&[400, 416], &codes)
                .map_err(|error| error.context(format!("{method} {range}")))?;
            let status = ground.send(Request::new("GET", &location))?;
            let kept = status.status == 204 && status.header("range") == Some("0-9");
            ensure!(kept, "the session changed after {method} {range}: {status}");
        }
    }
    ground.cancel(&location)?;
    ground.is_unharmed()
}

fn digests(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let name = ground.repository();
    let wrong = digest(b"something else");
    let single = format!("/v2/{name}/blobs/uploads/?digest={wrong}");
    ground
        .send(Request::new("POST", single).body("content"))?
        .refuses(&[400], &["DIGEST_INVALID"])?;
    let location = ground.begin()?;
    let put = Request::new("PUT", format!("{location}&digest={wrong}")).body("content");
    ground.send(put)?.refuses(&[400], &["DIGEST_INVALID"])?;
    let location = ground.begin()?;
    ground.send(Request::new("PATCH", &location).body("content"))?;
    ground
        .send(Request::new("PUT", format!("{location}&digest={wrong}")))?
        .refuses(&[400], &["DIGEST_INVALID"])?;
    let manifest = Request::new("PUT", format!("/v2/{name}/manifests/{wrong}")).body(ground.good_manifest()?);
    let manifest = manifest.header("Content-Type", "application/vnd.oci.image.manifest.v1+json");
    ground.send(manifest)?.refuses(&[400], &["DIGEST_INVALID"])?;
    // Content that is there may not be overwritten under its digest either.
    let over = format!("/v2/{name}/blobs/uploads/?digest={}", ground.layer);
    ground
        .send(Request::new("POST", over).body("evil"))?
        .refuses(&[400], &["DIGEST_INVALID"])?;
    ground.is_unharmed()
}

fn ranges(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let target = format!("/v2/{}/blobs/{}", ground.repository(), ground.layer);
    let many = format!("bytes={}0-1", "0-1,".repeat(1000));
    let ranges = [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=x-y",
        "bytes=5-1",
        "bytes=-0",
        "bytes=100-",
        "bytes=1-2-3",
        "=1-2",
        "bytes=18446744073709551615-18446744073709551616",
        "bytes=-18446744073709551616",
        "bytes=0-0,0-0,0-0",
        "bytes=0-0, -1, 99999999999999999999-",
        "seconds=1-2",
        "bytes=0-\u{e9}",
        &many,
    ];
    for range in ranges {
        for method in ["GET", "HEAD"] {
            let reply = ground.send(Request::new(method, &target).header("Range", range))?;
            ensure!(
                [200, 206, 400, 416].contains(&reply.status),
                "{method} {range}: {reply}"
            );
            ensure!(
                reply.body.len() <= 10 * LAYER.len() + 1000,
                "{method} {range}: a large answer"
            );
        }
    }
    ground.is_unharmed()
}

/// A client that dies in the middle of a chunk: what came may be kept, the session goes on, nothing is visible.
fn cut_off(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let location = ground.begin()?;
    let request = Request::new("PATCH", &location)
        .bearer(&ground.token)
        .body(vec![b'x'; 100_000]);
    let bytes = request.bytes(ground.server.port(), "close");
    let mut stream = TcpStream::connect(("127.0.0.1", ground.server.port()))?;
    stream.write_all(&bytes[..bytes.len() - 50_000])?;
    stream.shutdown(Shutdown::Both)?;
    drop(stream);
    let status = ground.send(Request::new("GET", &location))?;
    ensure!(status.status == 204, "should have been 204: {status}");
    let range = status.header("range").unwrap_or_default();
    let last: usize = range
        .strip_prefix("0-")
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    ensure!(last < 50_000, "more than was sent: {status}");
    // The server learns of the end of the connection in its own time; until then the session is taken.
    wait_for("the session to be free again", Duration::from_secs(20), || {
        let reply = ground.send(Request::new("DELETE", &location))?;
        ensure!(
            [204, 409].contains(&reply.status),
            "should have been 204 or 409: {reply}"
        );
        Ok((reply.status == 204).then_some(()))
    })?;
    ground.is_unharmed()
}

fn encoded(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let name = ground.repository();
    for (method, target) in [
        (
            "POST",
            format!("/v2/{name}/blobs/uploads/?digest={}", digest(b"content")),
        ),
        ("PUT", format!("/v2/{name}/manifests/encoded")),
    ] {
        let request = Request::new(method, target)
            .header("Content-Encoding", "gzip")
            .body("content");
        let reply = ground.send(request)?;
        ensure!([400, 415].contains(&reply.status), "{method}: {reply}");
        reply.error_code()?;
    }
    ground.is_unharmed()
}

fn many_at_once(journey: &Journey) -> Result<()> {
    const LENGTH: usize = 1 << 20;
    let ground = Ground::prepare(journey)?;
    let location = ground.begin()?;
    let body = vec![b'x'; LENGTH];
    let send = || {
        let range = format!("0-{}", LENGTH - 1);
        ground.send(
            Request::new("PATCH", &location)
                .header("Content-Range", range)
                .body(body.as_slice()),
        )
    };
    let replies = std::thread::scope(|scope| {
        let threads: Vec<_> = std::iter::repeat_with(|| scope.spawn(send)).take(6).collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(harness::anyhow!("panicked")))
            })
            .collect::<Vec<_>>()
    });
    let mut taken = 0;
    for reply in replies {
        let reply = reply?;
        if reply.status == 202 {
            taken += 1;
            continue;
        }
        ensure!(
            [400, 404, 409, 416].contains(&reply.status),
            "should have been refused: {reply}"
        );
        reply.error_code()?;
    }
    let status = ground.send(Request::new("GET", &location))?;
    let whole = format!("0-{}", LENGTH - 1);
    ensure!(
        taken == 1 && status.header("range") == Some(&whole),
        "{taken} were taken: {status}"
    );
    ground.cancel(&location)?;
    ground.is_unharmed()
}
