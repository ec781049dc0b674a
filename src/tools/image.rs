//! Making and changing pictures.

mod decode;
pub mod edit;
pub mod generate;
pub mod multi_edit;
pub mod openai;
pub mod remove_bg;
pub mod styles;
pub mod upscale;

use serde_json::{Map, Value};

use crate::catalog::ModelType;
use crate::catalog::edit::{EditModel, EditRequirements, MAX_PIXELS, MIN_PIXELS, MIN_SIDE};
use crate::error::{Error, Kind, Problem, Result};
use crate::input::{Pixels, Urls, Wanted};
use crate::media::MediaKind;
use crate::outcome::{Outcome, Remarks};
use crate::splice::Holes;
use crate::tool::{Call, Made, Route};
use crate::tools::Family;
use crate::venice::{Endpoint, ReplyHeaders, Request};

/// The toolset `image`.
pub const FAMILY: Family = Family {
    name: "image",
    opt_in: false,
    about: "Make and change pictures.",
    tools: &[
        Route::of::<generate::GenerateImage>(),
        Route::of::<openai::GenerateSimply>(),
        Route::of::<edit::EditImage>(),
        Route::of::<multi_edit::EditImages>(),
        Route::of::<upscale::UpscaleImage>(),
        Route::of::<remove_bg::RemoveBackground>(),
        Route::of::<styles::ImageStyles>(),
    ],
};

/// The model of an edit where nothing else says one.
const EDIT_MODEL: &str = "firered-image-edit";

/// The largest picture that the API takes, in bytes.
const PICTURE_BYTES: u64 = 25 * 1000 * 1000;

/// What a picture must be to be changed.
const fn picture(argument: &str, urls: Urls) -> Wanted<'_> {
    Wanted {
        argument,
        kinds: &[MediaKind::Image],
        urls,
        max_bytes: PICTURE_BYTES,
        pixels: Some(Pixels { min: MIN_PIXELS, max: MAX_PIXELS, min_side: MIN_SIDE }),
    }
}

/// The error of a reply whose picture Venice blocked: the reply is a success all the same.
fn refuse_violation(headers: &ReplyHeaders) -> Result<()> {
    if headers.violation {
        return Err(Error::new(
            Kind::Moderated,
            "Venice blocked the picture for its content; nothing was charged or stored",
        ));
    }
    Ok(())
}

/// The problem of a prompt that says nothing.
fn blank_prompt(prompt: &str) -> Vec<Problem> {
    if prompt.trim().is_empty() {
        return vec![Problem::new("prompt", "must not be blank")];
    }
    Vec::new()
}

/// A change of pictures that is ready to be sent.
pub struct Plan {
    body: Map<String, Value>,
    holes: Holes,
    made: Made,
    lines: Vec<String>,
}

impl Plan {
    /// Sends it to `endpoint`, and keeps the one picture of the reply.
    async fn send(self, endpoint: &'static Endpoint, call: &Call) -> Result<Outcome> {
        let request = Request::new(endpoint).json_with(Value::Object(self.body), self.holes);
        let reply = call.services.venice.send(&call.context, request).await?;
        refuse_violation(&reply.headers)?;
        let made = Made {
            bytes: reply.media()?,
            content_type: Some(reply.content_type.clone()),
            remarks: Remarks::from(&reply.headers),
            ..self.made
        };
        let media = vec![call.keep(made).await?];
        Ok(Outcome { media, lines: self.lines, ..Outcome::default() })
    }
}

/// The model that a call edits with, judged by what the call asks of it.
struct Editor {
    id: String,
    cost_usd: Option<f64>,
    lines: Vec<String>,
}

impl Editor {
    async fn choose(
        call: &Call,
        named: Option<&str>,
        requirements: &EditRequirements<'_>,
    ) -> Result<Self> {
        let configured = call.services.defaults.models.edit.as_deref();
        let catalog = &call.services.catalog;
        let chosen = catalog
            .choose_model(&call.context, ModelType::Inpaint, named, configured, EDIT_MODEL)
            .await?;
        let mut cost_usd = None;
        if let Some(edit) = chosen.details::<EditModel>() {
            let problems = edit.check_requirements(&chosen.id, requirements);
            if !problems.is_empty() {
                return Err(Error::arguments(problems));
            }
            cost_usd = edit.price_usd(requirements);
        }
        Ok(Self { id: chosen.id, cost_usd, lines: chosen.warnings })
    }

    fn made(&self, prompt: String) -> Made {
        let model = Some(self.id.clone());
        Made { prompt: Some(prompt), model, cost_usd: self.cost_usd, ..Made::default() }
    }
}
