//! The command line.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use stepwell_engine::{is_account, is_region};

use crate::definition_file::tree::Format;

/// AWS Step Functions that anyone can own.
///
/// Runs Amazon States Language workflows durably and speaks the AWS Step Functions API: point the AWS CLI or any SDK
/// at it with --endpoint-url.
#[derive(Parser)]
#[command(name = "stepwell", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 bad input. Colours turn off when piped and with NO_COLOR.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the AWS Step Functions API.
    #[command(after_help = BEYOND_OPTIONS)]
    Serve(ServeOptions),
    /// Run a definition once, without a server; print its trace and its output.
    Run(RunOptions),
    /// Check definitions and print every problem.
    Validate(ValidateOptions),
    /// Evaluate one JSONata or JSONPath expression or intrinsic function; print its value or why there is none.
    Eval(EvalOptions),
    /// Format definitions, as JSON or YAML.
    Fmt(FmtOptions),
    /// List the AWS services that `aws-sdk` tasks can call, the actions of one, or the parameters of an action.
    Services(ServicesOptions),
    /// Print the limits that a server keeps to, and where they are not AWS's: [limits] of stepwell.toml sets them.
    Limits(LimitsOptions),
    /// Check a data folder, save and restore its rows, back it up while the server runs.
    Data {
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Functions on this machine, as stepwell.toml has them: add, list, invoke, logs, remove.
    Function {
        #[command(subcommand)]
        command: FunctionCommand,
    },
    /// Print a completion script: stepwell completions bash > /etc/bash_completion.d/stepwell
    Completions { shell: Shell },
}

#[derive(Args)]
pub(crate) struct ServeOptions {
    /// Folder that keeps everything; `:memory:` keeps nothing. By default stepwell-data.
    #[arg(long, value_name = "DIR", env = "STEPWELL_DATA")]
    pub(crate) data: Option<String>,
    /// Port on 127.0.0.1; 0 takes a free one and prints it. By default 8083.
    #[arg(long, env = "STEPWELL_PORT")]
    pub(crate) port: Option<u16>,
    /// Address and port instead, e.g. 0.0.0.0:8083. Anyone who reaches it may do anything: there is no sign-in yet.
    #[arg(long, value_name = "ADDR:PORT", env = "STEPWELL_LISTEN", conflicts_with = "port")]
    pub(crate) listen: Option<SocketAddr>,
    /// Write the port here once the server answers.
    #[arg(long, value_name = "FILE", env = "STEPWELL_PORT_FILE")]
    pub(crate) port_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) identity: IdentityOptions,
    /// Threads that drive executions; by default one for every two cores.
    #[arg(long, value_name = "N", env = "STEPWELL_DRIVERS", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) drivers: Option<u16>,
    /// Encrypt the data with the key in this file: 32 bytes, or as 64 hexadecimal digits. A new data folder is encrypted
    /// from its first row on; execution logs are not.
    #[arg(long, value_name = "FILE", env = "STEPWELL_ENCRYPTION_KEY_FILE")]
    pub(crate) encryption_key_file: Option<PathBuf>,
    /// Remove executions so many days after they ended; 0 keeps them.
    #[arg(long, value_name = "DAYS", env = "STEPWELL_RETENTION_DAYS", default_value_t = 90)]
    pub(crate) retention_days: u32,
    /// Mock configuration file of Step Functions Local: a start on `…:stateMachine:NAME#CASE` is answered by it.
    #[arg(long, value_name = "FILE", env = "SFN_MOCK_CONFIG")]
    pub(crate) mock_config: Option<PathBuf>,
    /// Where execution logs go that state machines ask for (loggingConfiguration): a folder, `-` for standard output,
    /// `cloudwatch`, several with commas between them, or `off`. By default the folder `logs` of the data.
    #[arg(
        long,
        value_name = "DIR|-|cloudwatch|off",
        env = "STEPWELL_EXECUTION_LOGS",
        allow_hyphen_values = true,
        value_delimiter = ','
    )]
    pub(crate) execution_logs: Vec<String>,
    /// Tell EventBridge when Standard executions start and end ("Step Functions Execution Status Change").
    #[arg(long, env = "STEPWELL_STATUS_EVENTS")]
    pub(crate) status_events: bool,
    /// Make and list everything in the server's own region and account, whatever region and access key calls are signed with.
    #[arg(long, env = "STEPWELL_SINGLE_REGION")]
    pub(crate) single_region: bool,
    /// One JSON object for each log line, and for the line that tells where the server listens.
    #[arg(long, env = "STEPWELL_JSON")]
    pub(crate) json: bool,
}

