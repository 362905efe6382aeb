//! What goes to and comes from the control API, as JSON.

mod eploy;
mod judging;
mod participants;
mod wecp;
mod willo;

pub use self::eploy::*;
pub use self::judging::*;
pub use self::participants::*;
pub use self::wecp::*;
pub use self::willo::*;
