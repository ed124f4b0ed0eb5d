//! One redis, one that sentinels know, or a cluster of them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, IntoConnectionInfo as _,
    ProtocolVersion, RedisConnectionInfo, RedisResult, TlsCertificates, TlsMode,
};
use shared::secret::Secret;
use tokio::time::timeout;

/// `redis` as it is configured.
#[derive(Debug, Clone)]
pub struct Options {
    /// One server, the sentinels, or nodes of the cluster: hosts and ports, or the path of a socket.
    pub addrs: Vec<String>,
    /// The addresses are sentinels, which know the master of this name.
    pub master_name: Option<String>,
    /// For the server.
    pub account: Account,
    /// For the sentinels.
    pub sentinel_account: Account,
    /// Which database; a cluster has one alone.
    pub db: i64,
    /// What the connection is called.
    pub client_name: Option<String>,
    /// Whether the third version of the protocol is spoken.
    pub is_resp3: bool,
    /// Longest wait for a connection.
    pub dial: Duration,
    /// Longest wait for an answer.
    pub read: Duration,
    /// Shortest and longest pause before it is tried again.
    pub pause: (Duration, Duration),
    /// How often a cluster may send a question on.
    pub max_redirects: u32,
    /// Whether TLS is spoken.
    pub tls: Option<TlsFiles>,
}

/// Who speaks to redis.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Empty for the default user.
    pub name: Option<String>,
    /// None where redis asks for none.
    pub password: Option<Secret<String>>,
}

/// Files (PEM) for TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// Our certificate and its key.
    pub pair: Option<(PathBuf, PathBuf)>,
    /// Whom we trust; without any whom the system trusts.
    pub roots: Vec<PathBuf>,
}

/// Redis cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// A file for TLS cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// An address is none.
    #[error("{0:?} is not a host and a port, such as localhost:6379")]
    Address(String),
    /// A certificate or key is none.
    #[error("redis cannot be spoken to as it is configured")]
    Client(#[from] redis::RedisError),
}

/// How a connection is made.
pub(super) struct Server {
    options: Options,
    addrs: Vec<ConnectionAddr>,
    certificates: Option<TlsCertificates>,
}

#[derive(Clone)]
pub(super) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    pub(super) async fn tell(&mut self, command: &Cmd) -> RedisResult<()> {
        match self {
            Self::Single(connection) => command.query_async::<redis::Value>(connection).await,
            Self::Cluster(connection) => command.query_async::<redis::Value>(connection).await,
        }
        .map(drop)
    }
}

