//! The server's instructions to models. They mention only what the client can use.

use std::sync::Arc;

use super::toolset::MountedTool;
use crate::tool::{Cost, Effect, Returns, Spec};
use crate::tools;

/// What toolsets make at once, in words. Those that queue jobs follow from the kinds of jobs.
const MADE_BY_TOOLSET: [(&str, &str); 2] = [("image", "images"), ("audio", "speech")];
/// The toolsets whose tools take media as arguments.
const TOOLSETS_WITH_MEDIA_INPUT: [&str; 5] = ["image", "audio", "video", "text", "voices"];

const LIST_MODELS: &str = "venice_list_models";
const MEDIA: &str = "venice_media";

/// The text for a client that sees these tools: under 1 kB, because hosts truncate it at 2 kB.
pub(super) fn instructions<'a>(visible: impl Iterator<Item = &'a Arc<MountedTool>>) -> String {
    let specs: Vec<&Spec> = visible.map(|tool| tool.spec()).collect();
    let is_there = |name: &str| specs.iter().any(|spec| spec.name == name);
    let makes = |toolset: &str| {
        specs.iter().any(|spec| spec.toolset == toolset && spec.effect == Effect::Creates)
    };
    let queued = tools::job_kinds().map(|kind| (kind.toolset, kind.name));
    let made = MADE_BY_TOOLSET.into_iter().chain(queued).filter(|(toolset, _)| makes(toolset));
    let made = made.map(|(_, words)| words);
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
    if TOOLSETS_WITH_MEDIA_INPUT.into_iter().any(makes) {
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
