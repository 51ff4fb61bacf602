//! The keys of all rows over executions. Numbers in keys are big endian, so that they sort as numbers.
//!
//! ```text
//! Summary  id                                     identity, status, revision; header and frame of most that have only one, with
//!                                                 their events as long as these are few
//! History  id 0 first-event-id                    a chunk of events
//!          id 1 text-id                           a text longer than INLINE_TEXT_BYTES_MAX
//!          id 2 task                              a Map Run of the execution
//!          id 3 task child                        how a child execution of it ended
//! Frames   id 0                                   the header, if it is not in the summary, with the frame if there is only one
//!          id 1 frame                             a frame, without its variables
//!          id 2 frame                             the variables of a frame, if it has any
//!          id 3 frame chunk slot                  a result of the frame's Map or Parallel
//!          id 16                                  the test case that mocks its tasks, if there is one
//! Open     1 due id                               the earliest deadline of an execution
//!          2 shard id task                        a task to be run or taken
//!          3 shard id                             an execution that can go on by itself
//!          4 shard until id                       an execution that can be redriven, with what is left of its frames
//!          5 id first-event                       events that are to be logged
//!          6 id task                              a job that is to be stopped
//!          7 id task redrives                     a Map Run that is to be carried out
//!          8 id event                             a status change that is to be announced
//! Listing  1 machine status start-descending id   an execution of a state machine, a version or an alias
//! Meta     engine/map-run/ hash-of-arn            the execution and task of a Map Run
//! ```
//!
//! Timers are ordered by time over all shards: the next ones of a driver are then one scan that skips what other
//! drivers own, and there are few drivers.

use sha2::{Digest, Sha256};
use stepwell_machine::{FrameId, TaskId};
use stepwell_store::prefix_end;

use super::{ExecutionId, MapRunMark, MapRunPlace, Timer};

const CHUNK: u8 = 0;
const TEXT: u8 = 1;
const MAP_RUN: u8 = 2;
const MAP_RUN_OUTCOME: u8 = 3;

const HEADER: u8 = 0;
const FRAME: u8 = 1;
const VARIABLES: u8 = 2;
const RESULT: u8 = 3;
const TEST_CASE: u8 = 16;

const TIMER: u8 = 1;
const TASK: u8 = 2;
const WAKE: u8 = 3;
const WRECKS: u8 = 4;
const LOG_MARK: u8 = 5;
const STOP: u8 = 6;
const MAP_RUN_MARK: u8 = 7;
const STATUS_MARK: u8 = 8;

const MAP_RUN_PREFIX: &[u8] = b"engine/map-run/";

const OF_MACHINE: u8 = 1;

/// The keys `from <= key < to`.
pub(super) struct Range {
    pub(super) from: Vec<u8>,
    pub(super) to: Vec<u8>,
}

impl Range {
    fn of_prefix(prefix: Vec<u8>) -> Range {
        Range { to: prefix_end(&prefix), from: prefix }
    }
}

pub(super) fn summary(id: ExecutionId) -> Vec<u8> {
    id.0.to_vec()
}

fn of(id: ExecutionId, tag: u8) -> Vec<u8> {
    let mut key = Vec::with_capacity(32);
    key.extend_from_slice(&id.0);
    key.push(tag);
    key
}

pub(super) fn chunk(id: ExecutionId, first: u64) -> Vec<u8> {
    let mut key = of(id, CHUNK);
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// All chunks of an execution.
pub(super) fn chunks(id: ExecutionId) -> Range {
    Range::of_prefix(of(id, CHUNK))
}

/// The first event id of the chunk with this key.
pub(super) fn first_event(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|first| u64::from_be_bytes(*first))
}

pub(super) fn text(id: ExecutionId, text: u64) -> Vec<u8> {
    let mut key = of(id, TEXT);
    key.extend_from_slice(&text.to_be_bytes());
    key
}

pub(super) fn map_run(place: MapRunPlace) -> Vec<u8> {
    let mut key = of(place.execution, MAP_RUN);
    key.extend_from_slice(&place.task.0.to_be_bytes());
    key
}

/// The Map Runs of an execution that began before the event `before`.
pub(super) fn map_runs(id: ExecutionId, before: Option<TaskId>) -> Range {
    let all = Range::of_prefix(of(id, MAP_RUN));
    match before {
        Some(task) => Range { to: map_run(MapRunPlace { execution: id, task }), ..all },
        None => all,
    }
}

/// The task of a Map Run's key.
pub(super) fn parse_map_run(key: &[u8]) -> Option<TaskId> {
    let (tag, task) = key.get(16..)?.split_first()?;
    (*tag == MAP_RUN).then_some(TaskId(u64::from_be_bytes(task.try_into().ok()?)))
}

