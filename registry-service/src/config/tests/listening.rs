//! Where to listen, and by whose certificate.

use shared::runtime::serve::Address;

use super::*;

fn http(section: &str) -> String {
    format!("version: 0.1\nstorage: inmemory\nhttp: {{{section}}}\n")
}

#[test]
fn a_socket_of_the_machine_has_a_path_and_perhaps_permissions() {
    for (section, mode) in [
        ("net: unix, addr: /run/registry.sock", None),
        (
            "net: unix, addr: /run/registry.sock, socketmode: 0660",
            Some(0o660),
        ),
        (
            "net: unix, addr: /run/registry.sock, socketmode: '600'",
            Some(0o600),
        ),
    ] {
        let path = "/run/registry.sock".into();
        let config = check(&http(section), &[]).unwrap();
        assert_eq!(config.http.addr, Address::Unix { path, mode }, "{section}");
        assert_eq!(config.warnings(), Vec::<String>::new());
    }
    for (section, path) in [
        ("net: unix", "http.addr"),
        ("net: unix, addr: ':5000'", "http.addr"),
        ("net: unix, addr: /run/", "http.addr"),
        ("net: unix, addr: /run/r.sock, socketmode: rw", "http.socketmode"),
        (
            "net: unix, addr: /run/r.sock, socketmode: 07777",
            "http.socketmode",
        ),
        ("socketmode: 0660", "http.socketmode"),
        ("net: udp", "http.net"),
    ] {
        assert_eq!(faults(&http(section)), [path], "{section}");
    }
}

fn acme(section: &str) -> String {
    http(&format!("tls: {{letsencrypt: {{{section}}}}}"))
}

#[test]
fn certificates_by_acme_need_a_folder_and_names() {
    let config = check(
        &acme("cachefile: /var/lib/acme, email: a@b.test, hosts: [Registry.Example., other.example]"),
        &[],
    );
    let TlsSource::Acme(settings) = config.unwrap().http.tls.unwrap().source else {
        panic!("no ACME")
    };
    assert_eq!(settings.folder, Path::new("/var/lib/acme"));
    assert_eq!(settings.email.as_deref(), Some("a@b.test"));
    assert_eq!(settings.hosts, ["registry.example", "other.example"]);
    assert_eq!(
        settings.directory.as_str(),
        "https://acme-v02.api.letsencrypt.org/directory"
    );
    // As the samples have it.
    let empty = acme("cachefile: '', email: '', hosts: [], directoryurl: ''");
    assert_eq!(check(&empty, &[]).unwrap().http.tls, None);

    let hosts = "http.tls.letsencrypt.hosts";
    for (section, path) in [
        ("cachefile: /a", hosts),
        ("cachefile: /a, hosts: ['*.example']", hosts),
        ("cachefile: /a, hosts: [../../etc/passwd]", hosts),
        ("cachefile: /a, hosts: [10.0.0.1]", hosts),
        ("cachefile: /a, hosts: [bücher.example]", hosts),
        ("hosts: [a.example]", "http.tls.letsencrypt.cachefile"),
        (
            "cachefile: /a, hosts: [a.example], directoryurl: 'http://ca.example/dir'",
            "http.tls.letsencrypt.directoryurl",
        ),
    ] {
        assert_eq!(faults(&acme(section)), [path], "{section}");
    }
    let both = "tls: {certificate: c, key: k, letsencrypt: {cachefile: /a, hosts: [a.example]}}";
    assert_eq!(faults(&http(both)), ["http.tls"]);
}
