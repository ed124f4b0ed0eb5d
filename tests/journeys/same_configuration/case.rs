//! The configurations that both are given.

/// One configuration. `PORT`, `ROOT`, `ACCOUNTS` and `BUNDLE` in it are replaced.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    pub(super) variables: &'static [(&'static str, &'static str)],
    /// Whether distribution starts with it.
    pub(super) starts: bool,
    /// Why ours decides otherwise, where it does.
    pub(super) differs: Option<&'static str>,
}

const fn case(name: &'static str, file: &'static str) -> Case {
    Case {
        name,
        file,
        variables: &[],
        starts: true,
        differs: None,
    }
}

const fn refused(name: &'static str, file: &'static str) -> Case {
    Case {
        starts: false,
        ..case(name, file)
    }
}

impl Case {
    const fn with(mut self, variables: &'static [(&'static str, &'static str)]) -> Self {
        self.variables = variables;
        self
    }

    /// Whether the registry lies under `/my/registry/`.
    pub(super) fn is_moved(&self) -> bool {
        self.file.contains("prefix") || self.variables.iter().any(|(name, _)| name.ends_with("_PREFIX"))
    }

    const fn differs(mut self, reason: &'static str) -> Self {
        self.differs = Some(reason);
        self
    }
}

const PLAIN: &str =
    "version: 0.1\nstorage: {filesystem: {rootdirectory: ROOT}}\nhttp: {addr: 'localhost:PORT'}\n";

macro_rules! plain {
    ($more:literal) => {
        concat!(
            "version: 0.1\nstorage: {filesystem: {rootdirectory: ROOT}}\nhttp: {addr: 'localhost:PORT'}\n",
            $more
        )
    };
}
macro_rules! http {
    ($more:literal) => {
        concat!(
            "version: 0.1\nstorage: {filesystem: {rootdirectory: ROOT}}\nhttp: {addr: 'localhost:PORT', ",
            $more,
            "}\n"
        )
    };
}
macro_rules! storage {
    ($more:literal) => {
        concat!(
            "version: 0.1\nstorage: {",
            $more,
            "}\nhttp: {addr: 'localhost:PORT'}\n"
        )
    };
}

