//! `stepwell data`: what a data folder holds, checked, saved, restored and copied.

pub(crate) mod control;
mod rows;

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use stepwell_engine::{examine_registry, record};
use stepwell_expr::Value;
use stepwell_store::{Error, Store, Visit, embedded, embedded::Embedded};

use crate::{
    cli::{DataCommand, DataPlace},
    config::REGION,
    encryption,
    exit::{BadInput, Exit},
    limits::PROGRESS_ROWS,
    trace::{GREEN, RED},
};

pub(crate) fn data(command: &DataCommand) -> anyhow::Result<Exit> {
    match command {
        DataCommand::Check { place } => check(place),
        DataCommand::Export { file, place } => export(file, place),
        DataCommand::Import { file, data, encryption_key_file, json } => {
            import(file, data, encryption_key_file.as_deref(), *json)
        }
        DataCommand::Backup { dir, place } => backup(dir, place),
        DataCommand::Key { file, kms_key, region } => {
            let of_arn = kms_key.as_deref().and_then(|key| key.split(':').nth(3));
            let region = of_arn.or(region.as_deref()).unwrap_or(REGION);
            encryption::make_key(file, kms_key.as_deref(), region)?;
            Ok(Exit::Done)
        }
    }
}

/// The rows of a folder, sound or saved from a damaged one.
struct Opened {
    store: Arc<dyn Store>,
    damage: Vec<String>,
    rows: u64,
    /// Where they were saved to; gone with this.
    _scratch: Option<Scratch>,
}

/// Opens a folder as a server would; what cannot be opened so, or not be read to its end, is salvaged.
fn open(place: &DataPlace) -> anyhow::Result<Opened> {
    let data = existing(&place.data)?;
    let mut progress = Progress::new(place.json, "rows read");
    let mut rows = 0;
    let read = Embedded::open(&data).and_then(|store| {
        let read = store.snapshot(&mut |_, _, _| {
            rows += 1;
            progress.at(rows);
            Visit::Continue(())
        });
        read.map(|()| store)
    });
    match read {
        Ok(store) => Ok(Opened { store: Arc::new(store), damage: Vec::new(), rows, _scratch: None }),
        Err(first @ Error::Damaged { .. }) => {
            let scratch = Scratch::make(place.scratch.as_deref(), &data)?;
            let saved = embedded::salvage(&data, &scratch.0).context("nothing of the folder can be read")?;
            let mut damage = saved.damage;
            if damage.is_empty() {
                damage.push(first.to_string());
            }
            Ok(Opened { store: Arc::new(saved.store), damage, rows: saved.rows, _scratch: Some(scratch) })
        }
        Err(error @ Error::Locked { .. }) => {
            Err(error).context("stop the server first; `stepwell data backup` and `export` work beside it")
        }
        Err(error) => Err(error.into()),
    }
}

