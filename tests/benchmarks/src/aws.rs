//! A stand-in for AWS under one address: DynamoDB is a server of its own behind it, queues and secrets are kept here.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use serde_json::{Value, json};
use stagecall_core::work::Work;
use stagecall_http::{Guard, Limits, Method, Request, Sender, Transport as _};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use url::Url;

/// The stand-in. Dropping it ends it.
pub struct Aws {
    /// The address of all services.
    pub endpoint: String,
    shared: Shared,
    _table: Child,
}

#[derive(Clone)]
struct Shared {
    table: Url,
    sender: Sender,
    queued: Arc<Mutex<Vec<Work>>>,
    secrets: Arc<Mutex<HashMap<String, Value>>>,
}

impl Aws {
    /// Starts it; `table` is the program that plays DynamoDB.
    pub async fn start(table: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new(table)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", table.display()))?;
        let output = process.stdout.take().context("no output")?;
        let mut port = String::new();
        BufReader::new(output).read_line(&mut port).await?;
        let shared = Shared {
            table: format!("http://127.0.0.1:{}/", port.trim()).parse()?,
            sender: Sender::new(Guard::Sandbox)?,
            queued: Arc::default(),
            secrets: Arc::default(),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        // Without Nagle's delay, which the functions would wait for.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(shared.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self {
            endpoint,
            shared,
            _table: process,
        })
    }

    /// Puts a secret there.
    pub fn put_secret(&self, name: &str, secret: Value) {
        lock(&self.shared.secrets).insert(name.to_owned(), secret);
    }

    /// Takes all that was queued, in whichever queue.
    pub fn take_queued(&self) -> Vec<Work> {
        std::mem::take(&mut lock(&self.shared.queued))
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    if target.starts_with("DynamoDB_") {
        return pass_on(&shared, &headers, &body).await;
    }
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let entries = request["Entries"].as_array();
    let entries = entries.into_iter().flatten();
    let answer = match target.rsplit('.').next().unwrap_or_default() {
        "GetSecretValue" => {
            let name = request["SecretId"].as_str().unwrap_or_default();
            let secret = lock(&shared.secrets).get(name).map(Value::to_string);
            json!({"ARN": "arn", "Name": name, "VersionId": "v", "SecretString": secret})
        }
        "SendMessageBatch" => {
            let work = entries.clone().filter_map(|entry| {
                let body = entry["MessageBody"].as_str()?;
                serde_json::from_str::<Work>(body).ok()
            });
            lock(&shared.queued).extend(work);
            let taken = entries
                .map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0"}));
            json!({"Successful": taken.collect::<Vec<_>>(), "Failed": []})
        }
        "PutEvents" => {
            let taken: Vec<_> = entries.map(|_| json!({"EventId": "e"})).collect();
            json!({"FailedEntryCount": 0, "Entries": taken})
        }
        _ => return StatusCode::NOT_IMPLEMENTED.into_response(),
    };
    answer.to_string().into_response()
}

/// Passes a call on to the server that plays DynamoDB.
async fn pass_on(shared: &Shared, headers: &HeaderMap, body: &Bytes) -> Response {
    let mut request = Request::new(Method::Post, shared.table.clone());
    for (name, value) in headers {
        let own = [header::HOST, header::CONTENT_LENGTH, header::CONNECTION].contains(name);
        if let (false, Ok(value)) = (own, value.to_str()) {
            request = request.header(name.as_str(), value);
        }
    }
    request.body = body.to_vec();
    let limits = Limits {
        time: std::time::Duration::from_secs(30),
        answer: 64 << 20,
    };
    match shared.sender.send(request, limits).await {
        Ok(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, answer.body).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
