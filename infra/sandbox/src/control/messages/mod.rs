//! What goes to and comes from the control API, as JSON.

mod eploy;
mod judging;
mod willo;

pub use self::eploy::*;
pub use self::judging::*;
pub use self::willo::*;
