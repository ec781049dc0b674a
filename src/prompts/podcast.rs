//! Two people who talk.

use super::{Given, Offers, Prompt, optional, required};

pub(super) const PROMPT: Prompt = Prompt {
    name: "podcast",
    title: "Podcast with two voices",
    about: "Write a talk between two people about a subject, and speak it with two voices.",
    arguments: &[
        required("subject", "what they talk about: words, a file or a URL", Offers::Nothing),
        optional("host", "the voice of who asks", Offers::Voices),
        optional("guest", "the voice of who answers", Offers::Voices),
        optional("minutes", "how long, by default 3", Offers::Words(&["1", "3", "5", "10"])),
    ],
    tools: &["venice_get_model", "venice_tts", "venice_image_generate", "venice_media"],
    write,
};

fn write(given: &Given) -> String {
    let subject = given.or("subject", "");
    let minutes = given.or("minutes", "3");
    let host = given.or("host", "one that fits who asks");
    let guest = given.or("guest", "one that is easy to tell from the first");
    format!(
        "Make a podcast of about {minutes} minutes, in which a host and a guest talk about: {subject}\n\n\
         1. Write the script, turn by turn, about 150 words a minute: questions that a listener would ask, answers \
         with facts that you can stand for. Show it to me and wait for my word.\n\
         2. Choose the voices with venice_get_model on the speech model. Host: {host}. Guest: {guest}.\n\
         3. Speak every turn with its voice, in order, with venice_tts: one call a turn, response_format mp3, \
         save_as podcast/01-host, podcast/02-guest and so on. Tell me the price of all turns first.\n\
         4. Make a square cover with venice_image_generate.\n\
         Show me the files in order. Joining them is for a program on my machine: give me the ffmpeg command."
    )
}
