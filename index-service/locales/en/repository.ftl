# Pages of a repository: what it is, its tags, what happened to it.
repository-pages = Pages of this repository
repository-overview = Overview
repository-tags = Tags
repository-activity = Activity
repository-compare = Compare
repository-comments = Comments
repository-settings = Settings
repository-official = Official image
repository-verified = Verified
repository-public = Public
repository-internal = Internal
repository-private = Private
repository-star = Star
repository-unstar = Starred
repository-keep = Bookmark
repository-drop = Bookmarked
repository-done-starred = You gave this repository a star.
repository-done-unstarred = You took your star back.
repository-done-kept = It is among your bookmarks now.
repository-done-dropped = It is no longer among your bookmarks.
repository-pull-title = Pull this image
repository-recent-tags = Latest tags
repository-all-tags =
    { $n ->
        [one] One tag
       *[other] All { $n } tags
    }
repository-tags-of = Tags of { $name }
repository-tags-caption = Tags with platforms, sizes and pulls
repository-tag-count =
    { $n ->
        [one] { $n } tag
       *[other] { $n } tags
    }
repository-tag = Tag
repository-platforms = Platforms
repository-size = Size
repository-pulls = Pulls
repository-pushes = Pushes
repository-updated = Updated
repository-digest = Digest
repository-filter = Find a tag
repository-filter-do = Show
repository-order = Order
repository-order-updated = Latest first
repository-order-name = By name
repository-no-tags = There are no tags here.
repository-no-such-tags = No tag’s name holds “{ $part }”.
repository-description = About
repository-edit = Edit
repository-no-description = Nobody has described this repository yet.
repository-no-description-own = Nobody has described this repository yet. A few lines help people who find it.
repository-description-of-image = This is what the image says about itself.
repository-facts = Facts
repository-visibility = Visibility
repository-stars = Stars
repository-bytes = Stored, each layer once
repository-last-push = Last push
repository-licenses = Licences
repository-topics = Topics
repository-feed = Follow changes as an Atom feed
repository-lineage = Family
repository-built-on = Built on
repository-used-by = Images built on it
repository-newer = A newer image is at { $tag }
repository-empty-title = Nothing has been pushed yet
repository-empty-text = Come back when its owners have pushed an image.
repository-empty-push = Push an image from your machine in three steps:
repository-empty-login = Log in with your password or an access token.
repository-empty-tag = Give your image this repository’s name.
repository-empty-send = Push it.
repository-empty-token = For scripts, an access token is better than a password.
repository-empty-token-link = Create one
repository-chart-title =
    { $n ->
        [one] Pulls of the last day
       *[other] Pulls of the last { $n } days
    }
repository-chart-text =
    { $n ->
        [one] { $n } pull altogether
       *[other] { $n } pulls altogether
    }
repository-chart-most =
    { $n ->
        [one] at most { $n } on a day
       *[other] at most { $n } on a day
    }
repository-chart-day =
    { $n ->
        [one] { $day }: { $n } pull
       *[other] { $day }: { $n } pulls
    }
repository-chart-table = As a table
repository-day = Day
repository-no-pulls =
    { $n ->
        [one] Nobody pulled it on the last day.
       *[other] Nobody pulled it in the last { $n } days.
    }
repository-activity-of = Activity of { $name }
repository-span = Time
repository-days =
    { $n ->
        [one] { $n } day
       *[other] { $n } days
    }
repository-by = Counted by
repository-by-platform = By platform
repository-by-client = By client
repository-by-tag = By tag
repository-by-what = Of what
repository-sums-caption = Pulls and pushes in this time
repository-pulls-all = Pulls since the beginning
repository-pushes-all = Pushes since the beginning
repository-history = Tag history
repository-no-history = No tag has changed yet.
repository-deleted-tags = Deleted tags
repository-deleted-at = Deleted
repository-restorable = Kept until
repository-restore = Restore
