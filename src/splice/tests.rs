//! A spliced text is byte for byte what it would be without splicing.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures::StreamExt as _;
use proptest::prelude::*;
use serde_json::json;

use super::write::{RAW_PIECE_BYTES, join};
use super::*;

/// A string of the message: words, or bytes as base64.
#[derive(Debug, Clone)]
enum Piece {
    Words(String),
    Base64(Vec<u8>),
}

fn bytes_of(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| (at % 251).to_le_bytes()[0] ^ seed).collect()
}

fn piece() -> impl Strategy<Value = Piece> {
    let sizes = prop_oneof![
        prop::sample::select(vec![
            0,
            1,
            2,
            3,
            4,
            RAW_PIECE_BYTES - 1,
            RAW_PIECE_BYTES,
            RAW_PIECE_BYTES + 1,
            RAW_PIECE_BYTES + 2,
            2 * RAW_PIECE_BYTES
        ]),
        0..4 * RAW_PIECE_BYTES,
    ];
    let words = prop_oneof![
        any::<String>(),
        Just(Holes::MARK.to_owned()),
        "(venice-splice:){1,3}[0-9a-f]{0,40}",
        "venice-splice:[0-9a-f]{32}",
    ];
    prop_oneof![
        words.prop_map(Piece::Words),
        (sizes, any::<u8>()).prop_map(|(length, seed)| Piece::Base64(bytes_of(length, seed))),
    ]
}

/// The message as it would be without splicing, and the message with tokens.
fn messages(pieces: &[Piece], holes: &Holes) -> (Vec<u8>, Bytes) {
    let texts = |encode: &dyn Fn(&[u8]) -> String| -> Vec<u8> {
        let list: Vec<_> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Words(words) => words.clone(),
                Piece::Base64(raw) => encode(raw),
            })
            .collect();
        serde_json::to_vec(&json!({ "id": 1, "result": list })).unwrap()
    };
    let plain = texts(&|raw| BASE64_STANDARD.encode(raw));
    let marked = texts(&|raw| holes.base64(Bytes::copy_from_slice(raw)));
    (plain, Bytes::from(marked))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_spliced_message_is_the_plain_one(pieces in prop::collection::vec(piece(), 0..6)) {
        let holes = Holes::default();
        let (plain, marked) = messages(&pieces, &holes);
        let mut written = Vec::new();
        run(write(&mut written, cut(marked, &holes), &mut Vec::new())).unwrap();
        prop_assert!(written == plain);
        prop_assert!(holes.is_empty());
    }

    #[test]
    fn a_body_is_the_plain_message_and_has_the_length_it_announces(
        pieces in prop::collection::vec(piece(), 0..6),
    ) {
        let holes = Holes::default();
        let (plain, marked) = messages(&pieces, &holes);
        let body = body(marked, &holes);
        prop_assert_eq!(body.length(), plain.len());
        let chunks: Vec<Bytes> = run(body.collect());
        prop_assert!(chunks.iter().all(|chunk| !chunk.is_empty()));
        prop_assert!(chunks.concat() == plain);
    }
}

#[test]
fn a_filled_text_is_one_buffer_of_the_exact_size() {
    let holes = Holes::default();
    let first = holes.data_url("image/png", Bytes::from_static(b"image"));
    let second = holes.base64(Bytes::from_static(b""));
    let marked = json!({"prompt": "a \"venice-splice:0\" é", "images": [first, second], "n": 1});
    let filled = join(cut(Bytes::from(marked.to_string()), &holes));
    assert_eq!(filled.capacity(), filled.len());
    let read: serde_json::Value = serde_json::from_slice(&filled).unwrap();
    let expected = json!({
        "prompt": "a \"venice-splice:0\" é",
        "images": ["data:image/png;base64,aW1hZ2U=", ""],
        "n": 1
    });
    assert_eq!(read, expected);
}

#[test]
fn a_token_directly_behind_its_mark_is_found() {
    let holes = Holes::default();
    let token = holes.base64(Bytes::from_static(b"abc"));
    let parts = cut(Bytes::from(format!("{}{token}", Holes::MARK)), &holes);
    let text = |text: &'static str| Part::Text(Bytes::from_static(text.as_bytes()));
    let expected = vec![text(Holes::MARK), Part::Base64(Bytes::from_static(b"abc")), text("")];
    assert_eq!(parts, expected);
}

#[test]
fn a_token_of_another_message_is_left_alone() {
    let (own, other) = (Holes::default(), Holes::default());
    let _own = own.base64(Bytes::from_static(b"mine"));
    let json = Bytes::from(other.base64(Bytes::from_static(b"theirs")));
    assert_eq!(cut(json.clone(), &own), vec![Part::Text(json)]);
    assert!(!other.is_empty());
}

#[test]
fn no_chunk_of_base64_is_larger_than_one_piece() {
    let holes = Holes::default();
    let json = Bytes::from(holes.base64(Bytes::from(vec![7; 10 * RAW_PIECE_BYTES + 5])));
    let sizes: Vec<usize> = run(body(json, &holes).map(|chunk| chunk.len()).collect());
    assert_eq!(sizes.iter().max(), Some(&(RAW_PIECE_BYTES / 3 * 4)));
    assert_eq!(sizes.len(), 11);
}
