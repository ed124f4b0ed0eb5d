# The page of a tag, and of a manifest.
tag-immutable = Immutable
tag-pull-digest = Pull exactly this image, by its digest
tag-last-pull = Last pull
tag-media-type = Media type
tag-same = Same image
tag-newer-title = A newer base image exists.
tag-newer-text = Build again to get what was fixed there:
tag-platforms =
    { $n ->
        [one] { $n } platform
       *[other] { $n } platforms
    }
tag-platforms-caption = Platforms that this tag holds images for
tag-platform = Platform
tag-no-platform = No platform
tag-not-here = not in this repository
tag-layers = Layers
tag-layers-of = Layers of { $platform }
tag-strip =
    { $n ->
        [one] { $size } in one layer
       *[other] { $size } in { $n } layers
    }
tag-no-command = The image does not say what made this layer.
tag-no-layers = There are no layers.
tag-empty-index = This index leads to no image that the repository holds.
tag-not-read = The index has not read this manifest yet. It usually does within a second; reload the page.
tag-config = Configuration
tag-entrypoint = Entrypoint
tag-cmd = Command
tag-working-dir = Working directory
tag-user = User
tag-stop-signal = Stop signal
tag-built = Built
tag-author = Author
tag-env = Environment variables
tag-env-hint = Names only: values may be secrets and are not kept.
tag-ports = Ports
tag-volumes = Volumes
tag-labels = Labels
tag-annotations = Annotations
tag-attached = Signatures, SBOMs and attestations
tag-nothing-attached = Nothing is attached to this image.
tag-not-verified = Shown as pushed. Verify signatures with your own tools and keys.
tag-signature = Signature
tag-sbom = SBOM
tag-attestation = Attestation
tag-other-artifact = Artifact
tag-of-image = of this platform
tag-kind = Kind
tag-type = Type
tag-subject = Belongs to
tag-indexes = Part of
tag-manifest = Manifest { $digest }
tag-history = History
tag-no-history = Nothing is known of earlier changes.
tag-history-made = created
tag-history-moved = moved
tag-history-pushed = pushed again
tag-history-deleted = deleted
tag-compare = Compare with another tag
tag-compare-now = Compare with now
tag-restore = Restore { $digest }
tag-more-history = Earlier changes are among the repository’s activity.
tag-done-restored = The tag points there again.
tag-done-deleted = The tag is deleted. It can be restored for a while, below.
tag-delete-title = Delete this tag
tag-delete-frees = Deleting it frees { $bytes } in this repository.
tag-delete-link = See what depends on it
tag-delete-of = Delete the tag { $name }
tag-delete-text = The tag goes at once: pulls by its name fail. What it points to is kept for a while, so that the tag can be restored.
tag-delete-immutable = A rule keeps this tag as it is; the registry will refuse.
tag-delete-type = Type { $name } to confirm
tag-delete-mistyped = That is not the tag’s name: type { $name }.
tag-delete-do = Delete the tag
tag-delete-not = Keep it
tag-impact = What depends on it
tag-impact-pulls =
    { $n ->
        [one] Pulls of the last day
       *[other] Pulls of the last { $n } days
    }
tag-impact-frees = Deleting frees
tag-impact-storage = { $bytes } of the storage
tag-impact-clients = Clients
tag-impact-tags = Other tags of the same image, which stay
tag-impact-shared = Repositories that share layers, which stay
tag-delete-frees-nothing = Deleting it frees nothing: other tags lead to the same image.
