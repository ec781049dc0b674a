//! Playable audio in every speech format, longer for longer texts.
//!
//! The embedded files are tones from ffmpeg's generators. MP3 and AAC are cut into frames that stand alone (no bit
//! reservoir, no header in front), so that a file may be repeated.

use bytes::Bytes;

const MP3: &[u8] = include_bytes!("media/speech.mp3");
const AAC: &[u8] = include_bytes!("media/speech.aac");
const OPUS: &[u8] = include_bytes!("media/speech.opus");
const FLAC: &[u8] = include_bytes!("media/speech.flac");

/// A short piece of music, MP3, four seconds.
pub(super) const MUSIC_MP3: &[u8] = include_bytes!("media/music.mp3");
/// The music of models that answer FLAC only.
pub(super) const MUSIC_FLAC: &[u8] = FLAC;

/// Samples per second; the rate of most speech models.
const SAMPLE_RATE: u32 = 24_000;
/// Samples per character: 60 ms.
const SAMPLES_PER_CHAR: u32 = SAMPLE_RATE * 60 / 1000;
/// The most characters that are spoken, so that no reply is larger than 3 MB.
const MAX_SPOKEN_CHARS: usize = 1000;

/// The content type and the file of a text spoken at `speed`. Each `voice` has its own pitch.
pub(super) fn speak(text: &str, voice: &str, speed: f64, format: &str) -> (&'static str, Bytes) {
    // The embedded MP3 and AAC last one second each.
    let seconds = (text.chars().take(MAX_SPOKEN_CHARS).count() * 60).div_ceil(1000).max(1);
    match format {
        "opus" => ("audio/opus", Bytes::from_static(OPUS)),
        "aac" => ("audio/aac", AAC.repeat(seconds).into()),
        "flac" => ("audio/flac", Bytes::from_static(FLAC)),
        "wav" => ("audio/wav", wav(&pcm(text, voice, speed)).into()),
        "pcm" => ("audio/pcm", pcm(text, voice, speed).into()),
        _ => ("audio/mpeg", MP3.repeat(seconds).into()),
    }
}

/// 16-bit little-endian mono samples: a tone for each letter, silence for the rest.
fn pcm(text: &str, voice: &str, speed: f64) -> Vec<u8> {
    let base = voice.bytes().fold(180, |pitch, byte| 160 + (pitch + u32::from(byte)) % 120);
    let length = samples(speed);
    let mut bytes = Vec::new();
    for character in text.chars().take(MAX_SPOKEN_CHARS) {
        let step = u32::from(character) % 32;
        let pitch = if character.is_alphanumeric() { base + step * 8 } else { 0 };
        for index in 0..length {
            // Faded at both ends to avoid clicks.
            let edge = index.min(length - index).min(120);
            let sample = triangle(index, pitch) * i32::try_from(edge).unwrap_or_default() / 120;
            let sample = i16::try_from(sample).unwrap_or_default();
            bytes.extend_from_slice(&sample.to_le_bytes());
        }
    }
    bytes
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the speed lies between 0.25 and 4, so the result is small and positive"
)]
fn samples(speed: f64) -> u32 {
    (f64::from(SAMPLES_PER_CHAR) / speed.clamp(0.25, 4.0)) as u32
}

/// A triangle wave of `pitch` Hz and a quarter of the full height.
fn triangle(index: u32, pitch: u32) -> i32 {
    let phase = i32::try_from(
        u64::from(index) * u64::from(pitch) * 32_000 / u64::from(SAMPLE_RATE) % 32_000,
    );
    let phase = phase.unwrap_or_default();
    if pitch == 0 { 0 } else { (phase - 16_000).abs() - 8000 }
}

/// A WAV file of the samples.
fn wav(samples: &[u8]) -> Vec<u8> {
    let length = u32::try_from(samples.len()).unwrap_or(u32::MAX - 36);
    let mut file = Vec::with_capacity(samples.len() + 44);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(length + 36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16u32.to_le_bytes());
    file.extend_from_slice(&1u16.to_le_bytes());
    file.extend_from_slice(&1u16.to_le_bytes());
    file.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    file.extend_from_slice(&(SAMPLE_RATE * 2).to_le_bytes());
    file.extend_from_slice(&2u16.to_le_bytes());
    file.extend_from_slice(&16u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(samples);
    file
}
