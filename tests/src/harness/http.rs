//! Minimal HTTP, so that a test can send what no client would.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
}

/// Sends a request and reads the answer until the connection ends.
pub async fn request(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut connection = TcpStream::connect(to).await.unwrap();
    let lines = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n{}content-length: {}\r\n\r\n",
        lines.collect::<String>(),
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    // A server that rejects a body need not read all of it.
    let _ = connection.write_all(body).await;
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Reply {
        status: status.unwrap_or_else(|| panic!("no HTTP answer to {method} {path}: {head:?}")),
        body: body.to_owned(),
    }
}

/// The timeout for an answer to raw bytes.
const READ_TIMEOUT: Duration = Duration::from_secs(40);

/// Sends these bytes as they are and returns everything until the other side closes the connection. `None` if it never
/// does.
pub async fn raw(to: SocketAddr, bytes: &[u8]) -> Option<String> {
    let mut connection = TcpStream::connect(to).await.unwrap();
    // A server that rejects a request need not read all of it, and may close before.
    let _ = connection.write_all(bytes).await;
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(READ_TIMEOUT, connection.read_to_end(&mut answer)).await;
    ended
        .is_ok()
        .then(|| String::from_utf8_lossy(&answer).into_owned())
}
