//! What goes wrong with a call to AWS, in words.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// What went wrong and what to do about it, without anything of the request.
pub(crate) fn problem<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(failure) => {
            let code = failure.err().code().unwrap_or("an error without a code");
            match advice(code) {
                Some(advice) => format!("{advice} ({code})"),
                None => format!("AWS answered {code}: {}", failure.err().message().unwrap_or("")),
            }
        }
        SdkError::TimeoutError(_) => "AWS took too long to answer; it is tried again".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            "AWS took too long to answer; it is tried again".to_owned()
        }
        SdkError::DispatchFailure(_) => {
            "AWS cannot be reached, or there are no credentials. Check the network, the region and the role".to_owned()
        }
        SdkError::ConstructionFailure(_) => "the call could not be put together".to_owned(),
        _ => "the answer of AWS was not understood; it is tried again".to_owned(),
    }
}

fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "RequestThrottled" => "AWS throttles us; it is tried again",
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
            "the key that it is encrypted with cannot be used. Give the role access to it"
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
    fn a_known_code_comes_with_what_to_do_and_another_as_it_is() {
        assert!(answered("ThrottlingException").contains("it is tried again"));
        assert!(answered("AccessDeniedException").contains("Give it the action"));
        assert_eq!(answered("Teapot"), "AWS answered Teapot: no");
    }
}
