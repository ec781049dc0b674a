//! Bodies of Venice's replies: whatever they are, they are read, described or refused.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use venice_mcp::media;
use venice_mcp::speech::{self, Format};
use venice_mcp::venice::{Reply, ReplyHeaders};

const TYPES: [&str; 8] = [
    "application/json",
    "image/png",
    "image/webp",
    "audio/mpeg",
    "audio/wav",
    "audio/ogg",
    "video/mp4",
    "text/html",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let content_type = TYPES[usize::from(*first) % TYPES.len()];
    let bytes = Bytes::copy_from_slice(body);
    let reply = Reply {
        status: 200,
        content_type: content_type.to_owned(),
        bytes: bytes.clone(),
        headers: ReplyHeaders::default(),
    };
    let _ = (reply.value(), reply.text(), reply.media());
    let (kind, mime_type) = media::sniff(&bytes, Some(content_type));
    let _ = (kind, media::extension(&mime_type), media::duration_seconds(&bytes, &mime_type));
    if let Some(format) = Format::from_mime_type(content_type) {
        let half = bytes.len() / 2;
        let _ = speech::join(format, &[bytes.slice(..half), bytes.slice(half..)]);
        let _ = speech::join(format, &[bytes.clone(), bytes]);
    }
});
