//! Secrets that are planted before and looked for after: none may stand in the log, in whatever coding.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use harness::server::Options;
use harness::{Context as _, Journey, Need, Result, Suite, ensure};

use super::ground::Ground;
use super::wire::Request;

pub(super) fn add(suite: &mut Suite) {
    let needs = [Need::Portolan];
    suite.add(
        "bad_input::canary",
        "no_secret_reaches_the_log_at_the_level_trace",
        &needs,
        canary,
    );
    suite.add(
        "bad_input::canary",
        "a_secret_in_any_coding_would_be_found",
        &[],
        would_be_found,
    );
}

/// A secret, its name, and how often it may stand there.
struct Planted {
    name: String,
    needles: Vec<String>,
}

impl Planted {
    fn new(name: &str, secret: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            needles: codings(secret),
        }
    }

    fn find(&self, log: &str) -> Option<&str> {
        self.needles
            .iter()
            .map(String::as_str)
            .find(|needle| log.contains(needle))
    }
}

/// A secret as it might be written: plain, hexadecimal, percent-encoded, as numbers, as JSON, and in base64 wherever in
/// a group of three bytes it begins.
fn codings(secret: &[u8]) -> Vec<String> {
    let joined =
        |form: fn(&u8) -> String, between: &str| secret.iter().map(form).collect::<Vec<_>>().join(between);
    let text = String::from_utf8_lossy(secret);
    let mut all = vec![
        text.clone().into_owned(),
        text.escape_debug().to_string(),
        joined(|byte| format!("{byte:02x}"), ""),
        joined(|byte| format!("{byte:02X}"), ""),
        joined(ToString::to_string, ", "),
    ];
    let percent = |kept: &[u8]| -> String {
        let coded = secret.iter().map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || kept.contains(byte) => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        coded.collect()
    };
    all.extend([percent(b""), percent(b"-_.~"), percent(b"").replace("%20", "+")]);
    for before in 0..3 {
        let shifted = [vec![0; before], secret.to_vec()].concat();
        // Groups that hold bytes of the secret alone.
        let (first, last) = (before.div_ceil(3) * 4, shifted.len() / 3 * 4);
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let coded = engine.encode(&shifted);
            all.extend(coded.get(first..last).map(str::to_owned));
        }
    }
    all.sort();
    all.dedup();
    all.retain(|needle| needle.len() >= 8);
    all
}

fn would_be_found(_: &Journey) -> Result<()> {
    let secret = b"cor/rect+horse 77 \"battery\"";
    let planted = Planted::new("a password", secret);
    let basic =
        |engine: &dyn Fn(&[u8]) -> String, name: &str| engine(&[name.as_bytes(), b":", secret].concat());
    let mut lines = vec![
        String::from_utf8_lossy(secret).into_owned(),
        format!("{:?}", String::from_utf8_lossy(secret)),
        format!("{secret:?}"),
        "password=cor%2Frect%2Bhorse+77+%22battery%22".to_owned(),
        "password=cor%2Frect%2Bhorse%2077%20%22battery%22".to_owned(),
    ];
    for name in ["a", "ab", "abc"] {
        lines.push(basic(&|bytes| STANDARD.encode(bytes), name));
        lines.push(basic(&|bytes| URL_SAFE.encode(bytes), name));
    }
    for line in lines {
        let log = format!("2026-01-01 TRACE something: {line} and more\n");
        ensure!(planted.find(&log).is_some(), "not found in: {log}");
    }
    ensure!(
        planted.find("nothing of the kind stands here").is_none(),
        "found in nothing"
    );
    Ok(())
}

fn canary(journey: &Journey) -> Result<()> {
    let options = Options {
        arguments: vec!["--log".into(), "trace".into()],
        ..Options::default()
    };
    let ground = Ground::prepare_with(journey, options)?;
    let planted = scenario(journey, &ground)?;
    ground.serves_well()?;
    ground.server.stop()?;
    let log = std::fs::read(ground.server.log()).context("read the log")?;
    let text = String::from_utf8_lossy(&log);
    // The controls: more than the usual level was written, and the requests were seen.
    ensure!(
        text.contains("DEBUG") && text.contains("request_id="),
        "hardly anything was logged"
    );
    ensure!(text.lines().count() > 100, "hardly anything was logged");
    for planted in &planted {
        ensure!(
            !planted.needles.is_empty(),
            "nothing to look for: {}",
            planted.name
        );
        if let Some(needle) = planted.find(&text) {
            let line = text
                .lines()
                .find(|line| line.contains(needle))
                .unwrap_or_default();
            let line: String = line.chars().take(400).collect();
            harness::bail!("{} stands in the log: {line}", planted.name);
        }
    }
    first_password(&ground, &text)
}

/// The first password of `admin` is shown once, on purpose, and nowhere else.
fn first_password(ground: &Ground, text: &str) -> Result<()> {
    let password = ground.server.admin()?.password;
    let shown = text.lines().filter(|line| line.contains(&password)).count();
    ensure!(shown <= 1, "the first password is shown {shown} times");
    let lines = text.lines().filter(|line| line.contains(&password));
    let logged = lines
        .filter(|line| {
            ["TRACE", "DEBUG", " INFO"]
                .iter()
                .any(|level| line.contains(level))
        })
        .count();
    ensure!(logged == 0, "the first password is logged");
    Ok(())
}

