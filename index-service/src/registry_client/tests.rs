use std::sync::Mutex;

use serde_json::json;

use super::*;

const LIST: &str = "/v2/team/app/referrers/sha256:a";

fn headers(links: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for link in links {
        headers.append(LINK, link.parse().unwrap());
    }
    headers
}

#[test]
fn the_next_page_is_of_the_same_list_and_of_the_same_registry() {
    for (link, expected) in [
        (
            format!("<{LIST}?n=2&last=b>; rel=\"next\""),
            Some(format!("{LIST}?n=2&last=b")),
        ),
        (
            format!("<https://registry.example{LIST}?last=b>; rel=next"),
            Some(format!("{LIST}?last=b")),
        ),
        (
            format!("</v2/x>; rel=\"prev\", <{LIST}?last=c>; rel=\"next\""),
            Some(format!("{LIST}?last=c")),
        ),
        (format!("<{LIST}?last=b>; rel=\"last\""), None),
        (format!("<{LIST}>; rel=\"next\""), None),
        (
            "</v2/other/app/referrers/sha256:a?last=b>; rel=\"next\"".to_owned(),
            None,
        ),
        ("<https://elsewhere.example>; rel=\"next\"".to_owned(), None),
        ("nonsense".to_owned(), None),
    ] {
        assert_eq!(next_page(&headers(&[&link]), LIST), expected, "{link}");
    }
    assert_eq!(next_page(&headers(&[]), LIST), None);
}

/// A registry with `of` referrers, as many on a page as it likes, that notes what it was asked.
fn registry(of: usize, on_page: usize, asked: Arc<Mutex<Vec<String>>>) -> RegistryClient {
    RegistryClient::within(move |question: Question| {
        let from: usize = question
            .path
            .split_once("?from=")
            .map_or(0, |(_, text)| text.parse().unwrap());
        asked.lock().unwrap().push(question.path);
        let manifests: Vec<_> = (from..of.min(from + on_page))
            .map(|number| json!({"digest": format!("sha256:{number}")}))
            .collect();
        let next = format!(
            "<http://registry.example:5000{LIST}?from={}>; rel=\"next\"",
            from + on_page
        );
        let has_more = from + on_page < of;
        let reply = Reply {
            status: StatusCode::OK,
            headers: if has_more { headers(&[&next]) } else { headers(&[]) },
            body: Some(json!({"manifests": manifests}).to_string().into_bytes()),
        };
        Box::pin(async move { Ok(reply) })
    })
}

#[tokio::test]
async fn every_page_of_referrers_is_read_and_no_more_than_there_may_be() {
    let name: RepositoryName = "team/app".parse().unwrap();
    for (of, on_page, found, pages) in [
        (0, 100, 0, 1),
        (250, 100, 250, 3),
        (300, 100, 300, 3),
        (50_000, 4_000, MOST_REFERRERS, 3),
        // A page that says that there is more, and has nothing, leads nowhere.
        (5, 0, 0, 1),
    ] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let registry = registry(of, on_page, Arc::clone(&asked));
        let referrers = registry.referrers(&name, "sha256:a", "token").await.unwrap();
        assert_eq!(
            (referrers.len(), asked.lock().unwrap().len()),
            (found, pages),
            "{of} on pages of {on_page}"
        );
        let different: std::collections::BTreeSet<_> = referrers.iter().collect();
        assert_eq!(different.len(), found);
    }
}
