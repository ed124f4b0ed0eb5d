//! `log`

use shared::runtime::config::{Faults, Node};
use shared::runtime::telemetry::{Format, Lines, Style};

use super::key::{Key, Kind, key};
use super::{Section, shape};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("log.level", Kind::Text, "info", "`error`, `warn`, `info`, `debug`, in any case."),
    key("loglevel", Kind::Text, "", "The old name of `log.level`, which goes before it."),
    key("log.formatter", Kind::OneOf(&["text", "json", "logstash"]), "text", "`text`, `json`, `logstash`."),
    key("log.fields", Kind::Any, "", "A map of fields that each line of the log carries."),
    key("log.accesslog.disabled", Kind::Switch, "false", "Whether there is no access log (Apache's combined format, on standard output)."),
    key("log.reportcaller", Kind::Switch, "false", "Whether lines name their place in the program."),
    key("log.hooks[].type", Kind::OneOf(&["mail"]), "", "Mail about lines of some levels.").not_yet(),
    key("log.hooks[].disabled", Kind::Switch, "false", "Whether the hook is off.").not_yet(),
    key("log.hooks[].levels", Kind::Texts, "", "Which levels.").not_yet(),
    key("log.hooks[].options.smtp.addr", Kind::Text, "", "The mail server.").not_yet(),
    key("log.hooks[].options.smtp.username", Kind::Text, "", "Its account.").not_yet(),
    key("log.hooks[].options.smtp.password", Kind::Secret, "", "Its password.").not_yet(),
    key("log.hooks[].options.smtp.insecure", Kind::Switch, "false", "Whether its certificate is not verified.").not_yet(),
    key("log.hooks[].options.from", Kind::Text, "", "The sender.").not_yet(),
    key("log.hooks[].options.to", Kind::Texts, "", "The receivers.").not_yet(),
];

/// `log`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// `log.level`, by default `info`: `error`, `warn`, `info` or `debug`.
    pub level: String,
    /// `log.formatter`, by default `text`, `log.fields` and `log.reportcaller`.
    pub format: Format,
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
            access_log: !root.switch("log.accesslog.disabled"),
        }
    }
}
