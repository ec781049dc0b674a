//! Which tools a request sees, and how they are shown.

use std::sync::{Arc, OnceLock};

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value};

use super::Server;
use crate::context::Settings;
use crate::error::Result;
use crate::near::{did_you_mean, shorten};
use crate::prompts::{PROMPTS, Prompt};
use crate::schema::{ArgumentValidator, Plain};
use crate::tool::{Effect, Route, Spec};
use crate::tools::FAMILIES;

/// Which tools the server was started with.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    names: Vec<&'static str>,
}

impl Selection {
    /// The tools of `toolsets` and the `named` ones, without the `excluded`; with neither, the default toolsets.
    /// `read_only` leaves those that spend or delete out.
    #[must_use]
    pub fn new(
        toolsets: &[String],
        named: &[String],
        excluded: &[String],
        read_only: bool,
    ) -> Self {
        let by_default = toolsets.is_empty() && named.is_empty();
        let shown = FAMILIES
            .iter()
            .flat_map(|family| {
                let whole = in_toolsets(family.name, family.opt_in, toolsets, by_default);
                family
                    .tools
                    .iter()
                    .filter(move |route| whole || named.iter().any(|name| name == route.spec.name))
            })
            .map(|route| route.spec)
            .filter(|spec| !excluded.iter().any(|name| name == spec.name))
            .filter(|spec| !read_only || spec.effect.is_harmless())
            .map(|spec| spec.name)
            .collect();
        Self { names: shown }
    }
}

fn in_toolsets(family: &str, opt_in: bool, toolsets: &[String], by_default: bool) -> bool {
    by_default && !opt_in
        || toolsets
            .iter()
            .any(|name| name == family || name == "all" || name == "default" && !opt_in)
}

/// A tool as it is published. Each part is made once, when it is first needed: a client that lists many tools calls
/// few of them.
pub(super) struct Mounted {
    pub(super) route: &'static Route,
    published: OnceLock<Tool>,
    judge: OnceLock<ArgumentValidator>,
}

impl Mounted {
    pub(super) const fn new(route: &'static Route) -> Self {
        Self { route, published: OnceLock::new(), judge: OnceLock::new() }
    }

    pub(super) const fn spec(&self) -> &'static Spec {
        self.route.spec
    }

    /// The tool as `tools/list` shows it: without what a read-only server refuses.
    pub(super) fn tool(&self, read_only: bool) -> Tool {
        let mut tool = self.published().clone();
        if let Some(argument) = self.spec().deletes_by.filter(|_| read_only) {
            let schema = Arc::make_mut(&mut tool.input_schema);
            let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
            properties.and_then(|all| all.shift_remove(argument));
            if let Some(hints) = &mut tool.annotations {
                hints.read_only_hint = Some(true);
            }
        }
        tool
    }

    /// The schema that is published.
    pub(super) fn schema(&self) -> &Map<String, Value> {
        &self.published().input_schema
    }

    /// Who judges arguments by that schema.
    pub(super) fn judge(&self) -> Result<&ArgumentValidator> {
        if let Some(judge) = self.judge.get() {
            return Ok(judge);
        }
        let judge = ArgumentValidator::new(self.schema())?;
        Ok(self.judge.get_or_init(|| judge))
    }

    fn published(&self) -> &Tool {
        self.published.get_or_init(|| {
            let Plain { description, schema } = self.route.published();
            let mut tool = Tool::new(self.spec().name, description, schema);
            tool.output_schema = self.route.output_schema().map(Arc::new);
            tool.annotations = Some(annotations(self.spec()));
            tool
        })
    }
}

/// The hints, without those that say what the protocol assumes anyway.
fn annotations(spec: &Spec) -> ToolAnnotations {
    let mut hints = ToolAnnotations::with_title(spec.title);
    hints.read_only_hint = Some(spec.effect == Effect::Reads);
    if spec.effect == Effect::Creates {
        hints.destructive_hint = Some(false);
    }
    if spec.endpoints.is_empty() {
        hints.open_world_hint = Some(false);
    }
    hints
}

impl Server {
    /// The tools that a request with these settings sees, in their fixed order.
    pub(super) fn shown(&self, settings: &Settings) -> impl Iterator<Item = &Arc<Mounted>> {
        let wanted = settings.toolsets.clone();
        let read_only = settings.read_only;
        self.shared.mounted.iter().filter(move |mounted| {
            let spec = mounted.spec();
            self.shared.selection.names.contains(&spec.name)
                && (!read_only || spec.effect.is_harmless())
                && wanted.as_ref().is_none_or(|wanted| asked_for(spec, wanted))
        })
    }

    /// Why there is nothing to call by this name: its toolset is off, or another name was meant.
    pub(super) fn no_tool(&self, name: &str, settings: &Settings) -> String {
        if let Some(off) = self.shared.mounted.iter().find(|mounted| mounted.spec().name == name) {
            let toolset = off.spec().toolset;
            return format!(
                "there is no tool `{name}` here: its toolset, {toolset}, is off, or the server only reads"
            );
        }
        let names = self.shown(settings).map(|mounted| mounted.spec().name);
        let shortened = shorten(name);
        match did_you_mean(name, names) {
            Some(question) => format!("there is no tool `{shortened}` here; {question}"),
            None => format!("there is no tool `{shortened}` here"),
        }
    }
}

impl Server {
    /// The prompts that a request with these settings sees: those whose tools it sees.
    pub(super) fn prompts(&self, settings: &Settings) -> impl Iterator<Item = &'static Prompt> {
        let shown: Vec<&str> = self.shown(settings).map(|mounted| mounted.spec().name).collect();
        PROMPTS.iter().filter(move |prompt| prompt.tools.iter().all(|tool| shown.contains(tool)))
    }
}

fn asked_for(spec: &Spec, wanted: &[String]) -> bool {
    let opt_in = FAMILIES.iter().any(|family| family.name == spec.toolset && family.opt_in);
    in_toolsets(spec.toolset, opt_in, wanted, false)
}
