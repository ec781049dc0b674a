//! A story as images, and the images as video.

use super::{Given, Offers, Prompt, optional, required};
use crate::catalog::ModelType;

pub(super) const PROMPT: Prompt = Prompt {
    name: "storyboard_video",
    title: "Storyboard to video",
    about: "Turn a story into images, and each image into a short clip.",
    arguments: &[
        required("story", "what happens", Offers::Nothing),
        optional("scenes", "how many scenes, by default 3", Offers::Words(&["2", "3", "4", "5"])),
        optional("format", "the shape, by default 16:9", Offers::Words(&["16:9", "9:16", "1:1"])),
        optional(
            "style",
            "the look",
            Offers::Words(&["film still", "anime", "watercolor", "clay"]),
        ),
        optional("model", "the image model of the board", Offers::Models(ModelType::Image)),
    ],
    tools: &[
        "venice_image_generate",
        "venice_image_edit",
        "venice_list_models",
        "venice_video_quote",
        "venice_video_generate",
        "venice_video_status",
        "venice_media",
    ],
    write,
};

fn write(given: &Given) -> String {
    let story = given.or("story", "");
    let scenes = given.or("scenes", "3");
    let format = given.or("format", "16:9");
    let style = given.or("style", "film still");
    let model = given.within(" (model ", "model", ")");
    format!(
        "Turn this story into short clips, one a scene: {story}\n\n\
         1. Split it into {scenes} scenes. For each, write what is seen, how the camera moves and what is heard, and \
         describe the people and places in the same words every time. Show me the board.\n\
         2. Make the first still with venice_image_generate{model}, aspect_ratio {format}, style {style}; make the \
         next ones with venice_image_edit on it where the same people appear. Show me the stills, and make those \
         again that I do not like.\n\
         3. Choose an image-to-video model with venice_list_models (type video), ask venice_video_quote for the price \
         of one clip, and tell me the price of all. Go on only when I agree.\n\
         4. Start each clip with venice_video_generate: image_url is the still's venice:// URI, the prompt is the \
         movement alone. Never send the same clip twice: call venice_video_status with the job until it is done.\n\
         Use save_as with names such as story/scene-1, and list the clips in order at the end."
    )
}
