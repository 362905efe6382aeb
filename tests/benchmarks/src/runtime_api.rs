//! A stand-in for Lambda's Runtime API, for one process: it hands out events and takes answers, without Nagle's delay.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// What a process told.
enum Told {
    /// It asks for an event.
    Next(Instant),
    /// It is done with one.
    Answer(Value),
    /// It failed, at its start or with an event.
    Error(String),
}

/// The stand-in. Dropping it ends it.
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Event>,
    told: mpsc::UnboundedReceiver<Told>,
    server: JoinHandle<()>,
}

struct Event {
    body: String,
    /// Milliseconds since 1970.
    deadline: u128,
}

impl RuntimeApi {
    /// Listens on a free port of the loopback.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (events, waiting) = mpsc::unbounded_channel();
        let (tell, told) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (waiting, tell) = (waiting.clone(), tell.clone());
                // A connection that breaks is the end of the process, which is noticed by its silence.
                tokio::spawn(async move { serve(stream, &waiting, &tell).await.ok() });
            }
        });
        Ok(Self {
            address,
            events,
            told,
            server,
        })
    }

    /// What the process needs as `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the process asks for an event, and tells when it did.
    pub async fn ready(&mut self) -> anyhow::Result<Instant> {
        match self.next(Duration::from_mins(1)).await? {
            Told::Next(at) => Ok(at),
            Told::Error(error) => bail!("the function does not start: {error}"),
            Told::Answer(_) => bail!("the function answers without being asked"),
        }
    }

    /// Lets the process, which is ready, handle an event in `time`, and waits until it is ready again.
    pub async fn invoke(&mut self, event: &Value, time: Duration) -> anyhow::Result<Value> {
        let deadline = (SystemTime::now() + time).duration_since(UNIX_EPOCH)?;
        let body = event.to_string();
        self.events.send(Event {
            body,
            deadline: deadline.as_millis(),
        })?;
        let answer = match self.next(time).await? {
            Told::Answer(answer) => answer,
            Told::Error(error) => bail!("the function failed: {error}"),
            Told::Next(_) => bail!("the function asks for more before it has answered"),
        };
        self.ready().await?;
        Ok(answer)
    }

    async fn next(&mut self, time: Duration) -> anyhow::Result<Told> {
        let told = tokio::time::timeout(time, self.told.recv()).await;
        told.context("the function is silent")?
            .context("the stand-in has ended")
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves one connection for as long as it lasts.
async fn serve(
    stream: TcpStream,
    events: &Mutex<mpsc::UnboundedReceiver<Event>>,
    tell: &mpsc::UnboundedSender<Told>,
) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = String::new();
        stream.read_line(&mut request).await?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            if stream.read_line(&mut header).await? == 0 {
                return Ok(());
            }
            let Some((name, value)) = header.split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        let now = Instant::now();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let answer = if request.contains("/invocation/next") {
            tell.send(Told::Next(now))?;
            let event = events.lock().await.recv().await.context("no more events")?;
            format!(
                "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: {}\r\n\
                 Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-2:123456789012:function:f\r\n\
                 Content-Length: {}\r\n\r\n{}",
                event.deadline,
                event.body.len(),
                event.body
            )
        } else {
            tell.send(if request.contains("/response ") {
                Told::Answer(serde_json::from_slice(&body)?)
            } else {
                Told::Error(String::from_utf8_lossy(&body).into_owned())
            })?;
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}
