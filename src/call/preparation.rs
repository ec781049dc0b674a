//! What a tool uses while it prepares a call: defaults, the catalog, media arguments, and request bodies.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Call, ReadInputs, body_of};
use crate::catalog::text::TextRequirements;
use crate::catalog::{self, ChosenModel, Model, ModelDetails, ModelType};
use crate::error::{Error, Kind, Problem, Result};
use crate::input::{AcceptedMedia, Input, InputSource};
use crate::jobs::{JobKind, QueueRequest, RequestMedia};
use crate::media::{Media, MediaKind};
use crate::splice::Holes;

/// What a model's row says about a call: a problem for every argument that the model does not allow, and the price in US
/// dollars if known.
pub(crate) type Checked = (Vec<Problem>, Option<f64>);

/// A job that a call queues.
pub(crate) struct NewJob {
    /// What kind of job it is.
    pub(crate) kind: &'static JobKind,
    /// The model that does the work.
    pub(crate) model: String,
    /// What was asked for, in words.
    pub(crate) prompt: Option<String>,
    /// The request's body, with placeholders for media.
    pub(crate) body: Map<String, Value>,
    /// The media in the body.
    pub(crate) media: RequestMedia,
    /// The price in US dollars, if known.
    pub(crate) price_usd: Option<f64>,
}

/// A call that is being prepared. It cannot send a paid request, and it remembers what was read, by which the same call
/// is recognized.
pub struct Preparation<'a> {
    call: &'a Call,
    read: ReadInputs,
    notes: Vec<String>,
}

impl<'a> Preparation<'a> {
    pub(crate) fn new(call: &'a Call) -> Self {
        Self { call, read: ReadInputs::default(), notes: Vec::new() }
    }

    /// The media arguments that were read.
    pub(crate) fn into_read(self) -> ReadInputs {
        self.read
    }

    /// What the caller should know about the call so far: warnings about the model, and what `last` stood for.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Adds a note for the caller.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Whether nothing may be spent or deleted, by the server's setting or by the request's.
    #[must_use]
    pub(crate) fn is_read_only(&self) -> bool {
        self.call.services.defaults.read_only || self.call.context.settings.read_only
    }

    /// Whether the server lets calls send transactions to blockchains.
    #[must_use]
    pub(crate) fn may_send_transactions(&self) -> bool {
        self.call.services.defaults.crypto_send
    }

    /// The value to send as `safe_mode` for a call that asks for `wanted`; an error if the setting is locked.
    pub(crate) fn safe_mode(&self, wanted: Option<bool>) -> Result<Option<bool>> {
        self.call.services.defaults.safe_mode(wanted)
    }

    /// The name that the caller wants media stored under.
    #[must_use]
    pub(crate) fn save_as(&self) -> Option<String> {
        self.call.shared.save_as.clone()
    }
}

/// Models and the rest of the catalog.
impl<'a> Preparation<'a> {
    /// The model that is set for calls of this type that name none.
    #[must_use]
    pub(crate) fn configured_model(&self, model_type: ModelType) -> Option<&'a str> {
        let call = self.call;
        call.services.defaults.model(model_type)
    }

    /// Chooses the model that a call runs on: the one that it names, else the configured one, else `built_in`. Has
    /// `check` compare the call with what the model's row says, and refuses what the model does not allow. Returns the
    /// model and the price of the call in US dollars, if known.
    pub(crate) async fn choose_model<D: ModelDetails>(
        &mut self,
        named: Option<&str>,
        built_in: &str,
        check: impl FnOnce(&D, &str) -> Checked + Send,
    ) -> Result<(ChosenModel, Option<f64>)> {
        let configured = self.configured_model(D::TYPE);
        let chosen = self.choose_any_model(D::TYPE, named, configured, built_in).await?;
        let Some(details) = chosen.details() else { return Ok((chosen, None)) };
        let (problems, price) = check(details, &chosen.id);
        Error::reject(problems)?;
        Ok((chosen, price))
    }

    /// Chooses the model that a call runs on, whatever its row says.
    pub(crate) async fn choose_any_model(
        &mut self,
        model_type: ModelType,
        named: Option<&str>,
        configured: Option<&str>,
        built_in: &str,
    ) -> Result<ChosenModel> {
        let Call { services, context, .. } = self.call;
        let catalog = &services.catalog;
        let mut chosen =
            catalog.choose_model(&context.send, model_type, named, configured, built_in).await?;
        self.notes.append(&mut chosen.warnings);
        Ok(chosen)
    }

    /// Chooses a text model: the one that is named, else the configured one, else the built-in one.
    pub(crate) async fn choose_text_model(&mut self, named: Option<&str>) -> Result<ChosenModel> {
        let Call { services, context, .. } = self.call;
        let configured = self.configured_model(ModelType::Text);
        let catalog = &services.catalog;
        let mut chosen =
            catalog::choose_text_model(catalog, &context.send, named, configured).await?;
        self.notes.append(&mut chosen.warnings);
        Ok(chosen)
    }

    /// The text model with this id, without a note about it.
    pub(crate) async fn find_text_model(&self, id: &str) -> Result<ChosenModel> {
        let Call { services, context, .. } = self.call;
        catalog::choose_text_model(&services.catalog, &context.send, Some(id), None).await
    }

    /// Refuses a text model that cannot do what the call needs, and names one that can.
    pub(crate) async fn check_text_model(
        &self,
        chosen: &ChosenModel,
        requirements: &TextRequirements<'_>,
    ) -> Result<()> {
        let Call { services, context, .. } = self.call;
        catalog::check_text_requirements(&services.catalog, &context.send, chosen, requirements)
            .await
    }

    /// The row of the model with this id, if the catalog has it.
    pub(crate) async fn find_model(&self, model_type: ModelType, id: &str) -> Option<Arc<Model>> {
        self.call.services.catalog.find_model(&self.call.context.send, model_type, id).await
    }

    /// The names of the style presets; None if they cannot be fetched.
    pub(crate) async fn styles(&self) -> Option<Arc<Vec<String>>> {
        self.call.services.catalog.styles(&self.call.context.send).await
    }

    /// What a job costs in US dollars, as Venice quotes it; None if Venice does not say so soon.
    pub(crate) async fn quote(&self, kind: &JobKind, body: Map<String, Value>) -> Option<f64> {
        self.call.jobs().quote(kind, body).await
    }
}

