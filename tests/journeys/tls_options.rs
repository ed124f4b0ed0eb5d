//! `http.tls` of a registry, tried by curl and openssl.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use harness::certificate::Certificate;
use harness::command::Line;
use harness::open_registry::{Choices, OpenRegistry};
use harness::process::wait_for;
use harness::{Journey, Need, Result, Suite, ensure};

pub(crate) fn add(suite: &mut Suite) {
    let needs = &[Need::Portolan, Need::Openssl, Need::Curl];
    suite.add(
        "tls_options",
        "each_mode_of_client_certificates_lets_in_whom_it_should",
        needs,
        client_certificates,
    );
    suite.add(
        "tls_options",
        "a_client_that_vouches_for_itself_is_let_in_when_its_own_certificate_is_listed",
        needs,
        itself,
    );
    suite.add(
        "tls_options",
        "an_exchanged_authority_of_clients_counts_without_a_restart",
        needs,
        exchanged_authority,
    );
    suite.add(
        "tls_options",
        "versions_and_cipher_suites_are_those_that_are_configured",
        needs,
        versions,
    );
    suite.add(
        "tls_options",
        "http2_can_be_switched_off_and_spoken_in_the_clear",
        needs,
        http2,
    );
}

/// What a registry and its clients have.
struct Ground<'a> {
    journey: &'a Journey,
    folder: PathBuf,
    server: Certificate,
    authority: Certificate,
    client: Certificate,
    stranger_authority: Certificate,
    stranger: Certificate,
}

impl<'a> Ground<'a> {
    fn make(journey: &'a Journey) -> Result<Self> {
        let folder = journey.subfolder("certificates")?;
        let authority = Certificate::authority(journey, &folder, "authority")?;
        let stranger_authority = Certificate::authority(journey, &folder, "stranger-authority")?;
        let client = "basicConstraints=CA:false\nextendedKeyUsage=clientAuth\n";
        let server = "basicConstraints=CA:false\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n";
        Ok(Self {
            journey,
            server: authority.issue(journey, &folder, "server", server)?,
            client: authority.issue(journey, &folder, "client", client)?,
            stranger: stranger_authority.issue(journey, &folder, "stranger", client)?,
            authority,
            stranger_authority,
            folder,
        })
    }

    /// A registry with these lines more below `http.tls`.
    fn start(&self, tls: &str, http: &str) -> Result<OpenRegistry> {
        let choices = Choices {
            config: format!(
                "  tls:\n    certificate: {}\n    key: {}\n{tls}{http}",
                self.server.certificate.display(),
                self.server.key.display()
            ),
            ..Choices::default()
        };
        OpenRegistry::start(self.journey, &self.journey.subfolder("store")?, &choices)
    }

    fn curl(&self, registry: &OpenRegistry) -> Line<'a> {
        self.curl_of(&format!("https://localhost:{}/v2/", registry.port()))
    }

    fn curl_of(&self, url: &str) -> Line<'a> {
        let line = self.journey.command("curl").args(["-sS", "--max-time", "20"]);
        let line = line.args(["-o", "/dev/null", "-w", "%{http_code} %{http_version}"]);
        line.arg("--cacert").arg(&self.authority.certificate).arg(url)
    }
}

fn with(line: Line<'_>, client: Option<&Certificate>) -> Result<bool> {
    let line = match client {
        Some(client) => line
            .arg("--cert")
            .arg(&client.certificate)
            .arg("--key")
            .arg(&client.key),
        None => line,
    };
    let done = line.run()?;
    ensure!(
        done.code != Some(0) || done.stdout.starts_with("200 "),
        "curl says {}",
        done.stdout
    );
    Ok(done.code == Some(0))
}

fn client_certificates(journey: &Journey) -> Result<()> {
    let ground = Ground::make(journey)?;
    let clientcas = format!("    clientcas: [{}]\n", ground.authority.certificate.display());
    for (mode, without, strange, good) in [
        ("", false, false, true),
        (
            "    clientauth: require-and-verify-client-cert\n",
            false,
            false,
            true,
        ),
        ("    clientauth: verify-client-cert-if-given\n", true, false, true),
        ("    clientauth: require-any-client-cert\n", false, true, true),
        ("    clientauth: request-client-cert\n", true, true, true),
    ] {
        let registry = ground.start(&format!("{clientcas}{mode}"), "")?;
        for (who, client, expected) in [
            ("nobody", None, without),
            ("a stranger", Some(&ground.stranger), strange),
            ("the client", Some(&ground.client), good),
        ] {
            for version in ["1.2", "1.3"] {
                let line = ground.curl(&registry).args(["--tls-max", version]);
                let is_let_in = with(line, client)?;
                ensure!(
                    is_let_in == expected,
                    "{mode:?}, TLS {version}: {who} is let in: {is_let_in}"
                );
            }
        }
    }
    Ok(())
}

fn exchanged_authority(journey: &Journey) -> Result<()> {
    let ground = Ground::make(journey)?;
    let followed = ground.folder.join("followed.crt");
    std::fs::copy(&ground.authority.certificate, &followed)?;
    let registry = ground.start(&format!("    clientcas:\n      - {}\n", followed.display()), "")?;
    ensure!(
        with(ground.curl(&registry), Some(&ground.client))?,
        "the client is let in"
    );
    ensure!(
        !with(ground.curl(&registry), Some(&ground.stranger))?,
        "a stranger is not let in"
    );
    let draft = ground.folder.join("draft.crt");
    std::fs::copy(&ground.stranger_authority.certificate, &draft)?;
    std::fs::rename(&draft, &followed)?;
    wait_for("the new authority to count", Duration::from_mins(1), || {
        Ok(with(ground.curl(&registry), Some(&ground.stranger))?.then_some(()))
    })?;
    ensure!(
        !with(ground.curl(&registry), Some(&ground.client))?,
        "who was of the old authority is out"
    );
    // What is no certificate changes nothing.
    std::fs::write(&followed, "not a certificate")?;
    wait_for("the fault to be told", Duration::from_mins(1), || {
        let is_in = with(ground.curl(&registry), Some(&ground.stranger))?;
        ensure!(is_in, "the last good authority stays");
        let log = std::fs::read_to_string(registry.log())?;
        Ok(log.contains("cannot be used; the last ones stay").then_some(()))
    })
}

