//! Queued jobs: every kind has the same steps from queue to media.
//!
//! A new kind is one line of `FakeJobKind`, and a family file with its routes, its rules, and its media.

use std::collections::VecDeque;

use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{FILLED, Field, Shape, optional, required};
use super::reply::{self, Refusal};

/// How many jobs are kept. The oldest is dropped first, because the API forgets jobs after a day.
const MAX_JOBS: usize = 1000;

/// The body of a retrieve request.
pub(super) const RETRIEVE: &[Field] = &[
    required("model", FILLED),
    required("queue_id", FILLED),
    optional("delete_media_on_completion", Shape::Flag),
];
/// The body of a complete request.
pub(super) const COMPLETE: &[Field] = &[required("model", FILLED), required("queue_id", FILLED)];

/// What a job makes. The endpoints of one kind do not know the jobs of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FakeJobKind {
    Music,
    Video,
}

#[derive(Debug)]
struct FakeJob {
    id: String,
    kind: FakeJobKind,
    model: &'static str,
    is_blocked: bool,
    /// How many polls still answer `PROCESSING`.
    polls_left: u32,
}

/// What a poll finds.
pub(super) enum FakeJobPoll {
    /// The job is running; this is the reply.
    Running(Response),
    /// The job is done, and its media is that of the model with this id.
    Done(&'static str),
}

/// All jobs of a sandbox.
#[derive(Debug)]
pub(super) struct FakeJobs {
    jobs: VecDeque<FakeJob>,
    /// How many polls of a new job answer `PROCESSING`.
    polls: u32,
}

impl FakeJobs {
    pub(super) const fn new(polls: u32) -> Self {
        Self { jobs: VecDeque::new(), polls }
    }

    /// Queues a job and returns its id.
    pub(super) fn queue(&mut self, kind: FakeJobKind, model: &'static str, prompt: &str) -> String {
        let id = Uuid::new_v4().to_string();
        if self.jobs.len() >= MAX_JOBS {
            self.jobs.pop_front();
        }
        let is_blocked = prompt.contains("violation");
        let polls_left = self.polls;
        self.jobs.push_back(FakeJob { id: id.clone(), kind, model, is_blocked, polls_left });
        id
    }

    /// Polls a job once. With `delete`, a job that is done is forgotten together with its media.
    pub(super) fn poll(
        &mut self,
        kind: FakeJobKind,
        model: Option<&str>,
        id: &str,
        delete: bool,
    ) -> Result<FakeJobPoll, Refusal> {
        let job = self.find(id, kind).filter(|job| model.is_none_or(|model| model == job.model));
        let job = job.ok_or_else(|| Refusal::bad("Request ID is invalid."))?;
        if job.polls_left > 0 {
            job.polls_left -= 1;
            return Ok(FakeJobPoll::Running(reply::json(&status("PROCESSING"))));
        }
        if job.is_blocked {
            return Err(Refusal::shaped(
                422,
                json!({
                    "error": {
                        "message": "The provider refused the prompt for its content policy.",
                        "type": "provider_content_policy",
                        "credits_refunded": true,
                    },
                }),
            ));
        }
        let model = job.model;
        if delete {
            self.remove(id, kind);
        }
        Ok(FakeJobPoll::Done(model))
    }

    /// Forgets a job and its media; false if there is no such job.
    pub(super) fn remove(&mut self, id: &str, kind: FakeJobKind) -> bool {
        let before = self.jobs.len();
        self.jobs.retain(|job| job.id != id || job.kind != kind);
        self.jobs.len() < before
    }

    /// Whether the job's media can be fetched.
    pub(super) fn is_done(&mut self, id: &str, kind: FakeJobKind) -> bool {
        self.find(id, kind).is_some_and(|job| job.polls_left == 0 && !job.is_blocked)
    }

