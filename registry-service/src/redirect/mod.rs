//! Where clients fetch the content of blobs when not from here: distribution's storage middlewares `redirect`, `rewrite`
//! and `cloudfront`, each on what the one before it says.

pub mod cloudfront;
mod networks;
mod url;

use std::net::IpAddr;
use std::sync::Arc;

pub use cloudfront::CloudFront;
pub use url::{BaseUrl, InvalidBaseUrl, Rewrite};

/// A middleware as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// `redirect`: the tree of the storage stands under this URL.
    Redirect(BaseUrl),
    /// `rewrite`: the URL so far, changed.
    Rewrite(Rewrite),
    /// `cloudfront`: a signed URL of Amazon's CDN before the bucket.
    CloudFront(cloudfront::Options),
}

/// A middleware that is ready.
#[derive(Debug)]
enum Middleware {
    Redirect(BaseUrl),
    Rewrite(Rewrite),
    CloudFront(Box<CloudFront>),
}

/// All of them, in the order of the configuration. Clones share everything.
#[derive(Debug, Clone)]
pub struct Redirects(Arc<[Middleware]>);

/// Where content lies.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its path in distribution's tree, with a slash before it.
    pub path: &'a str,
    /// The object, where the storage is a bucket.
    pub bucket: Option<InBucket<'a>>,
}

/// An object of a bucket.
#[derive(Debug, Clone, Copy)]
pub struct InBucket<'a> {
    /// Its key, without a slash before it.
    pub key: &'a str,
    /// Where the bucket itself gives it to whoever has the URL.
    pub url: &'a str,
}

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// From where, as far as it is known.
    pub address: Option<IpAddr>,
    /// Seconds since the epoch.
    pub now_s: i64,
}

impl Redirects {
    /// Reads what the middlewares need, such as keys.
    pub fn open(choices: &[Choice]) -> Result<Self, cloudfront::Unusable> {
        let ready = choices.iter().map(|choice| {
            Ok(match choice {
                Choice::Redirect(base) => Middleware::Redirect(base.clone()),
                Choice::Rewrite(rewrite) => Middleware::Rewrite(rewrite.clone()),
                Choice::CloudFront(options) => Middleware::CloudFront(Box::new(CloudFront::open(options)?)),
            })
        });
        Ok(Self(ready.collect::<Result<_, _>>()?))
    }

    /// Keeps what comes from elsewhere current, in the background. Must be called inside a runtime.
    pub fn keep_current(&self) {
        for middleware in self.0.iter() {
            if let Middleware::CloudFront(cloudfront) = middleware {
                cloudfront.keep_current();
            }
        }
    }

    /// Where the client is sent; `None` when the content is to be had here alone.
    pub fn url(&self, place: &Place<'_>, client: &Client) -> Option<String> {
        let of_storage = place.bucket.map(|bucket| bucket.url.to_owned());
        let apply = |url: Option<String>, middleware: &Middleware| match middleware {
            Middleware::Redirect(base) => Some(base.join(place.path)),
            Middleware::Rewrite(rewrite) => url.map(|url| rewrite.apply(&url)),
            Middleware::CloudFront(cloudfront) => match place.bucket {
                Some(bucket) => cloudfront.url(bucket.key, client).or(url),
                // It stands before buckets alone.
                None => url,
            },
        };
        self.0.iter().fold(of_storage, apply)
    }
}

/// What a list of middlewares does on a storage that sends clients nowhere itself, such as a folder.
pub fn effects_on_folder(choices: &[Choice]) -> impl Iterator<Item = bool> {
    let mut is_sent = false;
    choices.iter().map(move |choice| match choice {
        Choice::Redirect(_) => {
            is_sent = true;
            true
        }
        Choice::Rewrite(_) => is_sent,
        Choice::CloudFront(_) => false,
    })
}

#[cfg(test)]
mod tests;
