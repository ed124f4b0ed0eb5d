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
repository-done-starred = You starred this repository.
repository-done-unstarred = You removed your star.
repository-done-kept = Added to your bookmarks.
repository-done-dropped = Removed from your bookmarks.
repository-pull-title = Pull this image
repository-recent-tags = Latest tags
repository-all-tags =
    { $n ->
        [one] One tag
       *[other] All { $n } tags
    }
repository-tags-of = Tags of { $name }
repository-tags-caption = Tags with their platforms, sizes and pulls
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
repository-no-tags = No tags yet.
repository-no-such-tags = No tag’s name contains “{ $part }”.
repository-looked-at =
    { $n ->
        [one] This page looked at { $n } tag.
       *[other] This page looked at { $n } tags.
    }
repository-look-further = Look at the next ones
repository-look-again = Start from the first
repository-description = About
repository-edit = Edit
repository-no-description = This repository has no description yet.
repository-no-description-own = This repository has no description yet. A few lines help people who find it.
repository-description-of-image = This is the image’s own description.
repository-facts = Details
repository-visibility = Visibility
repository-stars = Stars
repository-bytes = Storage, each layer counted once
repository-last-push = Last push
repository-licenses = Licences
repository-topics = Topics
repository-feed = Follow changes as an Atom feed
repository-lineage = Related images
repository-built-on = Built on
repository-used-by = Images built on it
repository-newer = A newer image is available at { $tag }
repository-empty-title = Nothing has been pushed yet
repository-empty-text = Come back once its owners have pushed an image.
repository-empty-push = Push an image from your machine in three steps:
repository-empty-login = Log in with your password or an access token.
repository-empty-tag = Give your image this repository’s name.
repository-empty-send = Push it.
repository-empty-token = In scripts, use an access token instead of your password.
repository-empty-token-link = Create one
repository-chart-title =
    { $n ->
        [one] Pulls of the last day
       *[other] Pulls of the last { $n } days
    }
repository-chart-text =
    { $n ->
        [one] { $n } pull in total
       *[other] { $n } pulls in total
    }
repository-chart-most =
    { $n ->
        [one] at most { $n } a day
       *[other] at most { $n } a day
    }
repository-chart-day =
    { $n ->
        [one] { $day }: { $n } pull
       *[other] { $day }: { $n } pulls
    }
repository-chart-table = Show as a table
repository-day = Day
repository-calendar = Pulls and pushes in the last 53 weeks
repository-calendar-pushes =
    { $n ->
        [one] { $n } push in total
       *[other] { $n } pushes in total
    }
repository-calendar-day = { $day }: { $pulls } pulled, { $pushes } pushed
repository-calendar-less = Less
repository-calendar-more = More
repository-calendar-outline = Something was pushed that day
repository-week = Week from
repository-sums = Pulls by origin
repository-no-pulls =
    { $n ->
        [one] No pulls in the last day.
       *[other] No pulls in the last { $n } days.
    }
repository-activity-of = Activity of { $name }
repository-span = Period
repository-days =
    { $n ->
        [one] { $n } day
       *[other] { $n } days
    }
repository-by = Grouped
repository-by-platform = By platform
repository-by-client = By client
repository-by-tag = By tag
repository-by-what = What
repository-sums-caption = Pulls and pushes in this period
repository-pulls-all = Pulls in total
repository-pushes-all = Pushes in total
repository-history = Tag history
repository-no-history = No tag has changed yet.
repository-deleted-tags = Deleted tags
repository-deleted-at = Deleted
repository-restorable = Restorable until
repository-restore = Restore
