# What every page says: its head and foot, and pieces that many pages are made of.
base-skip = Skip to the content
base-home = Home
base-menu = Main
base-foot = More
base-pages = Pages
base-search = Search repositories
base-browse = Browse
base-help = Help
base-admin = Administration
base-mine = My repositories
base-organisations = Organisations
base-tokens = Access tokens
base-account = Account
base-sign-in = Sign in
base-sign-out = Sign out
base-sign-up = Create an account
base-explain = Why can’t I?
base-api = API
base-language = Language
base-theme = Theme
base-theme-system = System
base-theme-light = Light
base-theme-dark = Dark
base-copy = Copy
base-copied = Copied
base-copy-digest = Copy the digest
base-previous = Previous
base-next = Next
base-official = Official
base-verified = Verified
base-public = Public
base-internal = Internal
base-private = Private
base-save = Save
base-cancel = Cancel
base-stars =
    { $n ->
        [one] { $n } star
       *[other] { $n } stars
    }
base-pulls =
    { $n ->
        [one] { $n } pull
       *[other] { $n } pulls
    }
base-spark =
    { $n ->
        [one] { $n } pull in the last { $days } days
       *[other] { $n } pulls in the last { $days } days
    }
base-ago-now = just now
base-ago-minutes =
    { $n ->
        [one] a minute ago
       *[other] { $n } minutes ago
    }
base-ago-hours =
    { $n ->
        [one] an hour ago
       *[other] { $n } hours ago
    }
base-ago-days =
    { $n ->
        [one] a day ago
       *[other] { $n } days ago
    }
base-ago-months =
    { $n ->
        [one] a month ago
       *[other] { $n } months ago
    }
base-ago-years =
    { $n ->
        [one] a year ago
       *[other] { $n } years ago
    }
base-in-now = in a moment
base-in-minutes =
    { $n ->
        [one] in a minute
       *[other] in { $n } minutes
    }
base-in-hours =
    { $n ->
        [one] in an hour
       *[other] in { $n } hours
    }
base-in-days =
    { $n ->
        [one] in a day
       *[other] in { $n } days
    }
base-in-months =
    { $n ->
        [one] in a month
       *[other] in { $n } months
    }
base-in-years =
    { $n ->
        [one] in a year
       *[other] in { $n } years
    }
