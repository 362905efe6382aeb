//! Calls from outside as the HTTP API hands them to the function that takes callbacks.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;
use serde_json::json;
use stagecall_core::ports::{IncomingCall, PlatformConnections as _};
use url::form_urlencoded;

use crate::outside::{Outside, silent, tenant};
use crate::run::{Target, block};

#[path = "../../../../functions/callback/src/event.rs"]
mod event;

/// Calls.
pub const CALL: Target = Target {
    name: "callback-call",
    samples: &[
        include_str!("../../../events/callback.json"),
        r#"{"version": "2.0", "routeKey": "POST /callbacks/{tenant}/{account}/{token}", "rawPath": "/x", "rawQueryString": "event=new_response&x=%C3%A9", "headers": {"content-type": "application/json", "x-wecp-signature": "opaque-token"}, "requestContext": {"http": {"method": "POST", "path": "/x", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "Ada Example"}, "stage": "$default", "timeEpoch": 1795341600000}, "pathParameters": {"tenant": "acme", "account": "wecp", "token": "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"}, "body": "eyJldmVudCI6ICJUZXN0IEZpbmlzaGVkIiwgImRhdGEiOiB7ImNhbmRpZGF0ZSI6IHsiX2lkIjogImMxIn19fQ==", "isBase64Encoded": true}"#,
    ],
    check: read,
};

/// What is taken for a call has the address and the body that were sent; what is not is told nothing.
fn read(input: &[u8], _: u64) -> Result<(), String> {
    let Ok(event) = serde_json::from_slice::<ApiGatewayV2httpRequest>(input) else {
        return Ok(());
    };
    let (sent, encoded) = (
        event.body.clone().unwrap_or_default(),
        event.is_base64_encoded,
    );
    let parameters = event.path_parameters.clone();
    let request = match event::request(event) {
        Ok(request) => request,
        Err(answer) => {
            let answer = event::response(answer.into());
            if !(400..500).contains(&answer.status_code) {
                return Err(format!("{} is answered to nonsense", answer.status_code));
            }
            return silent(&format!("{:?}", answer.body));
        }
    };
    let (head, body) = request.into_parts();
    let named = ["tenant", "account", "token"].map(|name| parameters.get(name).cloned());
    let segments: Result<Vec<_>, _> = (head.uri.path().split('/').skip(2))
        .map(|segment| percent_decode_str(segment).decode_utf8())
        .collect();
    let segments = segments.map_err(|error| error.to_string())?;
    if segments != named.map(Option::unwrap_or_default) {
        return Err("the address is another".to_owned());
    }
    let whole = if encoded {
        STANDARD
            .decode(&sent)
            .map_err(|_| "it was decoded, which cannot be")?
    } else {
        sent.into_bytes()
    };
    let body = block(body.collect())?.map_err(|error| error.to_string())?;
    let body = body.to_bytes();
    if body != whole {
        return Err(format!("{} bytes became {}", whole.len(), body.len()));
    }
    let query = head.uri.query().unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let connections = Outside::new(200, b"", false).platforms();
    let tenant = tenant(&json!({}))?;
    for account in ["willo", "wecp"] {
        let reader = connections.reader(&tenant, &account.into());
        let reader = reader.ok_or("there is no reader")?;
        let hint = reader.read(&IncomingCall {
            query: &query,
            headers: &[],
            body: &body,
        });
        match hint {
            Err(error) => silent(&error.to_string())?,
            // A text that is no JSON, however kindly it is read, has no references, whatever headers and query say.
            Ok(hint) if stagecall_http::read_json(&body).is_err() => {
                return Err(format!("{hint:?} was read of no JSON"));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}
