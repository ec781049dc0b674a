//! A script becomes a narrated slideshow: speech, one image a paragraph, subtitles, and a page that shows them.
//!
//! ```sh
//! cargo run --example pipeline
//! ```
//!
//! No agent is needed for this: tools are functions, and what one makes is named to the next by its
//! `venice://media` URI. The bytes never pass through this program. The images are asked for all at once; the
//! server keeps to the rate limits.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

#[path = "support/server.rs"]
mod server;

use std::fmt::Write as _;

use futures::future::try_join_all;
use serde_json::json;

use server::{Result, Server, client, fact, text};

const SCRIPT: [&str; 3] = [
    "At the edge of the land stands a lighthouse. Nobody has lived in it for years.",
    "Every evening, all the same, its lamp goes on.",
    "The fishermen say that it is the sea itself that lights it.",
];

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::start(client()).await?;
    let speech = json!({
        "input": SCRIPT.join("\n\n"),
        "response_format": "mp3",
        "output": "file",
        "save_as": "slideshow/narration",
    });
    let speech = server.call("venice_tts", speech).await?;
    let seconds = fact(&speech, "seconds")?.as_f64().unwrap_or_default();
    println!("narration: {seconds} s");

    let images = SCRIPT.iter().enumerate().map(|(number, paragraph)| {
        let arguments = json!({
            "prompt": format!("{paragraph} Oil painting, muted blues."),
            "width": 768,
            "height": 512,
            "output": "file",
            "save_as": format!("slideshow/slide-{}", number + 1),
        });
        server.call("venice_image_generate", arguments)
    });
    let images = try_join_all(images).await?;

    let arguments = json!({"file": fact(&speech, "uri")?, "subtitles": "srt"});
    let subtitles = text(&server.call("venice_asr", arguments).await?);
    println!("subtitles: {} lines", subtitles.lines().count());

    // Each slide is shown for as long as its share of the text takes to say.
    let whole: f64 = SCRIPT.iter().map(|paragraph| share(paragraph)).sum();
    let mut page = format!("<audio controls src={}></audio>\n", fact(&speech, "path")?);
    let mut at = 0.0;
    for (paragraph, image) in SCRIPT.iter().zip(&images) {
        let path = fact(image, "path")?;
        let _ = writeln!(
            page,
            "<figure data-from=\"{at:.1}\"><img src={path}><figcaption>{paragraph}</figcaption></figure>"
        );
        println!("{at:>5.1} s  {path}");
        at += seconds * share(paragraph) / whole;
    }
    let folder =
        fact(&speech, "path")?.as_str().and_then(|path| std::path::Path::new(path).parent());
    let folder = folder.ok_or("the narration has no directory")?.to_path_buf();
    // Everything is stored when the server has ended.
    server.end().await?;
    std::fs::write(folder.join("slideshow.html"), page)?;
    std::fs::write(folder.join("narration.srt"), subtitles)?;
    println!("open {}", folder.join("slideshow.html").display());
    Ok(())
}

fn share(paragraph: &str) -> f64 {
    f64::from(u32::try_from(paragraph.chars().count()).unwrap_or(u32::MAX))
}
