//! Ogg Opus: packets of all parts in one logical stream (RFC 3533 and RFC 7845).

mod page;

use std::borrow::Cow;

use bytes::Bytes;
use page::{BEGINS, CONTINUED, ENDS, OggPages, Page, PageWriter};

use super::{SpeechFormat, foreign, unusable};
use crate::error::Result;

/// The granule position of a page on which no packet ends.
const NOWHERE: u64 = u64::MAX;

/// Joins the packets of all parts, under the head and the tags of the first.
///
/// Decoders skip samples only at the start of a stream and trim them only at its end. What the later parts would
/// have skipped (pre-skip), and the earlier ones trimmed, is played. To keep the sum of the durations, packets
/// inside of a pre-skip are left out, and a part's last packet is, whenever what is played too much has come
/// to that packet's length; what is still left then is trimmed at the end of the stream.
pub(super) fn join(parts: &[Bytes]) -> Result<Bytes> {
    let mut streams = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let found = Stream::read_all(part);
        if found.is_empty() {
            return Err(foreign(index, SpeechFormat::Opus));
        }
        for stream in found {
            if stream.layout() != streams.first().unwrap_or(&stream).layout() {
                return Err(unusable(index, "differs from part 1 in channels or gain"));
            }
            streams.push(stream);
        }
    }
    let capacity = parts.iter().map(Bytes::len).sum();
    let Some(first) = streams.first() else { return Err(foreign(0, SpeechFormat::Opus)) };
    let mut writer = PageWriter::new(first.serial, capacity);
    writer.packet(&first.head, 0);
    writer.end_page();
    writer.packet(&first.tags, 0);
    writer.end_page();
    let mut position = 0;
    let mut excess = 0;
    for (index, stream) in streams.iter_mut().enumerate() {
        excess += if index == 0 { stream.trim } else { stream.drop_skipped() + stream.trim };
        while let Some(last) = stream.packets.pop_if(|last| last.samples <= excess) {
            excess -= last.samples;
        }
        for packet in &stream.packets {
            position += packet.samples;
            writer.packet(&packet.bytes, position);
            if packet.ends_page {
                writer.end_page();
            }
        }
    }
    Ok(writer.finish(position.saturating_sub(excess)))
}

/// One Opus stream of a part.
struct Stream<'a> {
    serial: u32,
    head: Cow<'a, [u8]>,
    tags: Cow<'a, [u8]>,
    packets: Vec<Packet<'a>>,
    /// Samples at the end that are not to be played, at 48 kHz as everywhere in Opus.
    trim: u64,
}

struct Packet<'a> {
    bytes: Cow<'a, [u8]>,
    samples: u64,
    ends_page: bool,
}

impl<'a> Stream<'a> {
    /// The streams of a part: one, or the links of a chain. Pages of other streams beside them are passed over.
    fn read_all(part: &'a [u8]) -> Vec<Self> {
        let mut readers: Vec<Reader<'a>> = Vec::new();
        if !part.starts_with(page::MAGIC) {
            return Vec::new();
        }
        for page in OggPages::of(part) {
            if page.flags & BEGINS != 0 && page.body.starts_with(b"OpusHead") {
                readers.push(Reader::new(page.serial));
            }
            if let Some(reader) = readers.last_mut().filter(|reader| reader.serial == page.serial) {
                reader.page(&page);
            }
        }
        readers.into_iter().filter_map(Reader::stream).collect()
    }

    fn pre_skip(&self) -> u64 {
        let bytes = self.head.get(10..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u16::from_le_bytes(*bytes).into())
    }

    /// Everything in the head that a decoder needs throughout: channels, gain, and how streams map to channels.
    fn layout(&self) -> (Option<&u8>, Option<&[u8]>) {
        (self.head.get(9), self.head.get(16..))
    }

    /// Drops the packets that lie wholly in the pre-skip. Returns how many samples of it remain.
    fn drop_skipped(&mut self) -> u64 {
        let mut skip = self.pre_skip();
        let count = self.packets.iter().take_while(|packet| {
            let inside = packet.samples <= skip;
            if inside {
                skip -= packet.samples;
            }
            inside
        });
        let count = count.count();
        self.packets.drain(..count);
        skip
    }
}

/// Takes the packets out of the pages of one stream.
struct Reader<'a> {
    serial: u32,
    headers: Vec<Cow<'a, [u8]>>,
    packets: Vec<Packet<'a>>,
    /// The beginning of a packet that the next page continues.
    open: Option<Vec<u8>>,
    /// The samples of all packets, which the granule positions are checked against.
    samples: u64,
    /// The granule position at which the stream starts: not 0 where it was cut out of another.
    start: Option<u64>,
    trim: u64,
}

impl<'a> Reader<'a> {
    const fn new(serial: u32) -> Self {
        Self {
            serial,
            headers: Vec::new(),
            packets: Vec::new(),
            open: None,
            samples: 0,
            start: None,
            trim: 0,
        }
    }

    fn page(&mut self, page: &Page<'a>) {
        let before = self.samples;
        let had = self.packets.len();
        let mut open = self.open.take().filter(|_| page.flags & CONTINUED != 0);
        let mut has_no_start = page.flags & CONTINUED != 0 && open.is_none();
        for (bytes, is_whole) in page.segments() {
            if has_no_start {
                has_no_start = !is_whole;
            } else if is_whole {
                self.packet(match open.take() {
                    Some(begun) => Cow::Owned([&begun, bytes].concat()),
                    None => Cow::Borrowed(bytes),
                });
            } else {
                open.get_or_insert_default().extend_from_slice(bytes);
            }
        }
        self.open = open;
        if self.packets.len() == had || page.granule == NOWHERE {
            return;
        }
        if let Some(last) = self.packets.last_mut() {
            last.ends_page = true;
        }
        let here = self.samples - before;
        let is_last = page.flags & ENDS != 0;
        let begun = if is_last { 0 } else { page.granule.saturating_sub(here) };
        let start = *self.start.get_or_insert(begun);
        let stated = page.granule.saturating_sub(start);
        // Only the last page may say less than it holds, and not less than the pages before it.
        let trim = self.samples.saturating_sub(stated);
        self.trim = if is_last && trim < here { trim } else { 0 };
    }

    fn packet(&mut self, bytes: Cow<'a, [u8]>) {
        if self.headers.len() < 2 {
            self.headers.push(bytes);
        } else if let Some(samples) = samples(&bytes) {
            self.samples += samples;
            self.packets.push(Packet { bytes, samples, ends_page: false });
        }
    }

    fn stream(self) -> Option<Stream<'a>> {
        let Self { serial, headers, packets, trim, .. } = self;
        let [head, tags] = <[_; 2]>::try_from(headers).ok()?;
        (head.len() >= 19 && tags.starts_with(b"OpusTags")).then_some(Stream {
            serial,
            head,
            tags,
            packets,
            trim,
        })
    }
}

/// The samples of a packet at 48 kHz, from its first byte, and the second where that says so (RFC 6716, 3.1).
fn samples(packet: &[u8]) -> Option<u64> {
    let toc = *packet.first()?;
    let size = toc >> 3;
    let frame: u64 = match (size, size & 3) {
        (0..12, 3) => 2880,
        (0..12, step) => 480 << step,
        (12..16, step) => 480 << (step & 1),
        (_, step) => 120 << step,
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3F),
    };
    // 120 ms is the most that a packet may hold.
    (1..=5760).contains(&(frame * frames)).then_some(frame * frames)
}

#[cfg(test)]
mod tests;
