//! The history of an execution as server-sent events: what there is, then what comes, until the execution has ended.
//!
//! Each message is a batch in the shape of `…/events`, its id that of the batch's last event, so that a client that was
//! cut off goes on by `Last-Event-ID`. After the execution's last event comes a message of type `end`, and the stream
//! ends. The store is read at intervals (`limits::STREAM_PAUSE_MIN` to `…_MAX`); nothing but what is durable is seen.
//! Source of the format: HTML Living Standard, "Server-sent events".

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    body::{Body, Frame},
    header::{HeaderMap, HeaderName},
};
use stepwell_machine::history::Detail;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, watch},
    time::sleep,
};

use super::{event_id, events_text, page};
use crate::{
    error::Error,
    http::Api,
    limits,
    race::{First, race},
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// A comment, which clients skip.
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");
const END: Bytes = Bytes::from_static(b"event: end\ndata: {}\n\n");

/// The body of the answer: batches as they come.
pub(crate) struct Events(mpsc::Receiver<Bytes>);

impl Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The event after which a client wants to go on; 0 is before the first.
pub(super) fn resumes_after(headers: &HeaderMap) -> Result<u64, Error> {
    headers.get(LAST_EVENT_ID).map_or(Ok(0), |id| event_id(id.to_str().unwrap_or("")))
}

/// Opens a stream. Fails if there are [`limits::STREAMS_MAX`] already, or no such execution.
pub(super) async fn open(
    api: &Api,
    arn: Arc<str>,
    after: u64,
    stopping: watch::Receiver<bool>,
) -> Result<Events, Error> {
    let permit = api.streams.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Error::TooManyStreams { limit: limits::STREAMS_MAX })?;
    if after > 0 {
        // Nothing behind an event is no error to the store, so the existence is asked for by itself.
        page(api, arn.clone(), 0).await?;
    }
    let (to, events) = mpsc::channel(limits::STREAM_BATCHES_MAX);
    let first = read(api, &arn, after).await?;
    let stream = Stream { api: api.clone(), arn, after, to, stopping, _permit: permit };
    tokio::spawn(stream.run(first));
    Ok(Events(events))
}

/// Events that were read, as one message.
struct Batch {
    text: Option<Bytes>,
    last: u64,
    more: bool,
    ended: bool,
}

async fn read(api: &Api, arn: &Arc<str>, after: u64) -> Result<Batch, Error> {
    let page = page(api, arn.clone(), after).await?;
    let last = page.events.last();
    let ended = last.is_some_and(|event| ends(&event.detail));
    let last_id = last.map_or(after, |event| event.id);
    let text = last.map(|event| format!("id: {}\ndata: {}\n\n", event.id, events_text(&page, None)).into());
    Ok(Batch { text, last: last_id, more: page.last.is_some(), ended })
}

fn ends(detail: &Detail) -> bool {
    matches!(
        detail,
        Detail::ExecutionSucceeded { .. }
            | Detail::ExecutionFailed(_)
            | Detail::ExecutionAborted(_)
            | Detail::ExecutionTimedOut(_)
    )
}

struct Stream {
    api: Api,
    arn: Arc<str>,
    after: u64,
    to: mpsc::Sender<Bytes>,
    stopping: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Stream {
    /// Ends with the execution, the client, the server, or when the store cannot be read: the client then asks again.
    async fn run(mut self, first: Batch) {
        let mut batch = first;
        let mut pause = limits::STREAM_PAUSE_MIN;
        let mut silence = Duration::ZERO;
        loop {
            self.after = batch.last;
            let (more, ended) = (batch.more, batch.ended);
            if let Some(text) = batch.text {
                if self.to.send(text).await.is_err() {
                    return;
                }
                (pause, silence) = (limits::STREAM_PAUSE_MIN, Duration::ZERO);
            }
            // What was redriven goes on behind its end; who wants that opens the stream again.
            if ended && !more {
                let _ = self.to.send(END).await;
                return;
            }
            if !more {
                if self.over_within(pause).await {
                    return;
                }
                silence += pause;
                pause = (pause * 2).min(limits::STREAM_PAUSE_MAX);
            }
            if silence >= limits::STREAM_HEARTBEAT {
                silence = Duration::ZERO;
                if self.to.send(HEARTBEAT).await.is_err() {
                    return;
                }
            }
            batch = match read(&self.api, &self.arn, self.after).await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::debug!(%error, "a stream of events ended");
                    return;
                }
            };
        }
    }

    /// Waits, at most so long; true if the client has gone or the server stops.
    async fn over_within(&mut self, pause: Duration) -> bool {
        let over = race(self.to.closed(), self.stopping.wait_for(|stopping| *stopping));
        matches!(race(over, sleep(pause)).await, First::Left(_))
    }
}
