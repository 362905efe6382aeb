//! Batched sending: ten entries per call, concurrent calls, and one retry of entries that were not taken.

use futures::{StreamExt as _, stream};

/// The maximum number of entries that SQS and EventBridge take in one call.
const MAX_BATCH_ENTRIES: usize = 10;

const MAX_CONCURRENT_CALLS: usize = 8;

/// An entry of a batch that was not taken.
pub(crate) struct Refused {
    /// Its place in the batch, from 0.
    pub(crate) place: usize,
    /// AWS's error code.
    pub(crate) code: String,
}

impl Refused {
    /// The entry of this id; ids are places.
    pub(crate) fn of(id: &str, code: String) -> Result<Self, String> {
        match id.parse() {
            Ok(place) => Ok(Self { place, code }),
            Err(_) => Err(STRANGE.to_owned()),
        }
    }
}

/// A response that refuses an unknown entry says nothing about the sent ones: none of the batch counts as taken.
const STRANGE: &str = "the response of AWS names a message that was not sent; the call is retried";

/// The outcome of all entries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The number of entries not taken.
    pub(crate) lost: usize,
    /// The error code of one of them.
    pub(crate) code: Option<String>,
    /// The error of the first call that failed completely.
    pub(crate) failure: Option<String>,
}

/// Sends all with `send`, which takes one batch and returns its entries that were not taken.
pub(crate) async fn send_all<T, F>(all: Vec<T>, send: impl Fn(Vec<T>) -> F) -> Outcome
where
    T: Clone,
    F: Future<Output = Result<Vec<Refused>, String>>,
{
    let batches: Vec<Vec<T>> = all.chunks(MAX_BATCH_ENTRIES).map(<[T]>::to_vec).collect();
    stream::iter(batches)
        .map(|batch| send_twice(batch, &send))
        .buffer_unordered(MAX_CONCURRENT_CALLS)
        .fold(Outcome::default(), async |sum, one| Outcome {
            lost: sum.lost + one.lost,
            code: sum.code.or(one.code),
            failure: sum.failure.or(one.failure),
        })
        .await
}

async fn send_twice<T, F>(batch: Vec<T>, send: &impl Fn(Vec<T>) -> F) -> Outcome
where
    T: Clone,
    F: Future<Output = Result<Vec<Refused>, String>>,
{
    let mut rest = batch;
    let mut refused = Vec::new();
    for _ in 0..2 {
        let answer = send(rest.clone()).await.and_then(|refused| {
            if refused.iter().all(|one| one.place < rest.len()) {
                Ok(refused)
            } else {
                Err(STRANGE.to_owned())
            }
        });
        refused = match answer {
            Ok(refused) => refused,
            Err(failure) => {
                return Outcome {
                    lost: rest.len(),
                    failure: Some(failure),
                    code: None,
                };
            }
        };
        rest = refused
            .iter()
            .filter_map(|one| rest.get(one.place).cloned())
            .collect();
        if rest.is_empty() {
            break;
        }
    }
    Outcome {
        lost: rest.len(),
        code: refused.into_iter().next().map(|one| one.code),
        failure: None,
    }
}
