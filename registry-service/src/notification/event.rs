//! Events and envelopes as CNCF distribution sends them (`notifications/event.go` of 2.8 and 3): its receivers read ours.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared::oci::{Descriptor, Manifest, MediaType};

use super::endpoint::Version;

/// A longer event, in bytes, goes without its references: what a queue takes of the disk is bounded by its count of events.
const LONGEST: usize = 256 << 10;
/// The media type of what is no manifest.
pub(super) const BLOB: &str = "application/octet-stream";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Something was read.
    Pull,
    /// Something was stored, or a tag moved.
    Push,
    /// A blob of another repository was taken over.
    Mount,
    /// Something is gone.
    Delete,
    /// Ours, for an index alone: events of the repository were lost, read it again.
    Resync,
}

impl Action {
    /// As the envelope and `ignore.actions` write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Mount => "mount",
            Self::Delete => "delete",
            Self::Resync => "resync",
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// A random UUID; the same however often it is delivered.
    pub id: String,
    /// When it happened (RFC 3339, UTC).
    pub timestamp: String,
    /// What happened.
    pub action: Action,
    /// To what.
    pub target: Target,
    /// By which request.
    #[serde(default)]
    pub request: RequestRecord,
    /// By whom.
    #[serde(default)]
    pub actor: ActorRecord,
    /// At which registry.
    #[serde(default)]
    pub source: SourceRecord,
}

/// What an event is about; what is empty is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// Of a manifest, or `application/octet-stream`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// In bytes.
    #[serde(skip_serializing_if = "is_zero")]
    pub size: u64,
    /// Of the content.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// The same as `size`, under its older name.
    #[serde(skip_serializing_if = "is_zero")]
    pub length: u64,
    /// The repository's public name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub repository: String,
    /// Ours, for an index alone: the name under which the registry keeps the repository.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stored_as: String,
    /// Where a blob was mounted from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from_repository: String,
    /// Where the content can be had.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The tag that was pushed, pulled or deleted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// What the manifest refers to, with `events.includereferences`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Descriptor>,
}

/// The request behind an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// As in the log and in `X-Request-Id`.
    pub id: String,
    /// The client's address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub addr: String,
    /// `Host`
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The method.
    pub method: String,
    /// `User-Agent`
    pub useragent: String,
}

/// Who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorRecord {
    /// The verified name; empty for nobody in particular.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// The process that tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// `host:port`
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub addr: String,
    /// A random UUID per start.
    #[serde(default, rename = "instanceID", skip_serializing_if = "String::is_empty")]
    pub instance_id: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Event {
    /// As it is stored.
    pub(super) fn to_bytes(&self) -> Bytes {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        if bytes.len() <= LONGEST {
            return bytes.into();
        }
        let mut shorter = self.clone();
        shorter.target.references.clear();
        serde_json::to_vec(&shorter).unwrap_or_default().into()
    }

    /// What was stored; none when that is no event.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// The body of a request to an endpoint, indented as distribution indents it.
pub(super) fn envelope(events: &[Event], version: Version) -> Vec<u8> {
    #[derive(Serialize)]
    struct Envelope<'a> {
        events: &'a [Event],
    }
    let older: Vec<Event>;
    let events = match version {
        Version::V1 if events.iter().any(|event| !event.target.references.is_empty()) => {
            older = events.iter().map(without_platforms).collect();
            &older
        }
        Version::V1 | Version::V2 => events,
    };
    let mut body = Vec::with_capacity(2048);
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"   ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut body, formatter);
    // Writing to memory what is made of texts and numbers does not fail.
    let _ = Envelope { events }.serialize(&mut serializer);
    body
}

/// Distribution 2 tells of an index's manifests what every descriptor has.
fn without_platforms(event: &Event) -> Event {
    let mut event = event.clone();
    for reference in &mut event.target.references {
        reference.platform = None;
        reference.artifact_type = None;
    }
    event
}

/// What a manifest refers to, as distribution lists it: the configuration and the layers, or the manifests of an index.
pub(super) fn references(bytes: &[u8], media_type: MediaType) -> Vec<Descriptor> {
    let Ok(manifest) = Manifest::parse(bytes, Some(media_type.as_str())) else {
        return Vec::new();
    };
    let listed = manifest.config().into_iter().chain(manifest.layers());
    listed
        .chain(manifest.manifests())
        .map(|descriptor| Descriptor {
            data: None,
            ..descriptor.clone()
        })
        .collect()
}

