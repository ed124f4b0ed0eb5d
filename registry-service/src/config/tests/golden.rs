//! Files as they are in use. Each starts, or is refused for exactly the keys that are named.

use super::*;

/// A file, what stops it, and what is said about it.
struct Case {
    name: &'static str,
    file: &'static str,
    stops: &'static [&'static str],
    unknown: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case { name: "the official image", file: include_str!("../../../../deploy/registry/config.yml"), stops: &[], unknown: &[] },
    Case {
        name: "Debian's package",
        file: "version: 0.1
log: {fields: {service: registry}}
storage:
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: /var/lib/docker-registry}
  delete: {enabled: true}
http: {addr: ':5000', headers: {X-Content-Type-Options: [nosniff]}}
auth: {htpasswd: {realm: basic-realm, path: /etc/docker/registry}}
health: {storagedriver: {enabled: true, interval: 10s, threshold: 3}}
",
        stops: &[],
        unknown: &[],
    },
    Case {
        name: "the image of distribution 3",
        file: "version: 0.1
log: {fields: {service: registry}}
storage:
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: /var/lib/registry}
  maintenance: {uploadpurging: {enabled: false}}
  tag: {concurrencylimit: 8}
http:
  addr: :5000
  debug: {addr: ':5001', prometheus: {enabled: true, path: /metrics}}
  headers: {X-Content-Type-Options: [nosniff]}
