//! OCI image layouts (image-spec, `image-layout.md`) made by the tests: images, indexes, layers of any size.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::archive::{Hashing, StoredGzip, Tar, digest};

pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A descriptor (image-spec, `descriptor.md`).
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Descriptor {
    #[serde(rename = "mediaType")]
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<serde_json::Value>,
}

/// A layer: its descriptor and the digest of its uncompressed archive.
#[derive(Debug, Clone)]
pub struct Layer {
    pub descriptor: Descriptor,
    pub diff_id: String,
}

/// A layout in a folder.
#[derive(Debug)]
pub struct Layout {
    folder: PathBuf,
    tagged: Vec<Descriptor>,
}

impl Layout {
    pub fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder.join("blobs/sha256")).context("make a layout")?;
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
        Ok(Self {
            folder: folder.to_owned(),
            tagged: Vec::new(),
        })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file that holds a digest's bytes.
    pub fn path_of(&self, digest: &str) -> PathBuf {
        self.folder.join("blobs").join(digest.replace(':', "/"))
    }

    /// Stores bytes.
    pub fn blob(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor> {
        let digest = digest(bytes);
        std::fs::write(self.path_of(&digest), bytes).context("write a blob")?;
        Ok(descriptor(media_type, digest, bytes.len() as u64))
    }

    /// A layer with what `fill` writes into it, as gzip of stored blocks.
    pub fn layer<F>(&self, fill: F) -> Result<Layer>
    where
        F: FnOnce(&mut Tar<&mut dyn Write>) -> std::io::Result<()>,
    {
        let draft = self.folder.join("draft");
        let file = BufWriter::with_capacity(1 << 20, File::create(&draft).context("write a layer")?);
        let mut archive = Hashing::new(StoredGzip::new(Hashing::new(file))?);
        let mut tar = Tar::new(&mut archive as &mut dyn Write);
        fill(&mut tar).context("write a layer")?;
        tar.finish()?;
        let (gzip, diff_id, _) = archive.finish();
        let (mut file, digest, size) = gzip.finish()?.finish();
        file.flush()?;
        std::fs::rename(&draft, self.path_of(&digest)).context("name a layer")?;
        Ok(Layer {
            descriptor: descriptor(LAYER_GZIP, digest, size),
            diff_id,
        })
    }

    /// A layer of one file of seeded noise.
    pub fn noise_layer(&self, seed: u64, size: u64) -> Result<Layer> {
        self.layer(|tar| tar.noise(&format!("noise-{seed}"), seed, size))
    }

    /// A layer from which a container can run `/bin/sh`.
    pub fn busybox_layer(&self) -> Result<Layer> {
        self.layer(busybox)
    }

    /// An image for one architecture of Linux that runs `command`.
    pub fn image(&self, architecture: &str, layers: &[Layer], command: &[&str]) -> Result<Descriptor> {
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": { "Cmd": command, "Env": ["PATH=/bin"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = self.blob(IMAGE_CONFIG, &serde_json::to_vec(&config)?)?;
        let layers: Vec<&Descriptor> = layers.iter().map(|layer| &layer.descriptor).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "config": config, "layers": layers,
        });
        let mut image = self.blob(IMAGE_MANIFEST, &serde_json::to_vec(&manifest)?)?;
        image.platform = Some(json!({ "architecture": architecture, "os": "linux" }));
        Ok(image)
    }

    /// An index over images.
    pub fn index(&self, manifests: &[Descriptor]) -> Result<Descriptor> {
        let index = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": manifests });
        self.blob(IMAGE_INDEX, &serde_json::to_vec(&index)?)
    }

    /// Names a manifest in the layout's `index.json`.
    pub fn tag(&mut self, name: &str, manifest: &Descriptor) -> Result<()> {
        let mut named = manifest.clone();
        named.annotations = Some(json!({ "org.opencontainers.image.ref.name": name }));
        self.tagged.push(named);
        let index = json!({ "schemaVersion": 2, "manifests": self.tagged });
        std::fs::write(self.folder.join("index.json"), serde_json::to_vec(&index)?)
            .context("write index.json")
    }
}

/// The commands that tests call in a container.
const COMMANDS: [&str; 6] = ["sh", "cat", "echo", "ls", "sha256sum", "wc"];

/// Puts Debian's static busybox into an archive, with the shell and the few commands that tests call.
pub fn busybox(tar: &mut Tar<&mut dyn Write>) -> std::io::Result<()> {
    let program = std::fs::read("/bin/busybox").or_else(|_| std::fs::read("/usr/bin/busybox"))?;
    tar.directory("bin/")?;
    tar.file("bin/busybox", 0o755, &program)?;
    for name in COMMANDS {
        tar.symlink(&format!("bin/{name}"), "busybox")?;
    }
    Ok(())
}

/// The same as files in a folder, for tools that build from one.
pub fn busybox_folder(folder: &Path) -> Result<()> {
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).context("make a root file system")?;
    std::fs::copy("/bin/busybox", bin.join("busybox"))
        .or_else(|_| std::fs::copy("/usr/bin/busybox", bin.join("busybox")))
        .context("copy busybox")?;
    for name in COMMANDS {
        std::os::unix::fs::symlink("busybox", bin.join(name)).context("link a command")?;
    }
    Ok(())
}

fn descriptor(media_type: &str, digest: String, size: u64) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest,
        size,
        platform: None,
        annotations: None,
    }
}