impl Server {
    /// Reads the files, and whether all fits together.
    pub(super) fn open(options: &Options) -> Result<Self, Unusable> {
        let read =
            |path: &PathBuf| std::fs::read(path).map_err(|error| Unusable::Unreadable(path.clone(), error));
        let certificates = match &options.tls {
            None => None,
            Some(files) => {
                let client_tls = match &files.pair {
                    Some((certificate, key)) => Some(ClientTlsConfig {
                        client_cert: read(certificate)?,
                        client_key: read(key)?,
                    }),
                    None => None,
                };
                let roots = files.roots.iter().map(read).collect::<Result<Vec<_>, _>>()?;
                Some(TlsCertificates {
                    client_tls,
                    root_cert: (!roots.is_empty()).then(|| roots.join(&b'\n')),
                })
            }
        };
        let is_secured = options.tls.is_some();
        let addrs = options.addrs.iter().map(|text| address(text, is_secured));
        let server = Self {
            addrs: addrs.collect::<Result<_, _>>()?,
            options: options.clone(),
            certificates,
        };
        // What is wrong with certificates shows here.
        if let Some(first) = server.addrs.first() {
            server.client(first)?;
        }
        Ok(server)
    }

    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        let options = &self.options;
        // A sentinel or node that does not answer leaves time for the next.
        let patience = options
            .dial
            .saturating_mul(u32::try_from(self.addrs.len()).unwrap_or(1) + 1);
        let connecting = async {
            match (&options.master_name, self.addrs.as_slice()) {
                (Some(master), _) => self.by_sentinels(master).await.map(Connection::Single),
                (None, [single]) => {
                    let client = self.client(single)?;
                    let connection = client
                        .get_multiplexed_async_connection_with_config(&self.config())
                        .await?;
                    Ok(Connection::Single(connection))
                }
                (None, _) => self.cluster().await.map(Connection::Cluster),
            }
        };
        let connected = timeout(patience, connecting).await;
        let mut connection = connected.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        if let Some(name) = &options.client_name {
            // A name is for operators; a server that does not take it serves all the same.
            let _ = connection
                .tell(redis::cmd("CLIENT").arg("SETNAME").arg(name))
                .await;
        }
        Ok(connection)
    }

    fn config(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.options.dial))
            .set_response_timeout(Some(self.options.read))
    }

    fn protocol(&self) -> ProtocolVersion {
        if self.options.is_resp3 {
            ProtocolVersion::RESP3
        } else {
            ProtocolVersion::RESP2
        }
    }

    fn client(&self, address: &ConnectionAddr) -> RedisResult<Client> {
        let mut settings = RedisConnectionInfo::default()
            .set_db(self.options.db)
            .set_protocol(self.protocol());
        if let Some(name) = &self.options.account.name {
            settings = settings.set_username(name);
        }
        if let Some(password) = &self.options.account.password {
            settings = settings.set_password(password.expose());
        }
        let info = address
            .clone()
            .into_connection_info()?
            .set_redis_settings(settings);
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }

    async fn by_sentinels(&self, master: &str) -> RedisResult<MultiplexedConnection> {
        let options = &self.options;
        let mut builder =
            SentinelClientBuilder::new(self.addrs.iter().cloned(), master, SentinelServerType::Master)?
                .set_client_to_redis_db(options.db)
                .set_client_to_redis_protocol(self.protocol());
        if let Some(name) = &options.account.name {
            builder = builder.set_client_to_redis_username(name);
        }
        if let Some(password) = &options.account.password {
            builder = builder.set_client_to_redis_password(password.expose());
        }
        if let Some(name) = &options.sentinel_account.name {
            builder = builder.set_client_to_sentinel_username(name);
        }
        if let Some(password) = &options.sentinel_account.password {
            builder = builder.set_client_to_sentinel_password(password.expose());
        }
        if let Some(certificates) = &self.certificates {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates.clone());
        }
        let mut client = builder.build()?;
        client.get_async_connection_with_config(&self.config()).await
    }

    async fn cluster(&self) -> RedisResult<ClusterConnection> {
        let options = &self.options;
        let mut builder = ClusterClient::builder(self.addrs.iter().cloned())
            .connection_timeout(options.dial)
            .response_timeout(options.read)
            .retries(options.max_redirects)
            .use_protocol(self.protocol());
        if let Some(name) = &options.account.name {
            builder = builder.username(name);
        }
        if let Some(password) = &options.account.password {
            builder = builder.password(password.expose());
        }
        if let Some(certificates) = &self.certificates {
            builder = builder.tls(TlsMode::Secure).certs(certificates.clone());
        }
        builder.build()?.get_async_connection().await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addrs", &self.addrs)
            .finish_non_exhaustive()
    }
}

/// As Go's client reads it: a path is that of a socket, and a host without a name is this one.
pub(super) fn address(text: &str, is_secured: bool) -> Result<ConnectionAddr, Unusable> {
    if text.starts_with('/') {
        return Ok(ConnectionAddr::Unix(text.into()));
    }
    let wrong = || Unusable::Address(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() { "localhost" } else { host }.to_owned();
    Ok(if is_secured {
        ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        }
    } else {
        ConnectionAddr::Tcp(host, port)
    })
}
