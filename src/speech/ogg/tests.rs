use proptest::prelude::*;

use super::*;

/// 0.21 s with a pre-skip of 312 samples: 11 packets of 960 samples, 168 of which are trimmed.
const OPUS: &[u8] = include_bytes!("../../../tests/fixtures/speech/tone.opus");
const DURATION: u64 = 10_080;
const PRE_SKIP: u64 = 312;

fn parts(count: usize) -> Vec<Bytes> {
    vec![Bytes::from_static(OPUS); count]
}

/// A stream of packets of 20 ms, each of which begins with `toc`, whose last page trims `trim` samples.
fn stream(pre_skip: u16, count: u64, trim: u64) -> Bytes {
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend_from_slice(&pre_skip.to_le_bytes());
    head.extend_from_slice(&[0; 7]);
    let mut writer = PageWriter::new(u32::from(pre_skip), 0);
    writer.packet(&head, 0);
    writer.end_page();
    writer.packet(b"OpusTags\0\0\0\0\0\0\0\0", 0);
    writer.end_page();
    for number in 1..=count {
        writer.packet(&[0x08, u8::try_from(number % 256).unwrap()], number * 960);
    }
    writer.finish(count * 960 - trim)
}

/// What a stream plays, by its last page, in samples.
fn duration(bytes: &[u8]) -> u64 {
    let stream = Stream::read_all(bytes).pop().unwrap();
    OggPages::of(bytes).last().unwrap().granule - stream.pre_skip()
}

#[test]
fn the_parts_become_one_stream_with_the_sum_of_their_durations() {
    for count in [2, 3, 30] {
        let joined = join(&parts(count)).unwrap();
        let pages: Vec<_> = OggPages::of(&joined).collect();
        assert!(pages.iter().all(|page| page.serial == pages[0].serial));
        assert_eq!(pages.iter().filter(|page| page.flags & BEGINS != 0).count(), 1);
        assert_eq!(pages.iter().filter(|page| page.flags & ENDS != 0).count(), 1);
        assert!(pages.last().unwrap().flags & ENDS != 0);
        assert!(pages.is_sorted_by_key(|page| page.granule));
        assert_eq!(duration(&joined), DURATION * u64::try_from(count).unwrap());
    }
}

#[test]
fn every_granule_but_the_last_counts_the_packets_before_it() {
    let joined = join(&parts(5)).unwrap();
    let pages: Vec<_> = OggPages::of(&joined).collect();
    let mut position = 0;
    for page in &pages[2..] {
        position += page.segments().filter_map(|(packet, _)| samples(packet)).sum::<u64>();
        if page.flags & ENDS == 0 {
            assert_eq!(page.granule, position);
        }
    }
    let last = pages.last().unwrap().granule;
    assert_eq!(last, 5 * DURATION + PRE_SKIP);
    assert!(last <= position && position - last < 960);
}

#[test]
fn another_reader_finds_the_same_duration() {
    use lofty::file::AudioFile as _;
    let joined = join(&parts(4)).unwrap();
    let mut reader = std::io::Cursor::new(joined);
    let file = lofty::ogg::OpusFile::read_from(&mut reader, lofty::config::ParseOptions::new());
    assert_eq!(file.unwrap().properties().duration().as_millis(), 840);
}

#[test]
fn packets_of_a_long_pre_skip_are_left_out() {
    let parts = [stream(312, 10, 0), stream(3840, 10, 0)];
    let joined = join(&parts).unwrap();
    assert_eq!(duration(&joined), 9600 - 312 + 9600 - 3840);
    let firsts: Vec<_> =
        Stream::read_all(&joined)[0].packets.iter().map(|packet| packet.bytes[1]).collect();
    assert_eq!(firsts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn a_granule_that_cannot_be_trims_nothing() {
    for last in [0, 1, 96_000, NOWHERE] {
        let mut writer = PageWriter::new(1, 0);
        let source = stream(0, 10, 0);
        let read = &Stream::read_all(&source)[0];
        writer.packet(&read.head, 0);
        writer.end_page();
        writer.packet(&read.tags, 0);
        for packet in &read.packets {
            writer.end_page();
            writer.packet(&packet.bytes, 960);
        }
        let part = writer.finish(last);
        assert_eq!(duration(&join(&[part, source]).unwrap()), 19_200, "{last}");
    }
}

#[test]
fn a_part_with_other_channels_is_named() {
    let mut other = OPUS.to_vec();
    let at = memchr::memmem::find(OPUS, b"OpusHead").unwrap() + 9;
    other[at] = 2;
    let error = join(&[OPUS.into(), other.into()]).unwrap_err();
    assert_eq!(error.message, "part 2 of the speech differs from part 1 in channels or gain");
}

#[test]
fn a_chain_of_streams_counts_as_its_links() {
    let chain = Bytes::from([stream(1, 4, 0), stream(2, 5, 0)].concat());
    assert_eq!(duration(&join(&[chain, stream(3, 6, 0)]).unwrap()), 15 * 960 - 6);
}

#[test]
fn the_samples_of_a_packet_follow_its_first_bytes() {
    for (packet, expected) in [
        (&[0b0000_0000][..], Some(480)),
        (&[0b0001_1000], Some(2880)),
        (&[0b0110_1001], Some(1920)),
        (&[0b1000_0010], Some(240)),
        (&[0b1001_1011, 3], Some(2880)),
        (&[0b0001_1011, 3], None),
        (&[0b0000_0011], None),
        (&[], None),
    ] {
        assert_eq!(samples(packet), expected, "{packet:?}");
    }
}

proptest! {
    #[test]
    fn the_durations_add_up_whatever_is_skipped_and_trimmed(
        shapes in prop::collection::vec((0_u16..4000, 8_u64..40, 0_u64..960), 2..8),
    ) {
        let parts: Vec<_> =
            shapes.iter().map(|&(skip, count, trim)| stream(skip, count, trim)).collect();
        let expected: u64 = parts.iter().map(|part| duration(part)).sum();
        prop_assert_eq!(duration(&join(&parts).unwrap()), expected);
    }

    #[test]
    fn no_bytes_break_the_reader(cut in 0..OPUS.len(), at in 0..OPUS.len(), byte: u8, tail: Vec<u8>) {
        let mut part = [&OPUS[..cut], &tail, OPUS].concat();
        part[at] = byte;
        let part = Bytes::from(part);
        if let Ok(joined) = join(&[part.clone(), part]) {
            prop_assert!(!Stream::read_all(&joined).is_empty());
        }
    }
}
