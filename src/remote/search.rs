//! `portolan search`: repositories by their words.

use clap::Args;

use super::{Client, Column, Target, column};

const FOUND: [Column; 6] = [
    column("NAME", "/name"),
    column("STARS", "/stars"),
    column("PULLS", "/pulls"),
    column("OFFICIAL", "/official"),
    column("VISIBILITY", "/visibility"),
    column("DESCRIPTION", "/summary"),
];

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words that a repository has all of; without any the popular ones.
    words: Vec<String>,
    /// Only official repositories.
    #[arg(long)]
    official: bool,
    /// With at least so many stars.
    #[arg(long, value_name = "N")]
    stars: Option<u32>,
    /// With this topic.
    #[arg(long)]
    topic: Option<String>,
    /// With images for this platform, such as `linux/arm64`.
    #[arg(long)]
    platform: Option<String>,
    /// With images of this label: `KEY` or `KEY=VALUE`.
    #[arg(long)]
    label: Option<String>,
    /// In which order: `best`, `stars`, `pulls`, `updated` or `name`.
    #[arg(long, value_name = "ORDER")]
    ordering: Option<String>,
    /// How many, up to 200.
    #[arg(long, default_value_t = 25)]
    limit: u32,
    #[command(flatten)]
    target: Target,
}

/// `portolan search …`
pub(crate) async fn run(search: Search) -> anyhow::Result<()> {
    let client = Client::open(&search.target).await?;
    let (words, limit) = (search.words.join(" "), search.limit.to_string());
    let stars = search.stars.unwrap_or(0).to_string();
    let mut query = vec![("q", words.as_str()), ("limit", &limit), ("stars", &stars)];
    if search.official {
        query.push(("official", "true"));
    }
    for (key, value) in [
        ("topic", &search.topic),
        ("platform", &search.platform),
        ("label", &search.label),
        ("ordering", &search.ordering),
    ] {
        if let Some(value) = value {
            query.push((key, value));
        }
    }
    let found = client.get("/search", &query).await?;
    let items = found["items"].as_array().map_or(&[][..], Vec::as_slice);
    client.output().list(items, &FOUND);
    client.close().await;
    Ok(())
}
