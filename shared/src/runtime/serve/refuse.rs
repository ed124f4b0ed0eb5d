//! Requests whose form is refused before a service sees them, and the body of such an answer.
//!
//! Proxies and services that read an odd form differently are how requests are smuggled past a permission check;
//! no client of a registry or of its index needs one.

use axum::body::Body;
use http::header::{ACCEPT_ENCODING, ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};

use super::head::Framing;
use super::limits::Limits;

/// An answer of the shell itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// A code of the OCI distribution-spec or one that distribution answers beside them.
    pub(super) code: &'static str,
    pub(super) message: String,
}

fn refusal(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal {
        status,
        code,
        message: message.into(),
    }
}

/// The fault in a request's form, if it has one.
pub(super) fn find_fault<B>(request: &Request<B>, framing: Framing, limits: &Limits) -> Option<Refusal> {
    let method = request.method();
    let target = request.uri();
    if *method == Method::CONNECT || *method == Method::TRACE {
        let message = format!("the method {method} is not supported");
        return Some(refusal(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message));
    }
    // " HTTP/1.1" and the space behind the method.
    let target_len = target.path_and_query().map_or(0, |text| text.as_str().len())
        + target.authority().map_or(0, |text| text.as_str().len());
    if method.as_str().len() + target_len + 10 > limits.request_line {
        let message = format!("the request line is longer than {} bytes", limits.request_line);
        return Some(refusal(StatusCode::URI_TOO_LONG, "UNSUPPORTED", message));
    }
    find_header_fault(request, framing, limits).or_else(|| {
        let fault = find_path_fault(target.path())?;
        Some(refusal(
            StatusCode::BAD_REQUEST,
            "NAME_INVALID",
            format!("the path {fault}"),
        ))
    })
}

fn find_header_fault<B>(request: &Request<B>, framing: Framing, limits: &Limits) -> Option<Refusal> {
    const TOO_LARGE: StatusCode = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let headers = request.headers();
    if headers.len() > limits.header_count {
        let message = format!("the request has more than {} header lines", limits.header_count);
        return Some(refusal(TOO_LARGE, "UNSUPPORTED", message));
    }
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if bytes > limits.header_bytes {
        let message = format!(
            "the request's header is larger than {} bytes",
            limits.header_bytes
        );
        return Some(refusal(TOO_LARGE, "UNSUPPORTED", message));
    }
    if headers
        .get_all(AUTHORIZATION)
        .iter()
        .any(|value| value.len() > limits.authorization_bytes)
    {
        let message = format!(
            "the header Authorization is longer than {} bytes",
            limits.authorization_bytes
        );
        return Some(refusal(TOO_LARGE, "UNSUPPORTED", message));
    }
    if framing.encodings > 0 && framing.lengths > 0 {
        let message = "a request has either Transfer-Encoding or Content-Length, not both";
        return Some(refusal(StatusCode::BAD_REQUEST, "UNSUPPORTED", message));
    }
    if framing.lengths > 1 || framing.encodings > 1 {
        let message = "Content-Length or Transfer-Encoding is given more than once";
        return Some(refusal(StatusCode::BAD_REQUEST, "UNSUPPORTED", message));
    }
    if request.version() <= Version::HTTP_11 && headers.get_all(http::header::HOST).iter().count() > 1 {
        return Some(refusal(
            StatusCode::BAD_REQUEST,
            "UNSUPPORTED",
            "Host is given more than once",
        ));
    }
    // Which of two credentials counts is a matter of taste, and tastes of proxies and services differ.
    if headers.get_all(AUTHORIZATION).iter().count() > 1 {
        return Some(refusal(
            StatusCode::BAD_REQUEST,
            "UNSUPPORTED",
            "Authorization is given more than once",
        ));
    }
    // 415 is the status for an unacceptable content coding (RFC 9110, 15.5.16); digests are over the bytes as sent.
    let coded = |value: &HeaderValue| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().any(coded) {
        let message = "a request's body is taken as it is: send it without Content-Encoding";
        return Some(refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED",
            message,
        ));
    }
    None
}

/// What is wrong with a raw path, to follow "the path".
fn find_path_fault(path: &str) -> Option<&'static str> {
    let bytes = path.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            0 => return Some("contains NUL"),
            b';' => return Some("contains ';'"),
            b'\\' => return Some("contains a backslash"),
            b'/' if bytes.get(at + 1) == Some(&b'/') => return Some("contains '//'"),
            b'%' => {
                let fault = find_escape_fault(bytes.get(at + 1..at + 3));
                if fault.is_some() {
                    return fault;
                }
            }
            _ => {}
        }
    }
    path.split('/')
        .any(|segment| segment == "." || segment == "..")
        .then_some("contains the segment '.' or '..'")
}