    fn find(&mut self, id: &str, kind: FakeJobKind) -> Option<&mut FakeJob> {
        self.jobs.iter_mut().find(|job| job.id == id && job.kind == kind)
    }
}

/// A status in the API's words; the times are milliseconds.
pub(super) fn status(word: &str) -> Value {
    json!({ "status": word, "average_execution_time": 2000, "execution_duration": 1000 })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::SandboxSettings;
    use crate::sandbox::test::{TestReply, TestSandbox};

    const KLING: &str = "kling-2.6-pro-text-to-video";

    fn clip(model: &str) -> Value {
        json!({ "model": model, "prompt": "a gondola", "duration": "5s", "aspect_ratio": "16:9" })
    }

    async fn queued(sandbox: &TestSandbox, path: &str, body: Value) -> Value {
        let got = sandbox.post(path, body).await;
        assert_eq!(got.status, 200, "{}", got.text());
        let body = got.json();
        json!({ "model": body["model"], "queue_id": body["queue_id"], "download_url": body["download_url"] })
    }

    async fn polled(sandbox: &TestSandbox, path: &str, job: &Value, delete: bool) -> TestReply {
        let body = json!({ "model": job["model"], "queue_id": job["queue_id"], "delete_media_on_completion": delete });
        sandbox.post(path, body).await
    }

    #[tokio::test]
    async fn a_clip_comes_after_two_polls_and_goes_with_the_delete_flag() {
        let sandbox = TestSandbox::new().await;
        let job = queued(&sandbox, "/video/queue", clip(KLING)).await;
        for _ in 0..2 {
            assert_eq!(
                polled(&sandbox, "/video/retrieve", &job, true).await.json()["status"],
                "PROCESSING"
            );
        }
        let got = polled(&sandbox, "/video/retrieve", &job, false).await;
        assert_eq!((got.header("content-type"), &got.bytes[4..8]), ("video/mp4", &b"ftyp"[..]));
        let complete = json!({ "model": KLING, "queue_id": job["queue_id"] });
        assert_eq!(sandbox.post("/video/complete", complete).await.status, 400);
        assert_eq!(
            polled(&sandbox, "/video/retrieve", &job, true).await.header("content-type"),
            "video/mp4"
        );
        let got = polled(&sandbox, "/video/retrieve", &job, false).await;
        assert_eq!((got.status, got.error().as_str()), (400, "Request ID is invalid."));
    }

    #[tokio::test]
    async fn a_grok_clip_lies_behind_its_download_url_and_needs_no_key() {
        let mut sandbox =
            TestSandbox::with(SandboxSettings { polls: 0, ..SandboxSettings::default() }).await;
        let job =
            queued(&sandbox, "/video/queue", clip("grok-imagine-text-to-video-private")).await;
        assert_eq!(
            polled(&sandbox, "/video/retrieve", &job, true).await.json()["status"],
            "COMPLETED"
        );
        let url = job["download_url"].as_str().expect("a URL");
        let path = &url[sandbox.sandbox.base_url().trim_end_matches("/api/v1").len()..];
        sandbox.key = "";
        assert_eq!(sandbox.send("GET", path, "", b"").await.header("content-type"), "video/mp4");
        assert_eq!(sandbox.send("DELETE", path, "", b"").await.status, 204);
        assert_eq!(sandbox.send("GET", path, "", b"").await.status, 404);
    }

    #[tokio::test]
    async fn what_a_video_model_lacks_is_refused() {
        let sandbox = TestSandbox::new().await;
        let image = "https://example.com/a.png";
        for (model, change, message) in [
            (KLING, json!({ "aspect_ratio": null }), "Expected string, received null"),
            (
                KLING,
                json!({ "aspect_ratio": "21:9" }),
                "Invalid aspect_ratio for kling-2.6-pro-text-to-video. Supported values: 16:9, 9:16, 1:1",
            ),
            (
                KLING,
                json!({ "duration": "6s" }),
                "Invalid duration for kling-2.6-pro-text-to-video. Supported values: 5s, 10s",
            ),
            (
                KLING,
                json!({ "resolution": "720p" }),
                "resolution is not supported by kling-2.6-pro-text-to-video",
            ),
            (
                KLING,
                json!({ "image_url": image }),
                "image_url is not supported by kling-2.6-pro-text-to-video",
            ),
            (KLING, json!({ "seed": 1 }), "Unrecognized key(s) in object: 'seed'"),
            (
                "kling-2.6-pro-image-to-video",
                json!({ "image_url": image }),
                "aspect_ratio is not supported by kling-2.6-pro-image-to-video",
            ),
            (
                "grok-imagine-text-to-video-private",
                json!({ "audio": true }),
                "audio is not supported by grok-imagine-text-to-video-private",
            ),
            ("topaz-video-upscale", json!({}), "video_url is required for this model"),
            (
                "seedance-2-0-reference-to-video-basic",
                json!({ "image_url": "http://10.0.0.1/a.png" }),
                "Invalid URL: the host is not public",
            ),
        ] {
            let mut body = clip(model);
            body.as_object_mut()
                .expect("an object")
                .extend(change.as_object().expect("an object").clone());
            let got = sandbox.post("/video/queue", body).await;
            assert_eq!((got.status, got.error().as_str()), (400, message), "{change}");
        }
    }

    #[tokio::test]
    async fn upscaling_needs_no_prompt_and_a_face_needs_consent() {
        let sandbox = TestSandbox::new().await;
        let image = "https://example.com/a.png";
        let body = json!({ "model": KLING, "prompt": "x", "duration": "5s" });
        assert_eq!(
            sandbox.post("/video/queue", body).await.error(),
            "aspect_ratio is required for this model"
        );
        let body = json!({ "model": "topaz-video-upscale", "video_url": "https://example.com/a.mp4", "upscale_factor": 2 });
        assert_eq!(sandbox.post("/video/queue", body).await.status, 200);
        let mut body = clip("seedance-2-0-reference-to-video-basic");
        body["prompt"] = json!("a consent case");
        body["reference_image_urls"] = json!([image]);
        assert_eq!(sandbox.post("/video/queue", body.clone()).await.status, 409);
        body["consents"] = json!({ "seedance": { "a": true, "b": true, "c": true } });
        assert_eq!(sandbox.post("/video/queue", body).await.status, 200);
    }

    #[tokio::test]
    async fn a_blocked_job_fails_when_it_is_retrieved() {
        let sandbox =
            TestSandbox::with(SandboxSettings { polls: 0, ..SandboxSettings::default() }).await;
        let mut body = clip(KLING);
        body["prompt"] = json!("a violation");
        let job = queued(&sandbox, "/video/queue", body).await;
        let got = polled(&sandbox, "/video/retrieve", &job, false).await;
        assert_eq!(
            (got.status, &got.json()["error"]["type"]),
            (422, &json!("provider_content_policy"))
        );
    }

    #[tokio::test]
    async fn plural_paths_poll_by_path() {
        let sandbox = TestSandbox::with(SandboxSettings { plural: true, polls: 1 }).await;
        let job = queued(&sandbox, "/videos/generations", clip(KLING)).await;
        let path = format!("/videos/generations/{}", job["queue_id"].as_str().expect("an id"));
        assert_eq!(sandbox.get(&path).await.json()["status"], "PROCESSING");
        assert_eq!(sandbox.get(&path).await.header("content-type"), "video/mp4");
        let got = sandbox
            .post("/videos/generations/quote", json!({ "model": KLING, "duration": "5s" }))
            .await;
        assert_eq!(got.json()["quote"], 0.7);
    }

    #[tokio::test]
    async fn music_is_quoted_queued_collected_and_completed() {
        let sandbox =
            TestSandbox::with(SandboxSettings { polls: 1, ..SandboxSettings::default() }).await;
        let quote = sandbox
            .post("/audio/quote", json!({ "model": "ace-step-15", "duration_seconds": "90" }))
            .await;
        assert_eq!(quote.json()["quote"], 0.04);
        let body = json!({ "model": "ace-step-15", "prompt": "slow strings at dusk", "duration_seconds": 60 });
        let job = queued(&sandbox, "/audio/queue", body).await;
        let complete = json!({ "model": "ace-step-15", "queue_id": job["queue_id"] });
        assert_eq!(
            sandbox.post("/audio/complete", complete.clone()).await.json()["success"],
            false
        );
        assert_eq!(
            polled(&sandbox, "/audio/retrieve", &job, false).await.json()["status"],
            "PROCESSING"
        );
        let got = polled(&sandbox, "/audio/retrieve", &job, false).await;
        assert_eq!((got.header("content-type"), &got.bytes[..4]), ("audio/flac", &b"fLaC"[..]));
        assert_eq!(sandbox.post("/audio/complete", complete).await.json()["success"], true);
        assert_eq!(polled(&sandbox, "/audio/retrieve", &job, false).await.status, 400);
    }

    #[tokio::test]
    async fn what_a_music_model_lacks_is_refused() {
        let sandbox = TestSandbox::new().await;
        for (body, message) in [
            (
                json!({ "model": "ace-step-15", "prompt": "short" }),
                "prompt must be at least 10 characters",
            ),
            (
                json!({ "model": "ace-step-15", "prompt": "slow strings", "duration_seconds": 61 }),
                "duration_seconds must be one of 60, 90, 120, 150, 180, 210",
            ),
            (
                json!({ "model": "ace-step-15", "prompt": "slow strings", "loop": true }),
                "loop is not supported by ace-step-15",
            ),
            (
                json!({ "model": "ace-step-15", "prompt": "slow strings", "lyrics": "la" }),
                "Unrecognized key(s) in object: 'lyrics'",
            ),
            (
                json!({ "model": "minimax-music-v2", "prompt": "slow strings" }),
                "lyrics_prompt is required by minimax-music-v2",
            ),
            (
                json!({ "model": "minimax-music-v2", "prompt": "slow strings", "lyrics_prompt": "la", "duration_seconds": 60 }),
                "duration_seconds is not supported by minimax-music-v2",
            ),
            (
                json!({ "model": "elevenlabs-tts-v3", "prompt": "hello", "speed": 2 }),
                "speed must be between 0.7 and 1.2",
            ),
        ] {
            let got = sandbox.post("/audio/queue", body).await;
            assert_eq!((got.status, got.error().as_str()), (400, message));
        }
        let body = json!({ "model": "minimax-music-v26", "prompt": "slow strings", "force_instrumental": true });
        assert_eq!(sandbox.post("/audio/queue", body).await.status, 200);
        assert_eq!(
            sandbox.post("/audio/quote", json!({ "model": "elevenlabs-tts-v3" })).await.status,
            400
        );
    }
}
