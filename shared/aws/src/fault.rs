//! Error texts of AWS calls.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// The problem and the remedy, without any data of the request.
pub(crate) fn problem<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(failure) => match failure.err().code() {
            Some(code) => match advice(code) {
                Some(advice) => format!("{advice} ({code})"),
                None => format!("AWS answered {code}: {}", failure.err().message().unwrap_or("")),
            },
            // Every AWS error has a code: this is not one, or not from AWS at all, such as a proxy's page.
            None => NOT_UNDERSTOOD.to_owned(),
        },
        SdkError::TimeoutError(_) => "AWS took too long to answer; the call is retried".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            "AWS took too long to answer; the call is retried".to_owned()
        }
        SdkError::DispatchFailure(_) => {
            "AWS cannot be reached, or there are no credentials. Check the network, the region and the role".to_owned()
        }
        SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
        _ => NOT_UNDERSTOOD.to_owned(),
    }
}

const NOT_UNDERSTOOD: &str = "the answer of AWS was not understood; the call is retried";

/// Whether the same call may succeed later without any change: no response or an unreadable one, a failure of AWS, or
/// throttling.
pub(crate) fn is_passing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ServiceError(failure) => {
            let passing = failure.err().code().is_none_or(|code| {
                matches!(
                    code,
                    "ThrottlingException" | "TooManyRequestsException" | "RequestLimitExceeded"
                )
            });
            passing || failure.raw().status().is_server_error()
        }
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    }
}

fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "RequestThrottled" => "AWS throttles the calls; they are retried",
        "AccessDeniedException" | "AccessDenied" => {
            "the role may not do this. Give it the action on this resource, as the template does"
        }
        "ExpiredTokenException" | "UnrecognizedClientException" | "InvalidSignatureException" => {
            "AWS does not accept the credentials. Renew them"
        }
        "ResourceNotFoundException"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue" => {
            "there is no such resource. Check the name and the region, and that the stack is deployed"
        }
        "DecryptionFailure" | "KMSAccessDeniedException" => {
            "its encryption key cannot be used. Give the role access to it"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;

    use super::*;

    fn answered(code: &str) -> String {
        let error =
            GetItemError::generic(ErrorMetadata::builder().code(code).message("no").build());
        problem(&SdkError::service_error(error, ()))
    }

    #[test]
    fn a_known_code_comes_with_a_remedy_and_another_unchanged() {
        assert!(answered("ThrottlingException").contains("retried"));
        assert!(answered("AccessDeniedException").contains("Give it the action"));
        assert_eq!(answered("Teapot"), "AWS answered Teapot: no");
        let page = GetItemError::generic(ErrorMetadata::builder().build());
        let page = problem(&SdkError::service_error(page, ()));
        assert!(page.contains("not understood"), "{page}");
    }

    #[test]
    fn a_call_that_may_succeed_later_is_passing() {
        use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
        use aws_smithy_runtime_api::http::StatusCode;
        let answered = |code: &str, status: u16| {
            let error =
                GetItemError::generic(ErrorMetadata::builder().code(code).message("no").build());
            let status = StatusCode::try_from(status).unwrap();
            SdkError::service_error(error, HttpResponse::new(status, "".into()))
        };
        assert!(is_passing(&answered("ThrottlingException", 400)));
        assert!(is_passing(&answered("InternalServiceError", 500)));
        assert!(!is_passing(&answered("AccessDeniedException", 400)));
        assert!(!is_passing(&answered("DecryptionFailure", 400)));
        let page = GetItemError::generic(ErrorMetadata::builder().build());
        let ok = StatusCode::try_from(200).unwrap();
        let page = SdkError::service_error(page, HttpResponse::new(ok, "<html>".into()));
        assert!(is_passing(&page));
        let late: SdkError<GetItemError> = SdkError::timeout_error("late");
        assert!(is_passing(&late));
        let wrong: SdkError<GetItemError> = SdkError::construction_failure("wrong");
        assert!(!is_passing(&wrong));
    }
}
