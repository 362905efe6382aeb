//! A DynamoDB in memory. Says its port on a line of its own, and ends when its input does: with the process that started
//! it, however that ends.

use dynoxide::Database;
use dynoxide::server::serve_with_shutdown;
use tokio::io::{AsyncReadExt as _, stdin};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = Database::memory().map_err(|error| error.to_string())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?.port());
    serve_with_shutdown(listener, database, async {
        let mut input = Vec::new();
        let _ = stdin().read_to_end(&mut input).await;
    })
    .await?;
    Ok(())
}
