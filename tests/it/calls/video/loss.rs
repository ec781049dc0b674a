//! What a crash, a second server and a lost reply leave.

use std::path::Path;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, ClientRequest, Request};
use rmcp::service::PeerRequestOptions;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{job, requests, status, waves};
use crate::harness::{Setup, World, error, facts, kinds, text};

/// The records of all jobs of that home.
fn records(world: &World) -> Vec<Value> {
    let folder = world.out().join(".venice/jobs");
    let read = |file: &Path| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    std::fs::read_dir(folder).unwrap().map(|entry| read(&entry.unwrap().path())).collect()
}

/// Waits for what happens in the server or at Venice, which tells nobody.
async fn until(mut is_so: impl FnMut() -> bool) {
    let so = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), so).await.expect("it never came to that");
}

fn videos(world: &World) -> usize {
    let entries = std::fs::read_dir(world.out()).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().path().extension().is_some()).count()
}

#[tokio::test]
async fn a_server_killed_after_queueing_loses_nothing() {
    let world = Setup::new().polls(1).start().await;
    let queued = job(&world.call("venice_video_generate", waves(0)).await);
    let world = world.killed().await;
    let done = status(&world, &queued["job"], 30).await;
    assert_eq!(kinds(&done), ["text", "resource_link"], "{}", text(&done));
    assert_eq!(requests(&world, "/video/queue"), 1);
    let record = records(&world).remove(0);
    assert_eq!(record["state"], "stored");
    assert_eq!(record["queue_id"], queued["queue_id"]);
}

#[tokio::test]
async fn the_first_call_after_a_start_collects_what_was_queued_before() {
    let world = Setup::new().polls(0).start().await;
    world.call("venice_video_generate", waves(0)).await;
    let world = world.killed().await;
    world.call("venice_list_models", json!({"type": "video"})).await;
    until(|| records(&world)[0]["state"] == "stored").await;
    assert_eq!(videos(&world), 1);
}

#[tokio::test]
async fn of_two_servers_on_one_directory_one_collects() {
    let world = Setup::new().polls(1).start().await;
    let queued = job(&world.call("venice_video_generate", waves(0)).await);
    let other = world.another().await;
    let (one, two) =
        tokio::join!(status(&world, &queued["job"], 30), status(&other, &queued["job"], 30));
    assert_eq!(facts(&one)[0]["uri"], facts(&two)[0]["uri"], "{}", text(&two));
    assert_eq!(videos(&world), 1);
    assert_eq!(requests(&world, "/video/retrieve"), 2);
}

#[tokio::test]
async fn a_client_that_goes_away_stops_waiting_and_not_the_job() {
    let world = Setup::new().polls(1).start().await;
    let arguments = waves(50).as_object().cloned().unwrap();
    let call = CallToolRequestParams::new("venice_video_generate").with_arguments(arguments);
    let request = ClientRequest::CallToolRequest(Request::new(call));
    let options = PeerRequestOptions::no_options();
    let handle = world.client().send_cancellable_request(request, options).await.unwrap();
    until(|| requests(&world, "/video/queue") == 1).await;
    handle.cancel(None).await.unwrap();
    until(|| records(&world)[0]["state"] == "stored").await;
    let again = world.call("venice_video_generate", waves(0)).await;
    assert_eq!(job(&again)["status"], "stored", "{}", text(&again));
    assert_eq!(requests(&world, "/video/queue"), 1);
}

/// An API that takes requests for jobs, and lets nobody know.
async fn silent() -> MockServer {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_mins(10));
    let queue = Mock::given(method("POST")).and(path("/video/queue"));
    queue.respond_with(late).mount(&server).await;
    server
}

async fn queue_requests(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.url.path() == "/video/queue").count()
}

#[tokio::test]
async fn a_request_whose_reply_is_lost_is_told_once_and_then_sent_anew() {
    let venice = silent().await;
    let world = Setup::new().set("VENICE_BASE_URL", &venice.uri()).start().await;
    let killed = {
        let call = world.call("venice_video_generate", waves(0));
        let sent = async {
            while queue_requests(&venice).await == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            result = call => panic!("answered: {}", text(&result)),
            () = sent => world.killed(),
        }
    };
    let world = killed.await;
    assert_eq!(records(&world)[0]["state"], "sending");
    let told = error(&world.call("venice_video_generate", waves(0)).await);
    assert!(told.contains("may have been charged; call again to queue anew"), "{told}");
    assert_eq!(queue_requests(&venice).await, 1);
    venice.reset().await;
    let queued = json!({"model": "m", "queue_id": "q-1"});
    let answer = ResponseTemplate::new(200).set_body_json(queued);
    Mock::given(path("/video/queue")).respond_with(answer).mount(&venice).await;
    let anew = world.call("venice_video_generate", waves(0)).await;
    assert_eq!(job(&anew)["queue_id"], "q-1", "{}", text(&anew));
    assert_eq!(queue_requests(&venice).await, 1);
}

#[tokio::test]
async fn a_job_that_venice_refuses_leaves_no_record() {
    let world = Setup::new().polls(0).set("VENICE_API_KEY", "no-credit-key").start().await;
    let refused = error(&world.call("venice_video_generate", waves(0)).await);
    assert!(refused.contains("balance"), "{refused}");
    assert!(records(&world).is_empty());
}

#[tokio::test]
async fn media_that_are_gone_here_are_collected_again() {
    let world = Setup::new().polls(0).start().await;
    let stored = world.call("venice_video_generate", waves(20)).await;
    std::fs::remove_file(facts(&stored)[0]["path"].as_str().unwrap()).unwrap();
    let again = status(&world, &job(&stored)["job"], 20).await;
    assert_eq!(job(&again)["status"], "stored", "{}", text(&again));
    assert_ne!(job(&again)["media"], job(&stored)["media"]);
}
