//! What the stores read back: documents and the rows around them, from DynamoDB and from the `SQLite` file.

pub mod columns;
pub mod documents;
mod file;
pub mod items;

use stagecall_core::error::StoreError;
use stagecall_core::ids::{AssessmentRef, InvitationKey};

use crate::outside::silent;

/// Whose rows these are.
pub const TENANT: &str = "acme";

/// The invitation that the stores are asked for.
pub fn invitation() -> InvitationKey {
    InvitationKey {
        tenant: TENANT.into(),
        application: "70215".into(),
        mapping: "video".into(),
        round: 1,
    }
}

/// The assessment whose sweep the stores are asked for.
pub fn assessment() -> AssessmentRef {
    AssessmentRef {
        account: "willo".into(),
        assessment: "i1".into(),
    }
}

/// An error about a row is permanent, because only a person can fix it. It names the row and repeats nothing of it.
pub fn mendable(error: &StoreError, row: &str) -> Result<(), String> {
    silent(&format!("{error} {error:?}"))?;
    if !error.lasting {
        return Err(format!("it is said to pass by itself: {error}"));
    }
    if !error.to_string().contains(row) {
        return Err(format!("\"{row}\" is not named: {error}"));
    }
    Ok(())
}
