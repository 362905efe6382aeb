//! Calls from outside as the HTTP API hands them to the function that takes callbacks.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use stagecall_core::ports::{IncomingCall, PlatformConnections as _};

use crate::outside::{Outside, silent, tenant};
use crate::run::Target;

#[path = "../../../../functions/callback/src/call.rs"]
mod call;

/// Calls.
pub const CALL: Target = Target {
    name: "callback-call",
    samples: &[
        include_str!("../../../events/callback.json"),
        r#"{"version": "2.0", "routeKey": "POST /callbacks/{tenant}/{account}/{token}", "rawPath": "/x", "rawQueryString": "event=new_response&x=%C3%A9", "headers": {"content-type": "application/json", "x-wecp-signature": "opaque-token"}, "requestContext": {"http": {"method": "POST", "path": "/x", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "Ada Example"}, "stage": "$default", "timeEpoch": 1795341600000}, "pathParameters": {"tenant": "acme", "account": "wecp", "token": "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"}, "body": "eyJldmVudCI6ICJUZXN0IEZpbmlzaGVkIiwgImRhdGEiOiB7ImNhbmRpZGF0ZSI6IHsiX2lkIjogImMxIn19fQ==", "isBase64Encoded": true}"#,
    ],
    check: read,
};

/// The largest body that is taken.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// What is taken for a call has an address that can be one and the body that was sent; what is not is told nothing.
fn read(input: &[u8], _: u64) -> Result<(), String> {
    let Ok(event) = serde_json::from_slice::<ApiGatewayV2httpRequest>(input) else {
        return Ok(());
    };
    let (sent, encoded) = (
        event.body.clone().unwrap_or_default(),
        event.is_base64_encoded,
    );
    let taken = match call::Call::read(event) {
        Ok(taken) => taken,
        Err(wrong) => {
            let (status, text) = wrong.reply();
            if !(400..500).contains(&status) {
                return Err(format!("{status} is answered to nonsense"));
            }
            return silent(text);
        }
    };
    let named = |name: &str| (1..=128).contains(&name.len());
    if !named(taken.tenant.as_str()) || !named(taken.account.as_str()) {
        return Err(format!("{}/{} is an address", taken.tenant, taken.account));
    }
    if taken.token.len() != 64 || !taken.token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("a token is none".to_owned());
    }
    let body = if encoded {
        STANDARD
            .decode(&sent)
            .map_err(|_| "it was decoded, which cannot be")?
    } else {
        sent.into_bytes()
    };
    if taken.body != body || body.len() > MAX_BODY_BYTES {
        return Err(format!("{} bytes became {}", body.len(), taken.body.len()));
    }
    let connections = Outside::new(200, b"", false).platforms();
    let tenant = tenant(&json!({}))?;
    for account in ["willo", "wecp"] {
        let reader = connections.reader(&tenant, &account.into());
        let reader = reader.ok_or("there is no reader")?;
        let hint = reader.read(&IncomingCall {
            query: &taken.query,
            headers: &taken.headers,
            body: &taken.body,
        });
        match hint {
            Err(error) => silent(&error.to_string())?,
            // A text that is no JSON, however kindly it is read, has no references, whatever headers and query say.
            Ok(hint) if stagecall_http::read_json(&taken.body).is_err() => {
                return Err(format!("{hint:?} was read of no JSON"));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}
