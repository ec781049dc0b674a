//! WAV: the samples of all parts under one header.

use bytes::{Buf as _, BufMut as _, Bytes};

use super::{SpeechFormat, foreign, unusable};
use crate::error::{Error, Kind, Result};

/// The code of linear samples, whose `fmt ` chunk has no meaning past its first 16 bytes.
const LINEAR: u16 = 1;

/// Joins the `data` chunks of all parts. Other chunks are dropped: what they tell is of one part.
pub(super) fn join(parts: &[Bytes]) -> Result<Bytes> {
    let mut waves = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let wave = Wave::read(part).ok_or_else(|| foreign(index, SpeechFormat::Wav))?;
        let first = waves.first().unwrap_or(&wave);
        if !wave.has_format_of(first) {
            let fault = format!("is {}, and part 1 is {}", wave.describe(), first.describe());
            return Err(unusable(index, &fault));
        }
        waves.push(wave);
    }
    let layout = waves.first().map(|wave| wave.layout).unwrap_or_default();
    let size = waves.iter().flat_map(|wave| &wave.data).map(|data| data.len()).sum::<usize>();
    // "WAVE", two chunk headers and two bytes of padding at most.
    let riff = size + size % 2 + layout.len() + layout.len() % 2 + 20;
    let too_long =
        |_| Error::new(Kind::Network, "the joined speech is too long for WAV, which ends at 4 GiB");
    let mut out = Vec::with_capacity(riff + 8);
    out.put_slice(b"RIFF");
    out.put_u32_le(u32::try_from(riff).map_err(too_long)?);
    out.put_slice(b"WAVEfmt ");
    out.put_u32_le(u32::try_from(layout.len()).map_err(too_long)?);
    out.put_slice(layout);
    out.put_bytes(0, layout.len() % 2);
    out.put_slice(b"data");
    out.put_u32_le(u32::try_from(size).map_err(too_long)?);
    for data in waves.iter().flat_map(|wave| &wave.data) {
        out.put_slice(data);
    }
    out.put_bytes(0, size % 2);
    Ok(out.into())
}

/// One part.
#[derive(Debug)]
struct Wave<'a> {
    /// The body of the `fmt ` chunk: at least 16 bytes.
    layout: &'a [u8],
    data: Vec<&'a [u8]>,
    code: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

impl<'a> Wave<'a> {
    /// Walks the chunks. An encoder that writes to a stream cannot go back to the sizes: a `data` chunk whose size
    /// is 0, or more than there is, runs to the end of the part.
    fn read(part: &'a [u8]) -> Option<Self> {
        let (head, mut rest) = part.split_first_chunk::<12>()?;
        if !(head.starts_with(b"RIFF") || head.starts_with(b"RF64")) || !head.ends_with(b"WAVE") {
            return None;
        }
        let mut layout = None;
        let mut data = Vec::new();
        while let Some((id, after)) = rest.split_first_chunk::<4>() {
            let Some((size, after)) = after.split_first_chunk::<4>() else { break };
            let stated = usize::try_from(u32::from_le_bytes(*size)).ok()?;
            let is_data = id == b"data";
            let size = if is_data && stated == 0 { after.len() } else { stated.min(after.len()) };
            let (body, after) = after.split_at_checked(size)?;
            match id {
                b"data" => data.push(body),
                b"fmt " => layout = Some(body),
                _ => {}
            }
            rest = after.get(size % 2..).unwrap_or_default();
        }
        let layout = layout?;
        let mut fields: &[u8] = layout.first_chunk::<16>()?;
        let (code, channels, rate) =
            (fields.get_u16_le(), fields.get_u16_le(), fields.get_u32_le());
        fields.advance(4);
        let (block, bits) = (usize::from(fields.get_u16_le()).max(1), fields.get_u16_le());
        for chunk in &mut data {
            // Half a block would shift the channels, or the bytes, of everything that follows.
            *chunk = chunk.get(..chunk.len() - chunk.len() % block)?;
        }
        (!data.is_empty()).then_some(Self { layout, data, code, channels, rate, bits })
    }