/// What `stepwell.toml` may say beyond the options.
const BEYOND_OPTIONS: &str = "stepwell.toml holds these options and more: functions, connections, endpoints, and in \
                              [limits] payloads beyond 256 KiB, histories beyond 25,000 events, throttles. \
                              `stepwell limits` prints what holds.";

#[derive(Args)]
pub(crate) struct LimitsOptions {
    /// Configuration file; by default stepwell.toml, if it is there.
    #[arg(long, value_name = "FILE", env = "STEPWELL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum DataCommand {
    /// Read every row of a folder that no server has open; tell what is damaged and which executions are lost with it.
    ///
    /// Changes nothing. Exit codes: 0 sound, 1 damaged, 2 no data folder.
    Check {
        #[command(flatten)]
        place: DataPlace,
    },
    /// Save every row that can be read, as JSON lines: from the running server, or from a folder that none has open.
    ///
    /// Exit codes: 0 complete, 1 something was damaged and the rest is saved, 2 bad input.
    Export {
        /// The file to make; `-` is standard output.
        file: PathBuf,
        #[command(flatten)]
        place: DataPlace,
    },
    /// Make a new data folder of an export. A file that was cut or changed is refused.
    Import {
        /// What `export` wrote; `-` is standard input.
        file: PathBuf,
        /// The folder to make; it must not be there, or be empty.
        #[arg(long, value_name = "DIR", env = "STEPWELL_DATA", default_value = "stepwell-data")]
        data: PathBuf,
        /// Encrypt the rows, which the export holds in the clear, with the key in this file.
        #[arg(long, value_name = "FILE", env = "STEPWELL_ENCRYPTION_KEY_FILE")]
        encryption_key_file: Option<PathBuf>,
        /// One JSON object for the report.
        #[arg(long)]
        json: bool,
    },
    /// Make a key file for --encryption-key-file: a random key, or one that AWS KMS guards and opens at every start.
    Key {
        /// The file to make; it must not be there.
        file: PathBuf,
        /// A symmetric key of KMS (id, ARN or alias), which encrypts the new key. Endpoint and credentials are those of the
        /// environment and of profiles.
        #[arg(long, value_name = "KEY")]
        kms_key: Option<String>,
        /// The region of the key, where it is not named by its ARN. By default us-east-1.
        #[arg(long, env = "AWS_REGION", value_parser = region)]
        region: Option<String>,
    },
    /// Copy all rows, as of one commit, into a new data folder, beside the running server or without one.
    Backup {
        /// The folder to make; it must not be there, or be empty.
        dir: PathBuf,
        #[command(flatten)]
        place: DataPlace,
    },
}

