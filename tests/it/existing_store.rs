//! A store that an earlier version has written is opened unchanged: `tests/fixtures/store-0.1.0` has an image, a video,
//! the video's job, and the ledger of a day, as version 0.1.0 wrote them before the storage became a trait.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{command, copy_directory};

/// What a command prints for one call on the store, without a Venice that could be asked.
async fn call(home: &Path, tool: &str, arguments: &Value) -> String {
    let mut command = command(home);
    command.env("VENICE_API_KEY", "test-key").env("VENICE_BASE_URL", "http://127.0.0.1:9/api/v1");
    let output = command.args(["call", tool, &arguments.to_string()]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.replace(home.join("out").to_str().unwrap(), "OUT")
}

#[tokio::test]
async fn media_jobs_and_ledger_of_an_earlier_version_are_read() {
    let home = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-0.1.0");
    copy_directory(&fixture, &home.path().join("out"));
    let call = async |tool: &str, arguments: Value| call(home.path(), tool, &arguments).await;

    let video = "video/mp4 2.0 s 11 kB | venice://media/a-wave-4c0d2d0f1c7bd813 | \
                 OUT/a-wave-4c0d2d0f1c7bd813.mp4 | model kling-2.6-pro-text-to-video | about $0.70\n";
    let image = "image/webp 64x64 580 B | venice://media/bicycle-02164c62be89a035 | \
                 OUT/art/bicycle-02164c62be89a035.webp | model z-image-turbo | about $0.01\n";
    assert_eq!(call("venice_media", json!({})).await, format!("{video}{image}"));
    let uri = json!({"uri": "venice://media/bicycle-02164c62be89a035", "output": "none"});
    assert_eq!(call("venice_media", uri).await, image);
    let job = json!({"job": "job-875f4fe74ac63082", "output": "none"});
    assert_eq!(
        call("venice_video_status", job).await,
        format!("{video}job job-875f4fe74ac63082\n")
    );

    let day = json!({"view": "ledger", "startDate": "2026-11-28", "endDate": "2026-11-28"});
    let ledger: Value = serde_json::from_str(&call("venice_account", day).await).unwrap();
    let states: Vec<_> =
        ledger["entries"].as_array().unwrap().iter().map(|e| &e["state"]).collect();
    assert_eq!(states, ["settled", "settled"]);
    assert_eq!(ledger["settled_usd"], 0.71);
}
