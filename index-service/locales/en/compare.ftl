# Two tags beside each other.
compare-of = Compare tags of { $name }
compare-title = Compare tags
compare-from = Earlier
compare-to = Later
compare-do = Compare
compare-same = The layers and the configuration are the same.
compare-shared = Shared
compare-added = Added
compare-removed = Removed
compare-bytes-shared = { $bytes } in both
compare-bytes-added = { $bytes } only in the later one
compare-bytes-removed = { $bytes } only in the earlier one
compare-differences = Differences in the configuration
compare-what = Setting
compare-variable = Variable
compare-label = Label
compare-there = set
compare-same-count =
    { $n ->
        [one] One setting or label is the same in both.
       *[other] { $n } settings and labels are the same in both.
    }
compare-setting-entrypoint = Entrypoint
compare-setting-cmd = Command
compare-setting-working-dir = Working directory
compare-setting-user = User
compare-setting-exposed-ports = Ports
compare-setting-volumes = Volumes
compare-setting-stop-signal = Stop signal
compare-setting-os = Operating system
compare-setting-architecture = Architecture
compare-setting-variant = Variant
compare-setting-author = Author
