# What administrators of the site look after.
admin-sections = Administration
admin-section-overview = Overview
admin-section-accounts = Accounts
admin-section-organisations = Organisations
admin-section-storage = Storage and quotas
admin-section-keys = Signing keys
admin-section-events = Failures
admin-section-upkeep = Index and registry
admin-section-announcements = Announcements
admin-section-categories = Categories and badges
admin-section-settings = Settings
admin-section-audit = Audit log
admin-done-suspended = The account has been suspended.
admin-done-resumed = The account can be used again.
admin-done-appointed = The account is now an administrator of this site.
admin-done-dismissed = The account is no longer an administrator of this site.
admin-done-deleted = The account has been deleted.
admin-done-quota = The limits are set. They apply from the next token on.
admin-done-rotated = The next key starts signing as soon as the registries know it.
admin-done-keys-revoked = All keys have been replaced.
admin-done-reindex = Every repository is being read again.
admin-done-category = The category has been saved.
admin-done-category-removed = The category has been removed.
admin-done-verified = The namespace is now verified.
admin-done-unverified = The badge has been removed.
admin-done-settings = The settings have been saved.
admin-done-setting-reset = The default applies again.
admin-done-announced = Every page now shows the announcement.
admin-done-announcement-removed = The announcement has been removed.
admin-yes = yes
admin-no = no
admin-unlimited = no limit
admin-find = Find
admin-remove = Remove
admin-deleted = deleted
admin-created = Created
admin-state = State
admin-value = Value
admin-when = When
admin-until = Until
admin-namespace = Namespace
admin-organisation = Organisation
admin-repository = Repository
admin-repositories = Repositories
admin-members = Members
admin-seconds =
    { $n ->
        [one] 1 second
       *[other] { $n } seconds
    }
admin-ms = { $n } ms

admin-limited = This process runs with limits: { $what }
admin-health = Health
admin-registry = Registry
admin-registry-answers = answers
admin-registry-away = does not answer
admin-registry-unknown = cannot be checked from here
admin-database = Database
admin-reading = Waiting to be read from the registry
admin-telling = Webhooks with messages to send
admin-queue-empty = nothing is waiting
admin-lag =
    { $n ->
        [one] oldest waiting for 1 second
       *[other] oldest waiting for { $n } seconds
    }
admin-dead-day = Deliveries given up today
admin-versions = This process
admin-version = Version
admin-instance = Instance
admin-host = Clients log in to
admin-key-signing = Signing key

admin-account = Username
admin-full-name = Full name
admin-email = Email
admin-email-twice = also used by another account
admin-accounts-prefix = Username begins with
admin-accounts-none = No username begins with that.
admin-active = active
admin-suspended = suspended
admin-suspended-since = Suspended
admin-administrator = administrator
admin-account-new = New account
admin-account-new-text = A password is generated and shown once, for you to pass on.
admin-account-make = Create account
admin-account-made = Initial password
admin-account-made-text = Pass it on in a safe way. It can be changed under “Password” after signing in.
admin-account-namespace = Namespace
admin-account-audit = Activity
admin-reset = Reset link
admin-reset-text = A link that lets the owner set a new password. It works once, within a day, and replaces earlier links.
admin-reset-button = Create reset link
admin-reset-made = The link works once, until { $date }.
admin-suspension = Suspension
admin-suspension-text = A suspended account can do nothing until it is resumed. It keeps everything it owns.
admin-suspend = Suspend
admin-resume = Resume
admin-administration = Administration
admin-administration-text = Administrators look after everything on these pages and own the namespace library.
admin-appoint = Make administrator
admin-dismiss = Remove as administrator
admin-account-delete = Delete account
admin-account-type = To delete this account, type its name:
admin-account-delete-button = Delete account
admin-account-name-differs = That is not the name of this account.

admin-organisations-prefix = Name begins with
admin-organisations-none = No organisation’s name begins with that.

admin-storage-lead = What a namespace uses, and how much it may use.
admin-storage-look = Show
admin-quotas = Namespaces with their own limits
admin-quotas-none = No namespace has its own limits. The limits of this site apply.
admin-quota-decide = Set limits
admin-quota-hint = A number such as 1000 or 500 GB, or “unlimited”. Leave empty to use the limit of this site.
admin-quota-default = as this site has it
admin-quota-bytes = Size of all repositories
admin-quota-storage_bytes = Size in storage
admin-quota-repositories = Repositories
admin-quota-tags = Tags
admin-quota-strict = Check before every manifest

