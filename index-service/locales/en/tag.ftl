# The page of a tag, and of a manifest.
tag-immutable = Immutable
tag-pull-digest = Pull this exact image by its digest
tag-last-pull = Last pull
tag-media-type = Media type
tag-same = Same image as
tag-newer-title = A newer base image exists.
tag-newer-text = Build your image again to get the fixes in:
tag-platforms =
    { $n ->
        [one] { $n } platform
       *[other] { $n } platforms
    }
tag-platforms-caption = Platforms this tag has images for
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
tag-no-command = The image does not say how this layer was made.
tag-no-layers = This image has no layers.
tag-empty-index = This index does not lead to any image in this repository.
tag-not-read = This manifest has not been read yet. That usually takes less than a second; reload the page.
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
tag-of-image = for this platform
tag-kind = Kind
tag-type = Type
tag-subject = Belongs to
tag-indexes = Part of
tag-manifest = Manifest { $digest }
tag-history = History
tag-no-history = No earlier changes are known.
tag-history-made = created
tag-history-moved = moved
tag-history-pushed = pushed again
tag-history-deleted = deleted
tag-compare = Compare with another tag
tag-compare-now = Compare with the current image
tag-restore = Restore { $digest }
tag-more-history = See earlier changes in the repository’s activity
tag-done-restored = The tag has been restored.
tag-done-deleted = The tag has been deleted. You can restore it below for a while.
tag-delete-title = Delete this tag
tag-delete-frees = Deleting it frees { $bytes } in this repository.
tag-delete-link = See what depends on it
tag-delete-of = Delete the tag { $name }
tag-delete-text = The tag disappears at once, and pulls by its name fail. What it points to is kept for a while, so that you can restore the tag.
tag-delete-immutable = A rule makes this tag immutable, so the registry will refuse to delete it.
tag-delete-type = Type { $name } to confirm
tag-delete-mistyped = That is not the tag’s name. Type { $name }.
tag-delete-do = Delete tag
tag-delete-not = Keep tag
tag-impact = What depends on it
tag-impact-pulls =
    { $n ->
        [one] Pulls of the last day
       *[other] Pulls of the last { $n } days
    }
tag-impact-frees = Deleting frees
tag-impact-storage = { $bytes } of it in storage
tag-impact-clients = Clients
tag-impact-tags = Other tags of the same image (not affected)
tag-impact-shared = Repositories that share layers (not affected)
tag-delete-frees-nothing = Deleting it frees nothing, because other tags point to the same image.
