//! Messages in the forms that receivers read.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::message::{About, Told};
use super::{EventKind, HookFormat};

/// Longest text of people in a chat message, in characters.
const LONGEST_QUOTE: usize = 300;

/// The body of a message.
pub fn render(format: HookFormat, told: &Told<'_>) -> Value {
    match format {
        HookFormat::DockerHub => docker_hub(told),
        HookFormat::CloudEvents => cloud_event(told),
        HookFormat::Slack => json!({"text": sentence(told, &Slack)}),
        HookFormat::Feishu => json!({"msg_type": "text", "content": {"text": sentence(told, &Plain)}}),
        HookFormat::DingTalk => json!({"msgtype": "markdown", "markdown": {
            "title": title(told), "text": sentence(told, &Markdown)}}),
        HookFormat::WeCom => {
            json!({"msgtype": "markdown", "markdown": {"content": sentence(told, &Markdown)}})
        }
    }
}

/// What Docker Hub sends after a push. `images` are texts, as receivers in Go expect them; what else we know stands beside.
fn docker_hub(told: &Told<'_>) -> Value {
    let facts = told.facts;
    let mut body = json!({
        "id": told.id,
        "event": told.kind.as_str(),
        // Docker Hub takes an answer there; receivers that give none are those that there are.
        "callback_url": "",
        "event_data": event_data(told),
    });
    if told.kind == EventKind::Push {
        let digests: Vec<&str> = told.platforms.iter().map(|one| one.digest.as_str()).collect();
        body["push_data"] = json!({
            "pushed_at": facts.at.div_euclid(1_000),
            "pusher": facts.actor.as_deref().unwrap_or_default(),
            "tag": facts.tag,
            "images": digests,
            "digest": facts.digest,
            "digest_before": facts.digest_before,
            "media_type": facts.media_type,
            "platforms": told.platforms,
        });
    }
    if let Some(name) = &facts.repository {
        let nothing = About::default();
        let about = told.about.unwrap_or(&nothing);
        let own = name.split_once('/').map_or(name.as_str(), |(_, own)| own);
        body["repository"] = json!({
            "id": facts.repository_id,
            "repo_name": name,
            "namespace": facts.namespace,
            "name": own,
            "owner": facts.namespace,
            "repo_url": told.page(),
            "image": told.image(),
            "is_private": about.is_private,
            "is_official": about.is_official,
            "is_trusted": false,
            "star_count": about.star_count,
            "comment_count": 0,
            "status": "Active",
            "date_created": about.created_at.div_euclid(1_000),
            "description": about.summary,
            "full_description": about.description,
            "dockerfile": "",
        });
    }
    body
}

/// CloudEvents 1.0 in structured mode.
fn cloud_event(told: &Told<'_>) -> Value {
    let facts = told.facts;
    let source = told
        .page()
        .unwrap_or_else(|| format!("{}/u/{}", told.public_url, facts.namespace));
    let mut event = json!({
        "specversion": "1.0",
        "id": told.id,
        "source": source,
        "type": format!("portolan.{}", told.kind.as_str()),
        "time": rfc3339(facts.at),
        "datacontenttype": "application/json",
        "data": event_data(told),
    });
    if let Some(image) = told.image() {
        event["subject"] = image.into();
    }
    event
}

/// What is known, without the form of anybody else.
fn event_data(told: &Told<'_>) -> Value {
    let mut data = serde_json::to_value(told.facts).unwrap_or_default();
    data["at"] = rfc3339(told.facts.at).into();
    if let Some(id) = told.facts.repository_id {
        // Larger than what JavaScript takes for an integer.
        data["repository_id"] = id.to_string().into();
    }
    if let Some(image) = told.image() {
        data["image"] = image.into();
    }
    if !told.platforms.is_empty() {
        data["platforms"] = json!(told.platforms);
    }
    data
}