fn versions(journey: &Journey) -> Result<()> {
    let ground = Ground::make(journey)?;
    std::fs::set_permissions(&ground.server.key, std::fs::Permissions::from_mode(0o644))?;
    let says = |registry: &OpenRegistry, words: &str| -> Result<()> {
        let log = std::fs::read_to_string(registry.log())?;
        ensure!(log.contains(words), "the log does not say {words:?}: {log}");
        Ok(())
    };
    let newest = ground.start("    minimumtls: tls1.3\n", "")?;
    says(&newest, "can be read by others")?;
    for (version, expected) in [("1.2", false), ("1.3", true)] {
        let line = ground.curl(&newest).args(["--tls-max", version]);
        ensure!(with(line, None)? == expected, "tls1.3: {version}");
    }
    let suites = "    ciphersuites:\n      - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n      - \
                  TLS_RSA_WITH_AES_128_CBC_SHA\n";
    let old = ground.start(&format!("    minimumtls: tls1.0\n{suites}"), "")?;
    says(&old, "tls1.0 is not spoken any more")?;
    says(&old, "TLS_RSA_WITH_AES_128_CBC_SHA is not safe")?;
    for (suite, expected) in [
        ("ECDHE-RSA-AES256-GCM-SHA384", true),
        ("ECDHE-RSA-AES128-GCM-SHA256", false),
        ("ECDHE-RSA-CHACHA20-POLY1305", false),
        ("AES128-SHA", false),
    ] {
        let line = ground.curl(&old).args(["--tls-max", "1.2", "--ciphers", suite]);
        ensure!(with(line, None)? == expected, "{suite}");
    }
    ensure!(with(ground.curl(&old), None)?, "TLS 1.3 goes on as ever");
    ensure!(
        !with(
            ground
                .curl(&old)
                .args(["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"]),
            None
        )?,
        "TLS 1.1 is spoken"
    );
    Ok(())
}

fn http2(journey: &Journey) -> Result<()> {
    let ground = Ground::make(journey)?;
    for (http, version) in [("", "200 2"), ("  http2:\n    disabled: true\n", "200 1.1")] {
        let registry = ground.start("", http)?;
        let said = ground.curl(&registry).arg("--http2").succeeds()?.stdout;
        ensure!(said == version, "{http:?}: {said}");
    }
    for (http, prior) in [("", false), ("  h2c:\n    enabled: true\n", true)] {
        let choices = Choices {
            config: http.to_owned(),
            ..Choices::default()
        };
        let registry = OpenRegistry::start(journey, &journey.subfolder("open-store")?, &choices)?;
        let url = format!("http://localhost:{}/v2/", registry.port());
        let done = ground.curl_of(&url).arg("--http2-prior-knowledge").run()?;
        ensure!((done.stdout == "200 2") == prior, "{http:?}: {}", done.stdout);
        let said = ground.curl_of(&url).arg("--http1.1").succeeds()?.stdout;
        ensure!(said == "200 1.1", "{http:?}: {said}");
        // A method that begins with the same letter.
        let upload = format!("http://localhost:{}/v2/a/blobs/uploads/", registry.port());
        let said = ground
            .curl_of(&upload)
            .args(["--http1.1", "-X", "POST"])
            .succeeds()?
            .stdout;
        ensure!(said == "202 1.1", "{http:?}: {said}");
    }
    Ok(())
}

/// What the tutorials' openssl makes: it vouches for itself, and says that it is an authority.
fn vouching_for_itself(journey: &Journey, folder: &std::path::Path, name: &str) -> Result<Certificate> {
    let made = Certificate {
        certificate: folder.join(format!("{name}.crt")),
        key: folder.join(format!("{name}.key")),
    };
    let line = journey
        .command("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes"]);
    let line = line.args(["-days", "30", "-subj", &format!("/CN={name}")]);
    let line = line.args(["-addext", "basicConstraints=critical,CA:true"]);
    let line = line.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    let line = line
        .arg("-keyout")
        .arg(&made.key)
        .arg("-out")
        .arg(&made.certificate);
    line.succeeds()?;
    Ok(made)
}

fn itself(journey: &Journey) -> Result<()> {
    let ground = Ground::make(journey)?;
    let client = vouching_for_itself(journey, &ground.folder, "itself")?;
    let stranger = vouching_for_itself(journey, &ground.folder, "another")?;
    let clientcas = format!(
        "    clientcas: [{}, {}]\n",
        ground.authority.certificate.display(),
        client.certificate.display()
    );
    let registry = ground.start(&clientcas, "")?;
    for version in ["1.2", "1.3"] {
        for (who, shown, expected) in [
            ("who is listed", &client, true),
            ("whom a listed authority vouches for", &ground.client, true),
            ("who vouches for itself alone", &stranger, false),
        ] {
            let line = ground.curl(&registry).args(["--tls-max", version]);
            let is_let_in = with(line, Some(shown))?;
            ensure!(
                is_let_in == expected,
                "TLS {version}: {who} is let in: {is_let_in}"
            );
        }
    }
    Ok(())
}