/// Everything that is done with secrets; gives what must not be found.
fn scenario(journey: &Journey, ground: &Ground) -> Result<Vec<Planted>> {
    let (name, password) = (&ground.account.name, &ground.account.password);
    let service = ground.server.host().replace(':', "%3A");
    let scope = format!("repository:{}:pull,push", ground.repository());
    let wrong = "wr0ng guess of a Tired person";
    let form = "application/x-www-form-urlencoded";
    let post = |body: String| {
        Request::new("POST", "/token")
            .header("Content-Type", form)
            .body(body)
    };
    let get = |query: &str| Request::new("GET", format!("/token?service={service}&{query}"));
    let basic = |name: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));

    // docker login, with a right and a wrong password, and what it stores.
    let login = get("offline_token=true&client_id=docker").header("Authorization", ground.account.basic());
    let login = ground.send_bare(&login)?;
    ensure!(login.status == 200, "should have been 200: {login}");
    let login = login.json()?;
    let refresh = login["refresh_token"]
        .as_str()
        .context("no refresh token")?
        .to_owned();
    let mut tokens = vec![
        ground.token.clone(),
        login["token"].as_str().unwrap_or_default().to_owned(),
    ];
    let refused = ground.send_bare(&get("").header("Authorization", basic(name, wrong)))?;
    ensure!(refused.status == 401, "should have been 401: {refused}");
    let refused = ground.send_bare(&post(format!(
        "grant_type=password&username={name}&password={}&service={service}&client_id=x",
        wrong.replace(' ', "+")
    )))?;
    ensure!(refused.status == 401, "should have been 401: {refused}");
    // Where a secret does not belong: the query, the account, a header of another scheme.
    let stray = get(&format!(
        "password={}&account={name}",
        password.replace(' ', "%20")
    ));
    ground.send_bare(&stray.header("Authorization", format!("Token {refresh}")))?;
    ground.send_bare(&Request::new(
        "GET",
        format!("/v2/?access_token={}", ground.token),
    ))?;

    for body in [
        format!(
            "grant_type=password&username={name}&password={}&service={service}&client_id=x&scope={scope}&access_type=offline",
            password.replace(' ', "+")
        ),
        format!(
            "grant_type=refresh_token&refresh_token={refresh}&service={service}&client_id=docker&scope={scope}"
        ),
    ] {
        let reply = ground.send_bare(&post(body))?;
        ensure!(reply.status == 200, "should have been 200: {reply}");
        tokens.push(
            reply.json()?["access_token"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    let typo = format!("{}x", &refresh[..refresh.len() - 1]);
    ground.send_bare(&post(format!(
        "grant_type=refresh_token&refresh_token={typo}&service={service}&client_id=docker"
    )))?;

    // A personal access token: made, used, mistyped.
    let pat = ground
        .server
        .administer(journey, &["token", "create", name, "--name", "canary"], "")?;
    let pat = pat.trim().to_owned();
    let with_pat =
        ground.send_bare(&get(&format!("scope={scope}")).header("Authorization", basic(name, &pat)))?;
    ensure!(with_pat.status == 200, "should have been 200: {with_pat}");
    tokens.push(with_pat.json()?["token"].as_str().unwrap_or_default().to_owned());
    ground.send_bare(&get("").header("Authorization", basic(name, &format!("{pat}x"))))?;

    // A push and a pull with each token, whole and broken.
    for token in &tokens {
        let api = Request::new("GET", format!("/v2/{}/tags/list", ground.repository()));
        ground.send_bare(&api.clone().bearer(token))?;
        ground.send_bare(&api.bearer(&token[..token.len() - 2]))?;
    }
    ground
        .server
        .api(&ground.account)?
        .push_small_image(&ground.repository(), "canary", "a layer")?;

    let keys = ground.server.data().join("keys");
    let mut planted = vec![
        Planted::new("the password", password.as_bytes()),
        Planted::new("a wrong password", wrong.as_bytes()),
        Planted::new("the refresh token", refresh.as_bytes()),
        Planted::new("the personal access token", pat.as_bytes()),
        Planted::new(
            "the secret of uploads",
            &std::fs::read(ground.server.data().join("upload-secret"))?,
        ),
    ];
    for (number, token) in tokens.iter().enumerate() {
        // A header alone is public; what follows it is not.
        let (_, secret) = token.split_once('.').context("not a token")?;
        planted.push(Planted::new(&format!("token {number}"), secret.as_bytes()));
        let signature = token.rsplit('.').next().unwrap_or_default();
        planted.push(Planted::new(
            &format!("the signature of token {number}"),
            signature.as_bytes(),
        ));
    }
    for file in std::fs::read_dir(&keys)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            let shown = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let pem = std::fs::read_to_string(&path)?;
            let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
            planted.push(Planted::new(
                &format!("{shown}, a line"),
                pem.lines().nth(1).unwrap_or_default().as_bytes(),
            ));
            // The secret number of a PKCS#8 P-256 key follows these bytes.
            let der = STANDARD.decode(body.trim())?;
            let mark = [0x02, 0x01, 0x01, 0x04, 0x20];
            let place = der
                .windows(mark.len())
                .position(|window| window == mark)
                .context("not a P-256 key")?;
            let number = der
                .get(place + mark.len()..place + mark.len() + 32)
                .context("not a P-256 key")?;
            planted.push(Planted::new(&format!("{shown}, its number"), number));
        }
    }
    Ok(planted)
}
