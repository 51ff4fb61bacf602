//! Reads the items of a data set, and tells how many there are, how fast and in how much memory.
//!
//!     cargo run --release -p stepwell-integrations --example items -- BUCKET KEY CSV|JSON|JSONL|PARQUET [WRITE_PREFIX]
//!
//! `BUCKET` is one of S3 (`AWS_ENDPOINT_URL` says where) or `file:///FOLDER`; with a `WRITE_PREFIX` the items are written there as
//! results of child executions.

use std::{process::ExitCode, sync::Arc, time::Instant};

use stepwell_expr::Value;
use stepwell_functions::{Functions, Host};
use stepwell_integrations::{
    Catalogue, Endpoints, HttpTasks, Integrations, Pace, Settings,
    map_items::{
        MapCaller, Outcome, OutputType, ReadResource, ReadSpec, ReaderConfig, ResultSink, Status, Transformation,
        WriteSpec, WriterConfig,
    },
};
use stepwell_machine::Failure;

const REGION: &str = "us-east-1";
/// As much as one batch may hold.
const BATCH_ITEMS: usize = 1_000;
const BATCH_BYTES: usize = 1024 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bucket, key, input_type, prefix @ ..] = arguments.as_slice() else {
        eprintln!("usage: items BUCKET KEY CSV|JSON|JSONL|PARQUET [WRITE_PREFIX]");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    match runtime.block_on(read(bucket, key, input_type, prefix.first().map(|prefix| &**prefix))) {
        Ok(told) => {
            eprintln!("{told}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure:?}");
            ExitCode::FAILURE
        }
    }
}

async fn read(bucket: &str, key: &str, input_type: &str, prefix: Option<&str>) -> Result<String, Failure> {
    let root = bucket.strip_prefix("file://").map(std::path::PathBuf::from);
    let settings = Settings {
        region: REGION.into(),
        endpoints: Endpoints::from_environment(),
        assumes_execution_role: false,
        pace: Pace::default(),
        file_roots: root.into_iter().collect(),
    };
    let host = Host {
        account: "123456789012".into(),
        region: REGION.into(),
        keeper: Vec::new(),
        environment: std::collections::BTreeMap::new(),
    };
    let http = HttpTasks::default();
    let catalogue = Arc::new(Catalogue::embedded());
    let items = Integrations::new(settings, catalogue, Functions::new(Vec::new(), host), http).map_items();
    let caller = MapCaller {
        execution_arn: format!("arn:aws:states:{REGION}:123456789012:execution:m:e").into(),
        role_arn: "arn:aws:iam::123456789012:role/any".into(),
    };
    let config = ReaderConfig {
        input_type: Some(input_type.to_owned()),
        csv_header_location: Some("FIRST_ROW".to_owned()),
        ..ReaderConfig::default()
    };
    let arguments = Value::object([("Bucket", Value::from(bucket)), ("Key", key.into())]);
    let spec = ReadSpec { resource: ReadResource::GetObject, arguments, config, caller: caller.clone() };
    let sink = prefix.map(|prefix| {
        items.write(WriteSpec {
            arguments: Value::object([("Bucket", Value::from(bucket)), ("Prefix", prefix.into())]),
            config: WriterConfig { transformation: Transformation::None, output_type: OutputType::Json },
            map_run_arn: "arn:aws:states:us-east-1:123456789012:mapRun:m/l:u".to_owned(),
            uuid: "u".to_owned(),
            caller,
        })
    });
    let mut sink: Option<ResultSink> = sink.transpose()?;
    let start = Instant::now();
    let (mut count, mut bytes) = (0_u64, 0_u64);
    let mut stream = items.open(spec, None).await?;
    loop {
        let batch = stream.next(BATCH_ITEMS, BATCH_BYTES).await?;
        for item in &batch.items {
            count += 1;
            bytes += item.value.bytes() as u64;
            if let Some(sink) = &mut sink {
                sink.add(&outcome(item.value.clone())).await?;
            }
        }
        if batch.end {
            break;
        }
    }
    let written = match sink {
        Some(sink) => format!("; written: {}", sink.finish().await?),
        None => String::new(),
    };
    let seconds = start.elapsed().as_secs_f64();
    let rate = count as f64 / seconds;
    Ok(format!("{count} items, {bytes} bytes, {seconds:.2} s, {rate:.0} items/s, {}{written}", memory_high_water()))
}

fn outcome(output: stepwell_expr::Payload) -> Outcome {
    Outcome {
        status: Status::Succeeded,
        execution_arn: Some("arn:aws:states:us-east-1:123456789012:execution:m/l:e".to_owned()),
        name: Some("e".to_owned()),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:m/l".to_owned(),
        input: output.clone(),
        output: Some(output),
        error: None,
        cause: None,
        start_ms: Some(0),
        stop_ms: Some(0),
        redrive: None,
    }
}

/// Of this process, where the system tells it.
fn memory_high_water() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown").to_owned()
}
