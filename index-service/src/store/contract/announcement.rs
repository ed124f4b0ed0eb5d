use super::super::announcement::*;
use super::*;

contracts!(announcements_are_kept_in_the_order_in_which_they_were_written_until_they_are_taken_away);

async fn announcements_are_kept_in_the_order_in_which_they_were_written_until_they_are_taken_away(
    store: &Store,
) {
    let announcement = |id, is_warning, ends_at| Announcement {
        announcement_id: AnnouncementId::from_i64(id),
        is_warning,
        text: format!("text {id}"),
        text_zh: "维护".to_owned(),
        starts_at: NOW,
        ends_at,
        created_at: NOW,
    };
    let (first, second) = (announcement(1, true, None), announcement(2, false, Some(NOW + 5)));
    let mut tx = store.write().await.unwrap();
    for one in [&second, &first] {
        add_announcement(&mut tx, one).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let all = list_announcements(&mut tx, i64::MIN, 10).await.unwrap();
    assert_eq!(all, [first.clone(), second.clone()]);
    assert_eq!(list_announcements(&mut tx, 1, 10).await.unwrap(), [second]);
    assert_eq!(list_announcements(&mut tx, i64::MIN, 1).await.unwrap().len(), 1);
    let found = find_announcement(&mut tx, first.announcement_id).await.unwrap();
    assert_eq!(found, Some(first.clone()));
    drop(tx);
    let mut tx = store.write().await.unwrap();
    assert!(remove_announcement(&mut tx, first.announcement_id).await.unwrap());
    assert!(!remove_announcement(&mut tx, first.announcement_id).await.unwrap());
    let found = find_announcement(&mut tx, first.announcement_id).await.unwrap();
    assert_eq!(found, None);
}
