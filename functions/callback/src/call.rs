//! A call in the HTTP API's payload format 2.0.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stagecall_core::ids::{AccountId, TenantId};
use url::form_urlencoded;

/// The limit of a body. Willo's are a few kilobytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The limit of a tenant's or account's name.
const MAX_NAME_BYTES: usize = 128;

/// The length of a token: 256 bits in hex.
const TOKEN_CHARS: usize = 64;

/// A call that may come from a platform. Not `Debug`: its token is secret, its body personal data.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Call {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) token: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why a call cannot come from a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// No such address. A wrong token gets the same answer, so that callers learn nothing from it.
    Address,
    /// The body is too large.
    Size,
    /// The body is not valid base64.
    Encoding,
}

impl Wrong {
    pub(crate) fn reply(self) -> (i64, &'static str) {
        match self {
            Self::Address => (404, "no such address\n"),
            Self::Size => (413, "too large\n"),
            Self::Encoding => (400, "not understood\n"),
        }
    }
}

impl Call {
    /// Parses a call to `/callbacks/{tenant}/{account}/{token}`.
    pub(crate) fn read(request: ApiGatewayV2httpRequest) -> Result<Self, Wrong> {
        let part = |name: &str| {
            request
                .path_parameters
                .get(name)
                .cloned()
                .unwrap_or_default()
        };
        let (tenant, account, token) = (part("tenant"), part("account"), part("token"));
        let named = |name: &str| (1..=MAX_NAME_BYTES).contains(&name.len());
        let is_token =
            token.len() == TOKEN_CHARS && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !named(&tenant) || !named(&account) || !is_token {
            return Err(Wrong::Address);
        }
        let body = body(request.body.unwrap_or_default(), request.is_base64_encoded)?;
        let query = request.raw_query_string.unwrap_or_default();
        let headers = request.headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        Ok(Self {
            tenant: TenantId::new(tenant),
            account: AccountId::new(account),
            token,
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            headers: headers.collect(),
            body,
        })
    }
}

fn body(text: String, is_base64: bool) -> Result<Vec<u8>, Wrong> {
    if !is_base64 {
        return if text.len() > MAX_BODY_BYTES {
            Err(Wrong::Size)
        } else {
            Ok(text.into_bytes())
        };
    }
    // Checked before decoding: base64 has four characters for every three bytes or part of them.
    if text.len() > MAX_BODY_BYTES.div_ceil(3) * 4 {
        return Err(Wrong::Size);
    }
    let body = STANDARD.decode(text).map_err(|_| Wrong::Encoding)?;
    if body.len() > MAX_BODY_BYTES {
        Err(Wrong::Size)
    } else {
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(change: impl FnOnce(&mut serde_json::Value)) -> ApiGatewayV2httpRequest {
        let mut event =
            serde_json::from_str(include_str!("../../../tests/events/callback.json")).unwrap();
        change(&mut event);
        serde_json::from_value(event).unwrap()
    }

    fn wrong(change: impl FnOnce(&mut serde_json::Value)) -> Wrong {
        Call::read(request(change)).unwrap_err()
    }

    #[test]
    fn a_call_has_everything_that_a_signature_may_need() {
        let call = Call::read(request(|event| {
            event["rawQueryString"] = json!("b=2&a=x%20y&b=1");
        }))
        .unwrap();
        assert_eq!(
            (call.tenant.as_str(), call.account.as_str()),
            ("acme", "willo")
        );
        let pairs = [("b", "2"), ("a", "x y"), ("b", "1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(call.query, pairs);
        assert!(
            call.headers
                .contains(&("content-type".to_owned(), "application/json".to_owned()))
        );
        assert!(call.body.starts_with(b"{"));
    }

    #[test]
    fn an_encoded_body_is_decoded() {
        let call = Call::read(request(|event| {
            event["isBase64Encoded"] = json!(true);
            event["body"] = json!(STANDARD.encode([0_u8, 159, 146, 150]));
        }));
        assert_eq!(call.unwrap().body, [0, 159, 146, 150]);
        let garbled = wrong(|event| {
            event["isBase64Encoded"] = json!(true);
            event["body"] = json!("*");
        });
        assert_eq!(garbled, Wrong::Encoding);
    }

    #[test]
    fn a_malformed_address_is_rejected() {
        for (name, value) in [
            ("tenant", String::new()),
            ("tenant", "x".repeat(129)),
            ("account", String::new()),
            ("token", "short".to_owned()),
            ("token", "g".repeat(64)),
        ] {
            assert_eq!(
                wrong(|event| event["pathParameters"][name] = json!(value)),
                Wrong::Address
            );
        }
        assert_eq!(
            wrong(|event| event["pathParameters"] = json!(null)),
            Wrong::Address
        );
    }

    #[test]
    fn a_body_at_the_limit_is_accepted_and_a_larger_one_is_rejected() {
        for encoded in [false, true] {
            let sized = |size: usize| {
                request(|event| {
                    event["isBase64Encoded"] = json!(encoded);
                    let body = "x".repeat(size);
                    event["body"] = json!(if encoded { STANDARD.encode(body) } else { body });
                })
            };
            assert_eq!(
                Call::read(sized(MAX_BODY_BYTES)).unwrap().body.len(),
                MAX_BODY_BYTES
            );
            for size in [MAX_BODY_BYTES + 1, MAX_BODY_BYTES + 2, 2 * MAX_BODY_BYTES] {
                assert_eq!(Call::read(sized(size)).unwrap_err(), Wrong::Size);
            }
        }
    }
}
