//! Lists of tags.

use std::sync::Arc;

use super::world::World;
use crate::app::content::{TagOrder, TagPlace};

#[tokio::test]
async fn tags_are_filtered_and_walked_in_both_orders() {
    let mut world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let image = world.image(&["1"], "amd64");
    let mut events = Vec::new();
    for n in 0..30 {
        let mut event = world.push(&image, Some(&format!("v{n:02}")));
        event["timestamp"] = format!("2027-01-15T07:{:02}:00Z", 59 - n).into();
        events.push(event);
    }
    world.deliver(&events).await;
    let place = |(at, name): (i64, &str)| TagPlace {
        at,
        name: name.to_owned(),
    };
    let listed = async |order, part: &str, after: (i64, &str), limit| {
        let found = app
            .list_tags(&world.ada, world.id, (order, part), &place(after), limit)
            .await
            .unwrap();
        let next = found.next.map(|next| next.name);
        (
            found.tags.into_iter().map(|tag| tag.name).collect::<Vec<_>>(),
            next,
        )
    };
    let names = async |order, part: &str, after: (i64, &str), limit| {
        let (names, _) = listed(order, part, after, limit).await;
        names
    };
    assert_eq!(
        names(TagOrder::Name, "2", (0, ""), 3).await,
        ["v02", "v12", "v20"]
    );
    assert_eq!(names(TagOrder::Name, "", (0, "v27"), 9).await, ["v28", "v29"]);
    assert_eq!(
        names(TagOrder::Updated, "", (i64::MAX, ""), 2).await,
        ["v00", "v01"]
    );
    assert_eq!(
        names(TagOrder::Updated, "9", (i64::MAX, ""), 9).await,
        ["v09", "v19", "v29"]
    );
    // There is a next page where there may be more, and none where there is nothing.
    for (part, limit, next) in [
        ("2", 3, Some("v20")),
        ("v", 30, None),
        ("v29", 1, None),
        ("v28", 1, Some("v28")),
        ("", 30, None),
        ("", 29, Some("v28")),
        ("nothing", 9, None),
    ] {
        let (_, found) = listed(TagOrder::Name, part, (0, ""), limit).await;
        assert_eq!(found.as_deref(), next, "{part}, {limit}");
    }
    let page = app
        .find_tags(
            &world.ada,
            world.id,
            (TagOrder::Updated, "2"),
            &TagPlace::beginning(),
            (2, 2),
        )
        .await
        .unwrap();
    let found: Vec<&str> = page.tags.iter().map(|one| one.tag.name.as_str()).collect();
    assert_eq!((page.looked_at, page.count, page.next), (30, 12, None));
    assert_eq!(found, ["v20", "v21"]);
}

#[tokio::test]
async fn no_more_than_two_thousand_tags_are_looked_at_for_a_page_and_the_next_goes_on_behind_them() {
    let world = World::new().await;
    let app = Arc::clone(&world.fixture.app);
    let mut tx = world.fixture.store.write().await.unwrap();
    for n in 0..2_010 {
        let name = format!("v{n:04}");
        crate::store::tag::put_tag(&mut tx, world.id, &name, "sha256:a", 10_000 - n)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    for order in [TagOrder::Name, TagOrder::Updated] {
        let first = TagPlace::beginning();
        let found = app
            .find_tags(&world.ada, world.id, (order, "2005"), &first, (0, 9))
            .await
            .unwrap();
        assert_eq!((found.looked_at, found.count), (2_000, 0));
        let next = found.next.unwrap();
        assert_eq!(next.name, "v1999");
        let found = app
            .find_tags(&world.ada, world.id, (order, "2005"), &next, (0, 9))
            .await
            .unwrap();
        assert_eq!((found.looked_at, found.count, found.next), (10, 1, None));
        assert_eq!(found.tags[0].tag.name, "v2005");
        let listed = app
            .list_tags(&world.ada, world.id, (order, "2005"), &first, 9)
            .await
            .unwrap();
        assert_eq!((listed.tags.len(), listed.next.as_ref()), (0, Some(&next)));
        let listed = app
            .list_tags(&world.ada, world.id, (order, "2005"), &next, 9)
            .await
            .unwrap();
        assert_eq!((listed.tags.len(), listed.next), (1, None));
    }
}
