//! stub
pub(crate) async fn run(_: crate::cli::Up) -> anyhow::Result<()> { Ok(()) }
