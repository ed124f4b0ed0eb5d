//! Whether something between client and registry gathers a request before it passes it on: layers then lie on its disk first,
//! and large ones run into its time-outs.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;

use super::finding::Finding;

/// How much is sent before the body stands still: more than any server waits for before it answers, 256 KiB of Go's.
const SENT: usize = 512 << 10;
/// How long a refusal may take to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends the beginning of a chunk without a token and no end. A registry refuses it at once; whoever gathers it first says
/// nothing, since the end never comes.
pub(super) async fn buffering(client: &reqwest::Client, upload: &str) -> Finding {
    let beginning = stream::once(async { Ok::<_, Infallible>(Bytes::from(vec![0; SENT])) });
    let body = reqwest::Body::wrap_stream(beginning.chain(stream::pending()));
    let request = client
        .patch(upload)
        .header("content-type", "application/octet-stream")
        .body(body);
    match tokio::time::timeout(PATIENCE, request.send()).await {
        // A connection that is closed over it is an answer too: nobody waited for the end.
        Ok(_) => Finding::well("buffering", "requests reach the registry while they are sent"),
        Err(_) => Finding::doubtful(
            "buffering",
            "a proxy gathers requests before it passes them on: layers lie on its disk first, and large ones run into its time-outs",
            "front door: `proxy_request_buffering off; proxy_http_version 1.1;` in nginx; `proxy-request-buffering: \"off\"` on an ingress",
        ),
    }
}
