use serde_json::json;

use super::*;

fn video_model(constraints: &serde_json::Value) -> VideoModel {
    let spec = json!({ "constraints": constraints });
    VideoModel::from_spec(&ModelSpec::new(spec.as_object().unwrap()))
}

fn paths(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.path.as_str()).collect()
}

fn text_to_video() -> VideoModel {
    video_model(&json!({"model_type": "text-to-video", "aspect_ratios": ["16:9", "1:1"],
        "resolutions": ["720p"], "durations": ["5s", "10s"], "audio_configurable": false,
        "audio_input": false, "video_input": false}))
}

#[test]
fn a_call_that_fits_has_no_problems() {
    let requirements = VideoRequirements {
        prompt: Some("waves"),
        duration: Some("5s"),
        aspect_ratio: Some("16:9"),
        resolution: Some("720p"),
        ..VideoRequirements::default()
    };
    assert_eq!(text_to_video().check_requirements("m", &requirements), []);
}

#[test]
fn everything_that_is_missing_or_not_offered_is_named_at_once() {
    let problems = text_to_video().check_requirements("m", &VideoRequirements::default());
    assert_eq!(paths(&problems), ["prompt", "duration", "aspect_ratio"]);
    assert!(problems[1].message.contains("`5s`, `10s`"), "{problems:?}");
    let long = "x".repeat(2501);
    let requirements = VideoRequirements {
        prompt: Some(&long),
        duration: Some("7s"),
        aspect_ratio: Some("4:3"),
        resolution: Some("720P"),
        given: ["audio", "image_url", "audio_url", "video_url"].into(),
        counts: vec![("reference_image_urls", 1), ("elements", 0)],
        ..VideoRequirements::default()
    };
    let problems = text_to_video().check_requirements("m", &requirements);
    assert_eq!(
        paths(&problems),
        [
            "prompt",
            "duration",
            "aspect_ratio",
            "resolution",
            "audio",
            "image_url",
            "audio_url",
            "video_url",
            "reference_image_urls"
        ]
    );
}

#[test]
fn a_ratio_is_refused_where_none_is_listed() {
    let row = video_model(&json!({"model_type": "image-to-video", "aspect_ratios": [],
        "resolutions": [], "durations": ["5s"]}));
    let requirements = VideoRequirements {
        prompt: Some("waves"),
        duration: Some("5s"),
        aspect_ratio: Some("16:9"),
        resolution: Some("720p"),
        ..VideoRequirements::default()
    };
    let problems = row.check_requirements("m", &requirements);
    assert_eq!(paths(&problems), ["aspect_ratio", "resolution", "image_url"]);
}

#[test]
fn what_works_on_a_clip_needs_one_and_brings_its_duration() {
    let row = video_model(&json!({"model_type": "video", "aspect_ratios": [], "resolutions": [],
        "durations": [], "video_input": true}));
    let empty = row.check_requirements("topaz-video-upscale", &VideoRequirements::default());
    assert_eq!(paths(&empty), ["video_url"]);
    let with = |duration| VideoRequirements {
        duration: Some(duration),
        given: ["video_url", "upscale_factor"].into(),
        ..VideoRequirements::default()
    };
    assert_eq!(row.check_requirements("topaz-video-upscale", &with("12.5")), []);
    assert_eq!(paths(&row.check_requirements("topaz-video-upscale", &with("Auto"))), ["duration"]);
    let other = row.check_requirements("wan-2-7-video-to-video", &with("5s"));
    assert_eq!(paths(&other), ["prompt", "upscale_factor"]);
}

#[test]
fn references_are_counted_by_the_model() {
    let row = video_model(&json!({"model_type": "video"}));
    let requirements = |images, videos, audios| VideoRequirements {
        prompt: Some("waves"),
        counts: vec![
            ("reference_image_urls", images),
            ("reference_video_urls", videos),
            ("reference_audio_urls", audios),
        ],
        ..VideoRequirements::default()
    };
    let model = "seedance-2-0-reference-to-video-basic";
    assert_eq!(row.check_requirements(model, &requirements(9, 3, 1)), []);
    let many = row.check_requirements(model, &requirements(10, 4, 0));
    assert_eq!(paths(&many), ["reference_image_urls", "reference_video_urls"]);
    assert_eq!(
        paths(&row.check_requirements(model, &requirements(0, 0, 1))),
        ["reference_audio_urls"]
    );
    assert_eq!(
        row.check_requirements("new-model", &requirements(30, 10, 10)),
        [],
        "Venice decides"
    );
}

#[test]
fn keyframes_are_one_a_frame_and_within_the_video() {
    let row = video_model(&json!({"model_type": "video"}));
    let requirements = |frames: &[u64]| VideoRequirements {
        prompt: Some("waves"),
        duration: Some("5s"),
        frames: frames.to_vec(),
        ..VideoRequirements::default()
    };
    assert_eq!(row.check_requirements("m", &requirements(&[0, 120])), []);
    assert_eq!(paths(&row.check_requirements("m", &requirements(&[0, 121]))), ["keyframes"]);
    assert_eq!(paths(&row.check_requirements("m", &requirements(&[3, 3]))), ["keyframes"]);
}

#[test]
fn nothing_is_refused_where_nothing_is_known() {
    let requirements = VideoRequirements {
        duration: Some("99s"),
        aspect_ratio: Some("5:7"),
        given: ["audio", "image_url", "video_url", "upscale_factor", "end_image_url"].into(),
        counts: vec![("elements", 9)],
        ..VideoRequirements::default()
    };
    assert_eq!(VideoModel::default().check_requirements("m", &requirements), []);
}

#[test]
fn a_bare_number_is_a_duration_in_seconds() {
    let model = video_model(&json!({"durations": ["5s", "1 gen"]}));
    assert_eq!(model.normalize_duration("5"), "5s");
    assert_eq!(model.normalize_duration("1 gen"), "1 gen");
    assert_eq!(model.normalize_duration("7"), "7");
    assert_eq!(VideoModel::default().normalize_duration("5"), "5");
}