#[rustfmt::skip]
/// All of them.
pub(super) const CASES: &[Case] = &[
    case("a folder", PLAIN),
    case("memory by its name alone", "version: 0.1\nstorage: inmemory\nhttp: {addr: 'localhost:PORT'}\n"),
    case("memory as a map", storage!("inmemory: {}")),
    case("memory with nothing behind it", storage!("inmemory: ")),
    case("the version in quotes", "version: '0.1'\nstorage: inmemory\nhttp: {addr: 'localhost:PORT'}\n"),
    refused("no version", "storage: inmemory\nhttp: {addr: 'localhost:PORT'}\n"),
    refused("another version", "version: 0.2\nstorage: inmemory\nhttp: {addr: 'localhost:PORT'}\n"),
    refused("a version that is none", "version: one\nstorage: inmemory\nhttp: {addr: 'localhost:PORT'}\n"),
    refused("no storage", "version: 0.1\nhttp: {addr: 'localhost:PORT'}\n"),
    refused("two drivers", storage!("inmemory: {}, filesystem: {rootdirectory: ROOT}")),
    refused("a driver that nobody has", storage!("tape: {}")),
    refused("no YAML", "version: 0.1\nstorage: [\n"),
    case("an unknown section", plain!("unheard: {of: it}\n")),
    case("an unknown key", http!("unheard: of")),
    case("loglevel in capitals", plain!("log: {level: WARN}\n")),
    case("the old name of the level", plain!("loglevel: debug\n")),
    refused("no level", plain!("log: {level: loud}\n")),
    case("a formatter", plain!("log: {formatter: json}\n")),
    refused("no formatter", plain!("log: {formatter: xml}\n")),
    case("fields", plain!("log: {fields: {service: registry}}\n")),
    case("a header", http!("headers: {X-Content-Type-Options: [nosniff], X-Frame-Options: [DENY]}")),
    case("a header of two values", http!("headers: {X-A: [b, c], x-frame-options: [DENY]}")),
    refused("headers are no text", http!("headers: DENY")),
    refused("a header's values are a list", http!("headers: {X-Frame-Options: DENY}")),
    case("a duration", http!("draintimeout: 5s")),
    case("a duration in nanoseconds", http!("draintimeout: 5000000000")),
    refused("no duration", http!("draintimeout: soon")),
    case("a switch in YAML 1.1", http!("relativeurls: yes")),
    case("a switch in YAML 1.1, off", http!("relativeurls: Off")),
    refused("no switch", http!("relativeurls: perhaps")),
    refused("a switch in quotes", http!("relativeurls: 'true'")).differs("quotes do no harm"),
    case("a number of base 8", plain!("catalog: {maxentries: 010}\n")).differs("a page that is too long is cut, not refused"),
    refused("no number", plain!("catalog: {maxentries: many}\n")),
    case("a prefix", http!("prefix: /my/registry/")),
    case("a host", http!("host: 'https://registry.example'")),
    case("a section twice", "version: 0.1\nstorage: inmemory\nhttp: {addr: 'localhost:PORT'}\nhttp: {headers: {X-A: [b]}}\n"),
    case("a merged map", "version: 0.1\nbase: &base {addr: 'localhost:PORT', headers: {X-A: [b]}}\nstorage: inmemory\nhttp:\n  <<: *base\n"),
    case("deletes", storage!("inmemory: {}, delete: {enabled: true}")),
    case("read-only", storage!("inmemory: {}, maintenance: {readonly: {enabled: true}}")),
    case("purging", storage!("inmemory: {}, maintenance: {uploadpurging: {enabled: true, age: 1h, interval: 1h, dryrun: true}}")),
    refused("purging by a number", storage!("inmemory: {}, maintenance: {uploadpurging: {enabled: true, age: 5, interval: 1h, dryrun: true}}")),
    case("purging off", storage!("inmemory: {}, maintenance: {uploadpurging: {enabled: false}}")),
    case("a cache", storage!("inmemory: {}, cache: {blobdescriptor: inmemory}")),
    case("silly", plain!("auth: {silly: {realm: r, service: s}}\n")),
    refused("silly without a realm", plain!("auth: {silly: {service: s}}\n")),
    case("accounts", plain!("auth: {htpasswd: {realm: basic-realm, path: ACCOUNTS}}\n")),
    refused("accounts without a realm", plain!("auth: {htpasswd: {path: ACCOUNTS}}\n")),
    refused("two ways to log in", plain!("auth: {silly: {realm: r, service: s}, htpasswd: {realm: r, path: ACCOUNTS}}\n")),
    refused("no such way to log in", plain!("auth: {oracle: {}}\n")),
    refused("tokens without keys", plain!("auth: {token: {realm: 'https://a/', service: s, issuer: i}}\n")),
    refused("tokens by a bundle that is not there", plain!("auth: {token: {realm: 'https://a/', service: s, issuer: i, rootcertbundle: /none}}\n")),
    case("tokens", plain!("auth: {token: {realm: 'https://a/token', service: s, issuer: i, rootcertbundle: BUNDLE}}\n")),
    case("tokens, and deletes", storage!("inmemory: {}, delete: {enabled: true}}\nauth: {token: {realm: 'https://a/token', service: s, issuer: i, rootcertbundle: BUNDLE}")),
    case("tokens of this host", plain!("auth: {token: {realm: 'https://a/token', service: s, issuer: i, rootcertbundle: BUNDLE, autoredirect: true}}\n")),
    refused("tokens without an issuer", plain!("auth: {token: {realm: 'https://a/token', service: s, rootcertbundle: BUNDLE}}\n")),
    case("read-only for some", storage!("inmemory: {}, maintenance: {readonly: {enabled: true}}}\nauth: {silly: {realm: r, service: s}")),
    refused("read-only, but not how", storage!("inmemory: {}, maintenance: {readonly: true}")),
    refused("purging without its times", storage!("inmemory: {}, maintenance: {uploadpurging: {enabled: true}}")).differs("each time has its default"),
    case("deletes in quotes", storage!("inmemory: {}, delete: {enabled: 'true'}")).differs("quotes do no harm"),
    case("a cache that nobody has", storage!("inmemory: {}, cache: {blobdescriptor: tape}")),
    refused("a cache without its server", storage!("inmemory: {}, cache: {blobdescriptor: redis}")),
    case("a cache with its server", storage!("inmemory: {}, cache: {blobdescriptor: redis}}\nredis: {addr: 'localhost:1'")),
    case("rules about URLs", plain!("validation: {manifests: {urls: {allow: ['^https?://[^/]+'], deny: [x]}}}\n")),
    refused("an expression that is none", plain!("validation: {manifests: {urls: {allow: ['(']}}}\n")),
    refused("an expression that would not be linear", plain!("validation: {manifests: {urls: {deny: ['(?=a)']}}}\n")),
    case("an expression that is none, where none counts", plain!("validation: {disabled: true, manifests: {urls: {allow: ['(']}}}\n")).differs("what is wrong is said before it counts"),
    case("classes", plain!("policy: {repository: {classes: [image, plugin]}}\n")),
    case("a class that nobody has", plain!("policy: {repository: {classes: [chart]}}\n")),
    case("blobs from elsewhere", plain!("middleware: {storage: [{name: redirect, options: {baseurl: 'https://cdn.example/x'}}]}\n")),
    refused("blobs from nowhere", plain!("middleware: {storage: [{name: redirect}]}\n")),
    refused("blobs from what is no URL", plain!("middleware: {storage: [{name: redirect, options: {baseurl: cdn.example}}]}\n")),
    refused("a middleware that nobody has", plain!("middleware: {storage: [{name: tape}]}\n")),
    refused("a middleware that nobody has, and that is off", plain!("middleware: {storage: [{name: tape, disabled: true}]}\n")).differs("what is off is off"),
    refused("a CDN without its key", plain!("middleware: {storage: [{name: cloudfront, options: {baseurl: a, keypairid: K, privatekey: /none}}]}\n")),
    case("nobody is sent anywhere", storage!("inmemory: {}, redirect: {disable: true}")),
    refused("a bound on looking at tags", storage!("inmemory: {}, tag: {concurrencylimit: 5}")).differs("distribution 3 has it"),
    refused("a bound below zero", storage!("inmemory: {}, tag: {concurrencylimit: -1}")),
    refused("an empty level", plain!("log: {level: ''}\n")),
    refused("an empty file", ""),
    refused("tabs", "version: 0.1\nstorage: inmemory\nhttp:\n\taddr: 'localhost:PORT'\n"),
    case("a host and a prefix", http!("prefix: /my/registry/, host: 'https://registry.example'")),
    case("a host with a path", http!("host: 'https://registry.example/x/'")),
    case("a host with a path, without a slash", http!("host: 'https://registry.example/x'")).differs("the path is kept whole, with a slash at its end and without"),
    case("a host and relative locations", http!("relativeurls: true, host: 'https://registry.example'")),
    case("relative locations and a prefix", http!("relativeurls: true, prefix: /my/registry/")).differs("a relative location leads to where the registry is"),
    case("an old protocol", http!("tls: {minimumtls: tls9}")).differs("a word that means nothing is refused, also before it counts"),
    refused("certificates that are not there", http!("tls: {certificate: /none, key: /none}")),
    case("checks of health", plain!("health: {storagedriver: {enabled: true, interval: 10s, threshold: 3}, file: [{file: /none, interval: 10s}]}\n")),
    refused("an interval that is none", plain!("health: {storagedriver: {enabled: true, interval: often}}\n")),
    case("an endpoint that is off", plain!("notifications: {endpoints: [{name: a, disabled: true, url: 'http://localhost:1/', timeout: 1s, threshold: 1, backoff: 1s}]}\n")),
    case("a variable", PLAIN).with(&[("REGISTRY_HTTP_HEADERS_X-A", "[b]")]),
    case("a variable goes before the file", http!("prefix: /other/")).with(&[("REGISTRY_HTTP_PREFIX", "/my/registry/")]),
    case("deletes by a variable", storage!("inmemory: {}")).with(&[("REGISTRY_STORAGE_DELETE_ENABLED", "true")]),
    case("read-only by a variable", storage!("inmemory: {}")).with(&[("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: true}")]),
    case("a variable with nothing in it", http!("headers: {X-A: [b]}")).with(&[("REGISTRY_HTTP_HEADERS", "")]),
    case("a variable in small letters", PLAIN).with(&[("registry_http_headers", "{X-A: [b]}")]),
    case("a driver by a variable", "version: 0.1\nhttp: {addr: 'localhost:PORT'}\n").with(&[("REGISTRY_STORAGE", "inmemory")]),
    refused("a second driver by a variable", PLAIN).with(&[("REGISTRY_STORAGE_INMEMORY_X", "1")]),
    case("a way to log in by variables", PLAIN).with(&[("REGISTRY_AUTH", "silly"), ("REGISTRY_AUTH_SILLY_REALM", "r"), ("REGISTRY_AUTH_SILLY_SERVICE", "s")]),
    case("a variable that fits nothing", PLAIN).with(&[("REGISTRY_HTTP_UNHEARD", "of")]),
    refused("a variable that is no YAML", PLAIN).with(&[("REGISTRY_HTTP_HEADERS", "[")]),
    refused("a variable of the wrong type", PLAIN).with(&[("REGISTRY_HTTP_RELATIVEURLS", "perhaps")]),
    refused("Kubernetes' word about another service", PLAIN).with(&[("REGISTRY_AUTH_PORT", "tcp://10.0.0.1:5001"), ("REGISTRY_AUTH_PORT_5001_TCP_ADDR", "10.0.0.1")]).differs("it is no setting, and distribution fails on it"),
];
