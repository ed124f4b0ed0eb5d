//! Docker Hub's API at the front door: what its clients and people's scripts send, with another host.

mod image;

use std::time::Duration;

use bytes::Bytes;
use harness::api::{Answer, Api};
use harness::process::wait_for;
use harness::{Account, Context as _, Journey, Need, Result, Server, Suite, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::apart::Apart;
use crate::skopeo::{credentials, two_architectures};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "hub",
        "scripts_written_for_docker_hub_work_with_another_host",
        &[Need::Portolan, Need::Skopeo, Need::Curl],
        scripts,
    );
    suite.add(
        "hub",
        "terraform_finds_what_it_declared_and_takes_it_away",
        &[Need::Portolan],
        terraform,
    );
    suite.add(
        "hub",
        "the_api_and_the_registry_share_a_host_behind_nginx",
        &[Need::Portolan, Need::Nginx],
        behind_nginx,
    );
    suite.add(
        "hub",
        "an_image_speaks_for_itself_in_searches_badges_and_short_names",
        &[Need::Portolan],
        image::showcase,
    );
    suite.add(
        "hub",
        "renovate_reads_tags_by_pages_and_when_they_were_made",
        &[Need::Portolan],
        image::renovate,
    );
}

/// How long the index may take to hear and read.
const PATIENCE: Duration = Duration::from_mins(2);

/// A client that signed in as Docker Hub's do.
struct Hub {
    api: Api,
    authorization: String,
}

impl Hub {
    fn login(base: &str, account: &Account) -> Result<Self> {
        let api = Api::new(base, None)?;
        let body = json!({"username": account.name, "password": account.password});
        let headers = [("content-type", "application/json")];
        let body = Bytes::from(body.to_string());
        let answer = api
            .send(Method::POST, "/v2/users/login/", &headers, body)?
            .expect(200)?;
        let token = answer.json()?["token"].as_str().context("a token")?.to_owned();
        ensure!(token.split('.').count() == 3, "clients read the end of a JWT");
        Ok(Self {
            api,
            authorization: format!("Bearer {token}"),
        })
    }

    fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Answer> {
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json"),
        ];
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        self.api.send(method, path, &headers, body)
    }

    fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, &Value::Null)?.expect(200)?.json()
    }

    /// Waits until a tag is there, and all of it is known.
    fn tag(&self, repository: &str, tag: &str, images: usize) -> Result<Value> {
        wait_for(&format!("{repository}:{tag}"), PATIENCE, || {
            let path = format!("/v2/repositories/{repository}/tags/{tag}");
            let answer = self.ask(Method::GET, &path, &Value::Null)?;
            if answer.status != 200 {
                return Ok(None);
            }
            let found = answer.json()?;
            let known = found["images"].as_array().context("images")?;
            let is_known = known.len() == images
                && known
                    .iter()
                    .all(|image| image["size"].as_i64().is_some_and(|size| size > 0));
            Ok(is_known.then_some(found))
        })
    }
}

/// What README pushers, cleaners and the like do, as it stands in pipelines.
const SCRIPT: &str = r##"
set -eu
HUB=$1 NS=$2 REPO=$3 TAG=$4
PASSWORD=$(cat)
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
TOKEN=$(curl -fsS -H 'Content-Type: application/json' -X POST -d "{\"username\": \"$NS\", \"password\": \"$PASSWORD\"}" "$HUB/v2/users/login/" | field token)
test -n "$TOKEN"
# Push a README, and see that it came as it is.
printf '{"registry": "docker", "full_description": "# App\\n\\n| a | b |\\n|---|---|\\n\\tx \\"y\\" <z>\\n"}' > payload.json
curl -fsS -X PATCH -H "Authorization: JWT $TOKEN" -H 'Content-Type: application/json' -d @payload.json "$HUB/v2/repositories/$NS/$REPO/" > answer.json
grep -q '"full_description":"# App\\n\\n| a | b |\\n|---|---|\\n\\tx \\"y\\" <z>\\n"' answer.json
# Clean up: every tag but one.
curl -fsS -H "Authorization: JWT $TOKEN" "$HUB/v2/repositories/$NS/$REPO/tags/?page_size=100" > tags.json
grep -q "\"name\":\"$TAG\"" tags.json
CODE=$(curl -sS -o /dev/null -w '%{http_code}' -X DELETE -H "Authorization: JWT $TOKEN" "$HUB/v2/repositories/$NS/$REPO/tags/$TAG/")
test "$CODE" = 204
# Sign out by forgetting; a stranger sees nothing.
CODE=$(curl -sS -o /dev/null -w '%{http_code}' "$HUB/v2/repositories/$NS/$REPO/")
test "$CODE" = 404
"##;

