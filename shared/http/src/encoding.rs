//! Undoing a `Content-Encoding`. None is requested, but some servers and proxies compress anyway.

use miniz_oxide::inflate::{
    DecompressError, TINFLStatus, decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit,
};

use crate::{Response, TransportError};

/// The decoded response (RFC 9110 §8.4), at most `limit` bytes.
pub(crate) fn decoded(mut answer: Response, limit: usize) -> Result<Response, TransportError> {
    let named: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "content-encoding")
        .flat_map(|(_, value)| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity")
        .collect();
    // Encodings are undone in reverse order.
    for name in named.iter().rev() {
        if answer.body.is_empty() {
            break;
        }
        answer.body = match name.as_str() {
            "gzip" | "x-gzip" => gzip(&answer.body, limit),
            "deflate" => decompress_to_vec_zlib_with_limit(&answer.body, limit)
                .or_else(|error| match error.status {
                    TINFLStatus::HasMoreOutput => Err(error),
                    // Many servers leave the zlib frame out.
                    _ => decompress_to_vec_with_limit(&answer.body, limit),
                })
                .map_err(|error| failed(&error, limit)),
            _ => Err(TransportError::Encoded(name.chars().take(20).collect())),
        }?;
    }
    answer
        .headers
        .retain(|(name, _)| !matches!(name.as_str(), "content-encoding" | "content-length"));
    Ok(answer)
}

/// A gzip file's content (RFC 1952). The check sum is not verified: the connection has its own.
fn gzip(body: &[u8], limit: usize) -> Result<Vec<u8>, TransportError> {
    let data = after_header(body).ok_or_else(|| TransportError::Encoded("gzip".to_owned()))?;
    decompress_to_vec_with_limit(data, limit).map_err(|error| failed(&error, limit))
}

fn after_header(body: &[u8]) -> Option<&[u8]> {
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] = body else {
        return None;
    };
    let after_zero = |rest: &'_ [u8]| rest.iter().position(|byte| *byte == 0).map(|at| at + 1);
    let mut rest = rest;
    if flags & 4 != 0 {
        let length = u16::from_le_bytes([*rest.first()?, *rest.get(1)?]);
        rest = rest.get(2 + usize::from(length)..)?;
    }
    for named in [8, 16] {
        if flags & named != 0 {
            rest = &rest[after_zero(rest)?..];
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

fn failed(error: &DecompressError, limit: usize) -> TransportError {
    match error.status {
        TINFLStatus::HasMoreOutput => TransportError::TooLarge(limit),
        _ => TransportError::Lost("the compressed answer is broken".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    use super::*;

    fn decode(encoding: &str, body: &[u8]) -> Result<Vec<u8>, TransportError> {
        let answer = Response {
            status: 200,
            headers: vec![("content-encoding".to_owned(), encoding.to_owned())],
            body: body.to_vec(),
        };
        decoded(answer, 1000).map(|answer| {
            assert_eq!(answer.header("content-encoding"), None);
            answer.body
        })
    }

    fn gzipped(flags: u8, extra: &[u8], text: &[u8]) -> Vec<u8> {
        let mut body = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
        body.extend_from_slice(extra);
        body.extend_from_slice(&compress_to_vec(text, 6));
        // Check sum and length.
        body.extend_from_slice(&[0; 8]);
        body
    }

    #[test]
    fn an_unrequested_compression_is_decoded() {
        let text = b"{\"Records\": []}";
        let every_field = gzipped(2 | 4 | 8 | 16, b"\x02\x00xxname\0comment\0hc", text);
        for (encoding, body) in [
            ("gzip", gzipped(0, b"", text)),
            ("X-GZIP", every_field),
            ("deflate", compress_to_vec_zlib(text, 6)),
            ("deflate", compress_to_vec(text, 6)),
            ("identity", text.to_vec()),
            ("deflate, gzip", gzipped(0, b"", &compress_to_vec(text, 6))),
        ] {
            assert_eq!(decode(encoding, &body).unwrap(), text, "{encoding}");
        }
        assert_eq!(decode("gzip", b"").unwrap(), b"");
    }

    #[test]
    fn another_encoding_is_named() {
        assert_eq!(
            decode("br", b"x"),
            Err(TransportError::Encoded("br".to_owned()))
        );
        assert_eq!(
            decode("gzip", b"{}"),
            Err(TransportError::Encoded("gzip".to_owned()))
        );
    }

    #[test]
    fn a_small_answer_cannot_become_a_large_one() {
        let large = vec![b' '; 1001];
        for body in [gzipped(0, b"", &large), gzipped(0, b"", &large[1..])] {
            let decoded = decode("gzip", &body);
            assert!(
                matches!(decoded, Err(TransportError::TooLarge(1000)))
                    || decoded.is_ok_and(|body| body.len() == 1000)
            );
        }
        assert_eq!(
            decode("deflate", &compress_to_vec_zlib(&large, 6)),
            Err(TransportError::TooLarge(1000))
        );
        let mut broken = gzipped(0, b"", b"a text that is long enough to be cut");
        broken.truncate(20);
        assert!(matches!(
            decode("gzip", &broken),
            Err(TransportError::Lost(_))
        ));
    }
}
