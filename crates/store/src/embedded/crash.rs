//! What is left when the process dies, when a disk is full, and what the kernel was asked to sync. A child process
//! commits numbered batches; it is this test program again, started with the name of [`child`].

use super::{Embedded, numbered};
use crate::{Space, Store};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const FOLDER: &str = "STEPWELL_TEST_STORE";
const COMMITS: &str = "STEPWELL_TEST_COMMITS";
const SEED: &str = "STEPWELL_TEST_SEED";
const CHILD: &str = "embedded::crash::child";

/// Not a test by itself: commits batches, prints `begin n` before and `done n` after each, in one write each.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let commits: u64 = std::env::var(COMMITS).unwrap().parse().unwrap();
    let say = |line: String| std::io::stdout().write_all(line.as_bytes()).and_then(|()| std::io::stdout().flush());
    let store = Embedded::open(folder).unwrap();
    let last = numbered::verify(&store);
    for number in last + 1..=last.saturating_add(commits) {
        say(format!("begin {number}\n")).unwrap();
        match store.commit(numbered::batch(number)) {
            Ok(()) => say(format!("done {number}\n")).unwrap(),
            Err(error) => {
                let again = store.commit(numbered::batch(number + 1)).unwrap_err();
                assert_eq!(numbered::verify(&store), number - 1, "reads go on");
                say(format!("failed {error}\nthen {again}\npoisoned {:?}\n", store.poisoned())).unwrap();
                return;
            }
        }
    }
}

fn start(wrapper: &[&str], folder: &Path, commits: u64) -> std::io::Result<Child> {
    let program = std::env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    let words: Vec<&str> = wrapper.iter().copied().chain([program, CHILD, "--exact", "--nocapture"]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env(FOLDER, folder).env(COMMITS, commits.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()
}

/// Reads what the child says. Answers the last number that it said was done, after at most `limit` of them.
fn last_done(lines: &mut impl BufRead, limit: u64) -> Option<u64> {
    let done = lines.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("done ")?.parse().ok());
    done.take(limit as usize).last()
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let mut random = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("{SEED}={random}");
    let folder = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..20 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = start(&[], folder.path(), u64::MAX).unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut done = last_done(&mut lines, 1 + (random >> 33) % 60);
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said between our last look and its death is acknowledged too.
        done = last_done(&mut lines, u64::MAX).or(done);
        let done = done.unwrap_or_else(|| panic!("round {round}: the child committed nothing"));
        let found = numbered::verify(&Embedded::open(folder.path()).unwrap());
        assert!((done..=done + 1).contains(&found), "round {round}: acknowledged {done}, found {found}");
        assert!(found > last);
        last = found;
    }
}

#[test]
fn a_full_disk_poisons_and_loses_nothing() {
    // A limit on the size of a file stands for the full disk: the journal may not grow beyond 4 MiB (the shell counts
    // in 512 bytes). The ignored signal makes the write fail instead of killing the child. A new journal is 64 MiB
    // long, one that was opened again is as long as what it holds.
    let wrapper = ["sh", "-c", "trap '' XFSZ; ulimit -f 8192; exec \"$0\" \"$@\""];
    let folder = tempfile::tempdir().unwrap();
    drop(Embedded::open(folder.path()).unwrap());
    drop(Embedded::open(folder.path()).unwrap());
    let child = start(&wrapper, folder.path(), 10_000).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let line = |word: &str| text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_else(|| panic!("{text}"));
    let failed = line("failed ");
    assert!(failed.starts_with("cannot write to `") && failed.contains("File too large"), "{failed}");
    assert_eq!(line("then "), format!("the store refuses writes since an earlier write failed: {failed}"));
    assert_eq!(line("poisoned "), format!("{:?}", Some(failed)));

    let done = last_done(&mut text.as_bytes(), u64::MAX).unwrap();
    let store = Embedded::open(folder.path()).unwrap();
    let found = numbered::verify(&store);
    assert!((done..=done + 1).contains(&found), "acknowledged {done}, found {found}");
    numbered::commit(&store, found + 1..=found + 5);
    assert_eq!(store.poisoned(), None);
}

#[test]
fn every_acknowledgement_follows_a_sync_of_its_own() {
    const ASKED: u64 = 40;
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let data = folder.path().join("data");
    let wrapper = ["strace", "-f", "-e", "trace=write,fdatasync", "-o", trace.to_str().unwrap()];
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: strace is not there or may not trace");
        return;
    }
    let output = start(&wrapper, &data, ASKED).unwrap().wait_with_output().unwrap();
    assert!(output.status.success());
    let trace = std::fs::read_to_string(trace).unwrap();
    // One thread commits, so its calls stand in the trace in order; calls of other threads may interrupt them.
    let committer = trace.lines().find(|line| line.contains("write(1, \"begin 1\\n")).unwrap();
    let committer = committer.split_whitespace().next().unwrap();
    let calls = trace.lines().filter(|line| line.split_whitespace().next() == Some(committer));
    let (mut syncs, mut acknowledged) = (0, 0);
    for call in calls {
        let completed = call.contains("fdatasync") && call.ends_with("= 0");
        syncs += u64::from(completed);
        if call.contains("write(1, \"begin ") {
            syncs = 0;
        } else if call.contains("write(1, \"done ") {
            assert_eq!(syncs, 1, "syncs before {call}");
            acknowledged += 1;
        }
    }
    assert_eq!(acknowledged, ASKED);
    let store = Embedded::open(&data).unwrap();
    assert_eq!(numbered::verify(&store), ASKED);
    assert_eq!(store.get(Space::Meta, b"last").unwrap(), Some(ASKED.to_be_bytes().to_vec()));
}
