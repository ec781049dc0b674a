//! A set of images of one product.

use super::{Given, Offers, Prompt, optional, required};
use crate::catalog::ModelType;
use crate::media::MediaKind;

pub(super) const PROMPT: Prompt = Prompt {
    name: "product_images",
    title: "Product image set",
    about: "Make a set of shop images of one product, from a photo of it or from words.",
    arguments: &[
        required("product", "what it is, with material and color", Offers::Nothing),
        optional(
            "photo",
            "an image of it: path, URL or venice:// URI",
            Offers::Media(MediaKind::Image),
        ),
        optional("count", "how many scenes, by default 3", Offers::Words(&["2", "3", "4", "6"])),
        optional(
            "style",
            "the look of the set",
            Offers::Words(&[
                "clean studio",
                "warm daylight",
                "dark and moody",
                "flat lay",
                "outdoors",
            ]),
        ),
        optional(
            "model",
            "the image model, where there is no photo",
            Offers::Models(ModelType::Image),
        ),
    ],
    tools: &[
        "venice_image_generate",
        "venice_image_edit",
        "venice_image_remove_bg",
        "venice_image_upscale",
        "venice_media",
    ],
    write,
};

fn write(given: &Given) -> String {
    let product = given.or("product", "");
    let count = given.or("count", "3");
    let style = given.or("style", "clean studio");
    let scene = match given.0.get("photo") {
        Some(photo) => format!(
            "Make each scene with venice_image_edit on the photo {photo}: the prompt says what surrounds the product, \
             and that the product itself stays exactly as it is."
        ),
        None => format!(
            "Make the first scene with venice_image_generate{}, show it to me, and wait for my word. Then make the \
             others with venice_image_edit on that image, so that the product stays the same.",
            given.within(" (model ", "model", ")")
        ),
    };
    format!(
        "Make a set of shop images of this product: {product}\n\n\
         1. Write down {count} scenes in one look ({style}): a front view that shows all of it, a use of it, a detail, \
         and so on. Show me the list and the price of one image before you make any.\n\
         2. {scene}\n\
         3. Make a cut-out of the front view with venice_image_remove_bg.\n\
         4. Enlarge the images that I choose with venice_image_upscale (scale 2).\n\
         Use save_as with names such as product/front, so that the set stays together."
    )
}
