# What an account is told: on its own page, and as a number in the head of every page.
notice-lead = What others did that concerns you, and what you should look at. The last 200 are kept for up to 90 days; nobody else sees them.
notice-none = Nothing new. You will find here when somebody adds you to an organisation or comments on your repository, when a limit comes near, and more.
notice-unread =
    { $n ->
        [one] 1 unread notification
       *[other] { $n } unread notifications
    }
notice-new = new
notice-open = Open
notice-open-one = Open: { $text }
notice-read = Mark as read
notice-read-one = Mark as read: { $text }
notice-remove = Delete
notice-remove-one = Delete: { $text }
notice-read-all = Mark all as read
notice-remove-all = Delete all
notice-done-read = Marked as read.
notice-done-read-all = Everything is marked as read.
notice-done-removed = Deleted.
notice-done-removed-all = All notifications have been deleted.
notice-done-chosen = Saved.
notice-choices = Notify me when
notice-kind-member = somebody adds me to an organisation
notice-kind-collaborator = somebody gives me access to repositories
notice-kind-comment = somebody comments on a repository I look after
notice-kind-reply = somebody replies to my comment
notice-kind-approval = a comment on a repository I look after waits for approval
notice-kind-webhook = a webhook of a repository or namespace I look after is switched off
notice-kind-quota = a namespace I look after comes near a limit
notice-kind-token-ending = one of my access tokens expires within 7 days
notice-kind-token-leaked = one of my access tokens was reported as leaked
notice-kind-sign-in = somebody signs in with my password from a new device
notice-somebody = Somebody
notice-nowhere = an unknown address
notice-text-member = { $actor } added you to the organisation { $subject }. Your role there: { $detail }.
notice-text-collaborator = { $actor } gave you access to { $subject }: { $detail }.
notice-text-comment = { $actor } commented on { $subject }.
notice-text-reply = { $actor } replied to your comment on { $subject }.
notice-text-approval = A comment by { $actor } on { $subject } waits for your approval.
notice-text-webhook = A webhook of { $subject } has been switched off: { $detail }.
notice-text-quota = { $subject } has reached { $percent }% of its limit on { $resource }.
notice-text-token-ending = Your access token “{ $subject }” expires on { $detail }.
notice-text-token-leaked = A secret of your access token “{ $subject }” was reported as leaked and no longer works. It ended in { $detail }.
notice-text-sign-in = New sign-in with your password: { $subject }, from { $detail }. If this was not you, change your password.
notice-webhook-failing = nothing could be delivered for three days
notice-webhook-gone = its receiver says that it no longer exists
notice-webhook-permission = whoever set it up no longer has the right to
notice-resource-bytes = size
notice-resource-storage = storage
notice-resource-repositories = repositories
notice-resource-tags = tags
