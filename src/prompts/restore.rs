//! An old image, made new.

use super::{Given, Offers, Prompt, optional, required};
use crate::media::MediaKind;

pub(super) const PROMPT: Prompt = Prompt {
    name: "restore_image",
    title: "Image restoration",
    about: "Restore a damaged or faded image step by step, and enlarge it.",
    arguments: &[
        required("image", "path, URL or venice:// URI", Offers::Media(MediaKind::Image)),
        optional(
            "color",
            "what to do with its colors, by default keep",
            Offers::Words(&["keep", "refresh", "colorize"]),
        ),
        optional("scale", "how much larger, by default 2", Offers::Words(&["2", "3", "4"])),
    ],
    tools: &["venice_image_edit", "venice_image_upscale", "venice_media"],
    write,
};

fn write(given: &Given) -> String {
    let image = given.or("image", "");
    let scale = given.or("scale", "2");
    let color = match given.or("color", "keep") {
        "colorize" => "color it as it may have been, muted",
        "refresh" => "bring its faded colors back",
        _ => "leave its colors as they are",
    };
    format!(
        "Restore this image: {image}\n\n\
         1. Look at it (venice_media with output image shows a stored one) and list what is damaged. Tell me the \
         price of the steps, and wait for my word.\n\
         2. With venice_image_edit, remove scratches, dust and tears; the prompt says that faces, hands and writing \
         stay exactly as they are.\n\
         3. With venice_image_edit on that result, {color}. Leave the step out where there is nothing to do.\n\
         4. With venice_image_upscale, enlarge the last result (scale {scale}, creativity 0.1 at most, so that \
         nothing is invented).\n\
         Each step takes the venice:// URI of the one before. Show me every step next to the original, and say \
         plainly where something was made up rather than restored."
    )
}