admin-keys-lead = Registries trust tokens signed by these keys. The keys rotate by themselves, as configured.
admin-key = Key
admin-key-published = Published
admin-key-signs = Signs
admin-key-sealed = Encrypted with
admin-key-clear = not encrypted
admin-key-next = next
admin-key-current = current
admin-key-retired = retired
admin-key-from = from
admin-key-since = since
admin-key-until = published until
admin-key-when-asked = on request
admin-keys-rotate = Rotate now
admin-keys-rotate-text = The next key starts signing once the registries have had time to learn of it. Tokens signed by the previous key stay valid.
admin-keys-rotate-button = Rotate keys
admin-keys-revoke = A key was stolen
admin-keys-revoke-text = New keys replace all of the existing ones. Every token signed so far is refused within a minute; clients fetch new ones by themselves.
admin-keys-authority = Also replace the certificate that vouches for the keys. Registries that were given it need the new one.
admin-keys-type = To replace all keys, type:
admin-keys-word-differs = Type “{ $word }” to replace all keys.
admin-keys-revoke-button = Replace all keys

admin-dead = Deliveries given up
admin-dead-text = Messages to webhooks that could not be delivered after many attempts. Whoever looks after the webhook can send them again.
admin-dead-none = No deliveries have been given up.
admin-event = Event
admin-place = Belongs to
admin-receiver = Receiver
admin-why = Why
admin-attempts =
    { $n ->
        [one] after 1 attempt
       *[other] after { $n } attempts
    }
admin-stuck = Not read yet
admin-stuck-text = What could not be read from the registry at the first attempt. It is retried automatically.
admin-stuck-none = Everything has been read.
admin-manifest = Manifest
admin-whole = the whole repository
admin-attempts-head = Attempts
admin-next-attempt = Next attempt

admin-reindex = Read everything again
admin-reindex-text = Compares every repository with what the registry holds, and repairs the index where it differs. Content is not touched.
admin-reindex-leave = It continues if you leave this page.
admin-reindex-button = Read everything again
admin-reload = Reload
admin-verify = Compare one repository
admin-verify-text = Compares every manifest with the registry, byte for byte. Only for repositories you manage.
admin-verify-repair = Repair differences
admin-verify-button = Compare
admin-verify-same =
    { $n ->
        [one] No differences: 1 tag or manifest was compared.
       *[other] No differences: { $n } tags and manifests were compared.
    }
admin-verify-differs =
    { $n ->
        [one] 1 difference was found.
       *[other] { $n } differences were found.
    }
admin-verify-repaired =
    { $n ->
        [one] 1 difference was found and repaired.
       *[other] { $n } differences were found and repaired.
    }
admin-verify-compared = Compared
admin-verify-tags = Tags
admin-verify-manifests = Manifests
admin-verify-missing = { $n } missing
admin-verify-moved = { $n } moved
admin-verify-different = { $n } different
admin-verify-gone = { $n } gone

admin-settings-lead = Changes apply at once, and everywhere within five seconds.
admin-settings-site = This site
admin-settings-people = Accounts and organisations
admin-settings-repositories = Repositories
admin-settings-quotas = Quotas of every namespace
admin-settings-name = Site name
admin-settings-name-hint = Shown at the top of every page. At most 40 characters.
admin-settings-greeting = Greeting
admin-settings-greeting-hint = Shown to everyone on the home page. Plain text, at most 500 characters.
admin-settings-sign-up-hint = Administrators can always create accounts.
admin-settings-makers-hint = Existing organisations stay as they are.
admin-settings-restore-hint = A time such as 168h or 7d, at most 90d. It applies to what is deleted from now on.
admin-settings-size-hint = A size such as 500 GB, or “unlimited”. Layers shared by several repositories count for each of them.
admin-settings-storage-hint = A size such as 500 GB, or “unlimited”. Shared layers count once.
admin-settings-limit-hint = A number such as 1000, or “unlimited”.
admin-settings-strict-hint = The registry checks the limits before it stores a manifest, so they are never exceeded.
admin-settings-default = Default: { $value }
admin-settings-none = none
admin-settings-reset = Use the default
admin-settings-reset-one = Use the default for “{ $name }”
admin-settings-fixed = Set by the configuration:
admin-settings-elsewhere = Only in the configuration
admin-settings-elsewhere-text = Change these in the configuration; changes apply after a restart.
admin-setting = Setting
admin-setting-key = Key in the configuration
admin-settings-url = Address of this site
admin-settings-sign-up = Who may create an account
admin-settings-sign-up-open = everyone
admin-settings-sign-up-invitation = people with an invitation
admin-settings-sign-up-closed = administrators only
admin-settings-makers = Who may create organisations
admin-settings-makers-everyone = every account
admin-settings-makers-admins = administrators
admin-settings-token = Registry tokens are valid for
admin-settings-restore = Deleted repositories can be restored for
admin-settings-proxies = Trusted proxies
admin-settings-events = The registry may deliver events over HTTP
admin-settings-comments = Repositories can have comments
admin-settings-comments-hint = If yes, each repository’s settings decide whether people may comment on it.