/// A data folder that is read.
#[derive(Args)]
pub(crate) struct DataPlace {
    /// The folder that `serve` keeps everything in.
    #[arg(long, value_name = "DIR", env = "STEPWELL_DATA", default_value = "stepwell-data")]
    pub(crate) data: PathBuf,
    /// The key of encrypted data. `check` needs it; with it `export` writes rows in the clear, without it as they are.
    /// `backup` copies them as they are.
    #[arg(long, value_name = "FILE", env = "STEPWELL_ENCRYPTION_KEY_FILE")]
    pub(crate) encryption_key_file: Option<PathBuf>,
    /// Where a damaged folder is copied to while it is read; by default beside it. Needs room for the data twice.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
    /// One JSON object for the report.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The server's own account and region, and the file that may say more.
#[derive(Args)]
pub(crate) struct IdentityOptions {
    /// Configuration file; by default stepwell.toml, if it is there. Options and their variables win over it.
    #[arg(long, value_name = "FILE", env = "STEPWELL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The server's own account: twelve digits; that of calls whose access key id is not twelve digits. By default
    /// 123456789012.
    #[arg(long, env = "STEPWELL_ACCOUNT", value_parser = account)]
    pub(crate) account: Option<String>,
    /// The server's own region: that of calls that are not signed for another one. By default us-east-1.
    #[arg(long, env = "STEPWELL_REGION", value_parser = region)]
    pub(crate) region: Option<String>,
    /// Where Lambda functions are invoked that are not on this machine (http://…); AWS_ENDPOINT_URL serves as well.
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_LAMBDA")]
    pub(crate) lambda_endpoint: Option<String>,
    /// Call AWS services by the role of the state machine, assumed with the server's own credentials.
    #[arg(long, env = "STEPWELL_ASSUME_ROLES")]
    pub(crate) assume_roles: bool,
}

#[derive(Args)]
pub(crate) struct ServicesOptions {
    /// A service (`s3`) or one of its actions (`s3:getObject`); by default all services.
    pub(crate) name: Option<String>,
    /// One JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct RunOptions {
    /// The definition: a file with a state machine in JSON or YAML; `-` is standard input.
    pub(crate) file: PathBuf,
    /// Input: JSON text, or @FILE.
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    pub(crate) input: String,
    /// Name of the execution; by default a UUID.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Answer tasks by a test case of a mock configuration file. By default the state machine in it is the one that has
    /// such a case; FILE#NAME/CASE names it.
    #[arg(long, value_name = "FILE#CASE")]
    pub(crate) mock: Option<String>,
    /// Skip what is only waited for: Wait states, pauses before retries, timeouts of tasks that nobody answers. Calls take
    /// the time they take.
    #[arg(long)]
    pub(crate) fast: bool,
    #[command(flatten)]
    pub(crate) identity: IdentityOptions,
    /// One JSON object at the end instead of the trace.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ValidateOptions {
    /// Files with a state machine in JSON or YAML; `-` is standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Check as an Express state machine, which may not use callbacks, .sync or activities.
    #[arg(long)]
    pub(crate) express: bool,
    /// One JSON object for each file.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[command(after_help = EVAL_EXAMPLES)]
pub(crate) struct EvalOptions {
    /// The expression, e.g. "$states.input.total * 2" (with or without {% %}), "$.order.items[*].sku" or
    /// "States.Format('{}', $.a)".
    #[arg(required_unless_present = "cases", conflicts_with = "cases", allow_hyphen_values = true)]
    pub(crate) expr: Option<String>,
    /// By default `$`, `$$`, `States.` and paths behind `$.` and `$[` are JSONPath, all else is JSONata.
    #[arg(long, value_enum)]
    pub(crate) language: Option<Language>,
    /// The state's input: `$states.input` of JSONata, `$` of JSONPath. JSON text, or @FILE.
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    pub(crate) input: String,
    /// The variables, an object of names without `$`. JSON text, or @FILE.
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    pub(crate) vars: String,
    /// The Context object: `$states.context` of JSONata, `$$` of JSONPath. JSON text, or @FILE.
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    pub(crate) context: String,
    /// `$states.result`; by default there is none. JSON text, or @FILE.
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) result: Option<String>,
    /// `$states.errorOutput`; by default there is none. JSON text, or @FILE.
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) error_output: Option<String>,
    /// One JSON object: `value`, or `error` and `cause` with `line` and `column` where they are known.
    #[arg(long)]
    pub(crate) json: bool,
    /// Judge test cases of plain JSONata instead: one JSON object a line, in the form of the official suite. Ends with
    /// `N passed, N failed`.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(crate) cases: Option<PathBuf>,
    /// The input documents that cases name: one JSON object.
    #[arg(long, value_name = "FILE", requires = "cases")]
    pub(crate) datasets: Option<PathBuf>,
}

/// A query language of the Amazon States Language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Jsonata,
    Jsonpath,
}

const EVAL_EXAMPLES: &str = "\
Examples:
  stepwell eval '$sum($states.input.items.price)' --input @order.json
  stepwell eval '$.items[?(@.price > 10)].sku' --input @order.json
  stepwell eval '$count($states.result) + $seen' --result '[1, 2]' --vars '{\"seen\": 3}'
  stepwell eval --cases cases.jsonl --datasets datasets.json

Exit codes: 0 done, 1 the evaluation failed or a case did, 2 bad input, which an expression with a syntax error is too.";

