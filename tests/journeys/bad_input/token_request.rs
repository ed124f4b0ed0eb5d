//! Requests for tokens that are malformed: 400 or 401 with a body that clients can show, never anything else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Account, Journey, Need, Result, Suite, ensure};

use harness::bad_request::{Ground, claims};
use harness::bad_request::{Reply, Request};

pub(super) fn add(suite: &mut Suite) {
    let needs = [Need::Portolan];
    suite.add(
        "bad_input::token_request",
        "malformed_credentials_are_never_anonymous",
        &needs,
        credentials,
    );
    suite.add(
        "bad_input::token_request",
        "malformed_parameters_are_refused",
        &needs,
        parameters,
    );
    suite.add(
        "bad_input::token_request",
        "malformed_forms_are_refused",
        &needs,
        forms,
    );
    suite.add(
        "bad_input::token_request",
        "malformed_scopes_grant_nothing",
        &needs,
        scopes,
    );
}

fn service(ground: &Ground) -> String {
    ground.server.host().replace(':', "%3A")
}

fn refused(reply: &Reply, statuses: &[u16]) -> Result<()> {
    ensure!(
        statuses.contains(&reply.status),
        "should have been one of {statuses:?}: {reply}"
    );
    reply.error_code()?;
    ensure!(
        reply.json()?["details"].is_string(),
        "no details for clients to show: {reply}"
    );
    Ok(())
}

fn credentials(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let target = format!(
        "/token?service={}&scope=repository:{}:pull",
        service(&ground),
        ground.repository()
    );
    let (name, password) = (&ground.account.name, &ground.account.password);
    let basic = |text: &[u8]| format!("Basic {}", STANDARD.encode(text));
    let wrong = [
        basic(format!("{name}:wrong").as_bytes()),
        basic(format!("{name}:").as_bytes()),
        basic(format!("{name}:{password} ").as_bytes()),
        basic(format!("{name}:{password}\n").as_bytes()),
        basic(format!("{name}:{password}\0").as_bytes()),
        basic(format!("nobody:{password}").as_bytes()),
        basic(format!(":{password}").as_bytes()),
        basic(name.as_bytes()),
        basic(format!("{name}\0:{password}").as_bytes()),
        basic(b"\xff\xfe:\xff"),
        basic(format!("{name}:{}", "x".repeat(5000)).as_bytes()),
        basic(format!("{name}:ptl_pat_wrong").as_bytes()),
        basic(format!("{name}:ptl_dev_wrong").as_bytes()),
        "Basic %%%".to_owned(),
        "Basic".to_owned(),
        format!("Bearer {}", ground.token),
        "Digest username=\"x\"".to_owned(),
        format!("Token {password}"),
        "x".to_owned(),
    ];
    for authorization in wrong {
        let reply =
            ground.send_bare(&Request::new("GET", &target).header("Authorization", &authorization))?;
        refused(&reply, &[400, 401]).map_err(|error| error.context(authorization))?;
    }
    let both = Request::new("GET", &target)
        .header("Authorization", ground.account.basic())
        .header("Authorization", basic(b"nobody:x"));
    ground.send_bare(&both)?.refuses(&[400], &["UNSUPPORTED"])?;
    ground.is_unharmed()
}

fn parameters(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let service = service(&ground);
    let account = &ground.account;
    let wrong = [
        "service=other.example".to_owned(),
        "service=".to_owned(),
        format!("service={service}&service=other.example"),
        format!("service={service}&offline_token=maybe"),
        format!("service={service}%00"),
        format!("service={service}&access_type=sometimes&offline_token=2"),
        "service=%zz".to_owned(),
        "service=%FF".to_owned(),
        format!("service={service}&account=somebody-else"),
    ];
    for query in wrong {
        let request = Request::new("GET", format!("/token?{query}")).header("Authorization", account.basic());
        let reply = ground.send_bare(&request)?;
        ensure!(reply.status < 500, "{query}: {reply}");
        if reply.status != 200 {
            refused(&reply, &[400, 401]).map_err(|error| error.context(query))?;
        }
    }
    let other = Request::new("GET", "/token?service=other.example").header("Authorization", account.basic());
    refused(&ground.send_bare(&other)?, &[400])?;
    ground.is_unharmed()
}

