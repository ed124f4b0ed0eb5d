//! Reading a configuration file: YAML into a tree, an overlay of variables, and from there into types with
//! every fault reported at once.
//!
//! The order is: [`load_tree`] → [`overlay`] → [`from_tree`] into a service's `RawConfig` → its `Config`, with
//! [`Faults`] collecting what is wrong on the way.

mod duration;
mod fault;
mod node;
mod overlay;
mod reader;
mod scalar;
mod size;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use duration::{GoDuration, InvalidDuration};
pub use fault::{Fault, Faults};
pub use node::{Content, Node, Origin, Scalar};
pub use overlay::overlay;
pub use scalar::Resolved;
pub use size::{ByteSize, InvalidByteSize};

use reader::Place;

use crate::secret::Secret;

/// Largest configuration or secret file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

/// A configuration could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("while reading {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is larger than [`MAX_FILE_BYTES`].
    #[error("{} is larger than {MAX_FILE_BYTES} bytes", .0.display())]
    TooLarge(PathBuf),
    /// The text is not YAML.
    #[error("{origin} is not valid YAML: {message}")]
    Syntax {
        /// The file or the variable.
        origin: String,
        /// Place and kind of the fault.
        message: String,
    },
    /// The tree does not have the shape of the type that is wanted.
    #[error("in {origin}: {message}")]
    Shape {
        /// The file.
        origin: String,
        /// What does not fit.
        message: String,
    },
    /// A variable of the overlay leads into a list, and not to an item of it or just behind the last.
    #[error("the variable {0} names no item of the list, nor the one after its last")]
    NoSuchItem(String),
    /// A file that should hold a secret is empty.
    #[error("{} is empty; it should hold a secret", .0.display())]
    EmptySecret(PathBuf),
}

/// Reads a YAML file into a tree: of a key written twice the last wins, and `yes`, `no`, `on` and `off`
/// are booleans (YAML 1.1, as Go's parser reads `config.yml`). An empty file is an empty map.
pub fn load_tree(path: &Path) -> Result<Value, ConfigError> {
    parse_tree(&read_file(path)?, &path.display().to_string())
}

/// Reads YAML text into a tree; `origin` names the text in errors.
pub fn parse_tree(text: &str, origin: &str) -> Result<Value, ConfigError> {
    parse_nodes(text, origin).map(|node| node.to_value())
}

/// Reads a YAML file into a tree that knows where each value stands. An empty file is an empty map.
pub fn load_nodes(path: &Path) -> Result<Node, ConfigError> {
    parse_nodes(&read_file(path)?, &path.display().to_string())
}

/// Reads YAML text into a tree that knows where each value stands; `origin` names the text.
pub fn parse_nodes(text: &str, origin: &str) -> Result<Node, ConfigError> {
    let file: Arc<str> = origin.into();
    let read = reader::read(text, &Place::File(Arc::clone(&file)));
    let node = read.map_err(|message| ConfigError::Syntax {
        origin: origin.to_owned(),
        message,
    })?;
    Ok(node.filter(|node| !node.is_null()).unwrap_or(Node {
        content: Content::Map(Vec::new()),
        origin: Origin::Line { file, line: 1 },
    }))
}

/// Reads the value of the variable `name` as YAML; an empty one is nothing.
pub fn parse_variable(name: &str, text: &str) -> Result<Node, ConfigError> {
    let name: Arc<str> = name.into();
    let read = reader::read(text, &Place::Variable(Arc::clone(&name)));
    let node = read.map_err(|message| ConfigError::Syntax {
        origin: format!("the variable {name}"),
        message,
    })?;
    Ok(node.unwrap_or_else(|| Node::null(Origin::Variable(name))))
}

/// A tree as a type; `origin` names the tree in errors.
pub fn from_tree<T: DeserializeOwned>(tree: Value, origin: &str) -> Result<T, ConfigError> {
    serde_json::from_value(tree).map_err(|error| ConfigError::Shape {
        origin: origin.to_owned(),
        message: error.to_string(),
    })
}

/// Reads a YAML file into a type, without an overlay.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    from_tree(load_tree(path)?, &path.display().to_string())
}

/// Reads a secret from its own file, without the line end that editors add.
pub fn read_secret_file(path: &Path) -> Result<Secret<String>, ConfigError> {
    let mut text = read_file(path)?;
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    if text.is_empty() {
        Err(ConfigError::EmptySecret(path.to_owned()))
    } else {
        Ok(Secret::new(text))
    }
}

/// A secret that is given either in the configuration (`key`) or in a file that it names (`key_file`).
///
/// Both at once is a fault, as is a file that cannot be read; neither is `None`. `key` is the full path of
/// the key, such as `store.password`.
pub fn secret(
    faults: &mut Faults,
    key: &str,
    inline: Option<Secret<String>>,
    file: Option<&Path>,
) -> Option<Secret<String>> {
    match (inline, file) {
        (Some(_), Some(_)) => {
            faults.push(key, format!("either {key} or {key}_file"), "both");
            None
        }
        (inline, None) => inline,
        (None, Some(path)) => match read_secret_file(path) {
            Ok(secret) => Some(secret),
            Err(error) => {
                faults.push(
                    format!("{key}_file"),
                    "a readable file with the secret",
                    with_cause(&error),
                );
                None
            }
        },
    }
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    let fail = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    File::open(path)
        .map_err(fail)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(fail)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        Err(ConfigError::TooLarge(path.to_owned()))
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
