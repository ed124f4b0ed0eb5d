//! What is done without anybody asking.

use std::time::Duration;

use crate::registry::Registry;

/// Longest wait after the start before abandoned uploads are looked for the first time.
const FIRST_WAIT: Duration = Duration::from_mins(5);

/// Gives up uploads that were not touched for `age`, each `interval`, for as long as it is polled; with `dry_run` it only
/// says how many these are.
pub async fn purge_uploads(registry: Registry, age: Duration, interval: Duration, dry_run: bool) {
    let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let mut wait = interval.min(FIRST_WAIT);
    loop {
        tokio::time::sleep(wait).await;
        wait = interval;
        if dry_run {
            match registry.count_abandoned_uploads(age_ms).await {
                Ok(abandoned) => tracing::info!(abandoned, "abandoned uploads would be removed"),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "abandoned uploads could not be counted");
                }
            }
            continue;
        }
        match registry.purge_uploads(age_ms).await {
            Ok(purged) => tracing::info!(purged, "abandoned uploads were removed"),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "abandoned uploads could not be removed");
            }
        }
    }
}
