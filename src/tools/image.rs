//! Making and changing images.

mod decode;
pub mod edit;
pub mod generate;
pub mod multi_edit;
pub mod openai;
pub mod remove_bg;
pub mod styles;
pub mod upscale;

use serde_json::{Map, Value};

use crate::call::{Call, NewItem, Preparation};
use crate::catalog::edit::{EditModel, EditRequirements, MAX_PIXELS, MIN_PIXELS, MIN_SIDE};
use crate::error::{Error, Kind, Problem, Result};
use crate::input::{AcceptedMedia, Pixels, UrlPolicy};
use crate::media::MediaKind;
use crate::outcome::{Outcome, Remarks};
use crate::splice::Holes;
use crate::tool::Route;
use crate::tools::Family;
use crate::venice::{Endpoint, ReplyHeaders, Request};

/// The toolset `image`.
pub const FAMILY: Family = Family {
    name: "image",
    opt_in: false,
    about: "Make and edit images.",
    tools: &[
        Route::new::<generate::GenerateImage>(),
        Route::new::<openai::GenerateImageOpenAi>(),
        Route::new::<edit::EditImage>(),
        Route::new::<multi_edit::EditImages>(),
        Route::new::<upscale::UpscaleImage>(),
        Route::new::<remove_bg::RemoveBackground>(),
        Route::new::<styles::ImageStyles>(),
    ],
};

/// The model of an edit that has no other.
const DEFAULT_EDIT_MODEL: &str = "firered-image-edit";

/// The largest image that the API takes, in bytes.
const MAX_IMAGE_BYTES: u64 = 25 * 1000 * 1000;

/// The requirements for an image that is to be edited.
const fn image_to_edit(argument: &str, urls: UrlPolicy) -> AcceptedMedia<'_> {
    AcceptedMedia {
        argument,
        kinds: &[MediaKind::Image],
        urls,
        max_bytes: MAX_IMAGE_BYTES,
        pixels: Some(Pixels { min: MIN_PIXELS, max: MAX_PIXELS, min_side: MIN_SIDE }),
    }
}

/// Refuses a reply whose image Venice blocked, although its status is a success.
fn refuse_violation(headers: &ReplyHeaders) -> Result<()> {
    if headers.violation {
        return Err(Error::new(
            Kind::Moderated,
            "Venice blocked the image because of its content; nothing was charged or stored",
        ));
    }
    Ok(())
}

/// Refuses a blank prompt.
fn check_prompt(prompt: &str) -> Vec<Problem> {
    if prompt.trim().is_empty() {
        return vec![Problem::new("prompt", "must not be blank")];
    }
    Vec::new()
}

/// An edit that is ready to be sent.
pub struct Plan {
    body: Map<String, Value>,
    holes: Holes,
    item: NewItem,
    lines: Vec<String>,
}

impl Plan {
    /// Sends it to `endpoint`, and stores the one image of the reply.
    async fn send(self, endpoint: &'static Endpoint, call: &Call) -> Result<Outcome> {
        let request = Request::new(endpoint).json_with(Value::Object(self.body), self.holes);
        let reply = call.send(request).await?;
        refuse_violation(&reply.headers)?;
        let item = NewItem {
            bytes: reply.media()?,
            content_type: Some(reply.content_type.clone()),
            remarks: Remarks::from(&reply.headers),
            ..self.item
        };
        let media = vec![call.keep(item).await?];
        Ok(Outcome { media, lines: self.lines, ..Outcome::default() })
    }
}

/// Chooses the model of an edit, which allows what the edit requires. Returns its id, and the image that it will make.
async fn choose_editor(
    call: &mut Preparation<'_>,
    named: Option<&str>,
    requirements: &EditRequirements<'_>,
) -> Result<(String, NewItem)> {
    let check = |edit: &EditModel, id: &str| {
        (edit.check_requirements(id, requirements), edit.price_usd(requirements))
    };
    let (chosen, cost_usd) = call.choose_model(named, DEFAULT_EDIT_MODEL, check).await?;
    let prompt = Some(requirements.prompt.to_owned());
    let item = NewItem { prompt, model: Some(chosen.id.clone()), cost_usd, ..NewItem::default() };
    Ok((chosen.id, item))
}
