//! What manifests must keep to besides their form, as the operator chooses (distribution's `validation` and `policy`).

mod expression;

#[cfg(test)]
mod tests;

use shared::oci::{Descriptor, Manifest};

pub use expression::{Expression, InvalidExpression};

use super::manifest::MANIFEST_LIMIT;
use super::{Registry, RegistryError};

/// All rules. By default anything goes that has the right form and is complete.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Which URLs descriptors may carry.
    pub urls: ForeignUrls,
    /// Which manifests of an index must be there.
    pub children: Children,
    /// Which classes of content are taken; `None` for all, known or not.
    pub classes: Option<Vec<Class>>,
    /// Most blobs or manifests that one manifest names.
    pub max_references: Option<usize>,
    /// Longest manifest in bytes, at most [`MANIFEST_LIMIT`].
    pub max_length: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            urls: ForeignUrls::default(),
            children: Children::default(),
            classes: None,
            max_references: None,
            max_length: MANIFEST_LIMIT,
        }
    }
}

/// Which URLs a manifest may send clients to. Whatever is allowed, it is one of HTTP without a fragment.
#[derive(Debug, Clone, Default)]
pub enum ForeignUrls {
    /// Any.
    #[default]
    Any,
    /// None.
    None,
    /// Those that match one of `allow`, or any when there is none, and none of `deny`.
    Matching {
        /// Without any, all are allowed that are not denied.
        allow: Vec<Expression>,
        /// They go before `allow`.
        deny: Vec<Expression>,
    },
}

impl ForeignUrls {
    fn allows(&self, url: &str) -> bool {
        is_web_url(url)
            && match self {
                Self::Any => true,
                Self::None => false,
                Self::Matching { allow, deny } => {
                    let is_in = |list: &[Expression]| list.iter().any(|expression| expression.finds(url));
                    (allow.is_empty() || is_in(allow)) && !is_in(deny)
                }
            }
    }
}

/// ASCII alone, as RFC 3986 has it: then Go's expressions, whose classes know nothing else, and ours mean the same.
fn is_web_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let is_web = ["http", "https"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme));
    let has_host = rest.bytes().next().is_some_and(|first| !b"/?#".contains(&first));
    is_web && has_host && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// Which manifests of an index must be there when it is pushed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Children {
    /// All.
    #[default]
    All,
    /// None.
    None,
    /// Those of these platforms.
    Of(Vec<Platform>),
}

/// A platform as an index names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// `os`
    pub os: String,
    /// `architecture`
    pub architecture: String,
}

impl Platform {
    fn is_of(&self, child: &Descriptor) -> bool {
        let says = |name: &str, value: &str| {
            let said = child.platform.as_ref().and_then(|platform| platform.get(name));
            said.and_then(serde_json::Value::as_str) == Some(value)
        };
        says("os", &self.os) && says("architecture", &self.architecture)
    }
}

/// A class of content, by the media type of an image's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What is run as a container.
    Image,
    /// A plugin of the Docker engine.
    Plugin,
}

impl Class {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Image, Self::Plugin];

    /// The class as configurations and tokens name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Plugin => "plugin",
        }
    }

    fn of_config(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.docker.container.image.v1+json" | "application/vnd.oci.image.config.v1+json" => {
                Some(Self::Image)
            }
            "application/vnd.docker.plugin.v1+json" => Some(Self::Plugin),
            _ => None,
        }
    }
}

impl Rules {
    /// Whether an index may not lack this one of its manifests.
    pub(super) fn requires(&self, child: &Descriptor) -> bool {
        match &self.children {
            Children::All => true,
            Children::None => false,
            Children::Of(platforms) => platforms.iter().any(|platform| platform.is_of(child)),
        }
    }

    pub(super) fn check(&self, manifest: &Manifest) -> Result<(), RegistryError> {
        self.class_of(manifest)?;
        let (config, layers, children) = (manifest.config(), manifest.layers(), manifest.manifests());
        let named = usize::from(config.is_some()) + layers.len() + children.len();
        if let Some(limit) = self.max_references.filter(|limit| named > *limit) {
            return Err(RegistryError::TooManyReferences { named, limit });
        }
        for descriptor in config.into_iter().chain(layers).chain(children) {
            if !descriptor.urls.iter().all(|url| self.urls.allows(url)) {
                return Err(RegistryError::UrlNotAllowed {
                    digest: descriptor.digest.clone(),
                });
            }
        }
        Ok(())
    }

    fn class_of(&self, manifest: &Manifest) -> Result<Option<Class>, RegistryError> {
        let (Some(allowed), Some(config)) = (&self.classes, manifest.config()) else {
            return Ok(None);
        };
        let class = Class::of_config(&config.media_type);
        match class.filter(|class| allowed.contains(class)) {
            Some(class) => Ok(Some(class)),
            None => Err(RegistryError::ClassNotAllowed {
                class: class
                    .map_or(config.media_type.as_str(), |class| class.as_str())
                    .into(),
            }),
        }
    }
}

impl Registry {
    /// The class of a manifest, where the rules ask for it; an index has none. [`RegistryError::ClassNotAllowed`] when they
    /// do not allow it.
    pub fn class_of(&self, manifest: &Manifest) -> Result<Option<Class>, RegistryError> {
        self.options.rules.class_of(manifest)
    }

    /// Longest manifest that is accepted, in bytes.
    pub fn manifest_limit(&self) -> u64 {
        self.options.rules.max_length.min(MANIFEST_LIMIT)
    }
}