fn scripts(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let account = server.account(journey, "hub")?;
    let (layout, multi) = two_architectures(journey, "layout")?;
    let source = format!("oci:{}:multi", layout.folder().display());
    let repository = format!("{}/app", account.name);
    for tag in ["1.0", "old"] {
        let remote = format!("docker://{}/{repository}:{tag}", server.host());
        journey
            .command("skopeo")
            .args(["copy", "--all", "--dest-tls-verify=false", "--dest-creds"])
            .args([credentials(&account).as_str(), source.as_str(), remote.as_str()])
            .succeeds()?;
    }
    let hub = Hub::login(&server.url(), &account)?;
    let tag = hub.tag(&repository, "1.0", 2)?;
    ensure!(tag["digest"] == multi.digest.as_str(), "{tag:#}");
    let architectures: Vec<&Value> = tag["images"]
        .as_array()
        .context("images")?
        .iter()
        .map(|image| &image["architecture"])
        .collect();
    ensure!(architectures == ["amd64", "arm64"], "{tag:#}");
    ensure!(tag["last_updater_username"] == account.name.as_str(), "{tag:#}");
    hub.tag(&repository, "old", 2)?;
    let images = hub.get(&format!("/v2/repositories/{repository}/tags/1.0/images"))?;
    ensure!(
        images[1]["layers"]
            .as_array()
            .is_some_and(|layers| layers.len() == 2),
        "{images:#}"
    );
    journey
        .command("bash")
        .within(&journey.subfolder("script")?)
        .args(["-c", SCRIPT, "script", &server.url(), &account.name, "app", "old"])
        .stdin(account.password.clone())
        .succeeds()?;
    // The registry has it no more, and a moment later the index knows.
    let api = server.api(&account)?;
    ensure!(
        api.manifest(&repository, "old")?.status == 404,
        "the tag is still there"
    );
    ensure!(
        api.manifest(&repository, "1.0")?.status == 200,
        "the other tag went too"
    );
    wait_for("the tag to leave the list", PATIENCE, || {
        let tags = hub.get(&format!("/v2/repositories/{repository}/tags"))?;
        Ok((tags["count"] == 1).then_some(()))
    })?;
    // An account that may not, and a token that reaches no further than pulling.
    let other = Hub::login(&server.url(), &server.account(journey, "other")?)?;
    let path = format!("/v2/repositories/{repository}/tags/1.0/");
    other.ask(Method::DELETE, &path, &Value::Null)?.expect(404)?;
    let new = json!({"token_label": "reader", "scopes": ["repo:read"]});
    let made = hub
        .ask(Method::POST, "/v2/access-tokens", &new)?
        .expect(201)?
        .json()?;
    let reader = Account {
        name: account.name.clone(),
        password: made["token"].as_str().context("a secret")?.to_owned(),
    };
    let reader = Hub::login(&server.url(), &reader)?;
    reader.ask(Method::DELETE, &path, &Value::Null)?.expect(403)?;
    reader.ask(Method::GET, &path, &Value::Null)?.expect(200)?;
    Ok(())
}

