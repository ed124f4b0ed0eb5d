//! The log of the process, and the mail about it.

use anyhow::Context as _;
use registry_service::config::Config;
use registry_service::mail::{self, Mailer};
use shared::runtime::telemetry::{Format, Hook};

/// The configured format; each line also names this process, of which there may be several, and its version.
pub(crate) fn format(config: &Config, hook: Option<Hook>) -> Format {
    let mut format = config.log.format.clone();
    if let Format::Fields(lines) = &mut format {
        lines.hook = hook;
        let instance = u128::from_be_bytes(super::random());
        lines
            .fields
            .push(("instance.id".to_owned(), format!("{instance:032x}")));
        let version = env!("CARGO_PKG_VERSION").to_owned();
        lines.fields.push(("version".to_owned(), version));
    }
    format
}

/// Begins to send mail about the log, where that is configured.
pub(crate) fn mail(config: &Config) -> anyhow::Result<(Option<Hook>, Vec<Mailer>)> {
    let (mut hooks, mut mailers) = (Vec::new(), Vec::new());
    for options in &config.log.mail {
        let (hook, mailer) = Mailer::start(options, mail::INTERVAL).context("log.hooks")?;
        hooks.push(hook);
        mailers.push(mailer);
    }
    let all = Hook::new(move |line| hooks.iter().for_each(|hook| hook.tell(line)));
    Ok(((!mailers.is_empty()).then_some(all), mailers))
}