/// Media.
impl Preparation<'_> {
    /// Reads a media argument.
    pub(crate) async fn read(
        &mut self,
        text: &str,
        wanted: &AcceptedMedia<'_>,
    ) -> Result<InputSource> {
        let Call { services, context, store, .. } = self.call;
        let source = services.inputs.read(context, store, text, wanted).await?;
        if let InputSource::Bytes(input) = &source {
            if self.call.tool.is_paid {
                self.read.add(text, input).await;
            }
            self.notes.extend(input.stands_for.as_ref().map(|uri| format!("`last` was {uri}")));
        }
        Ok(source)
    }

    /// Reads a media argument whose URLs are fetched.
    pub(crate) async fn read_bytes(
        &mut self,
        text: &str,
        wanted: &AcceptedMedia<'_>,
    ) -> Result<Input> {
        match self.read(text, wanted).await? {
            InputSource::Bytes(input) => Ok(input),
            InputSource::Url(_) => Err(Error::new(Kind::Internal, "the media URL was not fetched")),
        }
    }

    /// Reads a media argument as the string that a request's body has for it: a URL as it is, anything else as a
    /// `data:` URL in `holes`.
    pub(crate) async fn read_as_url(
        &mut self,
        text: &str,
        wanted: &AcceptedMedia<'_>,
        holes: &Holes,
    ) -> Result<String> {
        Ok(match self.read(text, wanted).await? {
            InputSource::Url(url) => url.into(),
            InputSource::Bytes(input) => holes.data_url(&input.mime_type, input.bytes),
        })
    }

    /// The newest stored items of this kind, at most `limit`; of all kinds without one.
    pub(crate) async fn list_items(
        &self,
        kind: Option<MediaKind>,
        limit: usize,
    ) -> Result<Vec<Media>> {
        self.call.store.list(kind, limit).await
    }

    /// The newest stored item of this kind, of any kind without one.
    pub(crate) async fn last_item(&self, kind: Option<MediaKind>) -> Result<Option<Media>> {
        self.call.store.last(kind).await
    }

    /// The stored item with this URI.
    pub(crate) async fn find_item(&self, uri: &str) -> Result<Option<Media>> {
        self.call.store.get(uri).await
    }
}

/// Requests.
impl Preparation<'_> {
    /// The body that `arguments` make, with the call's `extra` fields.
    pub(crate) fn body(&self, arguments: &impl Serialize) -> Result<Map<String, Value>> {
        let mut body = body_of(arguments)?;
        self.add_extra(&mut body)?;
        Ok(body)
    }

    /// The body that `arguments` make for `model`, with the call's `extra` fields.
    pub(crate) fn body_for(
        &self,
        model: &str,
        arguments: &impl Serialize,
    ) -> Result<Map<String, Value>> {
        let mut body = body_of(arguments)?;
        body.insert("model".to_owned(), json!(model));
        self.add_extra(&mut body)?;
        Ok(body)
    }

    /// Adds the call's `extra` fields to a body; an error if one is not the caller's to set.
    pub(crate) fn add_extra(&self, body: &mut Map<String, Value>) -> Result<()> {
        super::body::merge_extra(body, &self.call.shared.extra)
    }

    /// The request that queues a job.
    #[must_use]
    pub(crate) fn queue_request(&self, job: NewJob) -> QueueRequest {
        let NewJob { kind, model, prompt, body, media, price_usd } = job;
        let record = self.call.record(prompt, Some(model.clone()), None, price_usd);
        QueueRequest { kind, model, body, media, price_usd, save_as: self.save_as(), record }
    }
}