fn forms(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let Account { name, password } = &ground.account;
    let service = service(&ground);
    let good = format!(
        "grant_type=password&username={name}&password={}&client_id=x",
        password.replace(' ', "+")
    );
    let forms = [
        String::new(),
        "grant_type=password".to_owned(),
        format!("{good}&service=other.example"),
        format!("grant_type=refresh_token&service={service}&client_id=x"),
        format!("grant_type=refresh_token&service={service}&client_id=x&refresh_token="),
        format!("grant_type=refresh_token&service={service}&client_id=x&refresh_token=ptl_dev_wrong"),
        format!(
            "grant_type=refresh_token&service={service}&client_id=x&refresh_token={}",
            "x".repeat(5000)
        ),
        format!(
            "grant_type=refresh_token&service={service}&client_id=x&refresh_token={}",
            ground.token
        ),
        format!("grant_type=client_credentials&service={service}&client_id=x"),
        format!("grant_type=authorization_code&service={service}&client_id=x&code=x"),
        format!("grant_type=password&service={service}&client_id=x&username={name}&password=wrong"),
        format!("grant_type=password&service={service}&client_id=x&username={name}&password=%FF"),
        format!("grant_type=password&service={service}&client_id=x&username=%00&password=%00"),
        format!("{good}&service={service}&access_type=sometimes"),
        format!("{good}&grant_type=refresh_token&service={service}"),
        "%zz=%zz".to_owned(),
        "{\"grant_type\":\"password\"}".to_owned(),
        "=&=&=".to_owned(),
    ];
    for form in forms {
        let request = Request::new("POST", "/token")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form.as_bytes());
        let reply = ground.send_bare(&request)?;
        refused(&reply, &[400, 401]).map_err(|error| error.context(form))?;
    }
    let form = format!("{good}&service={service}");
    for media_type in [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
    ] {
        let request = Request::new("POST", "/token")
            .header("Content-Type", media_type)
            .body(form.as_bytes());
        let reply = ground.send_bare(&request)?;
        ensure!([200, 400, 415].contains(&reply.status), "{media_type}: {reply}");
    }
    let large = Request::new("POST", "/token")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("{form}&x={}", "x".repeat(100_000)));
    let reply = ground.send_bare(&large)?;
    ensure!(
        [400, 413].contains(&reply.status),
        "should have been 413: {reply}"
    );
    reply.error_code()?;
    // The control: the same form, whole.
    let request = Request::new("POST", "/token")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form);
    let reply = ground.send_bare(&request)?;
    ensure!(reply.status == 200, "the good form should have been 200: {reply}");
    ground.is_unharmed()
}

fn scopes(journey: &Journey) -> Result<()> {
    let ground = Ground::prepare(journey)?;
    let own = ground.account.name.clone();
    let long = format!("repository:{own}/{}:pull", "x".repeat(300));
    let malformed = [
        "repository",
        "repository:",
        "repository::pull",
        ":::",
        "repository:UPPER/x:pull,push",
        &format!("repository:{own}/../admin/x:pull,push"),
        &format!("repository:{own}/kept"),
        &format!("repository:{own}/kept:"),
        &format!("repository:{own}/kept:fly"),
        &format!("repository:{own}/kept:PULL"),
        &format!("REPOSITORY:{own}/kept:pull"),
        &format!("registry:{own}/kept:pull"),
        &format!("repository:{own}%2Fkept:pull"),
        &format!("repository:{own}/kept%00:pull"),
        "repository:admin/secret:pull,push,delete",
        "repository:*:*",
        "registry:catalog:*",
        "*:*:*",
        &long,
    ];
    for scope in malformed {
        let encoded = scope.replace('%', "%25").replace('*', "%2A");
        let target = format!("/token?service={}&scope={encoded}", service(&ground));
        let reply =
            ground.send_bare(&Request::new("GET", target).header("Authorization", ground.account.basic()))?;
        if reply.status == 400 {
            refused(&reply, &[400])?;
            continue;
        }
        ensure!(reply.status == 200, "{scope}: {reply}");
        let json = reply.json()?;
        let claims = claims(json["token"].as_str().unwrap_or_default())?;
        let granted = claims["access"].as_array().is_some_and(|entries| {
            entries.iter().any(|entry| {
                entry["actions"]
                    .as_array()
                    .is_some_and(|actions| !actions.is_empty())
            })
        });
        ensure!(!granted, "{scope} should have granted nothing: {claims}");
    }
    ground.is_unharmed()
}
