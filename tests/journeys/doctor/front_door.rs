//! A front door with TLS before both services, as it is shipped and with one line wrong at a time.

use std::time::Duration;

use harness::certificate::Certificate;
use harness::process::free_port;
use harness::{Journey, Need, Result, Suite, ensure};

use super::{Lines, Ward, examine, start};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "doctor",
        "each_wrong_line_of_a_front_door_with_tls_is_named",
        &[Need::Portolan, Need::Nginx, Need::Openssl],
        front_door,
    );
}

/// What the shipped front doors have (`deploy/nginx/registry-proxy.inc`, `portolan nginx-config`).
const SHIPPED: &str = "client_max_body_size 0;
proxy_request_buffering off;
proxy_buffering off;
proxy_http_version 1.1;
proxy_set_header Connection '';
proxy_set_header Host $http_host;
proxy_set_header X-Forwarded-Proto $scheme;
";

/// A line, what stands in its place, what the doctor says of it, and whether clients fail.
const CASES: [(&str, &str, &str, bool); 6] = [
    ("", "", "ok    buffering", false),
    (
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "",
        "front door: `proxy_set_header X-Forwarded-Proto $scheme;`",
        true,
    ),
    (
        "Host $http_host;",
        "Host $host;",
        "($host is without the port)",
        true,
    ),
    (
        "client_max_body_size 0;",
        "client_max_body_size 1m;",
        "front door: `client_max_body_size 0;`",
        true,
    ),
    (
        "proxy_request_buffering off;",
        "",
        "front door: `proxy_request_buffering off; proxy_http_version 1.1;`",
        false,
    ),
    // What comes in chunks is gathered then, as engines send it.
    (
        "proxy_http_version 1.1;",
        "proxy_http_version 1.0;",
        "front door: `proxy_request_buffering off; proxy_http_version 1.1;`",
        false,
    ),
];

fn front_door(journey: &Journey) -> Result<()> {
    let ward = Ward::open(journey)?;
    let folder = journey.subfolder("certificate")?;
    let authority = Certificate::authority(journey, &folder, "authority")?;
    let own = authority.issue(
        journey,
        &folder,
        "front",
        "basicConstraints=CA:false\nsubjectAltName=DNS:localhost\n",
    )?;
    let front = free_port()?;
    let url = format!("https://localhost:{front}");
    let keys = format!("{}/.well-known/jwks.json", ward.index.url());
    // Not those that lead back to wherever the client came from.
    let lines = Lines {
        config: "  relativeurls: false\n",
        ..Lines::default()
    };
    let token = [&format!("{url}/token"), &ward.index.host(), "portolan", &keys];
    let (_registry, registry) = ward.registry_of("behind", token, &lines)?;
    let ca = authority.certificate.display().to_string();
    for (number, (line, instead, says, fails)) in CASES.into_iter().enumerate() {
        let shipped = if line.is_empty() {
            SHIPPED.to_owned()
        } else {
            ensure!(SHIPPED.contains(line), "{line} is not shipped");
            SHIPPED.replace(line, instead)
        };
        let folder = journey.subfolder(&format!("front{number}"))?;
        let server = format!(
            "server {{\nlisten 127.0.0.1:{front} ssl;\nssl_certificate {};\nssl_certificate_key {};\n{shipped}\
             location /v2/ {{ proxy_pass http://127.0.0.1:{registry}; }}\n\
             location / {{ proxy_pass http://127.0.0.1:{}; }}\n}}\n",
            own.certificate.display(),
            own.key.display(),
            ward.index.port()
        );
        let mut daemon = start(journey, &folder, &server, front)?;
        let found = examine(journey, &url, Some(&ward.account), &["--ca", &ca])?;
        let text = found.text();
        ensure!((found.code != Some(0)) == fails, "{line} → {instead}: {text}");
        ensure!(text.contains(says), "{line} → {instead}: {text}");
        // One line was wrong, and one is named.
        let named = text.matches('→').count();
        ensure!(
            named == usize::from(!line.is_empty()),
            "{line} → {instead}: {text}"
        );
        daemon.stop(Duration::from_mins(1))?;
    }
    Ok(())
}