pub(super) fn map_run_outcome(place: MapRunPlace, child: u64) -> Vec<u8> {
    let mut key = of(place.execution, MAP_RUN_OUTCOME);
    key.extend_from_slice(&place.task.0.to_be_bytes());
    key.extend_from_slice(&child.to_be_bytes());
    key
}

/// The outcomes of a Map Run from one child execution on.
pub(super) fn map_run_outcomes(place: MapRunPlace, from: u64) -> Range {
    let mut prefix = of(place.execution, MAP_RUN_OUTCOME);
    prefix.extend_from_slice(&place.task.0.to_be_bytes());
    Range { to: prefix_end(&prefix), from: map_run_outcome(place, from) }
}

pub(super) fn parse_map_run_outcome(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|child| u64::from_be_bytes(*child))
}

/// Where a Map Run is found by its ARN.
pub(super) fn map_run_place(arn: &str) -> Vec<u8> {
    [MAP_RUN_PREFIX, &ExecutionId::of_arn(arn).0].concat()
}

/// Where the Map Runs are found whose ids begin with these bytes.
pub(super) fn map_run_places(beginning: &[u8]) -> Range {
    Range::of_prefix([MAP_RUN_PREFIX, beginning].concat())
}

pub(super) fn map_run_mark(mark: MapRunMark) -> Vec<u8> {
    let mut key = Vec::with_capacity(33);
    key.push(MAP_RUN_MARK);
    key.extend_from_slice(&mark.place.execution.0);
    key.extend_from_slice(&mark.place.task.0.to_be_bytes());
    key.extend_from_slice(&mark.redrives.to_be_bytes());
    key
}

pub(super) fn map_run_marks() -> Range {
    Range::of_prefix(vec![MAP_RUN_MARK])
}

/// Those of one execution.
pub(super) fn map_run_marks_of(id: ExecutionId) -> Range {
    let mut prefix = vec![MAP_RUN_MARK];
    prefix.extend_from_slice(&id.0);
    Range::of_prefix(prefix)
}

pub(super) fn parse_map_run_mark(key: &[u8]) -> Option<MapRunMark> {
    let (id, rest) = key.get(1..)?.split_first_chunk::<16>()?;
    let (task, redrives) = rest.split_first_chunk::<8>()?;
    let place = MapRunPlace { execution: ExecutionId(*id), task: TaskId(u64::from_be_bytes(*task)) };
    Some(MapRunMark { place, redrives: u64::from_be_bytes(redrives.try_into().ok()?) })
}

/// Header, frames, variables, results and test case of an execution.
pub(super) fn frames(id: ExecutionId) -> Range {
    Range::of_prefix(id.0.to_vec())
}

pub(super) fn header(id: ExecutionId) -> Vec<u8> {
    of(id, HEADER)
}

pub(super) fn frame(id: ExecutionId, frame: FrameId) -> Vec<u8> {
    let mut key = of(id, FRAME);
    key.extend_from_slice(&frame.0.to_be_bytes());
    key
}

pub(super) fn variables(id: ExecutionId, frame: FrameId) -> Vec<u8> {
    let mut key = of(id, VARIABLES);
    key.extend_from_slice(&frame.0.to_be_bytes());
    key
}

pub(super) fn result(id: ExecutionId, frame: FrameId, chunk: u32, slot: u16) -> Vec<u8> {
    let mut key = of(id, RESULT);
    key.extend_from_slice(&frame.0.to_be_bytes());
    key.extend_from_slice(&chunk.to_be_bytes());
    key.extend_from_slice(&slot.to_be_bytes());
    key
}

pub(super) fn test_case(id: ExecutionId) -> Vec<u8> {
    of(id, TEST_CASE)
}

/// What a key in `Space::Frames` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FramesKey {
    Header,
    Frame(FrameId),
    Variables(FrameId),
    Result(FrameId, u32, u16),
    TestCase,
}

