//! What administrators of the site tell everybody, on every page.

use super::id::AnnouncementId;

/// A line that every page shows for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its id.
    pub announcement_id: AnnouncementId,
    /// Whether it warns; else it only tells.
    pub is_warning: bool,
    /// What it says.
    pub text: String,
    /// What it says to those who read Chinese; empty for the same.
    pub text_zh: String,
    /// From when on it is shown, in milliseconds since 1970, as all times here.
    pub starts_at: i64,
    /// Until when; `None` until it is taken away.
    pub ends_at: Option<i64>,
    /// When it was written.
    pub created_at: i64,
}

impl Announcement {
    /// Whether it is shown at `now_ms`.
    pub fn is_current(&self, now_ms: i64) -> bool {
        self.starts_at <= now_ms && self.ends_at.is_none_or(|end| now_ms < end)
    }

    /// What it says to whoever reads Chinese, or does not.
    pub fn text_for(&self, reads_chinese: bool) -> &str {
        if reads_chinese && !self.text_zh.is_empty() {
            &self.text_zh
        } else {
            &self.text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_shown_from_its_beginning_to_before_its_end_in_the_readers_language() {
        let announcement = Announcement {
            announcement_id: AnnouncementId::from_i64(1),
            is_warning: false,
            text: "maintenance".to_owned(),
            text_zh: String::new(),
            starts_at: 10,
            ends_at: Some(20),
            created_at: 1,
        };
        for (now, shown) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(announcement.is_current(now), shown, "{now}");
        }
        assert_eq!(announcement.text_for(true), "maintenance");
        let both = Announcement {
            text_zh: "维护".to_owned(),
            ends_at: None,
            ..announcement
        };
        assert!(both.is_current(i64::MAX));
        assert_eq!(
            (both.text_for(true), both.text_for(false)),
            ("维护", "maintenance")
        );
    }
}
