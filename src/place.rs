//! Where the data of an index lies: in a data folder, or where the configuration of `index-service` says.

use std::sync::Arc;

use anyhow::Context as _;
use index_service::{App, Config};

use crate::address::PublicUrl;
use crate::assembly::{self, Sources};
use crate::cli::Place;
use crate::data::DataFolder;
use crate::index_options::IndexOptions;

/// The use cases over an index that there is. `variables` are the environment's.
pub(crate) async fn open(place: &Place, variables: Vec<(String, String)>) -> anyhow::Result<Arc<App>> {
    let sources = Sources::system();
    let Some(path) = &place.config else {
        let data = &place.data;
        let folder = DataFolder::find(&data.dir)?.with_master_key(data.master_key_file.as_deref());
        // Administration hands out no tokens of the Docker flow, so the URL is of no matter.
        let url = PublicUrl::choose(None, ([127, 0, 0, 1], 5000).into(), false)?;
        return assembly::index(&folder, &url, &IndexOptions::default(), &sources).await;
    };
    let config = Config::load(path, variables.into_iter())
        .with_context(|| format!("in the configuration {}", path.display()))?;
    Ok(App::open(&config, sources.clock, sources.random).await?)
}