health: {storagedriver: {enabled: true, interval: 10s, threshold: 3}}
",
        stops: &[],
        unknown: &[],
    },
    Case {
        name: "a tutorial with TLS and a proxy in front",
        file: "version: 0.1
log: {level: info, formatter: json}
storage: {filesystem: {rootdirectory: /data, maxthreads: 100}, delete: {enabled: true}}
http:
  addr: 0.0.0.0:5000
  host: https://registry.example.com
  relativeurls: true
  secret: asecretforlocaldevelopment
  tls: {certificate: /certs/domain.crt, key: /certs/domain.key, minimumtls: tls1.2}
  http2: {disabled: true}
",
        stops: &[],
        unknown: &[],
    },
    Case {
        name: "Harbor: redis, notifications, S3 or a folder",
        file: "version: 0.1
log: {level: info, fields: {service: registry}}
storage:
  cache: {layerinfo: redis}
  filesystem: {rootdirectory: /storage}
  maintenance: {uploadpurging: {enabled: true, age: 168h, interval: 24h, dryrun: false}}
  delete: {enabled: true}
redis:
  addr: redis:6379
  readtimeout: 10s
  writetimeout: 10s
  dialtimeout: 10s
  enableTLS: false
  password: x
  db: 1
  pool: {maxidle: 100, maxactive: 500, idletimeout: 60s}
http:
  addr: :5000
  secret: placeholder
  debug: {addr: 'localhost:5001'}
auth: {htpasswd: {realm: harbor-registry-basic-realm, path: /etc/registry/passwd}}
validation: {disabled: true}
compatibility: {schema1: {enabled: true}}
",
        stops: &[],
        unknown: &["redis.enableTLS"],
    },
    Case {
        name: "Harbor of old: events to its core",
        file: "version: 0.1
storage: {filesystem: {rootdirectory: /storage}}
auth: {token: {issuer: harbor-token-issuer, realm: 'https://h/service/token', rootcertbundle: /etc/registry/root.crt, service: harbor-registry}}
notifications:
  endpoints:
    - {name: harbor, disabled: false, url: 'http://core:8080/service/notifications', timeout: 3000ms, threshold: 5, backoff: 1s}
",
        stops: &[],
        unknown: &[],
    },
    Case {
        name: "GitLab: metadata database, its own keys",
        file: "version: 0.1
log: {level: info, formatter: json, fields: {service: registry}}
storage:
  filesystem: {rootdirectory: /var/opt/gitlab/gitlab-rails/shared/registry}
  cache: {blobdescriptor: inmemory}
  delete: {enabled: true}
database: {enabled: false, host: localhost, port: 5432, password: x, pool: {maxidle: 5}}
gc: {disabled: true, blobs: {interval: 5s}}
http:
  addr: localhost:5000
  headers: {X-Content-Type-Options: [nosniff]}
  debug: {tls: {enabled: false}, pprof: {enabled: true}}
auth:
  token:
    realm: https://gitlab.example.com/jwt/auth
    service: container_registry
    issuer: omnibus-gitlab-issuer
    rootcertbundle: /var/opt/gitlab/registry/gitlab-registry.crt
    autoredirect: false
validation: {disabled: true, manifests: {referencelimit: 0, payloadsizelimit: 0}}
profiling: {stackdriver: {enabled: false}}
reporting: {sentry: {enabled: false}}
redis: {cache: {enabled: false}}
",
        stops: &[],
        unknown: &[],
    },
    Case {
        name: "a Helm chart: S3 with quoted switches",
        file: "version: 0.1
log: {fields: {service: registry}}
storage:
  cache: {blobdescriptor: inmemory}
  s3: {region: us-east-1, bucket: images, encrypt: 'false', secure: 'true', rootdirectory: /prefix}
http:
  addr: :5000
  headers: {X-Content-Type-Options: [nosniff]}
  debug: {addr: ':5001', prometheus: {enabled: false, path: /metrics}}
health: {storagedriver: {enabled: true, interval: 10s, threshold: 3}}
",
        stops: &["storage"],
        unknown: &[],
    },
    Case {
        name: "a mirror of the hub",
        file: "version: 0.1
storage: {filesystem: {rootdirectory: /var/lib/registry}, redirect: {disable: true}}
http: {addr: ':5000'}
proxy: {remoteurl: 'https://registry-1.docker.io', username: u, password: p, ttl: 168h}
",
        stops: &["proxy"],
        unknown: &[],
    },
    Case {
        name: "distribution's whole sample, as far as a folder goes",
        file: "version: 0.1
log:
  accesslog: {disabled: true}
  level: debug
  formatter: text
  fields: {service: registry, environment: staging}
  hooks:
    - type: mail
      disabled: true
      levels: [panic]
      options:
        smtp: {addr: 'mail.example.com:25', username: mailuser, password: password, insecure: true}
        from: sender@example.com
        to: [errors@example.com]
loglevel: debug
storage:
  filesystem: {rootdirectory: /var/lib/registry, maxthreads: 100}
  delete: {enabled: false}
  redirect: {disable: false}
  cache: {blobdescriptor: redis, blobdescriptorsize: 10000}
  maintenance:
    uploadpurging: {enabled: true, age: 168h, interval: 24h, dryrun: false}
    readonly: {enabled: false}
auth: {htpasswd: {realm: basic-realm, path: /path/to/htpasswd}}
middleware:
  registry: [{name: ARegistryMiddleware, disabled: true, options: {foo: bar}}]
  storage: [{name: cloudfront, options: {baseurl: 'https://my.cloudfronted.domain.com/', privatekey: /path/to/pem, keypairid: id, duration: 3000s}}]
  storage: [{name: redirect, options: {baseurl: 'https://example.com/'}}]
http:
  addr: localhost:5000
  prefix: /my/nested/registry/
  host: https://myregistryaddress.org:5000
  secret: asecretforlocaldevelopment
  relativeurls: false
  draintimeout: 60s
  tls:
    certificate: /path/to/x509/public
    key: /path/to/x509/private
    clientcas: [/path/to/ca.pem, /path/to/another/ca.pem]
    clientauth: require-and-verify-client-cert
    minimumtls: tls1.2
    ciphersuites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
  debug: {addr: 'localhost:5001', prometheus: {enabled: true, path: /metrics}}
  headers: {X-Content-Type-Options: [nosniff]}
  http2: {disabled: false}
  h2c: {enabled: false}
notifications:
  events: {includereferences: true}
  endpoints: [{name: alistener, disabled: true, url: 'https://my.listener.com/event', headers: {Authorization: [x]}, timeout: 1s, threshold: 10, backoff: 1s, ignoredmediatypes: [application/octet-stream], ignore: {mediatypes: [application/octet-stream], actions: [pull]}}]
redis:
  tls: {certificate: /path/to/cert.crt, key: /path/to/key.pem, clientcas: [/path/to/ca.pem]}
  addrs: ['localhost:6379']
  password: asecret
  db: 0
  dialtimeout: 10ms
  readtimeout: 10ms
  writetimeout: 10ms
  maxidleconns: 16
  poolsize: 64
  connmaxidletime: 300s
health:
  storagedriver: {enabled: true, interval: 10s, threshold: 3}
  file: [{file: /path/to/checked/file, interval: 10s}]
  http: [{uri: 'http://server.to.check/must/return/200', headers: {Authorization: [Basic x]}, statuscode: 200, timeout: 3s, interval: 10s, threshold: 3}]
  tcp: [{addr: 'redis-server.domain.com:6379', timeout: 3s, interval: 10s, threshold: 3}]
validation:
  manifests: {urls: {allow: ['^https?://([^/]+\\.)*example\\.com/'], deny: ['^https?://www\\.example\\.com/']}, indexes: {platforms: list, platformlist: [{architecture: amd64, os: linux}]}}
policy: {repository: {classes: [image]}}
tags: {maxtags: 500}
catalog: {maxentries: 500}
",
        stops: &[],
        unknown: &[],
    },
];

#[test]
fn files_that_are_in_use_start_or_are_refused_for_what_this_version_lacks() {
    for case in CASES {
        match check(case.file, &[]) {
            Ok(config) => {
                assert!(case.stops.is_empty(), "{} starts", case.name);
                assert_eq!(config.ignored, case.unknown, "{}", case.name);
                assert!(
                    !format!("{config:?}").contains("asecretforlocal"),
                    "{}",
                    case.name
                );
            }
            Err(error) => assert_eq!(faults(case.file), case.stops, "{}: {error}", case.name),
        }
    }
}
