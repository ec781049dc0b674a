//! One prompt, several models.

use super::{Given, Offers, Prompt, optional, required};
use crate::catalog::ModelType;

pub(super) const PROMPT: Prompt = Prompt {
    name: "compare_models",
    title: "Compare image models",
    about: "Make the same image with several models, and compare result, price and time.",
    arguments: &[
        required("prompt", "what the image shows", Offers::Nothing),
        optional(
            "models",
            "ids with commas between them; by default three that differ",
            Offers::Models(ModelType::Image),
        ),
        optional(
            "format",
            "the shape, by default 1:1",
            Offers::Words(&["1:1", "16:9", "9:16", "4:3"]),
        ),
    ],
    tools: &["venice_list_models", "venice_image_generate", "venice_media"],
    write,
};

fn write(given: &Given) -> String {
    let prompt = given.or("prompt", "");
    let format = given.or("format", "1:1");
    let models = given.or("models", "three that differ in price and look");
    format!(
        "Compare image models on this prompt: {prompt}\n\n\
         1. With venice_list_models (type image), look up these models and their prices: {models}. Show me the list \
         and the sum, and wait for my word.\n\
         2. Call venice_image_generate once for each, with the same prompt, aspect_ratio {format}, seed 42 and \
         save_as compare/<model>. Change nothing else; where a model refuses an argument, leave that one out and \
         say so.\n\
         3. Show a table: model, image, price, how long it took, what it got right and wrong. Then name the one \
         that you would take, and why."
    )
}
