//! What an agent sees: instructions, a prompt, a mistake that it can fix, and an image that it works on further.
//!
//! ```sh
//! cargo run --example session
//! ```
//!
//! The part of the model is played by the program, with a model's habits: it asks for a size that does not exist,
//! reads the error, and calls again.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

#[path = "support/server.rs"]
mod server;

use rmcp::model::GetPromptRequestParams;
use serde_json::json;

use server::{Result, Server, client, fact, text};

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::start(client()).await?;
    let instructions = server.client.peer_info().and_then(|info| info.instructions.clone());
    println!("# The server says\n{}\n", instructions.unwrap_or_default());

    // The user picks a prompt in the host; the host puts its text into the conversation.
    let mut prompt = GetPromptRequestParams::new("compare_models");
    prompt.arguments = json!({"prompt": "a red fox in snow"}).as_object().cloned();
    let prompt = server.client.get_prompt(prompt).await?;
    let told = prompt.messages.first().and_then(|message| message.content.as_text());
    println!("# The user asks\n{}\n", told.map_or("", |told| &told.text));

    let models = server.call("venice_list_models", json!({"type": "image", "limit": 2})).await?;
    println!("# venice_list_models\n{}\n", text(&models));

    let wrong = json!({"prompt": "a red fox in snow", "width": 4096, "colour": "red"});
    let refused = server.try_call("venice_image_generate", wrong).await?;
    println!("# venice_image_generate, with two mistakes: nothing was spent\n{}\n", text(&refused));

    let right = json!({"prompt": "a red fox in snow", "width": 1024, "seed": 42});
    let image = server.call("venice_image_generate", right).await?;
    println!("# venice_image_generate\n{}\n", text(&image));

    // An agent copies the short URI; `last` would do as well.
    let edit = json!({"image": fact(&image, "uri")?, "prompt": "make it dusk"});
    let edited = server.call("venice_image_edit", edit).await?;
    println!("# venice_image_edit\n{}\n", text(&edited));

    let media = server.call("venice_media", json!({"limit": 2})).await?;
    println!("# venice_media\n{}", text(&media));
    server.end().await
}
