//! `...:stateMachine:NAME#CASE`: an execution whose tasks are answered by a test case of the mock configuration file.
//!
//! The file is read anew at each start. Source: Step Functions Local; on AWS such an ARN is invalid, and so it is here
//! as long as no file is configured.

use std::{fs::File, io::Read, path::PathBuf, sync::Arc};

use stepwell_machine::{TestCase, limits::MOCK_CONFIG_BYTES_MAX};

use crate::error::Error;

/// Takes the test case's name off the ARN, and reads that test case.
pub(crate) async fn split(
    arn: Arc<str>,
    config: Option<&Arc<PathBuf>>,
) -> Result<(Arc<str>, Option<Arc<TestCase>>), Error> {
    let Some((config, (plain, case))) = config.zip(arn.split_once('#')) else {
        return Ok((arn, None));
    };
    let (plain, case, config) = (Arc::<str>::from(plain), case.to_owned(), config.clone());
    // `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME`, perhaps with a version or an alias behind it.
    let machine = plain.split(':').nth(6).unwrap_or_default().to_owned();
    let read = move || {
        let text = read(&config).map_err(|error| {
            Error::validation(format!("the mock configuration file `{}` cannot be read: {error}", config.display()))
        })?;
        TestCase::select(&text, &machine, &case).map_err(|error| Error::validation(error.to_string()))
    };
    let test_case = tokio::task::spawn_blocking(read).await.map_err(|_| Error::Internal)??;
    Ok((plain, Some(Arc::new(test_case))))
}

/// One byte more than may be is read of a file that is too large, which is then refused as such.
fn read(path: &PathBuf) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOCK_CONFIG_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}
