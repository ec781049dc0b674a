//! Pages of Ogg (RFC 3533), read and written.

use bytes::{Buf as _, BufMut as _, Bytes};

use super::NOWHERE;

pub(super) const MAGIC: &[u8] = b"OggS";

/// The page goes on with a packet of the page before.
pub(super) const CONTINUED: u8 = 1;
/// The page is the first of its stream.
pub(super) const BEGINS: u8 = 2;
/// The page is the last of its stream.
pub(super) const ENDS: u8 = 4;

/// The most segments of a page.
const SEGMENTS: usize = 255;

#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) flags: u8,
    pub(super) granule: u64,
    pub(super) serial: u32,
    pub(super) body: &'a [u8],
    lacing: &'a [u8],
}

impl<'a> Page<'a> {
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, rest) = bytes.split_first_chunk::<27>()?;
        let mut fields = header.strip_prefix(MAGIC)?;
        if fields.get_u8() != 0 {
            return None;
        }
        let (flags, granule, serial) = (fields.get_u8(), fields.get_u64_le(), fields.get_u32_le());
        let (lacing, rest) = rest.split_at_checked(usize::from(*header.last()?))?;
        let size = lacing.iter().map(|length| usize::from(*length)).sum();
        let (body, rest) = rest.split_at_checked(size)?;
        Some((Self { flags, granule, serial, body, lacing }, rest))
    }

    /// The packets of the page, and whether they end on it.
    pub(super) fn segments(&self) -> impl Iterator<Item = (&'a [u8], bool)> {
        let mut body = self.body;
        self.lacing.split_inclusive(|length| *length < 255).map(move |lengths| {
            let size = lengths.iter().map(|length| usize::from(*length)).sum();
            let (packet, rest) = body.split_at_checked(size).unwrap_or((body, &[]));
            body = rest;
            (packet, lengths.last().is_some_and(|length| *length < 255))
        })
    }
}

/// The whole pages in some bytes. What is no page is passed over, and so is a page that is cut off.
pub(super) struct OggPages<'a> {
    rest: &'a [u8],
}

impl<'a> OggPages<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for OggPages<'a> {
    type Item = Page<'a>;

    fn next(&mut self) -> Option<Page<'a>> {
        loop {
            if let Some((page, rest)) = Page::read(self.rest) {
                self.rest = rest;
                return Some(page);
            }
            let ahead = self.rest.get(1..)?;
            self.rest = ahead.get(memchr::memmem::find(ahead, MAGIC)?..)?;
        }
    }
}

/// Writes the pages of one stream.
pub(super) struct PageWriter {
    out: Vec<u8>,
    serial: u32,
    sequence: u32,
    flags: u8,
    /// The position after the last packet that ends on the page.
    granule: u64,
    lacing: Vec<u8>,
    body: Vec<u8>,
    is_due: bool,
}

impl PageWriter {
    pub(super) fn new(serial: u32, capacity: usize) -> Self {
        Self {
            out: Vec::with_capacity(capacity),
            serial,
            sequence: 0,
            flags: BEGINS,
            granule: NOWHERE,
            lacing: Vec::with_capacity(SEGMENTS),
            body: Vec::with_capacity(SEGMENTS * SEGMENTS),
            is_due: false,
        }
    }

    /// Adds a packet that ends at `granule`.
    pub(super) fn packet(&mut self, packet: &[u8], granule: u64) {
        let overflows = self.lacing.len() + packet.len() / 255 + 1 > SEGMENTS;
        if self.is_due || (overflows && !self.lacing.is_empty()) {
            self.write();
        }
        let mut chunks = packet.chunks_exact(255);
        for chunk in &mut chunks {
            self.segment(chunk);
        }
        // A packet ends with a segment that is not full, which is an empty one if need be.
        self.segment(chunks.remainder());
        self.granule = granule;
    }

    /// Ends the page before the next packet. Only then, since the last page has to be marked as such.
    pub(super) const fn end_page(&mut self) {
        self.is_due = true;
    }

    /// Ends the stream at `granule`, and returns it.
    pub(super) fn finish(mut self, granule: u64) -> Bytes {
        self.flags |= ENDS;
        self.granule = granule;
        self.write();
        self.out.into()
    }

