//! One in-memory DynamoDB for all tests of this process, with a table for each.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
use stagecall_aws::Store;
use stagecall_aws::layout::create_table;

const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dynamodb");

struct Server {
    port: u16,
    /// Its input ends with this process, and so does it.
    _process: Child,
}

/// Builds the stand-in if necessary, and starts it.
fn start() -> Server {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut process = Command::new(cargo)
        .args(["run", "--quiet", "--locked", "--manifest-path"])
        .arg(format!("{PACKAGE}/Cargo.toml"))
        .args([
            "--target-dir",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../target/dynamodb"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut port)
        .unwrap();
    Server {
        port: port
            .trim()
            .parse()
            .expect("the stand-in for DynamoDB does not start; its build says why"),
        _process: process,
    }
}

/// The configuration of a client of the stand-in.
pub fn config() -> Builder {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let port = SERVER.get_or_init(start).port;
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-2"))
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .credentials_provider(Credentials::new("id", "key", None, None, "tests"))
        .http_client(stagecall_aws::https_client().unwrap())
}

/// A new table, by its name.
pub async fn table() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("stagecall-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let client = aws_sdk_dynamodb::Client::from_conf(config().build());
    create_table(&client, &name).await.unwrap();
    name
}

/// The store in the table of this name, opened by a new process.
pub fn store(table: &str) -> Store {
    Store::new(aws_sdk_dynamodb::Client::from_conf(config().build()), table)
}