admin-categories = Categories
admin-categories-none = No categories yet. They help people sort and find repositories.
admin-category-slug = Identifier
admin-category-slug-hint = Letters, digits and hyphens, such as databases.
admin-category-name = Name
admin-category-new = Add or rename a category
admin-category-remove-one = Remove the category { $name }
admin-verified = Verified namespaces
admin-verified-text = The badge shows that a namespace really belongs to whoever it names. Repositories in library are official.
admin-verified-none = No verified namespaces yet.
admin-verified-add = Add badge
admin-verified-remove-one = Remove the badge from { $name }

admin-announcements-lead = A line that every page shows to everyone, such as planned maintenance.
admin-announcements-none = There are no announcements.
admin-announcement = Announcement
admin-announcement-shown = shown
admin-announcement-warns = shown as a warning
admin-announcement-over = not shown
admin-announcement-endless = until removed
admin-announcement-new = New announcement
admin-announcement-text = Text
admin-announcement-text-zh = Text in Chinese (optional)
admin-announcement-hours = Shown for
admin-announcement-warning = Show as a warning
admin-announcement-remove-one = Remove the announcement “{ $text }”
admin-announce = Announce

admin-audit-actor = Who
admin-audit-target = Target
admin-audit-action = Action
admin-audit-every = everything
admin-audit-from = From
admin-audit-to = To
admin-audit-reset = Show everything
admin-audit-none = No matching events.
admin-audit-details = Details
admin-audit-credential = Credential
admin-audit-request = Request
admin-audit-before = Before
admin-audit-after = After
admin-actor-account = an account
admin-actor-robot = a robot
admin-actor-anonymous = not signed in
admin-actor-machine = the machine itself
admin-actor-service = the service itself

# Long work, and deliveries that are sent once more.
admin-done-redelivered = The message is being sent again.
admin-redeliver = Once more
admin-redeliver-button = Send again
admin-work-running = Running now
admin-work-running-none = Nothing is running.
admin-work-past = Earlier
admin-work-past-none = Nothing has run yet. Garbage collections, imports and retention runs will be listed here.
admin-work-what = Task
admin-work-result = Result
admin-work-began = Started
admin-work-told = last update
admin-work-rehearsal = dry run
admin-work-garbage-collection = Garbage collection
admin-work-import = Import
admin-work-reindex = Reading repositories
admin-work-retention = Retention
admin-work-state-waiting = waiting
admin-work-state-running = running
admin-work-state-lost = not heard of since
admin-work-state-done = done
admin-work-state-failed = failed
admin-work-state-stopped = stopped
admin-work-phase-waiting = Waiting to start
admin-work-phase-marking = Looking for what is needed
admin-work-phase-sweeping = Removing what is not needed
admin-work-phase-looking = Looking at the other registry
admin-work-phase-copying = Copying
admin-work-phase-adopting = Adopting repositories
admin-work-phase-verifying = Comparing
admin-work-phase-reading = Reading
admin-work-phase-deleting = Deleting
admin-work-of = { $done } of { $total }
admin-work-unit-manifests =
    { $n ->
        [one] 1 manifest
       *[other] { $n } manifests
    }
admin-work-unit-blobs =
    { $n ->
        [one] 1 blob
       *[other] { $n } blobs
    }
admin-work-unit-repositories =
    { $n ->
        [one] 1 repository
       *[other] { $n } repositories
    }
admin-work-unit-tags-and-manifests =
    { $n ->
        [one] 1 tag or manifest
       *[other] { $n } tags and manifests
    }
admin-work-freed = { $size } freed
admin-work-would-free = { $size } would be freed
admin-work-copied = { $size } copied
admin-work-how = Starting these tasks
admin-work-how-collect = Garbage collection removes content that no image needs. Run it on the registry’s machine while nobody pushes; it reports here how far it is. Without --dry-run it really removes.
admin-work-how-import = Imports copy repositories from another registry. Run them anywhere; without --dry-run they really copy.
admin-work-one-process = Here index and registry are one process: stop it before you collect garbage, so nothing of that is shown meanwhile. In the configuration, rootdirectory is the folder registry of the data folder.
admin-work-untold = This site does not take reports from a registry yet: set registry.events_secret_file here, and name this site in the registry’s notifications with index: true.
