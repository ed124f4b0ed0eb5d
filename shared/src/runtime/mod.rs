//! Process plumbing without any policy of either service: the clock, configuration files, TLS,
//! telemetry, and the accept loop with its limits.

pub mod clock;
pub mod config;
pub mod private_file;
pub mod probe;
pub mod serve;
pub mod telemetry;
pub mod tls;
