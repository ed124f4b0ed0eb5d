# Settings of repositories, and what namespaces have as well.

# Navigation.
settings-nav = Settings pages
settings-general = General
settings-access = Access
settings-webhooks = Webhooks
settings-immutable = Immutable tags
settings-retention = Retention
settings-name = Rename or transfer
settings-deletion = Delete

# Everywhere.
settings-save = Save
settings-change = Change
settings-remove = Remove
settings-reload = Reload
settings-more = More
settings-never = Never
settings-none = None
settings-yes = yes
settings-no = no
settings-digest = Digest
settings-ms = { $n } ms
settings-rotate = Create a new secret
settings-overlap = Hours the old secret stays valid
settings-type = Type { $name } to confirm
settings-patterns-hint = One pattern per line; * matches any characters, for example v*.
settings-done-saved = Saved.

# General.
settings-describe = Description
settings-summary = Short description
settings-summary-hint = At most 100 characters; shown in search results.
settings-description = Full description
settings-description-hint = Markdown, at most 25,000 bytes. Images from other sites are not shown.
settings-topics = Topics
settings-topics-hint = Up to 20 words, separated by spaces.
settings-categories = Categories (at most three)
settings-preview = Preview
settings-preview-title = Preview
settings-visibility = Visibility
settings-visibility-legend = Who may pull
settings-public = Public
settings-public-hint = Everyone, without signing in.
settings-internal = Internal
settings-internal-hint = Every account on this site.
settings-private = Private
settings-private-hint = Only people you give access to. For everyone else, it does not exist.
settings-comments = Comments
settings-comments-off = Comments are switched off for the whole site. This takes effect once an administrator switches them on.
settings-comments-open = People may comment on this repository
settings-comments-wait = A newcomer’s first comment waits for approval

# Access.
settings-give = Give access
settings-rule-kind = To
settings-rule-who = Who
settings-rule-role = Role
settings-rule-pattern = Repositories
settings-rule-bounds = Expiry and tags
settings-rule-until = Valid until
settings-rule-push-tags = Push only these tags
settings-rule-delete-tags = Delete only these tags
settings-rule-pushes-only = can push only { $tags }
settings-rule-deletes-only = can delete only { $tags }
settings-rule-add = Give access
settings-roles-hint = Read: pull. Write: also push. Maintain: also delete tags and change settings. Admin: everything.
settings-role-read = Read
settings-role-write = Write
settings-role-maintain = Maintain
settings-role-admin = Admin
settings-subject-account = Account
settings-subject-team = Team
settings-subject-robot = Robot
settings-subject-members = All members
settings-subject-signed-in = Everyone who is signed in
settings-subject-anyone = Everyone
settings-rules = Who has access
settings-rules-none = Nobody has been given access yet. Type a colleague’s name above.
settings-rules-patterns = From rules of the namespace
settings-rules-namespace = Rules of the namespace
settings-access-organisation = Owners and managers of { $name } can do everything here.
settings-access-owner = { $name } owns this repository and can do everything here.
settings-why = Check somebody’s access
settings-why-who = Account, or robot as namespace+name
settings-why-ask = Explain
settings-why-of = What { $name } can do here, and why
settings-why-right = Right
settings-why-allowed = Allowed
settings-why-because = Why
settings-right-pull = pull
settings-right-push = push
settings-right-delete = delete
settings-right-manage = manage
settings-right-administer = administer
settings-done-rule-created = Access has been granted. It applies from the next login or token on.
settings-done-rule-removed = Access has been removed. Tokens issued before expire within minutes.

# Secrets.
settings-secret = Your new secret
settings-secret-machine = Clients use it as the password when they log in.
settings-secret-webhook = Deliveries are signed with it. Give it to the receiver.
settings-secret-invitation = Anyone who has this link can join. Send it to the people you want to invite.
settings-secret-once = It is shown only once. Copy it now.
settings-secret-next = Next commands
settings-secret-kept = I have saved it

