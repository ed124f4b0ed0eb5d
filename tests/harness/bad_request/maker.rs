//! Random requests over the table of routes of both services, each changed in some places.

use std::net::TcpStream;

use super::ground::{Ground, LAYER};
use super::random::Random;
use super::wire::{Reply, Request, exchange_on};
use crate::{Context as _, Result};

/// A connection that is kept while the server keeps it.
#[derive(Default)]
pub struct Line {
    stream: Option<TcpStream>,
}

impl Line {
    /// Sends one, and reads its answer.
    pub fn send(&mut self, port: u16, request: &Request) -> Result<Reply> {
        let bytes = request.bytes(port, "keep-alive");
        let head_only = request.method == "HEAD";
        if let Some(stream) = self.stream.take()
            && let Some(reply) = exchange_on(&stream, &bytes, head_only)?
        {
            return Ok(self.keep(stream, reply));
        }
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        let reply = exchange_on(&stream, &bytes, head_only)?.context("closed without an answer")?;
        Ok(self.keep(stream, reply))
    }

    fn keep(&mut self, stream: TcpStream, reply: Reply) -> Reply {
        let closes = reply
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        // An early answer may leave a body unread.
        self.stream = (!closes && reply.status < 400).then_some(stream);
        reply
    }
}

/// One that allows something, and one that allows nothing.
fn tokens(ground: &Ground) -> Result<[String; 2]> {
    // The one good repository is read; what may be written and deleted is another.
    let scopes = [
        format!("repository:{}:pull", ground.repository()),
        format!("repository:{}/other:pull,push,delete", ground.account.name),
    ];
    Ok([
        ground.token_for(&[&scopes[0], &scopes[1]])?,
        ground.token_for(&[])?,
    ])
}

/// Makes requests: a route of the table, now and then changed in one place or several.
pub struct Maker {
    random: Random,
    name: String,
    other: String,
    layer: String,
    manifest_digest: String,
    manifest: Vec<u8>,
    /// Allows what is said in [`tokens`].
    strong: String,
    /// Allows nothing.
    weak: String,
    /// The location of an upload session that was begun, or nothing.
    pub session: String,
    basic: String,
    service: String,
}

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
];

const PIECES: [&str; 40] = [
    "",
    ".",
    "..",
    "...",
    "%2e%2e",
    "%2F",
    "%00",
    "%0d%0a",
    "%zz",
    "%",
    "%C3%BC",
    "%FF",
    "~",
    "*",
    "@",
    ":",
    ";",
    "a",
    "A",
    "_",
    "-",
    "_catalog",
    "v2",
    "manifests",
    "blobs",
    "uploads",
    "tags",
    "list",
    "referrers",
    "latest",
    "sha256:",
    "sha512:00",
    "sha256:zz",
    "0",
    "-1",
    "99999999999999999999",
    "token",
    "library",
    "users",
    "_state",
];

const VALUES: [&str; 34] = [
    "",
    "0",
    "-1",
    "1",
    "0-0",
    "0-9",
    "9-0",
    "10-19",
    "bytes=0-0",
    "bytes=-1",
    "bytes=5-1",
    "bytes=0-,1-",
    "bytes=",
    "18446744073709551616",
    "99999999999999999999-",
    "x",
    "*",
    "\"x\"",
    "W/\"x\"",
    "*/*",
    "application/json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json; charset=utf-8",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "text/html",
    "gzip",
    "chunked",
    ",,,",
    "\u{e9}",
    "100-continue",
    "h2c",
    "close, x",
    "=?utf-8?q?x?=",
    "Mon, 01 Jan 0001 00:00:00 GMT",
];

const HEADERS: [&str; 15] = [
    "Range",
    "Content-Range",
    "Content-Type",
    "Accept",
    "If-None-Match",
    "If-Match",
    "If-Range",
    "If-Modified-Since",
    "Accept-Encoding",
    "Accept-Language",
    "Cookie",
    "X-Forwarded-For",
    "Digest",
    "Upgrade",
    "Origin",
];

impl Maker {
    /// What the seed gives.
    pub fn new(ground: &Ground, seed: u64) -> Result<Self> {
        let other = format!("{}/other", ground.account.name);
        let [strong, weak] = tokens(ground)?;
        Ok(Self {
            random: Random::new(seed),
            name: ground.repository(),
            layer: ground.layer.clone(),
            manifest_digest: ground.manifest.clone(),
            manifest: ground.good_manifest()?,
            strong,
            weak,
            session: String::new(),
            other,
            basic: ground.account.basic(),
            service: ground.server.host().replace(':', "%3A"),
        })
    }

    /// Takes new tokens: they live for five minutes.
    pub fn renew(&mut self, ground: &Ground) -> Result<()> {
        [self.strong, self.weak] = tokens(ground)?;
        Ok(())
    }

    /// The next request.
    pub fn request(&mut self) -> Request {
        let (method, mut target) = self.route();
        while self.random.once_in(3) {
            target = self.change_target(&target);
        }
        let method = if self.random.once_in(8) {
            *self.random.of(&METHODS)
        } else {
            method
        };
        let mut request = Request::new(method, target).body(self.body());
        for _ in 0..self.random.below(3) {
            let (name, value) = (*self.random.of(&HEADERS), *self.random.of(&VALUES));
            request = request.header(name, value);
        }
        match self.random.below(20) {
            0 => request,
            1 => request.header("Authorization", self.basic.clone()),
            2 => {
                let value = *self.random.of(&VALUES);
                request.header("Authorization", format!("Bearer {value}"))
            }
            3 => {
                let cut = self.random.below(self.strong.len());
                request.bearer(&self.strong[..cut])
            }
            4 => request.bearer(&self.weak),
            _ => request.bearer(&self.strong),
        }
    }

