//! What models are told of the server as a whole: of what is offered, and nothing else.

use std::sync::Arc;

use super::shown::Mounted;
use crate::tool::{Cost, Effect, Returns, Spec};

/// What toolsets make, in words.
const MADE: [(&str, &str); 4] =
    [("image", "pictures"), ("audio", "speech"), ("video", "video"), ("music", "music")];
/// The toolsets whose tools are given media.
const TAKE_MEDIA: [&str; 5] = ["image", "audio", "video", "text", "voices"];

const LIST_MODELS: &str = "venice_list_models";
const MEDIA: &str = "venice_media";

/// The text for a client that sees these tools: under 1 kB, for hosts cut it at 2 kB.
pub(super) fn instructions<'a>(shown: impl Iterator<Item = &'a Arc<Mounted>>) -> String {
    let specs: Vec<&Spec> = shown.map(|mounted| mounted.spec()).collect();
    let is_there = |name: &str| specs.iter().any(|spec| spec.name == name);
    let makes = |toolset: &str| {
        specs.iter().any(|spec| spec.toolset == toolset && spec.effect == Effect::Creates)
    };
    let made = MADE.iter().filter(|(toolset, _)| makes(toolset)).map(|(_, words)| *words);
    let abilities: Vec<&str> =
        made.chain(is_there(LIST_MODELS).then_some("the catalog of models")).collect();
    let mut lines = vec![match abilities.split_last() {
        None => "Venice.ai as tools.".to_owned(),
        Some((only, [])) => format!("Venice.ai as tools: {only}."),
        Some((last, rest)) => format!("Venice.ai as tools: {}, and {last}.", rest.join(", ")),
    }];
    if specs.iter().any(|spec| spec.returns == Returns::Media) {
        lines.push(
            "Every result starts with a line that names what was made: type, size, venice://media URI, and the \
             file's path or download link. Tell the user the path or link: many hosts do not show media themselves."
                .to_owned(),
        );
    }
    if TAKE_MEDIA.into_iter().any(makes) {
        lines.push(
            "Give a venice://media URI, a path, an https URL, or `last` wherever a tool takes media; never type \
             base64."
                .to_owned(),
        );
    }
    let mut care = Vec::new();
    if is_there(LIST_MODELS) {
        care.push(format!("Look a model id up with {LIST_MODELS} before using it."));
    }
    if specs.iter().any(|spec| spec.cost != Cost::Free) {
        let first = if is_there(MEDIA) { "; look in venice_media first" } else { "" };
        care.push(format!(
            "Tools whose description names a cost spend the user's credit: do not repeat such a call because it was \
             slow{first}."
        ));
    }
    lines.extend((!care.is_empty()).then(|| care.join(" ")));
    lines.push("An error ends with a hint line: follow it.".to_owned());
    lines.join("\n")
}
