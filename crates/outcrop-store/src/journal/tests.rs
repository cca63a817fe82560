//! The journal as whoever records sees it.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::testing::{Fake, Scratch, record};
use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Waits, with a limit, until something holds.
async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_arrive_and_nothing_stays_behind() {
    let (scratch, sink) = (Scratch::new(), Fake::default());
    let journal = Journal::start(scratch.config("one"), sink.clone()).unwrap();
    for number in 0..5000 {
        journal.record(record(number));
    }
    journal.deliver().await;
    assert_eq!(sink.len(), 5000);
    assert_eq!(sink.0.records.lock().unwrap()[&record(77).id], record(77));
    journal.close(PATIENCE).await;
    until(|| !scratch.0.join("one").exists()).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_may_look_into_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (scratch, sink) = (Scratch::new(), Fake::default());
    let mut config = scratch.config("one");
    config.folder = config.folder.join("journal");
    let journal = Journal::start(config.clone(), sink).unwrap();
    for folder in [config.folder.clone(), config.folder.join("one")] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    journal.close(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_records_than_may_wait_are_written_all_the_same() {
    let (scratch, sink) = (Scratch::new(), Fake::default());
    let journal = Journal::start(scratch.config("one"), sink.clone()).unwrap();
    let all = (MAX_WAITING * 3) as u64;
    let threads: Vec<_> = (0..4)
        .map(|of| {
            let journal = journal.clone();
            std::thread::spawn(move || {
                for number in (of..all).step_by(4) {
                    journal.record(record(number));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    journal.deliver().await;
    assert_eq!(sink.len() as u64, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_records_wait() {
    let (scratch, sink) = (Scratch::new(), Fake::default());
    sink.set_away(true);
    let journal = Journal::start(scratch.config("one"), sink.clone()).unwrap();
    for number in 0..100 {
        journal.record(record(number));
    }
    journal.flush().await;
    until(|| sink.0.refused.load(std::sync::atomic::Ordering::SeqCst) > 1).await;
    assert_eq!(sink.len(), 0);
    sink.set_away(false);
    tokio::time::timeout(PATIENCE, journal.deliver()).await.unwrap();
    assert_eq!(sink.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_instance_left_is_brought_too_and_what_is_damaged_is_kept() {
    let (scratch, sink) = (Scratch::new(), Fake::default());
    let left = scratch.0.join("dead");
    fs::create_dir_all(&left).unwrap();
    let mut bytes = Vec::new();
    for number in 0..10 {
        encode(&record(number), &mut bytes);
    }
    bytes.truncate(bytes.len() - 5);
    bytes[20] ^= 1;
    fs::write(segment::path(&left, 3), &bytes).unwrap();
    // One that lives is left alone.
    let alive = Folder::create(&scratch.0, "alive").unwrap();
    fs::write(segment::path(&alive.path, 0), &bytes).unwrap();
    let _journal = Journal::start(scratch.config("one"), sink.clone()).unwrap();
    until(|| !left.exists()).await;
    assert_eq!(sink.len(), 8);
    assert!(segment::path(&alive.path, 0).exists());
    let damaged = fs::read(scratch.0.join("damaged/dead-000000000003")).unwrap();
    assert!(!damaged.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_the_database_refuses_holds_up_no_others() {
    let (scratch, sink) = (Scratch::new(), Fake::default());
    *sink.0.poison.lock().unwrap() = Some(record(5).id);
    let journal = Journal::start(scratch.config("one"), sink.clone()).unwrap();
    for number in 0..20 {
        journal.record(record(number));
    }
    tokio::time::timeout(PATIENCE, journal.deliver()).await.unwrap();
    assert_eq!(sink.len(), 19);
    assert!(scratch.0.join("damaged/one-000000000000").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_database_has_no_room_all_wait() {
    let (scratch, sink) = (Scratch::new(), Fake::default());
    sink.0.is_full.store(true, Ordering::SeqCst);
    let journal = Journal::start(scratch.config("one"), sink.clone()).unwrap();
    for number in 0..20 {
        journal.record(record(number));
    }
    until(|| sink.0.refused.load(Ordering::SeqCst) >= 5).await;
    sink.0.is_full.store(false, Ordering::SeqCst);
    tokio::time::timeout(PATIENCE, journal.deliver()).await.unwrap();
    assert_eq!(sink.len(), 20);
    assert!(!scratch.0.join("damaged").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_its_limit_the_oldest_part_is_given_up() {
    let (scratch, sink) = (Scratch::new(), Fake::default());
    sink.set_away(true);
    let config = JournalConfig {
        limit: 1024 * 1024,
        ..scratch.config("one")
    };
    let journal = Journal::start(config, sink.clone()).unwrap();
    let size = |journal: &Journal| journal.0.writer.shared().end().segment;
    let mut number = 0;
    while size(&journal) < 3 {
        for _ in 0..1000 {
            journal.record(record(number));
            number += 1;
        }
        journal.flush().await;
    }
    until(|| !segment::path(&scratch.0.join("one"), 0).exists()).await;
    sink.set_away(false);
    tokio::time::timeout(PATIENCE, journal.deliver()).await.unwrap();
    let kept = sink.len() as u64;
    assert!(kept > 0 && kept < number, "{kept} of {number}");
    // The newest are there.
    assert!(sink.0.records.lock().unwrap().contains_key(&record(number - 1).id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_closes_while_the_database_is_away_leaves_all_to_the_next() {
    let (scratch, sink) = (Scratch::new(), Fake::default());
    sink.set_away(true);
    let journal = Journal::start(scratch.config("one"), sink.clone()).unwrap();
    for number in 0..50 {
        journal.record(record(number));
    }
    journal.close(Duration::from_millis(50)).await;
    assert_eq!(sink.len(), 0);
    let segment = fs::read(segment::path(&scratch.0.join("one"), 0)).unwrap();
    assert_eq!(Frames::new(&segment).count(), 50);
}
