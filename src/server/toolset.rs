//! Which tools a request sees, and how they are published.

use std::sync::{Arc, OnceLock};

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value};

use super::Server;
use crate::context::RequestSettings;
use crate::error::Result;
use crate::near::{did_you_mean, shorten};
use crate::prompts::{PROMPTS, Prompt};
use crate::schema::{ArgumentValidator, Plain};
use crate::tool::{Effect, Route, Spec};
use crate::tools::FAMILIES;

/// Which tools the server was started with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    names: Vec<&'static str>,
}

impl Selection {
    /// The tools of `toolsets` and the `named` ones, without the `excluded`; the default toolsets if both are
    /// empty. `read_only` leaves out the tools that spend or delete.
    #[must_use]
    pub(crate) fn new(
        toolsets: &[String],
        named: &[String],
        excluded: &[String],
        read_only: bool,
    ) -> Self {
        let by_default = toolsets.is_empty() && named.is_empty();
        let names = FAMILIES
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
        Self { names }
    }
}

fn in_toolsets(family: &str, opt_in: bool, toolsets: &[String], by_default: bool) -> bool {
    by_default && !opt_in
        || toolsets
            .iter()
            .any(|name| name == family || name == "all" || name == "default" && !opt_in)
}

/// A tool as this server publishes it. Each part is built once, on first use: a client lists many tools and calls
/// few of them.
pub(super) struct MountedTool {
    pub(super) route: &'static Route,
    published: OnceLock<Tool>,
    validator: OnceLock<ArgumentValidator>,
}

impl MountedTool {
    pub(super) const fn new(route: &'static Route) -> Self {
        Self { route, published: OnceLock::new(), validator: OnceLock::new() }
    }

    pub(super) const fn spec(&self) -> &'static Spec {
        self.route.spec
    }

    /// The tool as `tools/list` shows it. A read-only server leaves out the argument that it refuses.
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

    /// The published schema of the arguments.
    pub(super) fn schema(&self) -> &Map<String, Value> {
        &self.published().input_schema
    }

    /// The compiled validator of the published schema.
    pub(super) fn validator(&self) -> Result<&ArgumentValidator> {
        if let Some(validator) = self.validator.get() {
            return Ok(validator);
        }
        let validator = ArgumentValidator::new(self.schema())?;
        Ok(self.validator.get_or_init(|| validator))
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

/// The tool's hints, without those that equal the protocol's defaults.
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
    pub(super) fn visible_tools(
        &self,
        settings: &RequestSettings,
    ) -> impl Iterator<Item = &Arc<MountedTool>> {
        let wanted = settings.toolsets.clone();
        let read_only = settings.read_only;
        self.shared.tools.iter().filter(move |tool| {
            let spec = tool.spec();
            self.shared.selection.names.contains(&spec.name)
                && (!read_only || spec.effect.is_harmless())
                && wanted.as_ref().is_none_or(|wanted| is_in_requested(spec, wanted))
        })
    }

    /// Why there is no tool to call by this name: its toolset is off, or another name was meant.
    pub(super) fn unknown_tool(&self, name: &str, settings: &RequestSettings) -> String {
        if let Some(off) = self.shared.tools.iter().find(|tool| tool.spec().name == name) {
            let toolset = off.spec().toolset;
            return format!(
                "there is no tool `{name}` here: its toolset, {toolset}, is off, or the server only reads"
            );
        }
        let names = self.visible_tools(settings).map(|tool| tool.spec().name);
        let shortened = shorten(name);
        match did_you_mean(name, names) {
            Some(question) => format!("there is no tool `{shortened}` here; {question}"),
            None => format!("there is no tool `{shortened}` here"),
        }
    }

    /// The prompts that a request with these settings sees: those whose tools it sees.
    pub(super) fn visible_prompts(
        &self,
        settings: &RequestSettings,
    ) -> impl Iterator<Item = &'static Prompt> {
        let visible: Vec<&str> =
            self.visible_tools(settings).map(|tool| tool.spec().name).collect();
        PROMPTS.iter().filter(move |prompt| prompt.tools.iter().all(|tool| visible.contains(tool)))
    }
}

fn is_in_requested(spec: &Spec, wanted: &[String]) -> bool {
    let opt_in = FAMILIES.iter().any(|family| family.name == spec.toolset && family.opt_in);
    in_toolsets(spec.toolset, opt_in, wanted, false)
}