    fn has_format_of(&self, other: &Self) -> bool {
        if self.code == LINEAR {
            return self.layout.first_chunk::<16>() == other.layout.first_chunk::<16>();
        }
        self.layout == other.layout
    }

    fn describe(&self) -> String {
        let Self { code, channels, rate, bits, .. } = self;
        let layout = match channels {
            1 => "mono".to_owned(),
            2 => "stereo".to_owned(),
            _ => format!("{channels} channels"),
        };
        format!("{rate} Hz {layout} at {bits} bits (encoding {code:#06x})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(id: [u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
        [id.as_slice(), &size.to_le_bytes(), body].concat()
    }

    fn layout(rate: u32) -> Vec<u8> {
        let mut body = Vec::new();
        for (value, bytes) in [(1, 2), (1, 2), (rate, 4), (rate * 2, 4), (2, 2), (16, 2)] {
            body.extend_from_slice(&value.to_le_bytes()[..bytes]);
        }
        chunk(*b"fmt ", 16, &body)
    }

    fn wave(riff: u32, chunks: &[Vec<u8>]) -> Bytes {
        [chunk(*b"RIFF", riff, b"WAVE"), chunks.concat()].concat().into()
    }

    fn expected(data: &[u8]) -> Bytes {
        let size = u32::try_from(data.len()).unwrap();
        wave(36 + size, &[layout(24_000), chunk(*b"data", size, data)])
    }

    #[test]
    fn one_header_states_the_true_sizes() {
        let note = chunk(*b"LIST", 3, b"odd\0");
        let first =
            wave(0, &[layout(24_000), note.clone(), chunk(*b"data", 4, b"aabb"), note.clone()]);
        let second = wave(99, &[note, layout(24_000), chunk(*b"data", 2, b"cc")]);
        assert_eq!(join(&[first, second]).unwrap(), expected(b"aabbcc"));
    }

    #[test]
    fn a_streamed_size_means_all_that_follows() {
        for size in [0, u32::MAX, 0x7FFF_F000, 7] {
            let part = wave(u32::MAX, &[layout(24_000), chunk(*b"data", size, b"aabb")]);
            let joined = join(&[part.clone(), part]).unwrap();
            assert_eq!(joined, expected(b"aabbaabb"), "size {size:#x}");
        }
    }

    #[test]
    fn half_a_sample_at_the_end_of_a_part_is_dropped() {
        let part = wave(0, &[layout(24_000), chunk(*b"data", u32::MAX, b"aabbc")]);
        assert_eq!(join(&[part.clone(), part]).unwrap(), expected(b"aabbaabb"));
    }

    #[test]
    fn a_part_of_another_format_is_named_with_both() {
        let part = |rate| wave(0, &[layout(rate), chunk(*b"data", 2, b"aa")]);
        let error = join(&[part(24_000), part(48_000)]).unwrap_err();
        assert_eq!(error.kind, Kind::Network);
        assert_eq!(
            error.message,
            "part 2 of the speech is 48000 Hz mono at 16 bits (encoding 0x0001), \
             and part 1 is 24000 Hz mono at 16 bits (encoding 0x0001)"
        );
    }

    #[test]
    fn a_part_without_layout_or_data_is_not_wav() {
        let good = expected(b"aa");
        for bad in [wave(0, &[layout(24_000)]), wave(0, &[chunk(*b"data", 2, b"aa")])] {
            let error = join(&[good.clone(), bad]).unwrap_err();
            assert_eq!(error.message, "part 2 of the speech is not WAV");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_part_that_is_cut_off_anywhere_breaks_nothing(cut in 0_usize..60, tail: Vec<u8>) {
            let whole = wave(u32::MAX, &[chunk(*b"LIST", 3, b"odd\0"), layout(24_000), chunk(*b"data", 4, b"aabb")]);
            let part = Bytes::from([&whole[..cut.min(whole.len())], &tail].concat());
            if let Ok(joined) = join(&[part.clone(), part]) {
                proptest::prop_assert!(Wave::read(&joined).is_some());
            }
        }
    }
}
