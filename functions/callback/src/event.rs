//! API Gateway's events in payload format 2.0, as plain requests and responses.

use std::fmt::Write as _;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use stagecall_web::{Answer, Response};

/// The request in an event. An event that has none has an answer.
pub(crate) fn request(event: ApiGatewayV2httpRequest) -> Result<Request<Full<Bytes>>, Answer> {
    let mut path = "/callbacks".to_owned();
    // Of the path itself it is not certain whether it is decoded, and a stage may precede it.
    for name in ["tenant", "account", "token"] {
        let value = event.path_parameters.get(name).map_or("", String::as_str);
        let encoded = utf8_percent_encode(value, NON_ALPHANUMERIC);
        let _ = write!(path, "/{encoded}");
    }
    if let Some(query) = event.raw_query_string {
        let _ = write!(path, "?{query}");
    }
    // The longest path of a request is longer than any address.
    let uri = Uri::try_from(path).map_err(|_| Answer::NoSuchAddress)?;
    let body = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded {
        let decoded = STANDARD.decode(body);
        decoded.map_err(|_| Answer::NotUnderstood)?
    } else {
        body.into_bytes()
    };
    let mut request = Request::new(Full::from(body));
    *request.method_mut() = event.request_context.http.method;
    *request.uri_mut() = uri;
    *request.headers_mut() = event.headers;
    Ok(request)
}

/// The response as API Gateway takes it.
pub(crate) fn response(response: Response) -> ApiGatewayV2httpResponse {
    let (head, text) = response.into_parts();
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = head.status.as_u16().into();
    answer.headers = head.headers;
    answer.body = Some(text.into_owned().into());
    answer
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn read(change: impl FnOnce(&mut serde_json::Value)) -> Result<Request<Full<Bytes>>, Answer> {
        let mut event =
            serde_json::from_str(include_str!("../../../tests/events/callback.json")).unwrap();
        change(&mut event);
        request(serde_json::from_value(event).unwrap())
    }

    async fn body(change: impl FnOnce(&mut serde_json::Value)) -> Bytes {
        let body = read(change).unwrap().into_body();
        body.collect().await.unwrap().to_bytes()
    }

    #[test]
    fn a_request_has_everything_that_a_signature_may_need() {
        let request = read(|event| event["rawQueryString"] = json!("b=2&a=x%20y&b=1")).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri().query(), Some("b=2&a=x%20y&b=1"));
        assert_eq!(
            request.uri().path(),
            format!("/callbacks/acme/willo/{TOKEN}")
        );
        assert_eq!(request.headers()["content-type"], "application/json");
    }

    #[tokio::test]
    async fn an_encoded_body_is_decoded_and_another_is_not() {
        let bytes = body(|event| {
            event["isBase64Encoded"] = json!(true);
            event["body"] = json!(STANDARD.encode([0_u8, 159, 146, 150]));
        });
        assert_eq!(bytes.await[..], [0, 159, 146, 150]);
        let text = body(|event| event["body"] = json!("AJ+Slg=="));
        assert_eq!(text.await, "AJ+Slg==");
        assert_eq!(body(|event| event["body"] = json!(null)).await, "");
        let garbled = read(|event| {
            event["isBase64Encoded"] = json!(true);
            event["body"] = json!("*");
        });
        assert_eq!(garbled.unwrap_err(), Answer::NotUnderstood);
    }

    #[test]
    fn a_name_stays_one_segment_of_the_path() {
        for (name, path) in [
            ("a/b", "a%2Fb"),
            ("../x", "%2E%2E%2Fx"),
            ("a?b#c", "a%3Fb%23c"),
            ("ä b", "%C3%A4%20b"),
            ("", ""),
        ] {
            let request = read(|event| event["pathParameters"]["account"] = json!(name)).unwrap();
            let whole = format!("/callbacks/acme/{path}/{TOKEN}");
            assert_eq!(request.uri().path(), whole);
        }
        let without = read(|event| event["pathParameters"] = json!(null)).unwrap();
        assert_eq!(without.uri().path(), "/callbacks///");
        let endless = read(|event| event["pathParameters"]["token"] = json!("0".repeat(70_000)));
        assert_eq!(endless.unwrap_err(), Answer::NoSuchAddress);
    }

    #[test]
    fn a_response_keeps_status_headers_and_text() {
        let answer = response(Answer::MethodNotAllowed("POST").into());
        let answer = serde_json::to_value(answer).unwrap();
        assert_eq!(answer["statusCode"], 405);
        assert_eq!(answer["headers"]["allow"], "POST");
        assert_eq!(answer["body"], "no such method here\n");
    }
}
