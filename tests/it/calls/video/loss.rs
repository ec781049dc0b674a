//! What a crash, a second server and a lost reply leave.

use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{GENERATE, job, status, waves};
use crate::harness::{Client as _, Setup, TestServer, kinds, media_items, text, until};

/// The records of all jobs of that home.
fn records(server: &TestServer) -> Vec<Value> {
    let folder = server.out().join(".venice/jobs");
    let read = |file: &Path| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    std::fs::read_dir(folder).unwrap().map(|entry| read(&entry.unwrap().path())).collect()
}

fn videos(server: &TestServer) -> usize {
    let entries = std::fs::read_dir(server.out()).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().path().extension().is_some()).count()
}

#[tokio::test]
async fn a_server_killed_after_queueing_loses_nothing() {
    let server = Setup::new().polls(1).start().await;
    let queued = job(&server.call(GENERATE, waves(0)).await);
    let server = server.killed().await;
    let done = status(&server, &queued["job"], 30).await;
    assert_eq!(kinds(&done), ["text", "resource_link"], "{}", text(&done));
    assert_eq!(server.sent("/video/queue").len(), 1);
    let record = records(&server).remove(0);
    assert_eq!(record["state"], "stored");
    assert_eq!(record["queue_id"], queued["queue_id"]);
}

#[tokio::test]
async fn the_first_call_after_a_start_collects_what_was_queued_before() {
    let server = Setup::new().polls(0).start().await;
    server.call(GENERATE, waves(0)).await;
    let server = server.killed().await;
    server.call("venice_list_models", json!({"type": "video"})).await;
    until(async || records(&server)[0]["state"] == "stored").await;
    assert_eq!(videos(&server), 1);
}

#[tokio::test]
async fn of_two_servers_on_one_directory_one_collects() {
    let server = Setup::new().polls(1).start().await;
    let queued = job(&server.call(GENERATE, waves(0)).await);
    let other = server.another().await;
    let (one, two) =
        tokio::join!(status(&server, &queued["job"], 30), status(&other, &queued["job"], 30));
    assert_eq!(media_items(&one)[0]["uri"], media_items(&two)[0]["uri"], "{}", text(&two));
    assert_eq!(videos(&server), 1);
    assert_eq!(server.sent("/video/retrieve").len(), 2);
}

#[tokio::test]
async fn a_client_that_goes_away_stops_waiting_and_not_the_job() {
    let server = Setup::new().polls(1).start().await;
    let call = server.begin(GENERATE, waves(50)).await;
    until(async || server.sent("/video/queue").len() == 1).await;
    call.cancel(None).await.unwrap();
    until(async || records(&server)[0]["state"] == "stored").await;
    let again = server.call(GENERATE, waves(0)).await;
    assert_eq!(job(&again)["status"], "stored", "{}", text(&again));
    assert_eq!(server.sent("/video/queue").len(), 1);
}

/// An API that accepts requests for jobs, and never answers them.
async fn silent() -> MockServer {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_mins(10));
    let queue = Mock::given(method("POST")).and(path("/video/queue"));
    queue.respond_with(late).mount(&server).await;
    server
}

async fn queue_requests(venice: &MockServer) -> usize {
    let requests = venice.received_requests().await.unwrap();
    requests.iter().filter(|request| request.url.path() == "/video/queue").count()
}

#[tokio::test]
async fn a_request_whose_reply_is_lost_is_reported_once_and_then_sent_again() {
    let venice = silent().await;
    let server = Setup::new().upstream(&venice.uri()).start().await;
    let killed = {
        let call = server.call(GENERATE, waves(0));
        tokio::select! {
            result = call => panic!("answered: {}", text(&result)),
            () = until(async || queue_requests(&venice).await > 0) => server.killed(),
        }
    };
    let server = killed.await;
    assert_eq!(records(&server)[0]["state"], "sending");
    assert_snapshot!(server.said(GENERATE, waves(0)).await, @"
    error: the same call was sent at <time> as `job-<id>` and its reply was lost: it may have been charged
    hint: it may have been charged; call again to submit a new job
    ");
    assert_eq!(queue_requests(&venice).await, 1);
    venice.reset().await;
    let queued = json!({"model": "m", "queue_id": "q-1"});
    let answer = ResponseTemplate::new(200).set_body_json(queued);
    Mock::given(path("/video/queue")).respond_with(answer).mount(&venice).await;
    let second = server.call(GENERATE, waves(0)).await;
    assert_eq!(job(&second)["queue_id"], "q-1", "{}", text(&second));
    assert_eq!(queue_requests(&venice).await, 1);
}

#[tokio::test]
async fn a_job_that_venice_refuses_leaves_no_record() {
    let server = Setup::new().polls(0).set("VENICE_API_KEY", "no-credit-key").start().await;
    assert_snapshot!(server.said(GENERATE, waves(0)).await, @"
    error: the balance, or the key's spending limit, does not cover the call
    Venice says: Insufficient USD or Diem balance to complete request
    request id: <id>-SBX
    hint: add credit at https://venice.ai/settings/api, then call again
    ");
    assert!(records(&server).is_empty());
}

#[tokio::test]
async fn media_that_are_gone_here_are_collected_again() {
    let server = Setup::new().polls(0).start().await;
    let stored = server.call(GENERATE, waves(20)).await;
    std::fs::remove_file(media_items(&stored)[0]["path"].as_str().unwrap()).unwrap();
    let again = status(&server, &job(&stored)["job"], 20).await;
    assert_eq!(job(&again)["status"], "stored", "{}", text(&again));
    assert_ne!(job(&again)["media"], job(&stored)["media"]);
}
