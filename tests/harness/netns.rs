//! A network namespace with one link to the machine: an address of the test's own, which no client takes for loopback.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

/// The namespace and its link; removed when dropped.
#[derive(Debug)]
pub struct NetworkNamespace {
    name: String,
    link: String,
    inside: String,
}

impl NetworkNamespace {
    /// Makes one; the machine gets an address on the link too.
    pub fn make() -> Result<Self> {
        // Of these alone, so that those of ten tests that run at once differ.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = std::process::id() % 1000 * 10 + NEXT.fetch_add(1, Ordering::Relaxed) % 10;
        let network = format!("10.{}.{}", 180 + number / 250 % 20, number % 250);
        Self::named(&format!("ptlv{number}"), &network)
    }

    /// Makes the one that lasts as long as the run: no other gets its name or addresses.
    pub(crate) fn make_lasting() -> Result<Self> {
        let number = std::process::id() % 1000;
        let network = format!("10.{}.{}", 170 + number / 250, number % 250);
        Self::named(&format!("ptls{number}"), &network)
    }

    fn named(stem: &str, network: &str) -> Result<Self> {
        let name = format!("portolan-{stem}");
        let (link, peer) = (format!("{stem}a"), format!("{stem}b"));
        let space = Self {
            name: name.clone(),
            link: link.clone(),
            inside: format!("{network}.2"),
        };
        ip(&["netns", "add", &name])?;
        ip(&["link", "add", &link, "type", "veth", "peer", "name", &peer])?;
        ip(&["link", "set", &peer, "netns", &name])?;
        ip(&["addr", "add", &format!("{network}.1/24"), "dev", &link])?;
        ip(&["link", "set", &link, "up"])?;
        ip(&[
            "-n",
            &name,
            "addr",
            "add",
            &format!("{network}.2/24"),
            "dev",
            &peer,
        ])?;
        ip(&["-n", &name, "link", "set", &peer, "up"])?;
        ip(&["-n", &name, "link", "set", "lo", "up"])?;
        Ok(space)
    }

    /// The address inside.
    pub fn inside(&self) -> &str {
        &self.inside
    }

    /// A command line to put before another one so that it starts inside.
    pub fn launcher(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.name].map(str::to_owned).to_vec()
    }

    /// The same for what needs the machine's `/sys`: only the network is another one.
    pub fn light_launcher(&self) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--net=/run/netns/{}", self.name)]
    }
}

impl Drop for NetworkNamespace {
    fn drop(&mut self) {
        drop(ip(&["link", "del", &self.link]));
        drop(ip(&["netns", "del", &self.name]));
    }
}

fn ip(words: &[&str]) -> Result<()> {
    let done = Command::new("ip").args(words).output().context("start ip")?;
    ensure!(
        done.status.success(),
        "ip {}: {}",
        words.join(" "),
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
}