fn find_escape_fault(digits: Option<&[u8]>) -> Option<&'static str> {
    let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    let byte = text
        .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))
        .and_then(|text| u8::from_str_radix(text, 16).ok());
    match byte {
        None => Some("contains '%' without two hexadecimal digits"),
        Some(0) => Some("contains an encoded NUL (%00)"),
        Some(b'/') => Some("contains an encoded slash (%2F)"),
        Some(b'.') => Some("contains an encoded dot (%2E)"),
        Some(b'\\') => Some("contains an encoded backslash (%5C)"),
        Some(b';') => Some("contains an encoded ';' (%3B)"),
        Some(_) => None,
    }
}

impl Refusal {
    /// The answer in the OCI envelope: `{"errors":[{"code":…,"message":…}]}`.
    pub(super) fn into_response(self) -> Response<Body> {
        let body = serde_json::json!({ "errors": [{ "code": self.code, "message": self.message }] });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(
                ALLOW,
                HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            );
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_refused_with_the_reason() {
        for (path, reason) in [
            ("/v2/a/../b", "'..'"),
            ("/v2/./a", "'.'"),
            ("/..", "'..'"),
            ("/v2/a%2fb/tags/list", "encoded slash"),
            ("/v2/a%2Fb", "encoded slash"),
            ("/v2/%2e%2e/b", "encoded dot"),
            ("/v2/%2E/b", "encoded dot"),
            ("/v2/a%5cb", "encoded backslash"),
            ("/v2/a\\b", "backslash"),
            ("/v2/a%00", "NUL"),
            ("/v2/a;b", "';'"),
            ("/v2/a%3Bb", "encoded ';'"),
            ("/v2//a", "'//'"),
            ("//", "'//'"),
            ("/v2/a%", "without two"),
            ("/v2/a%2", "without two"),
            ("/v2/a%+1", "without two"),
            ("/v2/a%zz", "without two"),
        ] {
            let fault = find_path_fault(path).unwrap_or_else(|| panic!("{path} is let through"));
            assert!(fault.contains(reason), "{path}: {fault}");
        }
        for path in [
            "/",
            "/v2/",
            "/v2/a/b/manifests/v1.2",
            "/v2/a/blobs/sha256:ab",
            "/a..b/.well-known/x",
            "/a%20b",
        ] {
            assert_eq!(find_path_fault(path), None, "{path}");
        }
    }

    fn fault(build: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Option<(u16, String)> {
        let request = build(Request::builder().uri("/v2/")).body(()).unwrap();
        find_fault(&request, Framing::default(), &Limits::default()).map(|r| (r.status.as_u16(), r.message))
    }

    #[test]
    fn large_and_coded_headers_are_refused() {
        assert_eq!(fault(|r| r), None);
        assert_eq!(fault(|r| r.header("Content-Encoding", " Identity")), None);
        assert_eq!(fault(|r| r.header("Content-Encoding", "gzip")).unwrap().0, 415);
        assert_eq!(fault(|r| r.header("Authorization", "x".repeat(8192))), None);
        assert_eq!(
            fault(|r| r.header("Authorization", "x".repeat(8193))).unwrap().0,
            431
        );
        assert_eq!(fault(|r| r.header("X", "x".repeat(32 << 10))).unwrap().0, 431);
        assert_eq!(
            fault(|r| (0..64).fold(r, |r, n| r.header(format!("x-{n}"), "x"))),
            None
        );
        assert_eq!(
            fault(|r| (0..65).fold(r, |r, n| r.header(format!("x-{n}"), "x")))
                .unwrap()
                .0,
            431
        );
        assert_eq!(
            fault(|r| r.uri(format!("/{}", "x".repeat(8 << 10)))).unwrap().0,
            414
        );
        assert_eq!(
            fault(|r| r.uri(format!("/?{}", "x".repeat(8 << 10)))).unwrap().0,
            414
        );
        assert_eq!(fault(|r| r.method("TRACE")).unwrap().0, 405);
    }

    #[test]
    fn doubled_framing_is_refused() {
        let request = Request::builder().uri("/v2/").body(()).unwrap();
        for (encodings, lengths, refused) in [
            (0, 0, false),
            (1, 0, false),
            (0, 1, false),
            (1, 1, true),
            (0, 2, true),
            (2, 0, true),
        ] {
            let found = find_fault(&request, Framing { encodings, lengths }, &Limits::default());
            assert_eq!(found.is_some(), refused, "{encodings} {lengths}");
            assert!(found.is_none_or(|refusal| refusal.status == StatusCode::BAD_REQUEST));
        }
    }
}
