//! How many references a model takes. The catalog does not say; Venice's documentation does, model by model.

/// What a model's id starts with, or has in it, and how many pictures and clips it takes. The first row that fits
/// counts.
const MOST: &[(&str, usize, Option<usize>)] = &[
    ("seedance-2-5", 30, Some(10)),
    ("seedance-2-0", 9, Some(3)),
    ("minimax-h3", 9, Some(3)),
    ("wan-3-0", 10, Some(5)),
    ("gemini-omni-1-1", 10, None),
    ("gemini-omni", 3, None),
    ("grok-imagine", 7, None),
    ("pixverse", 7, None),
    ("kling-o3-4k", 7, None),
    ("kling-o3", 4, None),
];

/// The most items of the argument that the model takes, where that is known.
pub(super) fn most_references(model: &str, argument: &str) -> Option<usize> {
    let (_, pictures, clips) = MOST.iter().find(|(part, ..)| model.starts_with(part))?;
    match argument {
        "reference_image_urls" => Some(*pictures),
        "reference_video_urls" => *clips,
        _ => None,
    }
}
