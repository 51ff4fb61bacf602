//! Round trips, pages, listings, queues, damaged rows, and the rows of released formats.

mod counting;
mod damage;
mod formats;
mod listing;
mod pages;
mod recovery;
mod round_trip;
mod samples;
