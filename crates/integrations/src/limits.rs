//! Every bound of this crate.

/// Most bytes of an answer that are read. Lambda answers up to 6 MiB; what is too large for a state is refused later,
/// with AWS's own error.
pub const RESPONSE_BYTES_MAX: usize = 6 * 1024 * 1024 + 64 * 1024;
/// Idle connections kept to one host. Ours: as many as tasks that commonly run at once.
pub const IDLE_CONNECTIONS_MAX: usize = 256;
/// Deepest nesting of parameters and results of AWS services. Ours: models nest about a dozen levels, recursive ones more.
pub const SHAPE_DEPTH_MAX: usize = 64;
/// Deepest nesting of parameters that are filled in for those who write a definition. Ours: what they want to see at once.
pub const SKELETON_DEPTH_MAX: usize = 4;
/// Most items, or elements, of an answer in CBOR or XML. Ours: more cannot be a payload of 256 KiB.
pub const ANSWER_ITEMS_MAX: usize = 1_000_000;
/// Largest index of services, uncompressed. Ours: four times the present one.
pub const INDEX_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Largest model of one service, uncompressed. Ours: several times that of EC2.
pub const MODEL_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Largest file of AWS profiles that is read. Ours.
pub const PROFILE_BYTES_MAX: u64 = 1024 * 1024;
/// Longest chain of profiles that name each other. Ours.
pub const PROFILES_CHAINED_MAX: usize = 8;
/// A token of IAM Identity Center is renewed so many seconds before it ends. Source: botocore.
pub const SSO_TOKEN_RENEWED_SECONDS: u64 = 15 * 60;
/// How long a source of credentials may take. Ours.
pub const CREDENTIALS_SECONDS_MAX: u64 = 30;
/// How long the instance's metadata service may take: where there is none, nothing answers. Source: AWS SDKs' default.
pub const METADATA_SECONDS_MAX: u64 = 2;
/// How long a connection may take to be made. Ours.
pub const CONNECT_SECONDS_MAX: u64 = 10;
/// How long an idle connection is kept. Ours: less than services keep theirs.
pub const IDLE_SECONDS_MAX: u64 = 20;
/// How long a call may take. Ours: what waits longest, GetActivityTask, takes a minute.
pub const CALL_SECONDS_MAX: u64 = 120;
/// How long a call of Lambda or of a model may take. Source: Lambda quotas, a function's longest run.
pub const LONG_CALL_SECONDS_MAX: u64 = 15 * 60 + 30;
/// Most roles whose sessions are kept. Ours.
pub const ROLE_SESSIONS_MAX: usize = 1_024;
/// The first pause before a job is asked for its state, in milliseconds. Ours; each further one is half as long again.
pub const JOB_POLL_FIRST_MS: u64 = 500;
/// The longest pause, in milliseconds. Ours.
pub const JOB_POLL_MAX_MS: u64 = 30_000;
/// The first pause before a nested execution is looked at, in milliseconds. Ours; each further one is half as long again.
pub const EXECUTION_POLL_FIRST_MS: u64 = 5;
/// The longest pause, in milliseconds. Ours.
pub const EXECUTION_POLL_MAX_MS: u64 = 1_000;
/// Calls of one service under way at once; further ones wait. Ours: as many as the engine runs tasks of one service.
pub const CALLS_AT_ONCE_MAX: usize = 2_500;
/// Calls of one service begun within a second; further ones wait. Ours.
pub const CALLS_PER_SECOND_MAX: u32 = 10_000;
/// Most places whose calls are counted. Ours: more than there are services.
pub const GATES_MAX: usize = 1_024;
/// How long an HTTP Task may wait for its answer, unless set otherwise. Source: Step Functions guide.
pub const HTTP_TASK_SECONDS_MAX: u64 = 60;
/// Longest URL of an HTTP Task, without what is added to it. Ours.
pub const HTTP_TASK_URL_BYTES_MAX: usize = 16 * 1024;
/// How long a token is used whose end is not told. Ours.
pub const TOKEN_SECONDS_DEFAULT: u64 = 300;
/// How long a token is used at most. Ours.
pub const TOKEN_SECONDS_MAX: u64 = 24 * 60 * 60;
/// So long before its end a token is used no more. Ours.
pub const TOKEN_SECONDS_SPARE: u64 = 30;
/// Bytes of an object of S3 that one call reads. Ours: few calls for large objects, and below `RESPONSE_BYTES_MAX`.
pub const OBJECT_PIECE_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a file that are read at once. Ours.
pub const FILE_PIECE_BYTES: usize = 1024 * 1024;
/// Files that a page of a folder's listing tells. Source: S3's `MaxKeys`.
pub const LISTING_PAGE_OBJECTS: usize = 1_000;
/// Most files and folders within one folder that is listed: their names are in memory. Ours.
pub const FOLDER_ENTRIES_MAX: usize = 1_000_000;
/// Deepest folder that is listed. Ours.
pub const FOLDER_DEPTH_MAX: usize = 64;
/// Bytes of a part of an upload to S3, but for the last; what is smaller is uploaded at once. Source: at least 5 MiB.
pub const UPLOAD_PART_BYTES: usize = 8 * 1024 * 1024;
/// Most parts of one upload. Source: S3 quotas.
pub const UPLOAD_PARTS_MAX: usize = 10_000;
/// Bytes after which a result file ends and the next one begins. Ours: what one call can still copy within S3.
pub const RESULT_FILE_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Bytes of a result file that are gathered before they are written. Ours.
pub const RESULT_BUFFER_BYTES: usize = 1024 * 1024;
/// Most items of a Map. Source: Step Functions quotas.
pub const ITEMS_MAX: u64 = 100_000_000;
/// Rows of a Parquet file that are read at a time, and about how many bytes of their texts. Ours.
pub const ROWS_AT_ONCE_MAX: usize = 1_000;
pub const ROWS_AT_ONCE_BYTES: usize = 1024 * 1024;
/// Largest manifest, in bytes. Ours: names of a hundred thousand files.
pub const MANIFEST_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most files that a manifest names. Ours.
pub const MANIFEST_FILES_MAX: usize = 200_000;
/// Tries of a call of S3 for a distributed Map, and the first pause between two, in milliseconds; each further one is twice as
/// long. Ours: about six seconds in all.
pub const S3_TRIES_MAX: u32 = 6;
pub const S3_PAUSE_FIRST_MS: u64 = 200;
/// How long a token of an EKS cluster is signed for, in seconds. Source: the AWS CLI's `eks get-token`.
pub const EKS_TOKEN_SECONDS: u64 = 60;
/// Pods of one Kubernetes job whose logs are fetched. Ours: more cannot fit a payload.
pub const EKS_PODS_MAX: usize = 100;
/// Pages of instance groups or fleets that are looked through for a name. Ours: a cluster has at most 50 groups.
pub const EMR_PAGES_MAX: usize = 100;
