//! Making and changing pictures.

pub mod edit;
pub mod generate;
pub mod multi_edit;
pub mod remove_bg;
pub mod styles;
pub mod upscale;

use crate::catalog::edit::{MAX_PIXELS, MIN_PIXELS, MIN_SIDE};
use crate::error::{Error, Kind, Result};
use crate::input::{Pixels, Urls, Wanted};
use crate::media::MediaKind;
use crate::outcome::{Outcome, Remarks};
use crate::tool::{Call, Made, Route};
use crate::tools::Family;
use crate::venice::{Facts, Reply};

/// The toolset `image`.
pub const FAMILY: Family = Family {
    name: "image",
    opt_in: false,
    about: "Make and change pictures.",
    tools: &[
        Route::of::<generate::GenerateImage>(),
        Route::of::<edit::EditImage>(),
        Route::of::<multi_edit::EditImages>(),
        Route::of::<upscale::UpscaleImage>(),
        Route::of::<remove_bg::RemoveBackground>(),
        Route::of::<styles::ImageStyles>(),
    ],
};

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
fn refuse_violation(facts: &Facts) -> Result<()> {
    if facts.violation {
        return Err(Error::new(
            Kind::Moderated,
            "Venice blocked the picture for its content; nothing was charged or stored",
        ));
    }
    Ok(())
}

/// Keeps the one picture of a reply; `made` says the rest of it.
async fn keep_picture(
    reply: Reply,
    call: &Call,
    made: Made,
    lines: Vec<String>,
) -> Result<Outcome> {
    refuse_violation(&reply.facts)?;
    let made = Made {
        bytes: reply.media()?,
        content_type: Some(reply.content_type.clone()),
        remarks: Remarks::from(&reply.facts),
        ..made
    };
    Ok(Outcome { media: vec![call.keep(made).await?], lines, ..Outcome::default() })
}
