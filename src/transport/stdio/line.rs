//! Lines of bounded length, read without losing any when a read is dropped half-way.

use std::io;
use std::mem::take;

use memchr::{memchr, memchr2};
use rmcp::model::RequestId;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// Bytes asked of the reader at a time.
const READ_CHUNK_BYTES: usize = 64 * 1024;

/// The longest request id in bytes that a [`Scan`] keeps.
const MAX_ID_BYTES: usize = 1024;

/// What one read yields.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its end.
    Whole(Vec<u8>),
    /// A line over the limit was skipped; the id of its request, where it has one.
    Long(Option<RequestId>),
    /// The input has ended.
    End,
}

/// Reads lines of at most `limit` bytes. Longer ones are skipped in constant memory.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    skipped: Option<Scan>,
    pub(super) limit: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R, limit: usize) -> Self {
        let reader = BufReader::with_capacity(READ_CHUNK_BYTES, reader);
        Self { reader, line: Vec::new(), skipped: None, limit }
    }

    /// The next line; what stands before the end of the input counts as one.
    ///
    /// The future may be dropped at any time: bytes are consumed and kept in one step.
    pub(super) async fn next(&mut self) -> io::Result<Line> {
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                let rest = self.skipped.is_some() || !self.line.is_empty();
                return Ok(if rest { self.finish() } else { Line::End });
            }
            let end = memchr(b'\n', available);
            let piece = end.and_then(|end| available.get(..end)).unwrap_or(available);
            let consumed = piece.len() + usize::from(end.is_some());
            if let Some(scan) = &mut self.skipped {
                scan.feed(piece);
            } else if self.line.len() + piece.len() > self.limit {
                let mut scan = Scan::default();
                scan.feed(&take(&mut self.line));
                scan.feed(piece);
                self.skipped = Some(scan);
            } else {
                self.line.extend_from_slice(piece);
            }
            self.reader.consume(consumed);
            if end.is_some() {
                return Ok(self.finish());
            }
        }
    }

    /// Hands out the line and its memory, so that a large one leaves nothing behind.
    fn finish(&mut self) -> Line {
        match self.skipped.take() {
            Some(scan) => Line::Long(scan.id()),
            None => Line::Whole(take(&mut self.line)),
        }
    }
}

/// Looks for the top-level `id` of a JSON object that is never held as a whole.
///
/// Clients disagree on where `id` stands: several write it after `params`, behind the payload.
#[derive(Debug, Default)]
pub(super) struct Scan {
    depth: usize,
    quoted: bool,
    escaped: bool,
    in_value: bool,
    key: Vec<u8>,
    id: Vec<u8>,
    seen: Seen,
}

/// Which members of a JSON-RPC message a [`Scan`] has met.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    method: bool,
    id: bool,
    outcome: bool,
}

impl Scan {
    /// A scan of a whole message.
    pub(super) fn of(message: &[u8]) -> Self {
        let mut scan = Self::default();
        scan.feed(message);
        scan
    }

