use super::super::comment::*;
use super::*;
use crate::domain::comment::{Board, CommentState};

contracts!(
    a_board_reads_back_what_was_decided,
    threads_are_the_newest_first_and_answers_the_oldest_first,
    what_waits_or_is_hidden_is_its_authors_and_the_moderators,
    a_report_counts_once_for_each_account,
);

async fn ground(tx: &mut Tx) -> RepositoryId {
    account(tx, 1, "ada", false).await;
    account(tx, 2, "eve", false).await;
    repository(tx, 10, "ada/app", Visibility::Public)
        .await
        .repository_id
}

fn comment(id: i64, by: i64, thread: Option<i64>, state: CommentState) -> Comment {
    Comment {
        comment_id: CommentId::from_i64(id),
        repository_id: RepositoryId::from_i64(10),
        thread_id: thread.map(CommentId::from_i64),
        account_id: AccountId::from_i64(by),
        username: if by == 1 { "ada" } else { "eve" }.to_owned(),
        text: format!("number {id} 镜像"),
        state,
        reports: 0,
        locked_at: None,
        created_at: NOW + id,
        edited_at: None,
        replies: 0,
    }
}

const EVERYBODY: Reader = Reader {
    account_id: None,
    moderates: false,
};

fn ids(comments: &[Comment]) -> Vec<i64> {
    comments
        .iter()
        .map(|comment| comment.comment_id.as_i64())
        .collect()
}

async fn a_board_reads_back_what_was_decided(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let repository_id = ground(&mut tx).await;
    assert_eq!(
        find_board(&mut tx, repository_id).await.unwrap(),
        Board::default()
    );
    for (is_open, newcomers_wait) in [(true, false), (false, true), (true, true)] {
        let board = Board {
            is_open,
            newcomers_wait,
        };
        put_board(&mut tx, repository_id, board).await.unwrap();
        assert_eq!(find_board(&mut tx, repository_id).await.unwrap(), board);
    }
}

async fn threads_are_the_newest_first_and_answers_the_oldest_first(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let repository_id = ground(&mut tx).await;
    for one in [
        comment(1, 1, None, CommentState::Shown),
        comment(2, 2, Some(1), CommentState::Shown),
        comment(3, 1, None, CommentState::Shown),
        comment(4, 1, Some(1), CommentState::Shown),
    ] {
        add_comment(&mut tx, &one).await.unwrap();
        assert_eq!(find_comment(&mut tx, one.comment_id).await.unwrap(), Some(one));
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let threads = list_threads(&mut tx, repository_id, i64::MAX, EVERYBODY, 10)
        .await
        .unwrap();
    assert_eq!((ids(&threads), threads[1].replies), (vec![3, 1], 2));
    let older = list_threads(&mut tx, repository_id, 3, EVERYBODY, 10)
        .await
        .unwrap();
    assert_eq!(ids(&older), [1]);
    let replies = list_replies(&mut tx, &older[0], i64::MIN, EVERYBODY, 10)
        .await
        .unwrap();
    assert_eq!(ids(&replies), [2, 4]);
    let rest = list_replies(&mut tx, &older[0], 2, EVERYBODY, 10).await.unwrap();
    assert_eq!(ids(&rest), [4]);
}

async fn what_waits_or_is_hidden_is_its_authors_and_the_moderators(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let repository_id = ground(&mut tx).await;
    for (id, state) in [
        (1, CommentState::Shown),
        (2, CommentState::Waiting),
        (3, CommentState::Hidden),
        (4, CommentState::Deleted),
    ] {
        add_comment(&mut tx, &comment(id, 2, None, state)).await.unwrap();
    }
    for (account_id, moderates, seen) in [
        (None, false, vec![4, 1]),
        (Some(1), false, vec![4, 1]),
        (Some(2), false, vec![4, 3, 2, 1]),
        (Some(1), true, vec![4, 3, 2, 1]),
    ] {
        let reader = Reader {
            account_id: account_id.map(AccountId::from_i64),
            moderates,
        };
        let found = list_threads(&mut tx, repository_id, i64::MAX, reader, 10)
            .await
            .unwrap();
        assert_eq!(ids(&found), seen);
    }
    let eve = AccountId::from_i64(2);
    assert!(has_shown_comment(&mut tx, eve).await.unwrap());
    assert!(!has_shown_comment(&mut tx, AccountId::from_i64(1)).await.unwrap());
    let recent = count_recent_comments(&mut tx, eve, NOW + 2).await.unwrap();
    assert_eq!((recent.number, recent.oldest), (2, Some(NOW + 3)));
    let waiting = list_to_moderate(&mut tx, repository_id, i64::MIN, 10)
        .await
        .unwrap();
    assert_eq!(ids(&waiting), [2]);
}

async fn a_report_counts_once_for_each_account(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let repository_id = ground(&mut tx).await;
    let mut one = comment(1, 2, None, CommentState::Shown);
    add_comment(&mut tx, &one).await.unwrap();
    let report = |by: i64| CommentReport {
        account_id: AccountId::from_i64(by),
        reason: "spam".to_owned(),
        created_at: NOW,
    };
    for (by, is_new) in [(1, true), (1, false), (2, true)] {
        assert_eq!(
            add_report(&mut tx, one.comment_id, &report(by)).await.unwrap(),
            is_new
        );
    }
    one.reports = 2;
    one.locked_at = Some(NOW);
    one.edited_at = Some(NOW + 1);
    one.text = "other".to_owned();
    change_comment(&mut tx, &one).await.unwrap();
    assert_eq!(
        find_comment(&mut tx, one.comment_id).await.unwrap(),
        Some(one.clone())
    );
    let reported = list_to_moderate(&mut tx, repository_id, i64::MIN, 10)
        .await
        .unwrap();
    assert_eq!(ids(&reported), [1]);
    assert_eq!(
        list_reports(&mut tx, one.comment_id, 1).await.unwrap(),
        [report(1)]
    );
    end_reports(&mut tx, one.comment_id).await.unwrap();
    assert_eq!(list_reports(&mut tx, one.comment_id, 9).await.unwrap(), []);
}