    fn segment(&mut self, bytes: &[u8]) {
        if self.lacing.len() == SEGMENTS {
            self.write();
            self.flags |= CONTINUED;
        }
        self.lacing.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
        self.body.extend_from_slice(bytes);
    }

    fn write(&mut self) {
        let start = self.out.len();
        self.out.put_slice(MAGIC);
        self.out.put_u8(0);
        self.out.put_u8(self.flags);
        self.out.put_u64_le(self.granule);
        self.out.put_u32_le(self.serial);
        self.out.put_u32_le(self.sequence);
        // The checksum is taken with zeros in its own place.
        self.out.put_u32_le(0);
        self.out.put_u8(u8::try_from(self.lacing.len()).unwrap_or(u8::MAX));
        self.out.put_slice(&self.lacing);
        self.out.put_slice(&self.body);
        let sum = crc(self.out.get(start..).unwrap_or_default());
        if let Some(place) = self.out.get_mut(start + 22..start + 26) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
        self.lacing.clear();
        self.body.clear();
        self.sequence = self.sequence.wrapping_add(1);
        self.flags = 0;
        self.granule = NOWHERE;
        self.is_due = false;
    }
}

/// Ogg's checksum: the polynomial 0x04C11DB7, most significant bit first, from 0 and not inverted. That is not the
/// CRC-32 of zip, which shares the polynomial alone.
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, byte| {
        let index = (crc >> 24) ^ u32::from(*byte);
        let step = usize::try_from(index).ok().and_then(|index| STEPS.get(index));
        (crc << 8) ^ step.copied().unwrap_or_default()
    })
}

const STEPS: [u32; 256] = {
    let mut steps = [0; 256];
    let mut rest = steps.as_mut_slice();
    let mut byte = 0;
    while let Some((step, after)) = rest.split_first_mut() {
        *step = byte << 24;
        let mut bit = 0;
        while bit < 8 {
            *step = (*step << 1) ^ (0x04C1_1DB7 * (*step >> 31));
            bit += 1;
        }
        rest = after;
        byte += 1;
    }
    steps
};

#[cfg(test)]
mod tests {
    use super::*;

    const OPUS: &[u8] = include_bytes!("../../../tests/fixtures/speech/tone.opus");

    fn packets(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut packets = vec![Vec::new()];
        for (bytes, ends) in
            OggPages::of(bytes).flat_map(|page| page.segments().collect::<Vec<_>>())
        {
            packets.last_mut().unwrap().extend_from_slice(bytes);
            if ends {
                packets.push(Vec::new());
            }
        }
        packets.pop();
        packets
    }

    #[test]
    fn a_stream_is_written_as_it_was_read_down_to_the_checksums() {
        let mut writer = PageWriter::new(OggPages::of(OPUS).next().unwrap().serial, OPUS.len());
        let mut last = 0;
        for page in OggPages::of(OPUS) {
            for (packet, _) in page.segments() {
                writer.packet(packet, page.granule);
            }
            writer.end_page();
            last = page.granule;
        }
        assert_eq!(writer.finish(last), OPUS);
    }

    #[test]
    fn a_packet_that_is_longer_than_a_page_goes_on_in_the_next() {
        for length in [0, 254, 255, 65_024, 65_025, 65_026, 200_000] {
            let mut writer = PageWriter::new(7, 0);
            let long = vec![1; length];
            writer.packet(b"first", 1);
            writer.packet(&long, 2);
            writer.packet(b"last", 3);
            let out = writer.finish(3);
            assert_eq!(packets(&out), [b"first".to_vec(), long, b"last".to_vec()], "{length}");
            for page in OggPages::of(&out).skip(1) {
                let ends_one = page.segments().any(|(_, ends)| ends);
                assert_eq!(page.granule == NOWHERE, !ends_one);
            }
        }
    }

    #[test]
    fn pages_are_found_again_after_damage() {
        let damaged = [OPUS, b"OggS junk", &OPUS[..40], OPUS].concat();
        assert_eq!(OggPages::of(&damaged).count(), 2 * OggPages::of(OPUS).count());
    }
}
