//! Where an installation is, as the command line gives it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

/// The installation that a command works on.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Installation")]
pub(crate) struct Arguments {
    /// The store: sqlite:PATH or aws:STACK. [default: sqlite:stagecall.db]
    #[arg(long, global = true, env = "STAGECALL_STORE", value_name = "STORE")]
    pub(crate) store: Option<StoreUrl>,
    /// The configuration file of `serve`, if there is one: it names the store, the intervals and the secrets of its tenants.
    #[arg(long, global = true, env = "STAGECALL_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Allow http and loopback addresses. Only for use with `stagecall sandbox`.
    #[arg(long, global = true, env = "STAGECALL_SANDBOX")]
    pub(crate) sandbox: bool,
}

/// Where an installation's store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    Sqlite(PathBuf),
    /// The AWS stack of this name.
    Aws(String),
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("aws", stack)) if !stack.is_empty() => Ok(Self::Aws(stack.to_owned())),
            _ => Err("give sqlite:PATH or aws:STACK".to_owned()),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(to, "sqlite:{}", path.display()),
            Self::Aws(stack) => write!(to, "aws:{stack}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_url_parses_and_prints_alike() {
        for text in [
            "sqlite:/var/lib/stagecall.db",
            "aws:stagecall-prod",
            "sqlite:a:b",
        ] {
            assert_eq!(text.parse::<StoreUrl>().unwrap().to_string(), text);
        }
        for wrong in ["", "stagecall.db", "sqlite:", "aws:", "s3:bucket"] {
            assert!(wrong.parse::<StoreUrl>().is_err(), "{wrong}");
        }
    }
}