    /// Takes the next bytes, wherever the text was cut.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = rest;
            if !self.quoted {
                self.structure(byte);
                continue;
            }
            if self.depth == 1 {
                self.keep(byte);
            }
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.quoted = false,
                _ if self.depth > 1 => {
                    let next = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
                    bytes = bytes.get(next..).unwrap_or_default();
                }
                _ => {}
            }
        }
    }

    fn structure(&mut self, byte: u8) {
        match byte {
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b':' if self.depth == 1 => {
                self.in_value = true;
                match self.key.as_slice() {
                    br#""method""# => self.seen.method = true,
                    br#""id""# => self.seen.id = true,
                    br#""result""# | br#""error""# => self.seen.outcome = true,
                    _ => {}
                }
            }
            b',' if self.depth == 1 => {
                self.in_value = false;
                self.key.clear();
            }
            _ => {
                self.quoted = byte == b'"';
                if self.depth == 1 && !byte.is_ascii_whitespace() {
                    self.keep(byte);
                }
            }
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.in_value {
            if self.key == br#""id""# && self.id.len() <= MAX_ID_BYTES {
                self.id.push(byte);
            }
        } else if self.key.len() <= br#""method""#.len() {
            self.key.push(byte);
        }
    }

    /// The id under which the sender can be answered. A response's id is one of ours, and none.
    pub(super) fn id(&self) -> Option<RequestId> {
        if self.seen.outcome { None } else { serde_json::from_slice(&self.id).ok() }
    }

    /// Whether the text is a response or a notification, neither of which is ever answered.
    pub(super) const fn wants_no_answer(&self) -> bool {
        self.seen.outcome || (self.seen.method && !self.seen.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    async fn all(input: &[u8], limit: usize) -> Vec<Line> {
        let mut lines = Lines::new(input, limit);
        let mut found = Vec::new();
        loop {
            match lines.next().await.unwrap() {
                Line::End => return found,
                line => found.push(line),
            }
        }
    }

    #[tokio::test]
    async fn a_line_of_exactly_the_limit_is_whole_and_one_more_byte_is_skipped() {
        let lines = all(b"12345\n123456\n\nlast", 5).await;
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(lines, [whole("12345"), Line::Long(None), whole(""), whole("last")]);
    }

    #[tokio::test]
    async fn the_id_of_a_skipped_line_is_found_behind_its_payload() {
        let payload = "x\\\"{,".repeat(50_000);
        let line = format!(
            r#"{{"method":"tools/call","params":{{"id":1,"a":["{payload}"]}},"jsonrpc":"2.0","id":"é\"7"}}"#
        );
        let lines = all(format!("{line}\nnext\n").as_bytes(), 1000).await;
        let expected =
            [Line::Long(Some(RequestId::String("é\"7".into()))), Line::Whole(b"next".to_vec())];
        assert_eq!(lines, expected);
    }

    #[tokio::test]
    async fn a_dropped_read_keeps_its_part_of_the_line() {
        let (mut near, far) = tokio::io::duplex(64);
        let mut lines = Lines::new(far, 100);
        near.write_all(b"first ha").await.unwrap();
        assert!(futures::FutureExt::now_or_never(lines.next()).is_none());
        near.write_all(b"lf\n").await.unwrap();
        assert_eq!(lines.next().await.unwrap(), Line::Whole(b"first half".to_vec()));
    }

    #[tokio::test]
    async fn a_skipped_line_is_not_kept() {
        let (mut near, far) = tokio::io::duplex(4096);
        let mut lines = Lines::new(far, 1000);
        let feed = async { near.write_all(&vec![b'x'; 1_000_000]).await.unwrap() };
        tokio::select! { () = feed => {}, line = lines.next() => panic!("{line:?}") }
        assert!(lines.line.capacity() <= 1000, "{}", lines.line.capacity());
        assert!(lines.skipped.is_some());
    }

    #[test]
    fn the_id_of_a_response_is_none_of_the_senders() {
        assert_eq!(Scan::of(br#"{"id":4,"result":{}}"#).id(), None);
        assert_eq!(Scan::of(br#"{"id":4,"method":"m"}"#).id(), Some(RequestId::Number(4)));
        assert_eq!(Scan::of(br#"{"params":{"id":4},"method":"m"}"#).id(), None);
    }

    proptest! {
        #[test]
        fn a_scan_finds_the_id_however_the_text_is_cut(
            id in any::<i64>(),
            key in any::<String>(),
            value in any::<String>(),
            last in any::<bool>(),
            size in 1usize..40,
        ) {
            prop_assume!(!matches!(key.as_str(), "id" | "result" | "error"));
            let pair = format!("{}:{}", serde_json::json!(key), serde_json::json!({ &key: value }));
            let text =
                if last { format!("{{{pair}, \"id\" : {id} }}") } else { format!("{{\"id\":{id},{pair}}}") };
            let mut scan = Scan::default();
            for piece in text.as_bytes().chunks(size) {
                scan.feed(piece);
            }
            prop_assert_eq!(scan.id(), Some(RequestId::Number(id)));
        }
    }
}
