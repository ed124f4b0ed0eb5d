//! The configuration of an image (OCI image-spec, "Image Configuration"), as far as people are shown it. It comes from
//! whoever pushed: nothing in it is relied on.

use serde_json::{Map, Value, json};

use super::content::{clean, platform};

/// Longest summary, in bytes.
const LONGEST: usize = 64 << 10;
/// Most lines of a list that are kept.
const MOST_ITEMS: usize = 200;

/// A configuration that is a JSON object.
#[derive(Debug, Clone)]
pub struct ImageConfig(Map<String, Value>);

impl ImageConfig {
    /// Reads the bytes of a blob; none when they are no object.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => Some(Self(map)),
            _ => None,
        }
    }

    /// `os/architecture/variant`
    pub fn platform(&self) -> Option<String> {
        platform(&Value::Object(self.0.clone()))
    }

    /// What made each layer, in their order: the steps of the history that made one.
    pub fn commands(&self) -> Vec<String> {
        let Some(history) = self.0.get("history").and_then(Value::as_array) else {
            return Vec::new();
        };
        history
            .iter()
            .filter(|step| step["empty_layer"] != true)
            .map(|step| step["created_by"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// What is kept of it, as JSON of at most 64 KiB: of variables only their names, since values may be secrets.
    pub fn summary(&self) -> String {
        let of_image = Map::new();
        let inner = self
            .0
            .get("config")
            .and_then(Value::as_object)
            .unwrap_or(&of_image);
        let mut kept = Map::new();
        for (key, shown) in [
            ("os", "os"),
            ("architecture", "architecture"),
            ("variant", "variant"),
            ("os.version", "os_version"),
            ("created", "created"),
            ("author", "author"),
        ] {
            if let Some(text) = self
                .0
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
            {
                kept.insert(shown.to_owned(), clean(text).into());
            }
        }
        for (key, shown) in [
            ("User", "user"),
            ("WorkingDir", "working_dir"),
            ("StopSignal", "stop_signal"),
        ] {
            if let Some(text) = inner
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
            {
                kept.insert(shown.to_owned(), clean(text).into());
            }
        }
        for (key, shown) in [("Entrypoint", "entrypoint"), ("Cmd", "cmd")] {
            if let Some(list) = inner.get(key).and_then(Value::as_array) {
                let words = list.iter().filter_map(Value::as_str).take(MOST_ITEMS);
                kept.insert(shown.to_owned(), words.map(clean).collect());
            }
        }
        if let Some(list) = inner.get("Env").and_then(Value::as_array) {
            let names = list.iter().filter_map(Value::as_str).take(MOST_ITEMS);
            let names = names.map(|text| clean(text.split_once('=').map_or(text, |(name, _)| name)));
            kept.insert("env_names".to_owned(), names.collect());
        }
        for (key, shown) in [("ExposedPorts", "exposed_ports"), ("Volumes", "volumes")] {
            if let Some(map) = inner.get(key).and_then(Value::as_object) {
                kept.insert(
                    shown.to_owned(),
                    map.keys().take(MOST_ITEMS).map(|key| clean(key)).collect(),
                );
            }
        }
        if let Some(labels) = inner.get("Labels").and_then(Value::as_object) {
            let texts = labels.iter().filter(|(_, value)| value.is_string());
            kept.insert(
                "labels".to_owned(),
                Value::Object(texts.map(|(key, value)| (key.clone(), value.clone())).collect()),
            );
        }
        let text = Value::Object(kept.clone()).to_string();
        if text.len() <= LONGEST {
            return text;
        }
        kept.remove("labels");
        let text = Value::Object(kept).to_string();
        if text.len() <= LONGEST {
            return text;
        }
        json!({"platform": self.platform()}).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_names_of_variables_and_never_their_values() {
        let bytes = json!({
            "os": "linux", "architecture": "amd64", "created": "2026-01-01T00:00:00Z",
            "config": {"Env": ["PATH=/bin", "TOKEN=canary"], "Entrypoint": ["/app"], "Cmd": ["serve"], "User": "10001",
                "Labels": {"org.opencontainers.image.title": "app", "n": 1}, "ExposedPorts": {"80/tcp": {}}, "Volumes": null},
        });
        let config = ImageConfig::parse(bytes.to_string().as_bytes()).unwrap();
        let found: Value = serde_json::from_str(&config.summary()).unwrap();
        assert_eq!(
            found,
            json!({"os": "linux", "architecture": "amd64", "created": "2026-01-01T00:00:00Z", "user": "10001",
                "entrypoint": ["/app"], "cmd": ["serve"], "env_names": ["PATH", "TOKEN"],
                "labels": {"org.opencontainers.image.title": "app"}, "exposed_ports": ["80/tcp"]})
        );
        assert_eq!(config.platform().as_deref(), Some("linux/amd64"));
    }

    #[test]
    fn labels_that_are_too_much_are_left_out_and_what_is_no_object_says_nothing() {
        let bytes =
            json!({"os": "linux", "architecture": "amd64", "config": {"Labels": {"a": "x".repeat(70_000)}}});
        let config = ImageConfig::parse(bytes.to_string().as_bytes()).unwrap();
        assert_eq!(config.summary(), r#"{"architecture":"amd64","os":"linux"}"#);
        for bytes in [&b"[]"[..], b"", b"\xff", b"{\"a\":"] {
            assert!(ImageConfig::parse(bytes).is_none());
        }
        let odd = ImageConfig::parse(br#"{"os":7,"config":[],"history":{}}"#).unwrap();
        assert_eq!(
            (odd.summary().as_str(), odd.platform(), odd.commands().len()),
            ("{}", None, 0)
        );
    }
}
