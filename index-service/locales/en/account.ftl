# What is one’s own: profile, password, devices, access tokens, lists, and the end of an account.
account-sections = Your account
account-section-profile = Profile
account-section-password = Password
account-section-devices = Sessions and devices
account-section-tokens = Access tokens
account-section-notifications = Notifications
account-section-organisations = Organisations
account-section-lists = Bookmarks and stars
account-section-appearance = Language and theme
account-section-end = Delete account
account-actions = Actions
account-save = Save
account-never = never
account-days =
    { $n ->
        [one] 1 day
       *[other] { $n } days
    }
account-hours =
    { $n ->
        [0] 0 hours (at once)
        [one] 1 hour
       *[other] { $n } hours
    }
account-done-saved = Saved.
account-done-password = Your password has been changed. Everything that was signed in with the old one is signed out.
account-done-device = Signed out of that device.
account-done-devices = You are signed out everywhere. Sign in again here.
account-done-revoked = The access token has been revoked.
account-done-secret = The secret has been revoked.
account-done-list = Removed.
account-done-deleted = The account has been deleted.

account-profile-name = Signed in as { $name }.
account-profile-since = Joined { $date }.
account-full-name = Full name
account-email = Email
account-email-hint = Only you and the site’s administrators can see it.
account-biography = About you
account-location = Location
account-website = Website
account-language = Language of pages
account-language-browser = The browser’s language
account-language-hint = Used wherever you sign in, until you choose another language in that browser.
account-profile-public = Everything except your email address and the language is visible to everyone who can use this site.

account-password-current = Current password
account-password-new = New password
account-password-again = New password again
account-password-hint = At least 12 characters and hard to guess. A whole sentence is fine.
account-password-effect = Every browser and docker login that used the old password has to sign in again. Access tokens keep working.
account-password-change = Change password
account-password-differs = The two new passwords do not match.

account-devices-lead = Browsers you are signed in with, and clients that stay logged in after docker login.
account-device-client = Client
account-device-address = Address
account-device-created = Created
account-device-used = Last used
account-device-browser = browser
account-device-login = docker login
account-device-this = this device
account-device-end = Sign out
account-device-end-one = Sign out { $client }
account-devices-all = Sign out everywhere
account-devices-all-text = Every browser and every docker login has to sign in again, including this one. Access tokens keep working.
account-devices-all-button = Sign out everywhere

account-tokens-lead = Use an access token instead of your password in scripts and on other machines. It can do only what you allow.
account-tokens-none = No access tokens yet. Create one below and use it wherever a password is asked for.
account-tokens-back = Back to access tokens
account-token-label = Name
account-token-label-hint = What it is for, such as “laptop” or “web shop CI”.
account-token-reach = Access
account-token-used = Last used
account-token-expires = Expires
account-token-revoked = revoked
account-token-expired = expired
account-token-new = New access token
account-token-pattern = Repositories
account-token-pattern-also = More repositories
account-token-pattern-hint = A name or a pattern: team/app, team/app-*, team/*, or * for all repositories.
account-token-rights = Allow
account-rights-pull = pull
account-rights-push = pull and push
account-rights-delete = pull, push and delete
account-rights-manage = pull, push, delete and manage
account-rights-all = everything I can do
account-token-more = More repositories, tags and addresses
account-token-push-tags = Push only these tags
account-token-push-tags-hint = Patterns such as v* or main. Leave empty for all tags.
account-token-networks = Only from these addresses
account-token-networks-hint = Ranges such as 10.0.0.0/8. Leave empty for any address.
account-token-everywhere = any address
account-token-days = Valid for
account-token-make = Create access token
account-token-refused = Refused uses
account-token-rotate = Replace the secret
account-token-rotate-text = The old secret stays valid for a while, so you can replace it everywhere without a gap.
account-token-overlap = Old secret stays valid for
account-token-rotate-button = Create a new secret
account-token-rename = Rename
account-token-revoke = Revoke
account-token-revoke-text = Anything that uses this token will be refused from now on. This cannot be undone.
account-token-revoke-button = Revoke access token
account-secret = Secret
account-secrets = Secrets
account-secret-ends = Expires
account-secret-with-token = with the token
account-secret-end = Revoke
account-secret-end-one = Revoke the secret that ends in { $part }
account-secret-new = Your new access token
account-secret-rotated = New secret
account-secret-once = This is shown only once. Copy it now and keep it safe.
account-secret-login = To use it, log in and paste it when you are asked for a password:
account-secret-login-hint = In scripts, pass it on standard input with --password-stdin.

account-organisation = Organisation
account-organisations-none = You are not in any organisation yet. Somebody who manages one can invite you with a link.
account-role = Your role
account-role-until = Until
account-role-owner = owner
account-role-manager = manager
account-role-member = member
account-role-guest = guest

account-lists-lead = Only you can see your bookmarks. Stars are counted, but nobody sees who gave them.
account-bookmarks = Bookmarks
account-bookmarks-none = No bookmarks yet. To add one, use the button on a repository’s page.
account-stars = Stars
account-stars-none = No stars yet.
account-repository = Repository
account-list = List
account-list-since = Added
account-list-remove = Remove
account-list-remove-one = Remove { $name } from the list { $list }
account-star-remove-one = Remove the star from { $name }

account-appearance-lead = Kept with your account, and shown in every browser you sign in with, unless you chose something else there.

account-end-lead = Deleting your account cannot be undone, and its name can never be used again.
account-end-breaks = What goes with the account
account-end-repositories = Repositories
account-end-organisations = Organisations left
account-end-rules = Rules on other people’s repositories
account-end-robots = Robots that stop working
account-end-tokens = Access tokens that stop working
account-end-devices = Sessions and devices signed out
account-end-type = To delete your account, type its name:
account-end-button = Delete my account
account-end-name-differs = That is not the name of your account.
account-obstacle-repositories = Delete or transfer these repositories first: { $names }
account-obstacle-organisations = Make somebody else an owner of these organisations first, or delete them: { $names }
account-obstacle-administrator = This account is the site’s last administrator. Make somebody else an administrator first.
