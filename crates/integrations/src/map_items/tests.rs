//! Data sets and results in a folder of this machine; `compat/` has the same in S3.

use std::{fs, path::Path};

use proptest::prelude::*;
use stepwell_expr::{Payload, json};
use stepwell_functions::{Functions, Host};
use tempfile::TempDir;

use super::*;
use crate::{Catalogue, Endpoints, HttpTasks, Integrations, Pace, Settings};

/// A folder that is a root, and what reads and writes in it.
struct World {
    folder: TempDir,
    items: MapItems,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let settings = Settings {
            region: "us-east-1".into(),
            endpoints: Endpoints::default(),
            assumes_execution_role: false,
            pace: Pace::default(),
            file_roots: [root].into(),
        };
        let (keeper, environment) = (Vec::new(), std::collections::BTreeMap::new());
        let host = Host { account: "123456789012".into(), region: "us-east-1".into(), keeper, environment };
        let functions = Functions::new(Vec::new(), host);
        let http = HttpTasks::default();
        let integrations = Integrations::new(settings, Arc::new(Catalogue::embedded()), functions, http);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        World { folder, items: integrations.map_items(), runtime }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("root")
    }

    fn bucket(&self) -> String {
        format!("file://{}", self.root().display())
    }

    fn put(&self, key: &str, bytes: impl AsRef<[u8]>) {
        let path = self.root().join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn get(&self, key: &str) -> String {
        fs::read_to_string(self.root().join(key)).unwrap()
    }

    fn spec(&self, resource: ReadResource, arguments: &[(&str, &str)], config: ReaderConfig) -> ReadSpec {
        let bucket = self.bucket();
        let named = arguments.iter().any(|(name, _)| *name == "Bucket");
        let own = (!named).then_some(("Bucket", &*bucket));
        let arguments = own.into_iter().chain(arguments.iter().copied());
        ReadSpec {
            resource,
            arguments: Value::object(arguments.map(|(name, value)| (name, Value::from(value)))),
            config,
            caller: caller(),
        }
    }

    fn object(&self, key: &str, config: ReaderConfig) -> ReadSpec {
        self.spec(ReadResource::GetObject, &[("Key", key)], config)
    }

    /// All items, in batches of `max`, each by a stream that is opened where the last one ended if `reopens` says so.
    fn read(&self, spec: &ReadSpec, max: usize, reopens: impl Fn(usize) -> bool) -> Result<Vec<String>, Failure> {
        self.runtime.block_on(async {
            let mut items = Vec::new();
            let mut stream = self.items.open(spec.clone(), None).await?;
            for number in 0.. {
                let batch = stream.next(max, usize::MAX).await?;
                assert!(batch.items.len() <= max);
                items.extend(batch.items.iter().map(|item| {
                    let key = item.key.as_ref().map(|key| format!("{key}=")).unwrap_or_default();
                    format!("{key}{}", item.value.text())
                }));
                if batch.end {
                    break;
                }
                if reopens(number) {
                    stream = self.items.open(spec.clone(), Some(batch.position)).await?;
                }
            }
            Ok(items)
        })
    }

    fn all(&self, spec: &ReadSpec) -> Vec<String> {
        self.read(spec, 1_000, |_| false).unwrap()
    }

    fn cause(&self, spec: &ReadSpec) -> String {
        let failure = self.read(spec, 1_000, |_| false).unwrap_err();
        assert_eq!(failure.error.as_deref(), Some("States.ItemReaderFailed"));
        failure.cause.unwrap().to_string()
    }
}

fn caller() -> MapCaller {
    let execution_arn = "arn:aws:states:us-east-1:123456789012:execution:m:e".into();
    MapCaller { execution_arn, role_arn: "arn:aws:iam::123456789012:role/r".into() }
}

fn csv() -> ReaderConfig {
    let text = |text: &str| Some(text.to_owned());
    ReaderConfig { input_type: text("CSV"), csv_header_location: text("FIRST_ROW"), ..ReaderConfig::default() }
}

fn of_type(input_type: &str) -> ReaderConfig {
    ReaderConfig { input_type: Some(input_type.to_owned()), ..ReaderConfig::default() }
}

fn packed(text: &str, name: &str) -> Vec<u8> {
    match name {
        "zstd" => zstd::bulk::compress(text.as_bytes(), 1).unwrap(),
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        _ => text.as_bytes().to_vec(),
    }
}