/// The requests of provider docker/docker, in its order: an organisation's repository, a team, its right, a member, tokens.
fn terraform(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (owner, guest) = (
        server.account(journey, "owner")?,
        server.account(journey, "guest")?,
    );
    let hub = Hub::login(&server.url(), &owner)?;
    let org = format!("{}-org", owner.name);
    let headers = [
        ("authorization", owner.basic()),
        ("content-type", "application/json".to_owned()),
    ];
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let body = Bytes::from(json!({ "name": org }).to_string());
    server
        .anonymous()?
        .send(Method::POST, "/api/v1/organisations", &headers, body)?
        .expect(201)?;

    let new =
        json!({"name": "svc", "description": "", "full_description": "", "registry": "", "is_private": true});
    let made = hub
        .ask(Method::POST, &format!("/v2/namespaces/{org}/repositories"), &new)?
        .expect(201)?
        .json()?;
    ensure!(
        made["namespace"] == org.as_str() && made["name"] == "svc",
        "{made}"
    );
    let repository = format!("/v2/repositories/{org}/svc");
    let update = json!({"description": "a service", "full_description": "# Service"});
    let changed = hub
        .ask(Method::PATCH, &format!("{repository}/"), &update)?
        .expect(200)?
        .json()?;
    ensure!(changed["description"] == "a service", "{changed}");
    let team =
        json!({"id": 0, "uuid": "", "name": "devs", "description": "who writes it", "member_count": 0});
    let team = hub
        .ask(Method::POST, &format!("/v2/orgs/{org}/groups/"), &team)?
        .expect(201)?
        .json()?;
    let id = team["id"].as_i64().context("the team's number")?;
    let invite =
        json!({"org": org, "team": "", "invitees": [guest.name], "role": "member", "dry_run": false});
    hub.ask(Method::POST, "/v2/invites/bulk", &invite)?.expect(202)?;
    let member = json!({"member": guest.name});
    hub.ask(
        Method::POST,
        &format!("/v2/orgs/{org}/groups/devs/members/"),
        &member,
    )?
    .expect(200)?;
    let given = json!({"group_id": id, "group_name": "", "permission": "write"});
    hub.ask(Method::POST, &format!("{repository}/groups/"), &given)?
        .expect(201)?;
    let guests = Hub::login(&server.url(), &guest)?;
    let seen = guests.get(&format!("{repository}/"))?;
    ensure!(seen["permissions"]["write"] == true, "{seen}");
    // And so it is where it counts.
    server
        .api(&guest)?
        .push_small_image(&format!("{org}/svc"), "1", "by the team")?;
    hub.tag(&format!("{org}/svc"), "1", 1)?;
    let token = json!({"label": "ci", "description": "", "resources":
        [{"type": "TYPE_REPO", "path": format!("{org}/svc"), "scopes": ["repo-pull"]}]});
    let path = format!("/v2/orgs/{org}/access-tokens");
    let token = hub.ask(Method::POST, &path, &token)?.expect(201)?.json()?;
    let machine = Account {
        name: org.clone(),
        password: token["token"].as_str().context("a secret")?.to_owned(),
    };
    let pulled = server.api(&machine)?.manifest(&format!("{org}/svc"), "1")?;
    ensure!(pulled.status == 200, "{pulled}");

    for (path, status) in [
        (format!("{path}/{}", token["id"].as_str().context("its id")?), 204),
        (format!("{repository}/groups/{id}/"), 204),
        (format!("/v2/orgs/{org}/groups/devs/members/{}", guest.name), 204),
        (format!("/v2/orgs/{org}/groups/devs/"), 204),
        ("/v2/invites/".to_owned(), 404),
        (format!("/v2/orgs/{org}/members/{}/", guest.name), 204),
        (format!("{repository}/"), 202),
    ] {
        hub.ask(Method::DELETE, &path, &Value::Null)?.expect(status)?;
    }
    guests
        .ask(Method::GET, &format!("{repository}/"), &Value::Null)?
        .expect(404)?;
    let refused = server.api(&machine)?.manifest(&format!("{org}/svc"), "1")?;
    ensure!(refused.status == 401, "{refused}");
    Ok(())
}

fn behind_nginx(journey: &Journey) -> Result<()> {
    let mut apart = Apart::prepare(journey)?;
    apart.start_index()?;
    let section = apart.events();
    apart.start_registry_with(&section)?;
    apart.start_nginx()?;
    let ada = apart.account("ada")?;
    let base = format!("http://{}", apart.host());
    let registry = Api::new(&base, Some(ada.clone()))?;
    for tag in ["1", "2", "3"] {
        registry.push_small_image("ada/app", tag, tag)?;
    }
    let hub = Hub::login(&base, &ada)?;
    for tag in ["1", "2", "3"] {
        hub.tag("ada/app", tag, 1)?;
    }
    let first = hub.get("/v2/namespaces/ada/repositories/app/tags?page_size=2&ordering=name")?;
    let next = first["next"].as_str().context("a next page")?;
    let path = next.strip_prefix(&base).context("of this host")?;
    let second = hub.get(path)?;
    ensure!(
        second["results"][0]["name"] == "3" && second["next"].is_null(),
        "{second}"
    );
    hub.ask(
        Method::DELETE,
        "/hub/v2/repositories/ada/app/tags/2",
        &Value::Null,
    )?
    .expect(204)?;
    ensure!(
        registry.manifest("ada/app", "2")?.status == 404,
        "the tag is still there"
    );
    // The registry's own paths are the registry's.
    let listed = registry.get("/v2/ada/app/tags/list")?.expect(200)?.json()?;
    ensure!(listed["tags"] == json!(["1", "3"]), "{listed}");
    Ok(())
}
