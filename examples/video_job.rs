//! A video, which takes minutes: a price first, then a job, its progress, and the file at the end.
//!
//! ```sh
//! cargo run --example video_job            # on the sandbox, where it takes seconds
//! cargo run --example video_job -- --live  # on Venice, with VENICE_API_KEY: the price is printed first
//! ```
//!
//! The job outlives the call, the client and the server: had this program been killed while it waited, another one
//! could ask `venice_video_status` for the same job and get the video, without paying again.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]
#![expect(clippy::indexing_slicing, reason = "fields are added to a JSON object")]

#[path = "support/server.rs"]
mod server;

use rmcp::ClientHandler;
use rmcp::model::{ClientConfig, ProgressNotificationParam};
use rmcp::service::{NotificationContext, RoleClient};
use serde_json::{Value, json};

use server::{Result, Server, client, fact, text};

/// A client that prints how far its calls are.
struct Watching;

impl ClientHandler for Watching {
    fn get_info(&self) -> ClientConfig {
        client()
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        println!("  … {}", progress.message.unwrap_or_default());
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::start(Watching).await?;
    let wish =
        json!({"model": "kling-2.6-pro-text-to-video", "duration": "5s", "aspect_ratio": "16:9"});
    let quote = server.call("venice_video_quote", wish.clone()).await?;
    println!("it will cost {}", text(&quote));

    let mut order = wish;
    order["prompt"] = json!("waves roll onto a beach at dusk");
    order["wait_seconds"] = json!(0);
    let queued = server.call("venice_video_generate", order).await?;
    let job =
        queued.meta.as_ref().and_then(|meta| meta.0.get("ai.venice/job")?.get("job").cloned());
    let job: Value = job.ok_or("no job was queued")?;
    println!("queued as {job}");

    loop {
        let asked = json!({"job": job, "wait_seconds": 30});
        let result = server.call("venice_video_status", asked).await?;
        if let Ok(path) = fact(&result, "path") {
            println!("the video lies at {path}");
            break;
        }
        println!("{}", text(&result));
    }
    server.end().await
}