fn rfc3339(at_ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// How a chat writes a text and a link.
trait Markup {
    fn text(&self, text: &str) -> String;
    fn link(&self, text: &str, url: &str) -> String;
}

struct Plain;
struct Slack;
struct Markdown;

impl Markup for Plain {
    fn text(&self, text: &str) -> String {
        // Feishu calls people by `<at …>`.
        one_line(text).replace('<', "‹").replace('>', "›")
    }

    fn link(&self, text: &str, url: &str) -> String {
        format!("{} ({url})", self.text(text))
    }
}

impl Markup for Slack {
    fn text(&self, text: &str) -> String {
        // Nobody is to be called by a name in a comment.
        one_line(text)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    }

    fn link(&self, text: &str, url: &str) -> String {
        format!("<{url}|{}>", self.text(text).replace('|', "¦"))
    }
}

impl Markup for Markdown {
    fn text(&self, text: &str) -> String {
        // Names hold none of these; neither chat knows how to escape all of them.
        let is_plain = |c: &char| {
            !matches!(
                c,
                '[' | ']' | '(' | ')' | '<' | '>' | '*' | '`' | '#' | '!' | '\\' | '|' | '@'
            )
        };
        one_line(text).chars().filter(is_plain).collect()
    }

    fn link(&self, text: &str, url: &str) -> String {
        format!("[{}]({url})", self.text(text))
    }
}

fn one_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_QUOTE)
        .collect();
    if text.chars().nth(LONGEST_QUOTE).is_some() {
        line.push('…');
    }
    line
}

/// What a notification on a telephone shows.
fn title(told: &Told<'_>) -> String {
    let place = told.facts.repository.as_deref().unwrap_or(&told.facts.namespace);
    Markdown.text(&format!("{}: {place}", told.kind.as_str()))
}

/// What happened, in a sentence.
fn sentence(told: &Told<'_>, markup: &dyn Markup) -> String {
    let facts = told.facts;
    let who = markup.text(facts.actor.as_deref().unwrap_or("somebody"));
    let name = facts.repository.as_deref().unwrap_or(&facts.namespace);
    let place = match told.page() {
        Some(page) => markup.link(name, &page),
        None => markup.text(name),
    };
    let tag = markup.text(facts.tag.as_deref().unwrap_or_default());
    let digest = |digest: &Option<String>| markup.text(&short(digest.as_deref().unwrap_or_default()));
    let quote = |text: &Option<String>| markup.text(text.as_deref().unwrap_or_default());
    match told.kind {
        EventKind::Push => {
            let platforms: Vec<String> = told
                .platforms
                .iter()
                .filter_map(|one| one.platform.as_deref())
                .map(|platform| markup.text(platform))
                .collect();
            let platforms = if platforms.is_empty() {
                String::new()
            } else {
                format!(", {}", platforms.join(", "))
            };
            format!(
                "{who} pushed {tag} to {place} ({}{platforms})",
                digest(&facts.digest)
            )
        }
        EventKind::TagMoved => format!(
            "{who} moved {tag} of {place} from {} to {}",
            digest(&facts.digest_before),
            digest(&facts.digest)
        ),
        EventKind::TagDeleted => format!("{who} deleted the tag {tag} of {place}"),
        EventKind::ManifestDeleted => format!("{who} deleted {} of {place}", digest(&facts.digest)),
        EventKind::RepositoryCreated => format!("{who} made the repository {place}"),
        EventKind::RepositoryRenamed => {
            format!(
                "{who} renamed the repository {} to {place}",
                quote(&facts.name_before)
            )
        }
        EventKind::RepositoryDeleted => format!("{who} deleted the repository {place}"),
        EventKind::RepositoryRestored => format!("{who} restored the repository {place}"),
        EventKind::RepositoryVisibility => format!(
            "{who} made the repository {place} {}, which was {}",
            quote(&facts.visibility),
            quote(&facts.visibility_before)
        ),
        EventKind::Star => format!("{who} gave a star to {place}"),
        EventKind::Comment => format!("{who} wrote about {place}: {}", quote(&facts.text)),
        EventKind::Quota => format!("{place}: {}", quote(&facts.text)),
        EventKind::Ping => format!("{who} tests the webhook of {place}"),
    }
}

/// The beginning of a digest.
fn short(digest: &str) -> String {
    let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits);
    digits.chars().take(12).collect()
}

#[cfg(test)]
mod tests;
