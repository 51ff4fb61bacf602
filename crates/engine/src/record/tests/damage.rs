//! Rows that are not as they were written: an error or another reading, never a panic.

use stepwell_machine::history::Detail;
use stepwell_store::{Batch, Memory, Space, Store};

use super::{
    counting::copy,
    samples::{MACHINE, Run, START_MS, everything, identity, json, long, payloads, rows},
};
use crate::{
    handle::GetHistory,
    limits::INLINE_TEXT_BYTES_MAX,
    record::{ExecutionId, RecordError, Shards, fill, history, intents, list, load, offers, runnable, summary, timers},
};

/// The rows of one execution that holds everything and one that has ended.
fn everything_stored() -> (Memory, ExecutionId, GetHistory) {
    let store = Memory::new();
    let mut ended = Run::new(&store, identity("ended", START_MS, json("{}")));
    ended.step(&ended.end(super::samples::succeeded(json("{}"))));
    let mut run = Run::new(&store, identity("e", START_MS, long('x')));
    run.step(&everything(&run));
    let execution_arn = run.execution.identity.arn.clone();
    let get = GetHistory { execution_arn, reverse: false, with_data: true, limit: 1_000, after: None };
    let id = run.id();
    (store, id, get)
}

/// All reads that visit such a row, one after another; the first error.
fn read(space: Space, key: &[u8], store: &dyn Store, id: ExecutionId, get: &GetHistory) -> Result<(), RecordError> {
    match space {
        Space::Meta => {}
        Space::Summary => {
            read_execution(store, id)?;
            summary(store, id)?;
        }
        Space::Frames => read_execution(store, id)?,
        Space::History if is_text(key) => {
            if let Some(loaded) = load(store, id)? {
                fill(store, id, &payloads(&loaded.execution))?;
            }
            history(store, get)?;
        }
        Space::History => {
            history(store, &GetHistory { with_data: false, ..get.clone() })?;
        }
        Space::Listing => {
            list(store, None, MACHINE, None, 100, None)?;
        }
        Space::Open => {
            timers(store, Shards::ALL, None, i64::MAX, 100)?;
            intents(store, Shards::ALL)?;
            offers(store, Shards::ALL)?;
            runnable(store, Shards::ALL, None, usize::MAX)?;
        }
    }
    Ok(())
}

/// As a driver reads it: every text that is here is the JSON that it claims to be.
fn read_execution(store: &dyn Store, id: ExecutionId) -> Result<(), RecordError> {
    if let Some(loaded) = load(store, id)? {
        for payload in payloads(&loaded.execution).iter().filter(|payload| !payload.is_absent()) {
            payload.value();
        }
    }
    Ok(())
}

fn is_text(key: &[u8]) -> bool {
    key[16] == 1
}

fn damages(value: &[u8]) -> Vec<Vec<u8>> {
    // Of a long text the ends are enough.
    let is_text = value.len() > INLINE_TEXT_BYTES_MAX;
    let places = (0..value.len()).filter(|at| !is_text || *at < 3 || *at + 3 > value.len());
    let mut damages: Vec<Vec<u8>> = vec![[value, &[1]].concat(), vec![]];
    for at in places {
        damages.push(value[..at].to_vec());
        for byte in [value[at].wrapping_add(1), value[at] ^ 0x80] {
            let mut damaged = value.to_vec();
            damaged[at] = byte;
            damages.push(damaged);
        }
    }
    damages.retain(|damaged| damaged != value);
    damages
}

#[test]
fn no_damage_makes_a_read_panic() {
    let (store, id, get) = everything_stored();
    let rows = rows(&store);
    rows.iter().for_each(|(space, key, _)| assert!(read(*space, key, &store, id, &get).is_ok()));
    let mut refused = 0;
    for (space, key, value) in &rows {
        let broken = Memory::new();
        broken.commit(copy(&rows)).unwrap();
        for damaged in damages(value) {
            let mut batch = Batch::default();
            batch.put(*space, key.clone(), damaged);
            broken.commit(batch).unwrap();
            refused += usize::from(read(*space, key, &broken, id, &get).is_err());
        }
    }
    assert!(refused > 1_000, "only {refused} were refused");
}

#[test]
fn no_row_that_is_missing_or_strange_makes_a_read_panic() {
    let (store, id, get) = everything_stored();
    let rows = rows(&store);
    for (space, key, value) in &rows {
        let broken = Memory::new();
        broken.commit(copy(&rows)).unwrap();
        let mut batch = Batch::default();
        batch.delete(*space, key.clone());
        broken.commit(batch).unwrap();
        let _ = read(*space, key, &broken, id, &get);
        for strange in [key[..key.len() - 1].to_vec(), [key.as_slice(), &[0]].concat()] {
            let mut batch = Batch::default();
            batch.put(*space, strange, value.clone());
            broken.commit(batch).unwrap();
            let _ = read(*space, key, &broken, id, &get);
        }
    }
}

#[test]
fn an_error_names_the_row_and_the_execution() {
    let (store, id, get) = everything_stored();
    let damage = |space: Space, value: Option<&[u8]>| {
        let mut batch = Batch::default();
        for (found, key, _) in rows(&store) {
            let is_of_it = key.starts_with(&id.0);
            match value {
                Some(value) if found == space && is_of_it => batch.put(space, key, value),
                None if found == space && is_of_it => batch.delete(space, key),
                _ => {}
            }
        }
        let broken = Memory::new();
        broken.commit(copy(&rows(&store))).unwrap();
        broken.commit(batch).unwrap();
        read(space, &[1; 17], &broken, id, &get).unwrap_err().to_string()
    };
    assert_eq!(
        damage(Space::Summary, Some(&[9])),
        format!("the summary of execution {id} has format 9, this program reads up to 6: use a newer release")
    );
    assert_eq!(damage(Space::Frames, Some(&[])), format!("the header of execution {id} is damaged: it is too short"));
    assert_eq!(damage(Space::Frames, None), format!("the header of execution {id} is damaged: it is missing"));
    assert_eq!(damage(Space::History, None), format!("the text of execution {id} is damaged: it is missing"));
}

#[test]
fn a_count_does_not_allocate() {
    let store = Memory::new();
    let mut run = Run::new(&store, identity("e", START_MS, json("{}")));
    run.step(&run.events(vec![Detail::ActivityStarted { worker: None }]));
    // A text, a list of ready frames and a payload in a row, each of 2^63 bytes.
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let mut batch = Batch::default();
    let mut chunk = vec![1, 0, 0, 14, 1];
    chunk.extend(huge);
    batch.put(Space::History, crate::record::key::chunk(run.id(), 1), chunk);
    let mut header = vec![1, 1, 0, 0, 0, 0];
    header.extend(huge);
    batch.put(Space::Frames, crate::record::key::header(run.id()), header);
    store.commit(batch).unwrap();
    assert!(load(&store, run.id()).is_err());
    let execution_arn = run.execution.identity.arn.clone();
    let get = GetHistory { execution_arn, reverse: false, with_data: true, limit: 9, after: None };
    assert!(history(&store, &get).is_err());
}
