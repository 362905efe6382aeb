//! Signed calls to services of which only one or two operations are needed.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::Value;
use stagecall_http::{Guard, Limits, Method, Request, Sender, Transport as _};
use url::Url;

use crate::Error;
use crate::emulator::REGION;

const LIMITS: Limits = Limits {
    time: Duration::from_secs(20),
    answer: 256 * 1024 * 1024,
};

/// Calls the emulator.
pub(crate) struct Caller {
    sender: Sender,
    endpoint: Url,
    credentials: Credentials,
}

impl Caller {
    pub(crate) fn new(endpoint: Url, credentials: Credentials) -> Result<Self, Error> {
        Ok(Self {
            sender: Sender::new(Guard::Sandbox)
                .map_err(|problem| Error::refused("set up calls", problem))?,
            endpoint,
            credentials,
        })
    }

    /// Calls an operation of a service that takes all of them at one address.
    pub(crate) async fn operation(
        &self,
        service: &'static str,
        target: &'static str,
        body: &Value,
    ) -> Result<Value, Error> {
        let request = Request {
            body: body.to_string().into_bytes(),
            ..Request::new(Method::Post, self.endpoint.clone())
        };
        let request = request
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        self.call(service, target, request).await
    }

    /// Calls an operation of a service that has paths.
    pub(crate) async fn path(
        &self,
        service: &'static str,
        what: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let url = self.endpoint.join(path);
        let url = url.map_err(|problem| Error::refused(what, problem))?;
        let request = Request::new(method, url);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.call(service, what, request).await
    }

    async fn call(
        &self,
        service: &'static str,
        what: &'static str,
        mut request: Request,
    ) -> Result<Value, Error> {
        let signature = self
            .signature(service, &request)
            .map_err(|problem| Error::refused(what, problem))?;
        request.headers.extend(signature);
        let answer = self
            .sender
            .send(request, LIMITS)
            .await
            .map_err(|problem| Error::refused(what, problem))?;
        if !answer.is_success() {
            let said = String::from_utf8_lossy(&answer.body);
            return Err(Error::refused(what, format!("{}: {said}", answer.status)));
        }
        serde_json::from_slice(&answer.body).map_err(|problem| Error::refused(what, problem))
    }

    /// The headers that sign a request.
    fn signature(
        &self,
        service: &str,
        request: &Request,
    ) -> Result<Vec<(String, String)>, Box<dyn std::error::Error + Send + Sync>> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let method = request.method.to_string();
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableRequest::new(
            &method,
            request.url.as_str(),
            headers,
            SignableBody::Bytes(&request.body),
        )?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let signed = instructions.headers();
        Ok(signed
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}
