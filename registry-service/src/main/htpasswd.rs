//! `htpasswd -Bbn USER PASSWORD`, as people call it in the image: a line for `auth.htpasswd.path`.

use std::ffi::OsString;
use std::io::Read as _;

use clap::Parser;

/// Bytes of a password that bcrypt takes.
const MAX_PASSWORD: usize = 72;

#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the flags of a command line"
)]
#[derive(Parser)]
#[command(name = "htpasswd", about = "Prints a line for a file of accounts")]
struct Arguments {
    /// bcrypt: the only way that a registry reads.
    #[arg(short = 'B')]
    bcrypt: bool,
    /// Print the line instead of changing a file, which this does not.
    #[arg(short = 'n')]
    print: bool,
    /// The password stands behind the user.
    #[arg(short = 'b', conflicts_with = "from_input")]
    batch: bool,
    /// The password is read from standard input.
    #[arg(short = 'i')]
    from_input: bool,
    /// bcrypt's cost, 4 to 17.
    #[arg(short = 'C', default_value_t = 5, value_parser = clap::value_parser!(u32).range(4..=17))]
    cost: u32,
    user: String,
    password: Option<String>,
}

/// The line, without its end.
pub(crate) fn line(arguments: Vec<OsString>) -> anyhow::Result<String> {
    let name = std::iter::once("htpasswd".into());
    let arguments = Arguments::try_parse_from(name.chain(arguments))?;
    anyhow::ensure!(
        arguments.bcrypt && arguments.print,
        "-B and -n are needed: registries read bcrypt alone, and this prints the line instead of changing a file"
    );
    let password = match arguments.password {
        Some(password) if arguments.batch => password,
        None if arguments.from_input => {
            let mut text = String::new();
            std::io::stdin().take(4096).read_to_string(&mut text)?;
            text.trim_end_matches(['\n', '\r']).to_owned()
        }
        _ => {
            anyhow::bail!("the password stands behind the user with -b, or comes from standard input with -i")
        }
    };
    anyhow::ensure!(
        !arguments.user.is_empty()
            && arguments.user.len() <= 255
            && !arguments.user.contains([':', '\r', '\n']),
        "a user is 1 to 255 bytes without ':' and line ends"
    );
    // bcrypt ignores the rest: a longer password would be weaker than it looks.
    anyhow::ensure!(
        password.len() <= MAX_PASSWORD,
        "bcrypt takes at most {MAX_PASSWORD} bytes"
    );
    let hash = bcrypt::hash_with_result(password, arguments.cost)?;
    let hash = hash.format_for_version(bcrypt::Version::TwoY);
    Ok(format!("{}:{hash}", arguments.user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_apaches_tool_writes() {
        let run = |words: &str| line(words.split(' ').map(OsString::from).collect());
        for words in [
            "-Bbn alice secret",
            "-B -b -n alice secret",
            "-nbB -C 5 alice secret",
        ] {
            let line = run(words).unwrap();
            let (name, hash) = line.split_once(':').unwrap();
            assert_eq!((name, &hash[..7], hash.len()), ("alice", "$2y$05$", 60));
            assert!(bcrypt::verify("secret", hash).unwrap());
        }
        for words in [
            "-bn alice secret",
            "-Bb alice secret",
            "-Bn alice secret",
            "-Bbn a:b secret",
            "-Bbn alice",
        ] {
            assert!(run(words).is_err(), "{words}");
        }
    }
}