# Webhooks.
settings-hooks = Webhooks
settings-hooks-none = No webhooks yet.
settings-hook-new = New webhook
settings-hook-create = Create webhook
settings-hook-url = Address
settings-hook-url-hint = Where the POST requests go, such as https://ci.example.com/hooks/portolan.
settings-hook-url-keep = Leave empty to keep the current address. It is not shown because it may contain a secret.
settings-hook-name = Name
settings-hook-format = Format
settings-hook-events = Events
settings-hook-tags = Only these tags
settings-hook-tags-hint = Patterns such as v*, separated by spaces. Leave empty for all tags.
settings-hook-tags-only = only { $tags }
settings-hook-secret = The bot’s secret
settings-hook-secret-own = The receiver has its own secret
settings-hook-secret-hint = Only for Feishu and DingTalk bots that use signatures. For other formats, a secret is generated.
settings-hook-state = State
settings-hook-on = On
settings-hook-off = Off
settings-hook-failing = Failures in a row: { $n }
settings-hook-delivered = Last delivered
settings-hook-attempted = Last attempt
settings-hook-keeper = Uses the rights of
settings-hook-secret-since = Secret created
settings-hook-former-until = the old one also signs until
settings-hook-off-asked = Somebody switched this webhook off.
settings-hook-off-failing = It was switched off because nothing could be delivered for days.
settings-hook-off-gone = It was switched off because the receiver answered that the address is gone.
settings-hook-off-permission = It was switched off because the person responsible for it no longer has the rights it needs. Switch it on to take it over.
settings-hook-ping = Send a test
settings-hook-enable = Switch on
settings-hook-disable = Switch off
settings-hook-change = Change webhook
settings-hook-rotate = Replace the secret
settings-hook-rotate-hint = Both secrets sign for a while, so that the receiver can change over. If the secret was stolen, choose 0 hours.
settings-hook-remove = Remove webhook
settings-hook-remove-hint = Waiting messages are not sent, and the delivery log is deleted.
settings-done-webhook-created = The webhook has been created.
settings-done-webhook-removed = The webhook has been removed.
settings-done-pinged = A test message is on its way.
settings-done-redelivered = The message is being delivered again.
settings-deliveries = Deliveries
settings-deliveries-none = Nothing has been sent yet. Send a test to see what arrives.
settings-delivery-event = Event
settings-delivery-about = About
settings-delivery-answer = Response
settings-delivery-when = When
settings-delivery-message = Message
settings-delivery-attempts = Attempts
settings-delivery-due = Next attempt
settings-delivery-error = Error
settings-delivery-request = Request
settings-delivery-response = Response
settings-delivery-headers = Headers
settings-delivery-body = Body
settings-delivery-waiting = Waiting
settings-delivery-delivered = Delivered
settings-delivery-dead = Given up
settings-redeliver = Deliver again
settings-event-push = A tag was pushed
settings-event-tag-moved = A tag was moved
settings-event-tag-deleted = A tag was deleted
settings-event-manifest-deleted = A manifest was deleted
settings-event-repository-created = A repository was created
settings-event-repository-renamed = A repository was renamed
settings-event-repository-deleted = A repository was deleted
settings-event-repository-restored = A repository was restored
settings-event-repository-visibility = The visibility changed
settings-event-star = A star was given
settings-event-comment = A comment was written
settings-event-quota = A quota is nearly used up
settings-event-ping = Test
settings-format-docker-hub = Same as Docker Hub, signed
settings-format-cloudevents = CloudEvents, signed
settings-format-slack = Slack or Mattermost
settings-format-feishu = Feishu or Lark
settings-format-dingtalk = DingTalk
settings-format-wecom = WeCom

# Immutable tags.
settings-immutable-title = Tags that never change
settings-immutable-about = A tag that matches one of these patterns can be pushed once. After that, no push can move it and nobody can delete it.
settings-immutable-tags = Immutable tags
settings-immutable-except = Except
settings-immutable-when = This applies from the next login or token on, within minutes. To switch it off, empty both fields.
settings-immutable-namespace = The namespace also has these rules

# Retention.
settings-policy = Policy
settings-policy-about = A tag stays if any rule keeps it. Of the rest, tags that match a delete rule are deleted. Tags that no rule applies to stay.
settings-policy-inherited = This repository follows the policy of { $name } (rules: { $n }). Save one here to use your own.
settings-policy-inherited-see = View it
settings-policy-changed = Changed by { $by }
settings-policy-next = next run
settings-policy-rule = Rule { $n }
settings-policy-action = Action
settings-policy-none = No rule
settings-policy-delete = Delete
settings-policy-keep = Keep
settings-policy-tags = Tags
settings-policy-except = Except
settings-policy-repositories = Only repositories
settings-policy-conditions = Conditions
settings-policy-newest = Keep the newest
settings-policy-pushed = Keep if pushed in the last … days
settings-policy-pulled = Keep if pulled in the last … days
settings-policy-not-pushed = Delete if not pushed for … days
settings-policy-not-pulled = Delete if not pulled for … days
settings-policy-untagged = Delete untagged manifests after … days
settings-policy-every = Run every … days
settings-policy-hour = Hour of the run (UTC)
settings-policy-enabled = Enable this policy
settings-policy-simulate = Preview deletions
settings-policy-more = Add a rule
settings-policy-remove = Remove policy
settings-policy-remove-hint = The repository then follows its namespace’s policy, if there is one.
settings-simulation = What would be deleted now
settings-simulation-nothing = There is nothing to delete.
settings-simulation-go =
    { $n ->
        [one] { $n } tag would be deleted
       *[other] { $n } tags would be deleted
    }
