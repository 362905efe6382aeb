//! Bodies in content codings, each of which its decoder would accept.

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

/// How hard to compress, of 10.
const EFFORT: u8 = 6;

/// RFC 1952: one member.
pub fn gzip(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    [
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff".as_slice(),
        &compress_to_vec(body, EFFORT),
        &crc32(body).to_le_bytes(),
        &length.to_le_bytes(),
    ]
    .concat()
}

/// RFC 9110 calls this "deflate".
pub fn zlib(body: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(body, EFFORT)
}

/// RFC 7932: a window of 64 KiB, one meta-block that is stored as it is, and an empty last one.
pub fn brotli(body: &[u8]) -> Vec<u8> {
    let length = u32::from(u16::try_from(body.len() - 1).unwrap());
    let head = (1 << 20 | length << 4).to_le_bytes();
    [&head[..3], body, b"\x03"].concat()
}

/// RFC 8878: a frame of one segment, whose one block is stored as it is.
pub fn zstd(body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).unwrap();
    let block = (u32::from(length) << 3 | 1).to_le_bytes();
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, length];
    [&head, &block[..3], body].concat()
}

/// 200 MiB of JSON in a body that is not too large: `body` and then blanks, in many members of gzip.
pub fn bomb(body: &[u8]) -> Vec<u8> {
    let blanks = gzip(&vec![b' '; 1024 * 1024]);
    let bomb = [gzip(body), blanks.repeat(200)].concat();
    assert!(bomb.len() < 250 * 1024, "{} bytes", bomb.len());
    bomb
}

/// The check sum of gzip, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

/// Checked against the usual tools' output.
#[test]
fn the_codings_are_what_they_say() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    let packed = gzip(b"{}");
    let (head, rest) = packed.split_at(10);
    assert_eq!(head[..3], [0x1f, 0x8b, 8]);
    let raw = &rest[..rest.len() - 8];
    let unpacked = miniz_oxide::inflate::decompress_to_vec(raw).unwrap();
    assert_eq!(unpacked, b"{}");
    assert_eq!(brotli(b"a"), *b"\x00\x00\x10a\x03");
    assert_eq!(zstd(b"a"), *b"\x28\xb5\x2f\xfd\x20\x01\x09\0\0a");
}
