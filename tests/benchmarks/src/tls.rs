//! How long the first request over TLS takes with a small share of a core.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

use crate::figure::{Aim, Figure};
use crate::share::{Group, SHARE};
use crate::start::median;

/// How many milliseconds more than with the whole core.
const MAX_EXTRA_MILLIS: f64 = 50.0;

/// How often each is measured.
const TURNS: usize = 15;

/// Runs the example of `shared/http` against a server of ours, with and without the whole core.
pub async fn measure(example: &Path) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("root.der");
    let address = serve(&root).await?;
    let once = async |mut command: Command| -> anyhow::Result<f64> {
        let output = command.arg(&address).arg(&root).output().await?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "the first request failed: {error}");
        let text = String::from_utf8(output.stdout)?;
        text.trim().parse().context("the example printed no time")
    };
    let group = Group::new();
    let (mut whole, mut part) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        whole.push(once(Command::new(example)).await?);
        if let Ok(group) = &group {
            part.push(once(group.command(example)).await?);
        }
    }
    let whole = median(whole);
    let more = format!(
        "first TLS request: more with {:.0} % of a core",
        SHARE * 100.0
    );
    let aim = Aim::AtMost(MAX_EXTRA_MILLIS);
    let more = match &group {
        Ok(_) => Figure::new(more, median(part) - whole, "ms", aim),
        Err(why) => Figure::missing(more, why.clone(), "ms", aim),
    };
    Ok(vec![
        Figure::new("first TLS request: with a core", whole, "ms", Aim::None),
        more,
    ])
}

/// Serves HTTPS on the loopback with a certificate of its own, which goes into a file. Returns the address.
async fn serve(root: &Path) -> anyhow::Result<String> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&key)?;
    std::fs::write(root, certificate.der())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = format!("https://localhost:{}/", listener.local_addr()?.port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            // What goes wrong here, the example says.
            tokio::spawn(async move {
                stream.set_nodelay(true)?;
                let mut stream = acceptor.accept(stream).await?;
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await?;
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    .await?;
                stream.shutdown().await
            });
        }
    });
    Ok(address)
}
