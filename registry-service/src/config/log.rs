//! `log`

use shared::runtime::config::{Faults, Node};
use shared::runtime::telemetry::{Format, Lines, Style};
use shared::secret::Secret;

use super::key::{Key, Kind, key};
use super::{Section, shape};
use crate::mail::{Options, Wanted, is_address};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("log.level", Kind::Text, "info", "`error`, `warn`, `info`, `debug`, in any case."),
    key("loglevel", Kind::Text, "", "The old name of `log.level`, which goes before it."),
    key("log.formatter", Kind::OneOf(&["text", "json", "logstash"]), "text", "`text`, `json`, `logstash`."),
    key("log.fields", Kind::Any, "", "A map of fields that each line of the log carries."),
    key("log.accesslog.disabled", Kind::Switch, "false", "Whether there is no access log (Apache's combined format, on standard output)."),
    key("log.reportcaller", Kind::Switch, "false", "Whether lines name their place in the program."),
    key("log.hooks[].type", Kind::Text, "", "`mail`: mail about lines of some levels, at most one in a minute with all that came meanwhile; the first comes at once. Distribution passes over other types, and so does this version."),
    key("log.hooks[].disabled", Kind::Switch, "false", "Whether the hook is off."),
    key("log.hooks[].levels", Kind::Texts, "", "Which levels: `panic` (and `fatal`, which is the same here), `error`, `warn`, `info`, `debug`, `trace`; as far as `log.level` lets them be logged."),
    key("log.hooks[].options.smtp.addr", Kind::Text, "", "Required: the mail server's host and port. On port 465 TLS begins at once, on others when the server offers it."),
    key("log.hooks[].options.smtp.username", Kind::Text, "", "Its account; then TLS is required unless it is this host."),
    key("log.hooks[].options.smtp.password", Kind::Secret, "", "Its password."),
    key("log.hooks[].options.smtp.insecure", Kind::Switch, "false", "Whether its certificate is not verified."),
    key("log.hooks[].options.from", Kind::Text, "", "Required: the sender."),
    key("log.hooks[].options.to", Kind::Texts, "", "Required: the receivers."),
];

/// `log`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// `log.level`, by default `info`: `error`, `warn`, `info` or `debug`.
    pub level: String,
    /// `log.formatter`, by default `text`, `log.fields` and `log.reportcaller`.
    pub format: Format,
    /// `log.hooks`: who gets mail about lines.
    pub mail: Vec<Options>,
    /// Whether there is an access log: not with `log.accesslog.disabled`.
    pub access_log: bool,
}

impl LogConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Self {
        let path = if root.has("log.level") || !root.has("loglevel") {
            "log.level"
        } else {
            "loglevel"
        };
        let level = root.word(path).unwrap_or_default().to_lowercase();
        if !["error", "warn", "info", "debug"].contains(&level.as_str()) {
            root.refuse(faults, path, "error, warn, info or debug");
        }
        let style = match root.text("log.formatter").as_deref() {
            Some("json") => Style::Json,
            Some("logstash") => Style::Logstash,
            _ => Style::Text,
        };
        let fields = root.get("log.fields").map(Node::entries).unwrap_or_default();
        let fields = fields.iter().filter_map(|(name, value)| {
            let value = shape::scalar_text(value)?;
            Some((name.clone(), value.to_owned()))
        });
        let format = Format::Fields(Lines {
            style,
            fields: fields.collect(),
            caller: root.switch("log.reportcaller"),
            hook: None,
        });
        Self {
            level,
            format,
            mail: mail(faults, root),
            access_log: !root.switch("log.accesslog.disabled"),
        }
    }
}

fn mail(faults: &mut Faults, root: &Section<'_>) -> Vec<Options> {
    let hooks = root.items("log.hooks").into_iter();
    let hooks = hooks.filter(|hook| hook.word("type").as_deref() == Some("mail") && !hook.switch("disabled"));
    hooks.map(|hook| mail_hook(faults, &hook)).collect()
}

fn mail_hook(faults: &mut Faults, hook: &Section<'_>) -> Options {
    let words = hook.texts("levels");
    let levels: Vec<_> = words.iter().filter_map(|word| Wanted::find(word)).collect();
    if levels.len() < words.len() {
        hook.refuse(
            faults,
            "levels",
            "panic, fatal, error, warn, info, debug or trace",
        );
    }
    let addr = hook.required(faults, "options.smtp.addr");
    let (host, port) = addr.rsplit_once(':').unwrap_or_default();
    let port = port.parse();
    if !addr.is_empty() && (host.is_empty() || port.is_err()) {
        hook.refuse(
            faults,
            "options.smtp.addr",
            "a host and a port, such as mail.example:25",
        );
    }
    let from = hook.required(faults, "options.from");
    if !from.is_empty() && !is_address(&from) {
        hook.refuse(faults, "options.from", "a mail address");
    }
    let to = hook.texts("options.to");
    if to.is_empty() || !to.iter().all(|address| is_address(address)) {
        hook.refuse(faults, "options.to", "a list of mail addresses");
    }
    let password = hook.word("options.smtp.password").unwrap_or_default();
    Options {
        levels,
        host: host.to_owned(),
        port: port.unwrap_or_default(),
        account: hook
            .word("options.smtp.username")
            .map(|name| (name, Secret::new(password))),
        insecure: hook.switch("options.smtp.insecure"),
        from,
        to,
    }
}