pub(super) fn parse_frames(key: &[u8]) -> Option<FramesKey> {
    let (tag, mut rest) = key.get(16..)?.split_first()?;
    let parsed = match *tag {
        HEADER => FramesKey::Header,
        FRAME => FramesKey::Frame(FrameId(take_u32(&mut rest)?)),
        VARIABLES => FramesKey::Variables(FrameId(take_u32(&mut rest)?)),
        RESULT => {
            let frame = FrameId(take_u32(&mut rest)?);
            let chunk = take_u32(&mut rest)?;
            let (slot, after) = rest.split_first_chunk::<2>()?;
            rest = after;
            FramesKey::Result(frame, chunk, u16::from_be_bytes(*slot))
        }
        TEST_CASE => FramesKey::TestCase,
        _ => return None,
    };
    rest.is_empty().then_some(parsed)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

/// Times before 1970 sort before those after.
fn ordered(time_ms: i64) -> [u8; 8] {
    (time_ms.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

pub(super) fn timer(timer: Timer) -> Vec<u8> {
    let mut key = Vec::with_capacity(25);
    key.push(TIMER);
    key.extend_from_slice(&ordered(timer.due_ms));
    key.extend_from_slice(&timer.execution.0);
    key
}

/// The timers behind `after` that are due at or before `until_ms`.
pub(super) fn timers(after: Option<Timer>, until_ms: i64) -> Range {
    let from = match after {
        // The first key behind another is that key and a zero.
        Some(after) => timer(after).into_iter().chain([0]).collect(),
        None => vec![TIMER],
    };
    let mut last = vec![TIMER];
    last.extend_from_slice(&ordered(until_ms));
    Range { from, to: prefix_end(&last) }
}

pub(super) fn parse_timer(key: &[u8]) -> Option<Timer> {
    let (due, id) = key.get(1..)?.split_first_chunk::<8>()?;
    let due_ms = (u64::from_be_bytes(*due) ^ (1 << 63)).cast_signed();
    Some(Timer { due_ms, execution: ExecutionId(id.try_into().ok()?) })
}

fn of_shard(tag: u8, shard: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(32);
    key.push(tag);
    key.extend_from_slice(&shard.to_be_bytes());
    key
}

pub(super) fn task(id: ExecutionId, task: TaskId) -> Vec<u8> {
    let mut key = of_shard(TASK, id.shard());
    key.extend_from_slice(&id.0);
    key.extend_from_slice(&task.0.to_be_bytes());
    key
}

pub(super) fn tasks(shard: u32) -> Range {
    Range::of_prefix(of_shard(TASK, shard))
}

/// The tasks of all shards behind one.
pub(super) fn tasks_behind(after: Option<(ExecutionId, TaskId)>) -> Range {
    let from = match after {
        Some((id, after)) => task(id, after).into_iter().chain([0]).collect(),
        None => vec![TASK],
    };
    Range { from, to: prefix_end(&[TASK]) }
}

pub(super) fn parse_task(key: &[u8]) -> Option<(ExecutionId, TaskId)> {
    let (id, task) = key.get(5..)?.split_first_chunk::<16>()?;
    Some((ExecutionId(*id), TaskId(u64::from_be_bytes(task.try_into().ok()?))))
}

pub(super) fn wake(id: ExecutionId) -> Vec<u8> {
    let mut key = of_shard(WAKE, id.shard());
    key.extend_from_slice(&id.0);
    key
}

/// Those of a shard, behind one of it.
pub(super) fn wakes(shard: u32, after: Option<ExecutionId>) -> Range {
    let Range { from, to } = Range::of_prefix(of_shard(WAKE, shard));
    Range { from: after.map_or(from, |after| wake(after).into_iter().chain([0]).collect()), to }
}

pub(super) fn parse_wake(key: &[u8]) -> Option<ExecutionId> {
    Some(ExecutionId(key.get(5..)?.try_into().ok()?))
}

pub(super) fn wrecks(id: ExecutionId, until_ms: i64) -> Vec<u8> {
    let mut key = of_shard(WRECKS, id.shard());
    key.extend_from_slice(&ordered(until_ms));
    key.extend_from_slice(&id.0);
    key
}

/// What expires in a shard before `now_ms`.
pub(super) fn expired_wrecks(shard: u32, now_ms: i64) -> Range {
    let from = of_shard(WRECKS, shard);
    let mut to = from.clone();
    to.extend_from_slice(&ordered(now_ms));
    Range { from, to }
}

pub(super) fn parse_wrecks(key: &[u8]) -> Option<ExecutionId> {
    Some(ExecutionId(key.get(13..)?.try_into().ok()?))
}

pub(super) fn status_mark(id: ExecutionId, event: u64) -> Vec<u8> {
    let mut key = of_execution(STATUS_MARK, id);
    key.extend_from_slice(&event.to_be_bytes());
    key
}

pub(super) fn status_marks() -> Range {
    Range::of_prefix(vec![STATUS_MARK])
}

/// Those of one execution.
pub(super) fn status_marks_of(id: ExecutionId) -> Range {
    Range::of_prefix(of_execution(STATUS_MARK, id))
}

pub(super) fn log_mark(id: ExecutionId, first_event: u64) -> Vec<u8> {
    let mut key = of_execution(LOG_MARK, id);
    key.extend_from_slice(&first_event.to_be_bytes());
    key
}

pub(super) fn log_marks() -> Range {
    Range::of_prefix(vec![LOG_MARK])
}

/// Those of one execution.
pub(super) fn log_marks_of(id: ExecutionId) -> Range {
    let mut prefix = vec![LOG_MARK];
    prefix.extend_from_slice(&id.0);
    Range::of_prefix(prefix)
}

/// Execution and event, of a log mark or a status mark.
pub(super) fn parse_event_mark(key: &[u8]) -> Option<(ExecutionId, u64)> {
    let (id, first) = key.get(1..)?.split_first_chunk::<16>()?;
    Some((ExecutionId(*id), u64::from_be_bytes(first.try_into().ok()?)))
}

pub(super) fn stop(id: ExecutionId, task: TaskId) -> Vec<u8> {
    let mut key = of_execution(STOP, id);
    key.extend_from_slice(&task.0.to_be_bytes());
    key
}

pub(super) fn stops() -> Range {
    Range::of_prefix(vec![STOP])
}

/// Those of one execution.
pub(super) fn stops_of(id: ExecutionId) -> Range {
    Range::of_prefix(of_execution(STOP, id))
}

pub(super) fn parse_stop(key: &[u8]) -> Option<(ExecutionId, TaskId)> {
    let (id, task) = key.get(1..)?.split_first_chunk::<16>()?;
    Some((ExecutionId(*id), TaskId(u64::from_be_bytes(task.try_into().ok()?))))
}

fn of_execution(tag: u8, id: ExecutionId) -> Vec<u8> {
    let mut key = Vec::with_capacity(25);
    key.push(tag);
    key.extend_from_slice(&id.0);
    key
}

/// Bytes of a [`place`].
pub(super) const PLACE_BYTES: usize = 24;

/// Where an execution stands in every listing of its state machine: newest start first, then by id.
pub(super) fn place(start_ms: i64, id: ExecutionId) -> [u8; PLACE_BYTES] {
    let mut place = [0; PLACE_BYTES];
    let descending = !u64::from_be_bytes(ordered(start_ms));
    place[..8].copy_from_slice(&descending.to_be_bytes());
    place[8..].copy_from_slice(&id.0);
    place
}

/// The start time and the id that a place was made of.
pub(super) fn parse_place(place: &[u8; PLACE_BYTES]) -> (i64, ExecutionId) {
    let mut start = [0; 8];
    start.copy_from_slice(&place[..8]);
    let mut id = [0; 16];
    id.copy_from_slice(&place[8..]);
    let start_ms = (!u64::from_be_bytes(start) ^ (1 << 63)).cast_signed();
    (start_ms, ExecutionId(id))
}

/// The machine's ARN, which begins with its account, as a key of fixed length.
pub(super) type MachineKey = [u8; 16];

pub(super) fn machine(state_machine_arn: &str) -> MachineKey {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(state_machine_arn.as_bytes())[..16]);
    key
}

fn of_machine(machine: MachineKey, status: u8) -> Vec<u8> {
    let mut key = Vec::with_capacity(48);
    key.push(OF_MACHINE);
    key.extend_from_slice(&machine);
    key.push(status);
    key
}

pub(super) fn listing(machine: MachineKey, status: u8, place: &[u8; PLACE_BYTES]) -> Vec<u8> {
    let mut key = of_machine(machine, status);
    key.extend_from_slice(place);
    key
}

/// The executions of a machine in one status, from behind `after` on.
pub(super) fn listings_of(machine: MachineKey, status: u8, after: Option<&[u8; PLACE_BYTES]>) -> Range {
    let prefix = of_machine(machine, status);
    let to = prefix_end(&prefix);
    let from = match after {
        Some(after) => listing(machine, status, after).into_iter().chain([0]).collect(),
        None => prefix,
    };
    Range { from, to }
}

/// The machine and the place of a listing key with this status.
pub(super) fn parse_listing_of(key: &[u8], status: u8) -> Option<(MachineKey, [u8; PLACE_BYTES])> {
    let (machine, rest) = key.strip_prefix(&[OF_MACHINE])?.split_first_chunk::<16>()?;
    let place = rest.strip_prefix(&[status])?.try_into().ok()?;
    Some((*machine, place))
}

/// The list of a state machine and a status that a key belongs to: the keys with this prefix.
pub(super) fn list_of(key: &[u8]) -> Option<Vec<u8>> {
    key.len().checked_sub(PLACE_BYTES).map(|place| key[..place].to_vec())
}

pub(super) fn parse_listing(key: &[u8]) -> Option<[u8; PLACE_BYTES]> {
    key.last_chunk::<PLACE_BYTES>().copied()
}