    fn route(&mut self) -> (&'static str, String) {
        let name = if self.random.once_in(2) {
            self.name.clone()
        } else {
            self.other.clone()
        };
        let digest = if self.random.once_in(2) {
            self.layer.clone()
        } else {
            self.manifest_digest.clone()
        };
        let (service, other) = (self.service.clone(), self.name.clone());
        let session = if self.session.is_empty() {
            "/v2/".to_owned()
        } else {
            self.session.clone()
        };
        let routes: [(&'static str, String); 28] = [
            ("GET", session.clone()),
            ("PATCH", session.clone()),
            ("PUT", format!("{session}&digest={digest}")),
            ("DELETE", session),
            ("GET", "/v2/".into()),
            ("GET", "/v2/_catalog?n=2".into()),
            ("GET", format!("/v2/{name}/tags/list?n=1&last=a")),
            ("GET", format!("/v2/{name}/manifests/good")),
            ("HEAD", format!("/v2/{name}/manifests/{digest}")),
            ("GET", format!("/v2/{name}/manifests/{digest}")),
            ("PUT", format!("/v2/{name}/manifests/tag")),
            ("PUT", format!("/v2/{name}/manifests/{digest}?tag=a&tag=b")),
            ("DELETE", format!("/v2/{name}/manifests/tag")),
            ("GET", format!("/v2/{name}/blobs/{digest}")),
            ("HEAD", format!("/v2/{name}/blobs/{digest}")),
            ("DELETE", format!("/v2/{name}/blobs/{digest}")),
            ("POST", format!("/v2/{name}/blobs/uploads/")),
            ("POST", format!("/v2/{name}/blobs/uploads/?digest={digest}")),
            (
                "POST",
                format!("/v2/{name}/blobs/uploads/?mount={digest}&from={other}"),
            ),
            (
                "PATCH",
                format!("/v2/{name}/blobs/uploads/6d9b2c6e-2b0c-4a5e-8d87-5f6a6c2b9f10?_state=AAAA"),
            ),
            (
                "PUT",
                format!("/v2/{name}/blobs/uploads/6d9b2c6e-2b0c-4a5e-8d87-5f6a6c2b9f10?digest={digest}"),
            ),
            ("GET", format!("/v2/{name}/referrers/{digest}?artifactType=a/b")),
            (
                "GET",
                format!("/token?service={service}&scope=repository:{name}:pull,push&client_id=docker"),
            ),
            ("POST", "/token".into()),
            ("GET", "/".into()),
            ("GET", "/.well-known/jwks.json".into()),
            ("GET", "/v1/search?q=x&n=25".into()),
            ("GET", "/v2/users/login".into()),
        ];
        self.random.of(&routes).clone()
    }

    fn change_target(&mut self, target: &str) -> String {
        let (path, query) = target
            .split_once('?')
            .map_or((target, None), |(p, q)| (p, Some(q)));
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        let place = self.random.below(parts.len().max(2) - 1) + 1;
        let piece = (*self.random.of(&PIECES)).to_owned();
        let (mut query, place) = (query.map(str::to_owned), place.min(parts.len() - 1));
        match self.random.below(8) {
            0 => parts[place] = piece,
            1 => parts.insert(place, piece),
            2 => drop(parts.remove(place)),
            3 => parts[place].push_str(&piece),
            4 => parts[place] = parts[place].replace('/', "%2F").to_uppercase(),
            5 => {
                let kept = self.random.below(parts[place].len() + 1);
                parts[place].truncate(kept);
            }
            6 => parts[place] = parts[place].repeat(self.random.below(20) + 1),
            _ => {
                let name = *self.random.of(&[
                    "n", "last", "digest", "mount", "from", "tag", "_state", "scope", "service", "q",
                ]);
                query = Some(format!(
                    "{}{name}={piece}&{piece}",
                    query.map(|q| q + "&").unwrap_or_default()
                ));
            }
        }
        let path = parts.join("/");
        let path = if path.starts_with('/') {
            path
        } else {
            format!("/{path}")
        };
        query.map_or(path.clone(), |query| format!("{path}?{query}"))
    }

    fn body(&mut self) -> Vec<u8> {
        match self.random.below(6) {
            0 => LAYER.as_bytes().to_vec(),
            1 => b"grant_type=password&username=x&password=y&service=z&client_id=w".to_vec(),
            2 | 3 => {
                let mut body = self.manifest.clone();
                for _ in 0..self.random.below(4) {
                    let place = self.random.below(body.len());
                    match self.random.below(4) {
                        0 => body.truncate(place + 1),
                        1 => body[place] = u8::try_from(self.random.below(256)).unwrap_or_default(),
                        2 => {
                            let copy = body[place..].to_vec();
                            body.extend(copy);
                        }
                        _ => drop(body.remove(place)),
                    }
                    if body.is_empty() {
                        break;
                    }
                }
                body
            }
            _ => Vec::new(),
        }
    }
}