#[test]
fn every_format_gives_its_items() {
    let world = World::new();
    world.put("a/rows.csv", "id,name\n1,Ada\n2,\"B, C\"\n");
    assert_eq!(
        world.all(&world.object("a/rows.csv", csv())),
        [r#"{"name":"Ada","id":"1"}"#, r#"{"name":"B, C","id":"2"}"#]
    );
    let given = ReaderConfig {
        csv_header_location: Some("GIVEN".to_owned()),
        csv_headers: Some(vec!["x".to_owned()]),
        csv_delimiter: Some("PIPE".to_owned()),
        ..csv()
    };
    world.put("rows.txt", "1|2\n3\n");
    assert_eq!(world.all(&world.object("rows.txt", given)), [r#"{"x":"1"}"#, r#"{"x":"3"}"#]);
    world.put("items.json", "[{\"a\": 1}, 2]");
    assert_eq!(world.all(&world.object("items.json", of_type("JSON"))), [r#"{"a":1}"#, "2"]);
    world.put("items.jsonl", "{\"a\": 1}\n\n2");
    assert_eq!(world.all(&world.object("items.jsonl", of_type("JSONL"))), [r#"{"a":1}"#, "2"]);
    world.put("deep.json", r#"{"x": {"y": {"k": 1, "l": [2]}}}"#);
    let pointed = ReaderConfig { items_pointer: Some("/x/y".to_owned()), ..of_type("JSON") };
    assert_eq!(world.all(&world.object("deep.json", pointed)), ["k=1", "l=[2]"]);
}

#[test]
fn max_items_bounds_what_is_read() {
    let world = World::new();
    world.put("rows.csv", "a\n1\n2\n3\n");
    let count = |max_items| {
        let spec = world.object("rows.csv", ReaderConfig { max_items: Some(max_items), ..csv() });
        world.read(&spec, 1, |_| true).unwrap().len()
    };
    assert_eq!((count(0), count(2), count(3), count(100_000_001)), (3, 2, 3, 3));
    let negative = ReaderConfig { max_items: Some(-1), ..csv() };
    assert_eq!(world.cause(&world.object("rows.csv", negative)), "field MaxItems must be positive");
}

#[test]
fn batches_hold_no_more_than_their_bytes() {
    let world = World::new();
    world.put("items.json", r#"["aaaa", "b", "c", "dddddddddddd", "e"]"#);
    let spec = world.object("items.json", of_type("JSON"));
    world.runtime.block_on(async {
        let mut stream = world.items.open(spec.clone(), None).await.unwrap();
        let mut sizes = Vec::new();
        loop {
            let batch = stream.next(10, 9).await.unwrap();
            sizes.push(batch.items.len());
            if batch.end {
                break;
            }
            stream = world.items.open(spec.clone(), Some(batch.position)).await.unwrap();
        }
        assert_eq!(sizes, [2, 1, 1, 1]);
    });
}

#[test]
fn sources_are_told() {
    let world = World::new();
    world.put("a/rows.csv", "a\n1\n");
    let first = |spec: ReadSpec| {
        let batch =
            world.runtime.block_on(async { world.items.open(spec, None).await.unwrap().next(1, 1).await.unwrap() });
        batch.items[0].source.to_string()
    };
    assert_eq!(first(world.object("a/rows.csv", csv())), format!("{}/a/rows.csv", world.bucket()));
    let listing = world.spec(ReadResource::ListObjectsV2, &[], ReaderConfig::default());
    assert_eq!(first(listing), world.bucket());
}

#[test]
fn listings_follow_the_order_of_keys() {
    let world = World::new();
    // `-` and `.` stand before `/`, letters behind it.
    let keys = ["a-b", "a.txt", "a/b/c", "a/b0", "ab", "b/z"];
    for key in keys {
        world.put(key, key);
    }
    let listing = |arguments: &[(&str, &str)]| {
        let spec = world.spec(ReadResource::ListObjectsV2, arguments, ReaderConfig::default());
        let once = world.read(&spec, 1_000, |_| false).unwrap();
        assert_eq!(world.read(&spec, 1, |_| true).unwrap(), once);
        let keys = once.iter().map(|item| json::parse(item).unwrap().get("Key").unwrap().as_str().unwrap().to_owned());
        keys.collect::<Vec<_>>()
    };
    assert_eq!(listing(&[]), keys);
    assert_eq!(listing(&[("Prefix", "a/")]), ["a/b/c", "a/b0"]);
    assert_eq!(listing(&[("Prefix", "a/b")]), ["a/b/c", "a/b0"]);
    assert_eq!(listing(&[("Prefix", "a")]), keys[..5]);
    assert!(listing(&[("Prefix", "x")]).is_empty());
    assert_eq!(listing(&[("StartAfter", "a/b/c")]), keys[3..]);
    let one = &world.all(&world.spec(ReadResource::ListObjectsV2, &[("Prefix", "ab")], ReaderConfig::default()))[0];
    let one = json::parse(one).unwrap();
    let names: Vec<&str> = one.as_object().unwrap().keys().map(|name| &**name).collect();
    assert_eq!(names, ["Etag", "Key", "LastModified", "Size", "StorageClass"]);
    assert_eq!(one.get("Size").and_then(Value::as_i64), Some(2));
    assert!(one.get("LastModified").and_then(Value::as_i64).unwrap() > 1_700_000_000);
}

#[test]
fn nothing_outside_of_the_roots_is_reached() {
    let world = World::new();
    let outside = world.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("rows.csv"), "a\nsecret\n").unwrap();
    world.put("rows.csv", "a\n1\n");
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, world.root().join(name)).unwrap();
    link(&outside.join("rows.csv"), "link.csv");
    link(&outside, "folder");
    link(Path::new("../outside/rows.csv"), "relative.csv");
    link(Path::new("rows.csv"), "inside.csv");
    assert_eq!(world.all(&world.object("inside.csv", csv())), [r#"{"a":"1"}"#], "links within a root are followed");
    for key in ["link.csv", "folder/rows.csv", "relative.csv", "../outside/rows.csv", "/etc/passwd"] {
        let cause = world.cause(&world.object(key, csv()));
        assert!(cause.contains("cannot be used"), "{key}: {cause}");
    }
    let elsewhere = |bucket: &str| {
        world.cause(&world.spec(ReadResource::GetObject, &[("Bucket", bucket), ("Key", "rows.csv")], csv()))
    };
    let beside = format!("file://{}", outside.display());
    assert!(elsewhere(&beside).contains("`file_roots`"));
    assert!(elsewhere(&format!("{}/../outside", world.bucket())).contains("names no absolute path"));
    assert!(elsewhere("file://root").contains("names no absolute path"));
    assert!(elsewhere(&format!("{}/folder", world.bucket())).contains("cannot be used"));
    let listing = world.spec(ReadResource::ListObjectsV2, &[], ReaderConfig::default());
    assert_eq!(world.all(&listing).len(), 2, "links that lead out are not listed");
    let sink = world.items.write(WriteSpec {
        arguments: Value::object([("Bucket", Value::from(&*world.bucket())), ("Prefix", "folder".into())]),
        config: WriterConfig::default(),
        map_run_arn: "arn".to_owned(),
        uuid: "u".to_owned(),
        caller: caller(),
    });
    let failure = world.runtime.block_on(sink.unwrap().finish()).unwrap_err();
    assert_eq!(failure.error.as_deref(), Some("States.ResultWriterFailed"));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[test]
fn what_is_missing_or_changes_is_told() {
    let world = World::new();
    world.put("rows.csv", "a\n1\n2\n");
    assert!(world.cause(&world.object("none.csv", csv())).contains("`none.csv` of the bucket `file:///"));
    let spec = world.object("rows.csv", csv());
    world.runtime.block_on(async {
        let mut stream = world.items.open(spec.clone(), None).await.unwrap();
        let position = stream.next(1, 100).await.unwrap().position;
        world.put("rows.csv", "a\n1\n2\n3\n");
        let opened = world.items.open(spec.clone(), Some(position)).await;
        let cause = opened.err().unwrap().cause.unwrap();
        assert!(cause.contains("has changed while its items were read"), "{cause}");
    });
    let cause = |config| world.cause(&world.object("rows.csv", config));
    assert_eq!(cause(ReaderConfig::default()), "The field 'InputType' is required but was missing");
    assert_eq!(cause(of_type("XML")), "The InputType 'XML' is not supported");
    assert_eq!(cause(of_type("CSV")), "The field 'CSVHeaderLocation' is required but was missing");
    let without_key = world.spec(ReadResource::GetObject, &[], csv());
    assert_eq!(world.cause(&without_key), "The field 'Key' is required but was missing");
}

/// A Parquet file of one column, with so many rows in each group.
fn parquet(groups: &[i64]) -> Vec<u8> {
    use ::parquet::{
        data_type::Int64Type,
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };
    let schema = Arc::new(parse_message_type("message rows { required int64 id; }").unwrap());
    let properties = Arc::new(WriterProperties::default());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    let mut first = 0;
    for count in groups {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let ids: Vec<i64> = (first..first + count).collect();
        column.typed::<Int64Type>().write_batch(&ids, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        first += count;
    }
    writer.into_inner().unwrap()
}

#[test]
fn rows_of_parquet_are_items() {
    let world = World::new();
    world.put("rows.parquet", parquet(&[3, 4, 1]));
    let spec = world.object("rows.parquet", of_type("PARQUET"));
    let expected: Vec<String> = (0..8).map(|id| format!("{{\"id\":{id}}}")).collect();
    assert_eq!(world.all(&spec), expected);
    for max in 1..5 {
        assert_eq!(world.read(&spec, max, |_| true).unwrap(), expected);
    }
    world.put("rows.parquet", "id\n1\n");
    assert_eq!(world.cause(&spec), "the object is no Parquet file");
}

#[test]
fn damaged_parquet_is_a_failure_or_items() {
    let world = World::new();
    let good = parquet(&[20, 3]);
    let spec = world.object("rows.parquet", of_type("PARQUET"));
    let damage = proptest::collection::vec((0..good.len(), any::<u8>()), 1..4);
    proptest!(cases(), |(damage in damage)| {
        let mut bytes = good.clone();
        damage.into_iter().for_each(|(at, byte)| bytes[at] = byte);
        world.put("rows.parquet", bytes);
        if let Err(failure) = world.read(&spec, 5, |number| number % 2 == 0) {
            prop_assert_eq!(failure.error.as_deref(), Some("States.ItemReaderFailed"));
        }
    });
}

#[test]
fn objects_of_a_listing_are_loaded_and_flattened() {
    let world = World::new();
    world.put("in/1.csv", "a\n1\n2\n");
    world.put("in/2.csv", packed("a\n3\n", "gzip"));
    world.put("in/3.csv", "a\n");
    world.put("in/4/5.csv", "b\n4\n5\n");
    world.put("other.csv", "a\n9\n");
    let config = ReaderConfig { transformation: Some("LOAD_AND_FLATTEN".to_owned()), ..csv() };
    let spec = world.spec(ReadResource::ListObjectsV2, &[("Prefix", "in/")], config);
    let expected = [r#"{"a":"1"}"#, r#"{"a":"2"}"#, r#"{"a":"3"}"#, r#"{"b":"4"}"#, r#"{"b":"5"}"#];
    assert_eq!(world.all(&spec), expected);
    for max in 1..4 {
        assert_eq!(world.read(&spec, max, |_| true).unwrap(), expected);
    }
    let few = ReaderConfig { max_items: Some(3), ..spec.config.clone() };
    assert_eq!(world.read(&ReadSpec { config: few, ..spec.clone() }, 2, |_| true).unwrap(), expected[..3]);
    let untyped = ReaderConfig { input_type: None, ..spec.config.clone() };
    assert_eq!(world.cause(&ReadSpec { config: untyped, ..spec }), "The field 'InputType' is required but was missing");
}

#[test]
fn manifests_name_what_is_read() {
    let world = World::new();
    let inventory = r#"{"sourceBucket": "s", "destinationBucket": "arn:aws:s3:::d", "version": "2016-11-30",
        "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "inv/1.csv.gz", "size": 1}, {"key": "inv/2.csv.gz", "size": 1}]}"#;
    world.put("manifest.json", inventory);
    world.put("inv/1.csv.gz", packed("\"s\",\"a%20b\",\"3\"\n\"s\",\"c\",\"4\"\n", "gzip"));
    world.put("inv/2.csv.gz", packed("\"s\",\"d\",\"5\"\n", "gzip"));
    let expected = [
        r#"{"Bucket":"s","Size":"3","Key":"a%20b"}"#,
        r#"{"Bucket":"s","Size":"4","Key":"c"}"#,
        r#"{"Bucket":"s","Size":"5","Key":"d"}"#,
    ];
    let of =
        |manifest_type: &str| ReaderConfig { manifest_type: Some(manifest_type.to_owned()), ..ReaderConfig::default() };
    for config in [of("S3_INVENTORY"), of_type("MANIFEST")] {
        let spec = world.object("manifest.json", config);
        assert_eq!(world.all(&spec), expected);
        assert_eq!(world.read(&spec, 1, |_| true).unwrap(), expected);
    }
    world.put("manifest.json", inventory.replace("CSV", "ORC"));
    let cause = world.cause(&world.object("manifest.json", of("S3_INVENTORY")));
    assert_eq!(cause, "the manifest of the S3 inventory has files of the format `ORC`, not `CSV`");
    let lines = format!("{}/q/1\nq/2\n", world.bucket());
    world.put("q-manifest.csv", lines);
    world.put("q/1", "{\"a\": 1}\n");
    world.put("q/2", packed("{\"a\": 2}\n{\"a\": 3}\n", "gzip"));
    let spec = world.object("q-manifest.csv", ReaderConfig { ..of("ATHENA_DATA") });
    let spec = ReadSpec { config: ReaderConfig { input_type: Some("JSONL".to_owned()), ..spec.config }, ..spec };
    let expected = [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#];
    assert_eq!(world.all(&spec), expected);
    assert_eq!(world.read(&spec, 1, |_| true).unwrap(), expected);
    world.put("q-manifest.csv", "s3://elsewhere/key\n");
    assert!(world.cause(&spec).contains("`s3://elsewhere/key`"));
}

fn outcome(status: Status, output: Option<&str>) -> Outcome {
    Outcome {
        status,
        execution_arn: Some("arn:e".to_owned()),
        name: Some("n".to_owned()),
        state_machine_arn: "arn:m".to_owned(),
        input: Payload::from_checked_text("1"),
        output: output.map(Payload::from_checked_text),
        error: output.is_none().then(|| "E".to_owned()),
        cause: None,
        start_ms: Some(0),
        stop_ms: Some(0),
        redrive: None,
    }
}

#[test]
fn results_are_written_as_often_as_needed() {
    let world = World::new();
    let spec = |transformation, output_type| WriteSpec {
        arguments: Value::object([("Bucket", Value::from(&*world.bucket())), ("Prefix", "out/".into())]),
        config: WriterConfig { transformation, output_type },
        map_run_arn: "arn:run".to_owned(),
        uuid: "u".to_owned(),
        caller: caller(),
    };
    let write = |spec: WriteSpec, outcomes: &[Outcome]| {
        world.runtime.block_on(async {
            let mut sink = world.items.write(spec).unwrap();
            for outcome in outcomes {
                sink.add(outcome).await.unwrap();
            }
            sink.finish().await.unwrap().to_string()
        })
    };
    let outcomes = [
        outcome(Status::Succeeded, Some("[1, 2]")),
        outcome(Status::TimedOut, None),
        outcome(Status::Succeeded, Some("{\"a\": 3}")),
        outcome(Status::Pending, None),
        outcome(Status::Aborted, None),
    ];
    // Cut off after the first: what follows begins anew.
    world.runtime.block_on(async {
        let mut sink = world.items.write(spec(Transformation::Compact, OutputType::Json)).unwrap();
        sink.add(&outcomes[0]).await.unwrap();
    });
    let told = write(spec(Transformation::Compact, OutputType::Json), &outcomes);
    let bucket = world.bucket();
    let expected = format!(
        r#"{{"MapRunArn":"arn:run","ResultWriterDetails":{{"Bucket":"{bucket}","Key":"out/u/manifest.json"}}}}"#
    );
    assert_eq!(told, expected);
    assert_eq!(world.get("out/u/SUCCEEDED_0.json"), r#"[[1, 2],{"a": 3}]"#);
    let failed = json::parse(&world.get("out/u/FAILED_0.json")).unwrap();
    let statuses = failed.as_array().unwrap().iter().map(|entry| entry.get("Status").unwrap().as_str().unwrap());
    assert_eq!(statuses.collect::<Vec<_>>(), ["TIMED_OUT", "ABORTED"]);
    assert_eq!(json::parse(&world.get("out/u/PENDING_0.json")).unwrap().as_array().unwrap().len(), 1);
    let manifest = json::parse(&world.get("out/u/manifest.json")).unwrap();
    let files = manifest.get("ResultFiles").unwrap();
    for (group, name) in [("SUCCEEDED", "SUCCEEDED_0.json"), ("FAILED", "FAILED_0.json"), ("PENDING", "PENDING_0.json")]
    {
        let key = format!("out/u/{name}");
        let file = &files.get(group).unwrap().as_array().unwrap()[0];
        assert_eq!(file.get("Key").unwrap().as_str(), Some(&*key));
        assert_eq!(file.get("Size").unwrap().as_i64(), Some(world.get(&key).len() as i64));
    }
    write(spec(Transformation::Flatten, OutputType::JsonLines), &outcomes[..3]);
    assert_eq!(world.get("out/u/SUCCEEDED_0.jsonl"), "1\n2\n{\"a\": 3}\n");
    write(spec(Transformation::None, OutputType::Json), &[]);
    let empty = r#"{"FAILED":[],"PENDING":[],"SUCCEEDED":[]}"#;
    assert!(world.get("out/u/manifest.json").ends_with(&format!(r#""ResultFiles":{empty}}}"#)));
}

#[test]
fn large_results_are_split() {
    let world = World::new();
    let spec = WriteSpec {
        arguments: Value::object([("Bucket", Value::from(&*world.bucket()))]),
        config: WriterConfig { transformation: Transformation::Compact, output_type: OutputType::Json },
        map_run_arn: "arn:run".to_owned(),
        uuid: "u".to_owned(),
        caller: caller(),
    };
    world.runtime.block_on(async {
        let mut sink = world.items.write(spec).unwrap().split_at(30);
        for number in 0..9 {
            let output = format!("\"result-{number}\"");
            sink.add(&outcome(Status::Succeeded, Some(&output))).await.unwrap();
        }
        sink.finish().await.unwrap();
    });
    let mut seen = Vec::new();
    for number in 0..3 {
        let file = json::parse(&world.get(&format!("u/SUCCEEDED_{number}.json"))).unwrap();
        seen.extend(file.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()));
    }
    assert_eq!(seen, (0..9).map(|number| format!("result-{number}")).collect::<Vec<_>>());
    assert!(!world.root().join("u/SUCCEEDED_3.json").exists());
}

/// A data set that any format may be given.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec("[a-z\",\\\\\n\r é]{0,8}", 0..12).prop_map(|cells| cells.join(",")),
        proptest::collection::vec(any::<i32>(), 0..12).prop_map(|numbers| format!("{numbers:?}")),
        proptest::collection::vec("[a-z\\]\\[{}\" ]{0,6}", 0..8).prop_map(|texts| {
            let items = texts.into_iter().map(|text| Value::object([("t", Value::from(text))]));
            Value::array(items.collect()).to_string()
        }),
        proptest::collection::vec(any::<bool>(), 0..8)
            .prop_map(|bools| bools.iter().map(|bool| format!("{{\"b\": {bool}}}\n")).collect()),
    ]
}

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

/// Wherever reading stops and begins again, it gives the items, or the failure, of one pass.
#[test]
fn any_batches_and_positions_give_the_same_items() {
    let world = World::new();
    let formats = prop::sample::select(vec!["CSV", "JSON", "JSONL"]);
    let compressions = prop::sample::select(vec!["none", "gzip", "zstd"]);
    proptest!(cases(), |(text in texts(), format in formats, packing in compressions, max in 1..5_usize, every in 1..3_usize)| {
        world.put("object", packed(&text, packing));
        let config = if format == "CSV" { csv() } else { of_type(format) };
        let spec = world.object("object", config);
        let once = world.read(&spec, usize::MAX, |_| false);
        let split = world.read(&spec, max, |number| number % every == 0);
        prop_assert_eq!(once, split);
    });
}

/// Bytes of any kind are items or a failure.
#[test]
fn no_bytes_break_a_reader() {
    let world = World::new();
    let starts: Vec<&[u8]> = vec![b"", b"[", b"{\"a\":", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"a,b\n\""];
    let starts = prop::sample::select(starts);
    let formats = prop::sample::select(vec!["CSV", "JSON", "JSONL"]);
    let bytes = proptest::collection::vec(any::<u8>(), 0..400);
    proptest!(cases(), |(bytes in bytes, start in starts, format in formats)| {
        world.put("object", [start, &bytes].concat());
        let config = if format == "CSV" { csv() } else { of_type(format) };
        if let Err(failure) = world.read(&world.object("object", config), 3, |_| true) {
            prop_assert_eq!(failure.error.as_deref(), Some("States.ItemReaderFailed"));
        }
    });
}