settings-simulation-stay =
    { $n ->
        [one] { $n } stays
       *[other] { $n } stay
    }
settings-simulation-untagged =
    { $n ->
        [one] { $n } untagged manifest would be deleted
       *[other] { $n } untagged manifests would be deleted
    }
settings-simulation-freed = This frees { $bytes } in the repository and { $storage } in storage.
settings-simulation-partly = (only part was counted, as there is a lot)
settings-simulation-unread = Not every manifest has been read yet. Until then, no manifest is deleted.
settings-simulation-immutable =
    { $n ->
        [one] { $n } tag stays because it is immutable:
       *[other] { $n } tags stay because they are immutable:
    }
settings-simulation-tag = Tag
settings-simulation-pushed = Pushed
settings-simulation-pulled = Last pulled
settings-simulation-rule = Rule
settings-simulation-follows = deleted with its manifest
settings-simulation-first = Only the first { $n } are shown.
settings-simulation-next = More repositories
settings-runs = Runs
settings-runs-none = The policy has not run yet.
settings-run = Run
settings-run-when = When
settings-run-ended = Ended
settings-run-by = By
settings-run-schedule = Schedule
settings-run-deleted = Deleted
settings-run-tags =
    { $n ->
        [one] { $n } tag
       *[other] { $n } tags
    }
settings-run-manifests =
    { $n ->
        [one] { $n } manifest
       *[other] { $n } manifests
    }
settings-run-refused = { $n } kept
settings-run-now = Run now
settings-run-nothing = Nothing was deleted.
settings-run-untagged = untagged
settings-run-done = Done
settings-run-failed = Failed
settings-run-running = Running
settings-run-waiting = Waiting
settings-gone-pending = to be deleted
settings-gone-deleted = deleted, can be restored
settings-gone-kept = kept
settings-gone-restored = restored
settings-gone-purged = removed for good
settings-done-retention-removed = The policy has been removed.
settings-done-retention-started = The policy is running.

# Another name.
settings-rename = Rename or transfer
settings-rename-about = The repository keeps its content, history, rules and webhooks. The old name keeps working for pulls until another repository takes it.
settings-rename-to = New name
settings-rename-hint = In the same namespace, or in another one that you administer.
settings-rename-rehearse = Preview the changes
settings-rename-confirm = { $from } becomes { $to }
settings-rename-alias = { $from } keeps working for pulls until another repository takes that name.
settings-rename-content = Nothing is copied: it takes effect at once.
settings-rename-dropped = These rules end, because their teams, members and robots do not move along:
settings-rename-left = These rules of the namespace no longer apply to it:
settings-rename-do = Rename
settings-done-renamed = The repository has been renamed.

# The end.
settings-delete-title = Delete { $name }
settings-delete-about = Every pull and push will be refused from then on.
settings-delete-impact = What depends on it
settings-delete-pulls = Pulls in the last 30 days
settings-delete-last = Last pulled
settings-delete-tags = Tags
settings-delete-bytes = Frees
settings-delete-bytes-of = { $bytes }, { $storage } of it in storage
settings-delete-built = Images built on it
settings-delete-shared = Shares layers with
settings-delete-restore = You can restore it for a while. After that, its content is removed for good.
settings-delete-do = Delete repository
settings-done-deleted = The repository has been deleted. You can restore it for a while.

# A new repository.
settings-new = New repository
settings-new-namespace = Namespace
settings-new-name = Name
settings-new-name-hint = Lowercase letters and digits, joined by . _ - or /.
settings-new-default = Default of the namespace
settings-new-default-hint = The visibility chosen there for new repositories.
settings-new-create = Create repository
settings-new-push = Pushing an image creates its repository too, so you don’t have to create it first.
settings-done-repository-created = The repository has been created.
