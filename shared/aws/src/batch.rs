//! Sending many small things: ten in a call, calls side by side, and once more what an answer says was not taken.

use futures::{StreamExt as _, stream};

/// The most that SQS and EventBridge take in one call.
const LARGEST: usize = 10;

/// The most calls under way at once.
const SIDE_BY_SIDE: usize = 8;

/// One of a batch that was not taken.
pub(crate) struct Refused {
    /// Its place in the batch, from 0.
    pub(crate) place: usize,
    /// Why, as AWS names it.
    pub(crate) code: String,
}

impl Refused {
    /// The one of this id, where ids are the places.
    pub(crate) fn of(id: &str, code: String) -> Result<Self, String> {
        match id.parse() {
            Ok(place) => Ok(Self { place, code }),
            Err(_) => Err(STRANGE.to_owned()),
        }
    }
}

/// An answer that refuses what was not asked for says nothing of what was: none of the batch counts as taken.
const STRANGE: &str =
    "the answer of AWS speaks of a message that it was not sent; it is tried again";

/// What became of all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How many were not taken.
    pub(crate) lost: usize,
    /// Why, of one of them.
    pub(crate) code: Option<String>,
    /// The first call that failed altogether, in words.
    pub(crate) failure: Option<String>,
}

/// Sends all by `send`, which takes one batch and returns those of it that were not taken.
pub(crate) async fn send_all<T, F>(all: Vec<T>, send: impl Fn(Vec<T>) -> F) -> Outcome
where
    T: Clone,
    F: Future<Output = Result<Vec<Refused>, String>>,
{
    let batches: Vec<Vec<T>> = all.chunks(LARGEST).map(<[T]>::to_vec).collect();
    stream::iter(batches)
        .map(|batch| send_twice(batch, &send))
        .buffer_unordered(SIDE_BY_SIDE)
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
