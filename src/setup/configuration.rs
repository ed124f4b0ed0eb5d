//! The configurations of index and registry. What a deployment wants otherwise goes into variables, which are laid over
//! these files.

use crate::address::PublicUrl;

/// Where the index keeps the first password of `admin`, seen from its container.
pub(super) const FIRST_PASSWORD: &str = "/etc/portolan/index/initial-admin-password";

const MADE: &str = "# Made by `portolan setup` at each start: what you change here is lost. Settings of your own go into variables";

/// `index.yml`
pub(super) fn index(url: &PublicUrl) -> String {
    format!(
        "{MADE} (INDEX_…).
listen: 0.0.0.0:5001
public_url: {url}
database_file: /etc/portolan/index/database
master_key_file: /etc/portolan/index/master-key
initial_password_file: {FIRST_PASSWORD}
# The front door says who the client is, and overwrites what the client says of that itself.
trusted_proxies: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, \"fc00::/7\"]
registry:
  url: http://registry:5000
  events_secret_file: /etc/portolan/index/events-secret
log:
  format: json
limits:
  max_connections_per_address: 8192
"
    )
}

/// `config.yml`
pub(super) fn registry(url: &PublicUrl, redis: &str, events: &str) -> String {
    let service = url.authority();
    let (cache, server) = if redis.is_empty() {
        ("inmemory", String::new())
    } else {
        ("redis", format!("redis:\n  addr: {redis}\n"))
    };
    format!(
        "{MADE} (REGISTRY_…).
version: 0.1
log:
  level: info
  formatter: json
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: /var/lib/registry
  delete:
    enabled: true
  cache:
    blobdescriptor: {cache}
  maintenance:
    uploadpurging:
      enabled: true
      age: 168h
      interval: 24h
      dryrun: false
auth:
  token:
    realm: {url}/token
    service: {service}
    issuer: portolan
    # The network between the services is theirs alone.
    jwksurl: http://index:5001/.well-known/jwks.json
    insecurejwksurl: true
http:
  addr: :5000
  secretfile: /etc/portolan/registry/http-secret
  draintimeout: 60s
  limits:
    connectionsperaddress: 8192
  debug:
    addr: 127.0.0.1:5002
    prometheus:
      enabled: true
      path: /metrics
validation:
  manifests:
    urls:
      allow: [\"^https?://\"]
    indexes:
      platforms: all
notifications:
  endpoints:
    # What the index knows of tags and images it hears from here.
    - name: index
      url: http://index:5001/events/registry
      index: true
      headers:
        Authorization: [Bearer {events}]
      timeout: 10s
      threshold: 3
      batch: 100
      maxpulls: 10000
      ignore:
        mediatypes: [application/octet-stream]
        actions: [mount]
{server}"
    )
}
