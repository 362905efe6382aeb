//! Sends one request over TLS as this crate does it, trusting one more root, and prints the milliseconds from client set-up
//! to the response. `tests/bench` runs it with a small share of a core.
//!
//! Arguments: the address, and a file with the root's certificate in DER. No server on the loopback can have a root that a
//! function trusts, so this example measures instead of a function.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("give an address and a file with a root's certificate".into());
    };
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    roots.add(CertificateDer::from(std::fs::read(file)?))?;

    let begun = Instant::now();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let mut tls = stagecall_http::tls()?;
    tls.dangerous().set_certificate_verifier(verifier.build()?);
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build()?;
    client.get(address).send().await?.error_for_status()?;
    println!("{:.3}", begun.elapsed().as_secs_f64() * 1000.0);
    Ok(())
}
