//! The messages of the control API, as JSON.

mod eploy;
mod judging;
mod participants;
mod wecp;
mod willo;

use serde::{Deserialize, Serialize};

pub use self::eploy::*;
pub use self::judging::*;
pub use self::participants::*;
pub use self::wecp::*;
pub use self::willo::*;

/// An HRMS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HrmsInfo {
    /// Its webhook URL.
    pub url: String,
}