/// A random UUID (RFC 9562, version 4) of 128 random bits.
pub(super) fn uuid(random: [u8; 16]) -> String {
    let bits = u128::from_be_bytes(random);
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::oci::{Algorithm, Digest};

    use super::*;

    #[test]
    fn an_envelope_has_distributions_fields_and_nothing_for_what_is_empty() {
        let event = Event {
            id: "i".to_owned(),
            timestamp: "2026-08-01T00:00:00Z".to_owned(),
            action: Action::Mount,
            target: Target {
                media_type: BLOB.to_owned(),
                size: 5,
                digest: "sha256:x".to_owned(),
                length: 5,
                repository: "a/b".to_owned(),
                from_repository: "c".to_owned(),
                url: "http://h/v2/a/b/blobs/sha256:x".to_owned(),
                ..Target::default()
            },
            request: RequestRecord {
                id: "r".to_owned(),
                method: "POST".to_owned(),
                ..RequestRecord::default()
            },
            actor: ActorRecord::default(),
            source: SourceRecord {
                addr: "h:5000".to_owned(),
                instance_id: "p".to_owned(),
            },
        };
        let body = envelope(std::slice::from_ref(&event), Version::V2);
        let found: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            found,
            json!({"events": [{
                "id": "i", "timestamp": "2026-08-01T00:00:00Z", "action": "mount",
                "target": {
                    "mediaType": "application/octet-stream", "size": 5, "digest": "sha256:x", "length": 5,
                    "repository": "a/b", "fromRepository": "c", "url": "http://h/v2/a/b/blobs/sha256:x",
                },
                "request": {"id": "r", "method": "POST", "useragent": ""},
                "actor": {},
                "source": {"addr": "h:5000", "instanceID": "p"},
            }]})
        );
        assert!(body.starts_with(b"{\n   \"events\": [\n      {\n         \"id\""));
        assert_eq!(Event::parse(&event.to_bytes()), Some(event));
        assert_eq!(Event::parse(b"{\"id\": \"torn"), None);
    }

    #[test]
    fn an_event_that_is_too_long_goes_without_its_references() {
        let layer = |_| {
            json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": 1,
                   "digest": Digest::of(Algorithm::Sha256, b"x"), "data": "eA=="})
        };
        let manifest = |count| {
            let layers: Vec<_> = (0..count).map(layer).collect();
            let document = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                                  "config": layer(0), "layers": layers});
            serde_json::to_vec(&document).unwrap()
        };
        let of = |count| {
            let found = references(&manifest(count), MediaType::OciManifest);
            assert_eq!(found.len(), count + 1);
            assert!(found.iter().all(|descriptor| descriptor.data.is_none()));
            Event {
                id: String::new(),
                timestamp: String::new(),
                action: Action::Push,
                target: Target {
                    references: found,
                    ..Target::default()
                },
                request: RequestRecord::default(),
                actor: ActorRecord::default(),
                source: SourceRecord::default(),
            }
        };
        assert_eq!(
            Event::parse(&of(2).to_bytes()).unwrap().target.references.len(),
            3
        );
        let long = of(3_000).to_bytes();
        assert!(long.len() < LONGEST);
        assert_eq!(Event::parse(&long).unwrap().target.references, []);
    }

    #[test]
    fn the_older_envelope_has_no_platforms() {
        let manifest = json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 1,
            "digest": Digest::of(Algorithm::Sha256, b"x"), "platform": {"os": "linux"},
        });
        let event: Event = serde_json::from_value(json!({
            "id": "i", "timestamp": "t", "action": "push", "target": {"references": [manifest]},
        }))
        .unwrap();
        for (version, has) in [(Version::V1, false), (Version::V2, true)] {
            let body = envelope(std::slice::from_ref(&event), version);
            let found: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let reference = &found["events"][0]["target"]["references"][0];
            assert_eq!(reference["size"], 1);
            assert_eq!(reference.get("platform").is_some(), has);
        }
    }

    #[test]
    fn an_id_is_a_random_uuid() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
