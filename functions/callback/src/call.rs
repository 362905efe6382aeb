//! A call as the HTTP API hands it over (payload format 2.0).

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stagecall_core::ids::{AccountId, TenantId};
use url::form_urlencoded;

/// The largest body, in bytes. Willo's are a few kilobytes.
const LARGEST: usize = 256 * 1024;

/// The longest name of a tenant or an account that is looked up.
const LONGEST_NAME: usize = 128;

/// The length of a token: 256 bits in hex.
const TOKEN: usize = 64;

/// A call that could be a platform's. Not `Debug`: its token is secret, its body somebody's.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Call {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) token: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why a call cannot be a platform's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// No such address. The same answer as for a wrong token, so that nothing can be learned from it.
    Address,
    /// The body is too large.
    Size,
    /// The body was not handed over as it should be.
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
    /// Reads a call to `/callbacks/{tenant}/{account}/{token}`.
    pub(crate) fn read(request: ApiGatewayV2httpRequest) -> Result<Self, Wrong> {
        let part = |name: &str| {
            request
                .path_parameters
                .get(name)
                .cloned()
                .unwrap_or_default()
        };
        let (tenant, account, token) = (part("tenant"), part("account"), part("token"));
        let named = |name: &str| (1..=LONGEST_NAME).contains(&name.len());
        let is_token = token.len() == TOKEN && token.bytes().all(|byte| byte.is_ascii_hexdigit());
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
        return if text.len() > LARGEST {
            Err(Wrong::Size)
        } else {
            Ok(text.into_bytes())
        };
    }
    // Before it is decoded: four characters for every three bytes begun.
    if text.len() > LARGEST.div_ceil(3) * 4 {
        return Err(Wrong::Size);
    }
    let body = STANDARD.decode(text).map_err(|_| Wrong::Encoding)?;
    if body.len() > LARGEST {
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
    fn a_call_is_read_with_everything_that_a_signature_may_need() {
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
    fn an_address_that_cannot_be_one_is_no_address() {
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
    fn a_body_may_be_as_large_as_allowed_and_no_larger() {
        for encoded in [false, true] {
            let sized = |size: usize| {
                request(|event| {
                    event["isBase64Encoded"] = json!(encoded);
                    let body = "x".repeat(size);
                    event["body"] = json!(if encoded { STANDARD.encode(body) } else { body });
                })
            };
            assert_eq!(Call::read(sized(LARGEST)).unwrap().body.len(), LARGEST);
            for size in [LARGEST + 1, LARGEST + 2, 2 * LARGEST] {
                assert_eq!(Call::read(sized(size)).unwrap_err(), Wrong::Size);
            }
        }
    }
}
