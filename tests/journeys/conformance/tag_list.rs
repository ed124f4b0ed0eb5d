//! end-8a and end-8b: lists of tags and their pages.

use harness::api::Answer;
use harness::{Result, Suite, ensure};

use super::manifest_content::image;
use super::target::{MANIFEST, Target, noise, refused, refused_with_one_of, tags_of};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "tag_list",
        [open, tokens],
        end_8a_lists_all_tags_in_byte_order,
        end_8a_of_an_unknown_repository_is_404,
        end_8b_n_gives_so_many_and_a_link_to_the_next,
        end_8b_last_leaves_out_what_comes_before_it,
        end_8b_last_need_not_exist,
        end_8b_n_0_is_an_empty_list_without_a_link,
        following_the_links_gives_every_tag_once,
        the_last_page_has_no_link,
        an_n_that_is_no_number_is_refused,
        a_huge_n_is_served_like_a_legal_one,
        a_repository_without_tags_has_an_empty_list,
    );
}

/// In the order of their bytes, as Go's `sort.Strings` has them.
const TAGS: [&str; 9] = ["0.9", "1.0", "1.0-rc", "1_0", "A", "Z", "_x", "a", "b"];

/// A repository with these tags, put in another order.
fn tagged(target: &Target) -> Result<String> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    for tag in TAGS.iter().rev() {
        target.accepts(&name, tag, MANIFEST, &body)?;
    }
    Ok(name)
}

fn page(target: &Target, name: &str, query: &str) -> Result<Answer> {
    target.get(&format!("/v2/{name}/tags/list{query}"))
}

/// The path in a `Link` header (RFC 8288), when there is one; `rel` must be `next`.
pub(super) fn next(answer: &Answer) -> Result<Option<String>> {
    if answer.headers.get("link").is_none() {
        return Ok(None);
    }
    let link = answer.header("link")?;
    let (path, parameters) = link.split_once('>').unwrap_or_default();
    ensure!(
        parameters.replace(' ', "").contains(";rel=\"next\""),
        "not a link to the next page: {answer}"
    );
    let path = path.strip_prefix('<').unwrap_or_default();
    ensure!(
        path.starts_with("/v2/") || path.starts_with("http"),
        "not a link: {answer}"
    );
    Ok(Some(path.to_owned()))
}

fn end_8a_lists_all_tags_in_byte_order(target: &Target) -> Result<()> {
    let name = tagged(target)?;
    let answer = page(target, &name, "")?.expect(200)?;
    ensure!(
        answer.header("content-type")?.starts_with("application/json"),
        "not JSON: {answer}"
    );
    ensure!(answer.json()?["name"] == name.as_str(), "another name: {answer}");
    ensure!(tags_of(&answer)? == TAGS, "other tags: {answer}");
    ensure!(next(&answer)?.is_none(), "a link after everything: {answer}");
    Ok(())
}

fn end_8a_of_an_unknown_repository_is_404(target: &Target) -> Result<()> {
    refused(&page(target, &target.repository(), "")?, 404, "NAME_UNKNOWN")
}

fn end_8b_n_gives_so_many_and_a_link_to_the_next(target: &Target) -> Result<()> {
    let name = tagged(target)?;
    let answer = page(target, &name, "?n=2")?.expect(200)?;
    ensure!(tags_of(&answer)? == TAGS[..2], "other tags: {answer}");
    let link = next(&answer)?.unwrap_or_default();
    let answer = target.get(&link)?.expect(200)?;
    ensure!(tags_of(&answer)? == TAGS[2..4], "other tags: {answer}");
    Ok(())
}

fn end_8b_last_leaves_out_what_comes_before_it(target: &Target) -> Result<()> {
    let name = tagged(target)?;
    for end in 1..=TAGS.len() {
        let answer = page(target, &name, &format!("?last={}", TAGS[end - 1]))?.expect(200)?;
        ensure!(tags_of(&answer)? == TAGS[end..], "other tags: {answer}");
    }
    let answer = page(target, &name, "?n=3&last=1.0")?.expect(200)?;
    ensure!(tags_of(&answer)? == TAGS[2..5], "other tags: {answer}");
    Ok(())
}

fn end_8b_last_need_not_exist(target: &Target) -> Result<()> {
    let name = tagged(target)?;
    for (last, from) in [("0", 0), ("1.0-", 2), ("B", 5), ("aa", 8), ("zzz", 9)] {
        let answer = page(target, &name, &format!("?last={last}"))?.expect(200)?;
        ensure!(tags_of(&answer)? == TAGS[from..], "other tags: {answer}");
    }
    Ok(())
}

fn end_8b_n_0_is_an_empty_list_without_a_link(target: &Target) -> Result<()> {
    let name = tagged(target)?;
    let answer = page(target, &name, "?n=0")?.expect(200)?;
    ensure!(tags_of(&answer)?.is_empty(), "tags: {answer}");
    ensure!(next(&answer)?.is_none(), "a link: {answer}");
    Ok(())
}

fn following_the_links_gives_every_tag_once(target: &Target) -> Result<()> {
    let name = tagged(target)?;
    for n in 1..=TAGS.len() + 1 {
        let mut all = Vec::new();
        let mut path = Some(format!("/v2/{name}/tags/list?n={n}"));
        while let Some(this) = path {
            let answer = target.get(&this)?.expect(200)?;
            let tags = tags_of(&answer)?;
            ensure!(tags.len() <= n, "more than {n}: {answer}");
            ensure!(!tags.is_empty(), "an empty page: {answer}");
            all.extend(tags);
            path = next(&answer)?;
        }
        ensure!(all == TAGS, "n={n}: {all:?}");
    }
    Ok(())
}

fn the_last_page_has_no_link(target: &Target) -> Result<()> {
    let name = tagged(target)?;
    for query in ["?n=9", "?n=10", "?n=4&last=A", "?n=1&last=a"] {
        let answer = page(target, &name, query)?.expect(200)?;
        ensure!(next(&answer)?.is_none(), "a link: {answer}");
    }
    Ok(())
}

fn an_n_that_is_no_number_is_refused(target: &Target) -> Result<()> {
    let name = tagged(target)?;
    for n in ["x", "-1", "1.5", "%20", "1e3", "0x10"] {
        refused_with_one_of(
            &page(target, &name, &format!("?n={n}"))?,
            &[400],
            &["PAGINATION_NUMBER_INVALID"],
        )?;
    }
    Ok(())
}

/// CVE-2023-2253: nothing is allocated by what a client asks.
fn a_huge_n_is_served_like_a_legal_one(target: &Target) -> Result<()> {
    let name = tagged(target)?;
    for n in ["1001", "2147483648", "9223372036854775807"] {
        let answer = page(target, &name, &format!("?n={n}"))?.expect(200)?;
        ensure!(tags_of(&answer)? == TAGS, "other tags: {answer}");
    }
    let beyond = page(target, &name, "?n=99999999999999999999999")?;
    ensure!(
        [200, 400].contains(&beyond.status),
        "should have been served or refused: {beyond}"
    );
    Ok(())
}

fn a_repository_without_tags_has_an_empty_list(target: &Target) -> Result<()> {
    let name = target.repository();
    let body = image(target, &name, 1)?;
    target.accepts(&name, &target.digest(&body), MANIFEST, &body)?;
    let answer = page(target, &name, "")?.expect(200)?;
    ensure!(answer.json()?["tags"].is_array(), "null is no list: {answer}");
    ensure!(tags_of(&answer)?.is_empty(), "tags: {answer}");
    target.push(&name, &noise(5)).map(drop)
}