#[derive(Subcommand)]
pub(crate) enum FunctionCommand {
    /// Write a function into stepwell.toml: a Python or Node file, a URL, or a command that speaks the Lambda Runtime API.
    Add(AddOptions),
    /// The functions of stepwell.toml.
    List(ListOptions),
    /// Run a function once and print its answer; without --endpoint in a process of its own, with its log on standard
    /// error.
    Invoke(InvokeOptions),
    /// The last lines that a function of a running server printed.
    Logs(LogsOptions),
    /// Take a function out of stepwell.toml.
    Remove(RemoveOptions),
    /// Stands between the server and a process of a function.
    #[command(hide = true)]
    Keep {
        #[arg(long)]
        memory_mb: Option<u64>,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

/// The file that functions are written to.
#[derive(Args)]
pub(crate) struct FunctionFile {
    /// Configuration file; by default stepwell.toml.
    #[arg(long, value_name = "FILE", env = "STEPWELL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["python", "node", "url", "command"])))]
#[command(after_help = ADD_EXAMPLES)]
pub(crate) struct AddOptions {
    pub(crate) name: String,
    /// A Python file.
    #[arg(long, value_name = "FILE")]
    pub(crate) python: Option<PathBuf>,
    /// A Node module.
    #[arg(long, value_name = "FILE")]
    pub(crate) node: Option<PathBuf>,
    /// An address that takes the payload by POST.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Behind `--`: a program that speaks the Lambda Runtime API, with its arguments.
    #[arg(last = true)]
    pub(crate) command: Vec<String>,
    /// The function in the file; by default `lambda_handler` in Python, `handler` in Node.
    #[arg(long)]
    pub(crate) handler: Option<String>,
    #[arg(long, value_name = "N")]
    pub(crate) timeout_seconds: Option<u64>,
    #[arg(long, value_name = "N")]
    pub(crate) memory_mb: Option<u64>,
    /// Most processes at a time.
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<u64>,
    /// A variable of its environment; may be given several times.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub(crate) environment: Vec<String>,
    /// Write over a function of this name.
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) file: FunctionFile,
}

const ADD_EXAMPLES: &str = "\
Examples:
  stepwell function add price --python functions/price.py --handler price
  stepwell function add label --node functions/label.mjs --timeout-seconds 10
  stepwell function add native --memory-mb 256 -- ./target/release/bootstrap
  stepwell function add elsewhere --url http://127.0.0.1:9000/price";

#[derive(Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    pub(crate) file: FunctionFile,
    /// One JSON object for each function.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct InvokeOptions {
    pub(crate) name: String,
    /// The event: JSON text, or @FILE.
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    pub(crate) payload: String,
    /// A running server to ask instead.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    #[command(flatten)]
    pub(crate) identity: IdentityOptions,
}

#[derive(Args)]
pub(crate) struct LogsOptions {
    pub(crate) name: String,
    /// The server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8083")]
    pub(crate) endpoint: String,
}

#[derive(Args)]
pub(crate) struct RemoveOptions {
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) file: FunctionFile,
}

#[derive(Args)]
pub(crate) struct FmtOptions {
    /// Files with a state machine in JSON or YAML; `-` is standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write the other form; by default each file keeps its own.
    #[arg(long, value_name = "FORM")]
    pub(crate) to: Option<Format>,
    /// Print no text; fail if a file is not formatted.
    #[arg(long, conflicts_with_all = ["write", "to"])]
    pub(crate) check: bool,
    /// Change the files in place; with --to, write X.yaml beside X.json, or the reverse.
    #[arg(long)]
    pub(crate) write: bool,
    /// Leave comments out where YAML becomes JSON, which has none; otherwise that is refused.
    #[arg(long)]
    pub(crate) drop_comments: bool,
    /// One JSON object for each file.
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn account(text: &str) -> Result<String, String> {
    is_account(text).then(|| text.to_owned()).ok_or_else(|| "an account has twelve digits".to_owned())
}

pub(crate) fn region(text: &str) -> Result<String, String> {
    let problem = || "a region has letters, digits and hyphens, at most 32".to_owned();
    is_region(text).then(|| text.to_owned()).ok_or_else(problem)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn accounts_and_regions_are_checked() {
        assert!(super::account("123456789012").is_ok());
        assert!(super::account("12345678901").is_err());
        assert!(super::region("eu-central-1").is_ok());
        assert!(super::region("eu central").is_err());
    }
}
