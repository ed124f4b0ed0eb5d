//! `GET /v2/_catalog` (distribution's interface; not in the endpoint table, but every tool asks for it).

use harness::{Result, Suite, ensure};

use super::manifest_content::image;
use super::tag_list::next;
use super::target::{MANIFEST, Target, refused_with_one_of};

pub(super) fn add(suite: &mut Suite) {
    checks!(
        suite,
        "catalog",
        [open, tokens],
        every_repository_is_listed_once_in_byte_order_through_all_pages,
        last_leaves_out_what_comes_before_it,
        an_n_that_is_no_number_is_never_a_server_error,
    );
}

fn all(target: &Target, n: usize) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut path = Some(format!("/v2/_catalog?n={n}"));
    while let Some(this) = path {
        let answer = target.get(&this)?.expect(200)?;
        let page: Vec<String> = serde_json::from_value(answer.json()?["repositories"].clone())?;
        ensure!(page.len() <= n, "more than {n}: {answer}");
        names.extend(page);
        path = next(&answer)?;
        ensure!(names.len() < 100_000, "the pages do not end");
    }
    Ok(names)
}

fn push_two(target: &Target) -> Result<[String; 2]> {
    let names = [target.repository(), target.repository()];
    for name in &names {
        target.accepts(name, "listed", MANIFEST, &image(target, name, 1)?)?;
    }
    Ok(names)
}

fn every_repository_is_listed_once_in_byte_order_through_all_pages(target: &Target) -> Result<()> {
    let names = push_two(target)?;
    for n in [3, 1000] {
        let found = all(target, n)?;
        ensure!(
            names.iter().all(|name| found.contains(name)),
            "{names:?} are missing in {found:?}"
        );
        ensure!(
            found.windows(2).all(|pair| pair[0] < pair[1]),
            "not in order: {found:?}"
        );
    }
    Ok(())
}

fn last_leaves_out_what_comes_before_it(target: &Target) -> Result<()> {
    let names = push_two(target)?;
    let answer = target
        .get(&format!(
            "/v2/_catalog?n=1000&last={}",
            names[0].replace('/', "%2F")
        ))?
        .expect(200)?;
    let page: Vec<String> = serde_json::from_value(answer.json()?["repositories"].clone())?;
    ensure!(
        page.iter().all(|name| *name > names[0]),
        "{} came before: {answer}",
        names[0]
    );
    Ok(())
}

fn an_n_that_is_no_number_is_never_a_server_error(target: &Target) -> Result<()> {
    push_two(target)?;
    for n in ["x", "-1", "99999999999999999999999"] {
        let answer = target.get(&format!("/v2/_catalog?n={n}"))?;
        if answer.status != 200 {
            refused_with_one_of(&answer, &[400], &["PAGINATION_NUMBER_INVALID"])?;
        }
    }
    for n in ["0", "2147483648"] {
        let answer = target.get(&format!("/v2/_catalog?n={n}"))?;
        ensure!(
            [200, 400].contains(&answer.status),
            "should have been served or refused: {answer}"
        );
    }
    Ok(())
}
