//! The configuration of nginx as the front door of a deployment: the same path table as `portolan nginx-config`, for
//! services whose containers come and go.

use shared::front_door::Service;

use crate::address::PublicUrl;
use crate::nginx::{PASSING_ON, locations};

/// The whole `nginx.conf`.
pub(super) fn nginx(url: &PublicUrl) -> String {
    let tail = locations(|service| match service {
        Service::Index => "$portolan_index",
        Service::Registry => "$portolan_registry",
    });
    let head = HEAD.replace("PUBLIC_URL", &url.to_string());
    head.replace("PASSING_ON", PASSING_ON) + &tail + "}\n}\n"
}

const HEAD: &str = "\
# Made by `portolan setup` at each start: what you change here is lost.
worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr warn;

events {
    worker_connections 4096;
}

http {
    server_tokens off;
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    # Without queries: they may hold what is nobody else's business.
    log_format requests '$remote_addr $request_method $uri $status $body_bytes_sent $request_time $upstream_addr $upstream_status';
    access_log /dev/stdout requests;

    # The engine's own DNS knows which containers a service has now; asked again every second, for `--scale`, and for
    # containers that were replaced.
    resolver 127.0.0.11 valid=1s ipv6=off;
    resolver_timeout 5s;

    # A name that is looked up makes nginx read the certificate at each handshake: a new one counts at once.
    map '' $portolan_certificate {
        default tls;
    }

    # Whom to tell of, and certificates by ACME; everything else is HTTPS.
    server {
        listen 8080;
        access_log off;
        location = /front-door { default_type text/plain; return 200 'ok'; }
        location ^~ /.well-known/acme-challenge/ { root /var/www/acme; default_type text/plain; }
        location / { return 308 PUBLIC_URL$request_uri; }
    }

server {
    listen 8443 ssl http2 backlog=1024;
    ssl_certificate /etc/portolan/tls/$portolan_certificate.crt;
    ssl_certificate_key /etc/portolan/tls/$portolan_certificate.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    ssl_session_timeout 1h;
PASSING_ON    client_body_buffer_size 128k;
    proxy_buffer_size 64k;
    proxy_buffers 4 64k;
    client_header_timeout 10s;
    client_body_timeout 60s;
    send_timeout 60s;
    keepalive_timeout 75s;
    proxy_connect_timeout 2s;

    # Not what the client says of itself.
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header Forwarded '';
    proxy_set_header X-Forwarded-Host $http_host;

    # Another replica is asked when one cannot be reached. What may have been done already, a POST or a PATCH, is not
    # sent twice, and no body whose beginning is sent.
    proxy_next_upstream error timeout;
    proxy_next_upstream_tries 3;
    proxy_next_upstream_timeout 10s;

    set $portolan_index index:5001;
    set $portolan_registry registry:5000;

";