fn check(place: &DataPlace) -> anyhow::Result<Exit> {
    let opened = open(place)?;
    let store = encryption::open(opened.store.clone(), place.encryption_key_file.as_deref())?;
    let mut progress = Progress::new(place.json, "executions checked");
    let found = record::examine(store.as_ref(), &mut |executions| progress.at(executions))?;
    let registry = examine_registry(store.as_ref())?;
    let sound = opened.damage.is_empty() && registry.is_empty() && found.broken.is_empty();
    if place.json {
        let broken = found.broken.iter().map(|broken| {
            Value::object([
                ("executionArn", broken.arn.clone().map_or(Value::Null, Value::String)),
                ("id", broken.id.to_string().as_str().into()),
                ("reason", broken.reason.as_str().into()),
            ])
        });
        let report = Value::object([
            ("sound", sound.into()),
            ("rows", number(opened.rows)),
            ("executions", number(found.executions)),
            ("running", number(found.running)),
            ("events", number(found.events)),
            ("damage", texts(&opened.damage)),
            ("registry", texts(&registry)),
            ("broken", Value::array(broken.collect::<Vec<Value>>())),
            ("moreBroken", number(found.more_broken)),
        ]);
        anstream::println!("{report}");
    } else {
        opened.damage.iter().for_each(|what| anstream::println!("{RED}damage{RED:#} {what}"));
        registry.iter().for_each(|what| anstream::println!("{RED}lost{RED:#} {what}"));
        for broken in &found.broken {
            let name = broken.arn.as_deref().map_or_else(|| broken.id.to_string(), str::to_owned);
            anstream::println!("{RED}lost{RED:#} {name}: {}", broken.reason);
        }
        if found.more_broken > 0 {
            anstream::println!("{RED}lost{RED:#} {} more executions", found.more_broken);
        }
        let (rows, executions) = (opened.rows, found.executions);
        let counts = format!("{rows} rows, {executions} executions ({} running)", found.running);
        match sound {
            true => anstream::println!("{GREEN}sound{GREEN:#} {counts}, {} events", found.events),
            false => anstream::println!("readable: {counts}; `stepwell data export` saves them"),
        }
    }
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

fn export(file: &Path, place: &DataPlace) -> anyhow::Result<Exit> {
    let to_stdout = file.as_os_str() == "-";
    if !to_stdout && file.exists() {
        return Err(BadInput(format!("`{}` is there already", file.display())).into());
    }
    let data = existing(&place.data)?;
    let mut out: Box<dyn Write> = match to_stdout {
        true => Box::new(std::io::stdout().lock()),
        false => Box::new(File::create(file).with_context(|| format!("cannot write `{}`", file.display()))?),
    };
    let mut progress = Progress::new(place.json || to_stdout, "rows saved");
    let (rows, damage) = if let Some(mut answer) = control::ask(&data)? {
        if place.encryption_key_file.is_some() {
            return Err(
                BadInput("a running server gives rows as they are stored: stop it to decrypt them".to_owned()).into()
            );
        }
        (hand_on(&mut answer, &mut out, &mut progress)?, Vec::new())
    } else {
        let opened = open(place)?;
        let store = match &place.encryption_key_file {
            Some(key_file) => encryption::open(opened.store.clone(), Some(key_file))?,
            None => opened.store.clone(),
        };
        let mut writer = rows::Writer::begin(BufWriter::new(&mut out))?;
        let mut failed = None;
        store.snapshot(&mut |space, key, value| match writer.row(space, key, value) {
            Ok(rows) => {
                progress.at(rows);
                Visit::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                Visit::Break(())
            }
        })?;
        failed.map_or(Ok(()), Err)?;
        opened.damage.iter().try_for_each(|what| writer.damage(what))?;
        (writer.end()?, opened.damage)
    };
    out.flush()?;
    drop(out);
    if !to_stdout {
        File::open(file)?.sync_all()?;
    }
    let done = if to_stdout { None } else { Some(file) };
    report(place.json, "exported", rows, &damage, done);
    Ok(if damage.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Copies an answer of the server line by line, and sees to it that it is whole.
fn hand_on(from: &mut impl BufRead, to: &mut dyn Write, progress: &mut Progress) -> anyhow::Result<u64> {
    let (mut line, mut lines, mut last) = (Vec::new(), 0_u64, false);
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line).context("the server broke off")? == 0 {
            break;
        }
        last = line.starts_with(br#"{"rows":"#);
        lines += 1;
        progress.at(lines);
        to.write_all(&line)?;
    }
    anyhow::ensure!(last, "the server broke off: the export is not complete");
    Ok(lines - 2)
}

fn import(file: &Path, data: &Path, key_file: Option<&Path>, json: bool) -> anyhow::Result<Exit> {
    let mut progress = Progress::new(json, "rows read");
    let read = if file.as_os_str() == "-" {
        make(data, key_file, &mut std::io::stdin().lock(), &mut progress)?
    } else {
        let from = File::open(file).map_err(|error| BadInput(format!("cannot read `{}`: {error}", file.display())))?;
        make(data, key_file, &mut BufReader::with_capacity(1 << 16, from), &mut progress)?
    };
    report(json, "imported", read.rows, &read.damage, Some(data));
    Ok(Exit::Done)
}

fn backup(dir: &Path, place: &DataPlace) -> anyhow::Result<Exit> {
    let data = existing(&place.data)?;
    let mut progress = Progress::new(place.json, "rows copied");
    let read = match control::ask(&data)? {
        Some(mut answer) => make(dir, None, &mut answer, &mut progress)?,
        None => {
            let opened = open(place)?;
            if let Some(what) = opened.damage.first() {
                anyhow::bail!("the folder is damaged ({what}): `stepwell data export` saves what can be read");
            }
            let (mut from, to) = std::io::pipe()?;
            std::thread::scope(|scope| {
                let writing = scope.spawn(|| control::export(opened.store.as_ref(), to, &mut |_| {}));
                let read = make(dir, None, &mut BufReader::new(&mut from), &mut progress);
                drop(from);
                let written = writing.join().map_err(|_| anyhow::anyhow!("the copy broke off"))?;
                // If both failed, the reader knows why.
                let read = read?;
                written.map(|_| read)
            })?
        }
    };
    report(place.json, "backed up", read.rows, &read.damage, Some(dir));
    Ok(Exit::Done)
}

/// A new data folder of exported rows. It gets its name when it is complete.
fn make(
    data: &Path,
    key_file: Option<&Path>,
    from: &mut impl BufRead,
    progress: &mut Progress,
) -> anyhow::Result<rows::Imported> {
    let empty = fs::read_dir(data).map_or(true, |mut entries| entries.next().is_none());
    if data.exists() && !empty {
        return Err(BadInput(format!("`{}` is there already, and not empty", data.display())).into());
    }
    let half = Scratch::beside(data, "incomplete")?;
    let store: Arc<dyn Store> = Arc::new(Embedded::open(&half.0)?);
    let store = match key_file {
        Some(_) => encryption::open(store, key_file)?,
        None => store,
    };
    let read = rows::read(from, store.as_ref(), &mut |rows| progress.at(rows))?;
    drop(store);
    if data.exists() {
        fs::remove_dir(data).with_context(|| format!("cannot replace `{}`", data.display()))?;
    }
    fs::rename(&half.0, data).with_context(|| format!("cannot make `{}`", data.display()))?;
    if let Some(parent) = data.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        File::open(parent).and_then(|folder| folder.sync_all()).context("cannot sync the new folder's place")?;
    }
    Ok(read)
}

fn report(json: bool, done: &str, rows: u64, damage: &[String], place: Option<&Path>) {
    let name = place.map(|place| place.display().to_string());
    if json {
        let report = Value::object([
            ("rows", number(rows)),
            ("damage", texts(damage)),
            ("place", name.as_deref().map_or(Value::Null, Value::from)),
        ]);
        anstream::eprintln!("{report}");
        return;
    }
    damage.iter().for_each(|what| anstream::eprintln!("{RED}damage{RED:#} {what}"));
    anstream::eprintln!("{done} {rows} rows{}", name.map(|name| format!(" to `{name}`")).unwrap_or_default());
}

fn number(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

fn texts(texts: &[String]) -> Value {
    Value::array(texts.iter().map(|text| text.as_str().into()).collect::<Vec<Value>>())
}

fn existing(data: &Path) -> anyhow::Result<PathBuf> {
    match data.join("rows").is_dir() || data.join("format").is_file() {
        true => Ok(data.to_owned()),
        false => Err(BadInput(format!("`{}` is no data folder", data.display())).into()),
    }
}

/// A folder that is gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn make(wanted: Option<&Path>, data: &Path) -> anyhow::Result<Scratch> {
        match wanted {
            Some(folder) => Scratch::new(folder.join(format!("stepwell-scratch-{}", std::process::id()))),
            None => Scratch::beside(data, "scratch"),
        }
    }

    fn beside(data: &Path, what: &str) -> anyhow::Result<Scratch> {
        let mut name = data.as_os_str().to_owned();
        while name.to_str().is_some_and(|name| name.len() > 1 && name.ends_with('/')) {
            name = name.to_str().unwrap_or_default().trim_end_matches('/').into();
        }
        name.push(format!(".{what}-{}", std::process::id()));
        Scratch::new(name.into())
    }

    fn new(path: PathBuf) -> anyhow::Result<Scratch> {
        fs::create_dir_all(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It may have got another name, and is then no longer ours.
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// Counts for whoever watches.
struct Progress {
    shown: bool,
    what: &'static str,
}

impl Progress {
    fn new(quiet: bool, what: &'static str) -> Progress {
        Progress { shown: !quiet && std::io::stderr().is_terminal(), what }
    }

    fn at(&mut self, count: u64) {
        if self.shown && count.is_multiple_of(PROGRESS_ROWS) {
            anstream::eprintln!("{count} {}", self.what);
        }
    }
}
