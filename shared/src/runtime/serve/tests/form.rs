//! Requests whose form is refused.

use super::*;

async fn refused(head: &str) -> String {
    let server = Server::start(Limits::default()).await;
    let answer = server
        .exchange(format!("{head}Host: x\r\nConnection: close\r\n\r\n"))
        .await;
    // The process lives and serves others.
    assert_status(&server.get("/ok").await, 200);
    answer
}

#[track_caller]
fn assert_envelope(answer: &str) {
    let body = answer.split_once("\r\n\r\n").expect("a body").1;
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert!(
        body["errors"][0]["code"].is_string() && body["errors"][0]["message"].is_string(),
        "{answer}"
    );
    assert!(answer.contains("Content-Type: application/json"), "{answer}");
}

#[tokio::test]
async fn a_large_header_is_refused_with_431() {
    let answer = refused(&format!("GET /ok HTTP/1.1\r\nX: {}\r\n", "x".repeat(33 << 10))).await;
    assert_status(&answer, 431);
    assert_envelope(&answer);
}

#[tokio::test]
async fn a_header_beyond_every_buffer_is_refused_with_431() {
    let answer = refused(&format!("GET /ok HTTP/1.1\r\nX: {}\r\n", "x".repeat(1 << 20))).await;
    assert_status(&answer, 431);
}

#[tokio::test]
async fn too_many_headers_are_refused_with_431() {
    for count in [64, 99, 5000] {
        let lines = "X: y\r\n".repeat(count);
        let answer = refused(&format!("GET /ok HTTP/1.1\r\n{lines}")).await;
        assert_status(&answer, 431);
    }
}

#[tokio::test]
async fn a_long_authorization_is_refused_with_431() {
    let answer = refused(&format!(
        "GET /ok HTTP/1.1\r\nAuthorization: Bearer {}\r\n",
        "x".repeat(8 << 10)
    ))
    .await;
    assert_status(&answer, 431);
    assert_envelope(&answer);
    assert!(!answer.contains("xxx"), "{answer}");
}

#[tokio::test]
async fn two_authorizations_are_refused_with_400() {
    let head = "GET /ok HTTP/1.1\r\nAuthorization: Bearer x\r\nAuthorization: Bearer x\r\n";
    let answer = refused(head).await;
    assert_status(&answer, 400);
    assert_envelope(&answer);
}

#[tokio::test]
async fn a_long_request_line_is_refused_with_414() {
    for length in [8 << 10, 70 << 10] {
        let answer = refused(&format!("GET /{} HTTP/1.1\r\n", "x".repeat(length))).await;
        assert_status(&answer, 414);
    }
}

#[tokio::test]
async fn a_request_with_two_framings_is_refused_with_400() {
    for head in [
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "content-length:5\r\nX: y\r\nTRANSFER-ENCODING: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding : chunked\r\n",
    ] {
        let answer = refused(&format!("POST /count HTTP/1.1\r\n{head}")).await;
        assert_status(&answer, 400);
    }
}

#[tokio::test]
async fn two_framings_are_found_on_a_connection_that_is_reused() {
    let server = Server::start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        .await
        .unwrap();
    assert_status(&read_answer(&mut stream).await, 200);
    let chunked =
        b"POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    stream.write_all(chunked).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert_status(&answer, 200);
    assert!(answer.ends_with("\r\n\r\n3"), "{answer}");
    let both = b"POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n";
    stream.write_all(both).await.unwrap();
    let answer = read_to_close(&mut stream).await;
    assert_status(&answer, 400);
    assert!(answer.contains("not both"), "{answer}");
}

#[tokio::test]
async fn pipelined_requests_are_each_answered() {
    let server = Server::start(Limits::default()).await;
    let get = "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n";
    let post = "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    let last = "GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = server.exchange([get, post, get, post, last].concat()).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 5, "{answer}");
}

#[tokio::test]
async fn dots_and_encoded_slashes_in_a_path_are_refused_with_400() {
    for (path, reason) in [
        ("/v2/../ok", "'..'"),
        ("/v2/./ok", "'.'"),
        ("/v2/a%2Fb", "encoded slash"),
        ("/v2/%2e%2E/ok", "encoded dot"),
        ("/v2/a%5cb", "backslash"),
        ("/ok%00", "NUL"),
        ("/ok;a=b", "';'"),
        ("//ok", "'//'"),
    ] {
        let answer = refused(&format!("GET {path} HTTP/1.1\r\n")).await;
        assert_status(&answer, 400);
        assert_envelope(&answer);
        assert!(answer.contains(reason), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_coded_body_is_refused_with_415() {
    let answer = refused("POST /count HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n").await;
    assert_status(&answer, 415);
    assert!(answer.contains("Accept-Encoding: identity"), "{answer}");
}

#[tokio::test]
async fn odd_methods_and_garbage_get_a_4xx() {
    assert_status(&refused("TRACE /ok HTTP/1.1\r\n").await, 405);
    assert_status(&refused("CONNECT x:1 HTTP/1.1\r\n").await, 405);
    for garbage in [
        "\u{1}\u{2}\u{3}\r\n",
        "GET /ok HTTP/9.9\r\n",
        "GET  /ok HTTP/1.1\r\n",
        "GET /\u{7f} HTTP/1.1\r\n",
    ] {
        assert_status(&refused(garbage).await, 400);
    }
}

#[tokio::test]
async fn http2_in_the_clear_is_not_spoken() {
    let server = Server::start(Limits::default()).await;
    let answer = server
        .exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer:?}"
    );
}
