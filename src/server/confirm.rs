//! Asking the user behind the client before a call that costs much.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationSchema, InputRequest, InputRequiredResult, InputResponses, ProtocolVersion,
    RequestStateCodec, SealOptions,
};
use rmcp::service::{Peer, RequestContext, RoleServer};

use crate::call::Services;
use crate::context::{Answer, Confirm};

/// How long a user may take to answer.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long a question stands that went out as the answer to a call.
const STANDS: Duration = Duration::from_mins(10);
/// The name of the question among those of a result.
const QUESTION: &str = "confirm";

type Asking<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// How the client of a request is asked.
#[derive(Clone)]
pub(super) enum Way {
    /// Not at all.
    None,
    /// By a request to the client while its call waits.
    Elicitation(Arc<Elicitation>),
    /// By the answer to the call, which comes again.
    Round(Arc<Round>),
}

/// Asks while the call waits: the revisions with a handshake, where server and client have a connection.
pub(super) struct Elicitation {
    peer: Peer<RoleServer>,
}

/// Asks by the answer to the call, as the revision 2026-07-28 does. Nothing is kept here between the two calls: a
/// sealed word travels through the client, and holds for the same caller, call and price alone.
pub(super) struct Round {
    services: Arc<Services>,
    state: Option<String>,
    answers: Option<InputResponses>,
    question: Mutex<Option<InputRequiredResult>>,
}

impl Way {
    /// How the client of `request` can be asked, where it can.
    pub(super) fn of(
        request: &RequestContext<RoleServer>,
        params: &CallToolRequestParams,
        services: &Arc<Services>,
    ) -> Self {
        let capabilities = request.client_capabilities().unwrap_or_default();
        // A client that names neither form nor URL means forms.
        let forms =
            capabilities.elicitation.is_some_and(|can| can.form.is_some() || can.url.is_none());
        if !forms {
            return Self::None;
        }
        let version = request.protocol_version().unwrap_or_default();
        if version.as_str() < ProtocolVersion::V_2026_07_28.as_str() {
            return Self::Elicitation(Arc::new(Elicitation { peer: request.peer.clone() }));
        }
        Self::Round(Arc::new(Round {
            services: Arc::clone(services),
            state: params.request_state.clone(),
            answers: params.input_responses.clone(),
            question: Mutex::default(),
        }))
    }

    /// What asks.
    pub(super) fn confirm(&self) -> Arc<dyn Confirm> {
        match self {
            Self::None => Arc::new(crate::context::Silent),
            Self::Elicitation(elicitation) => Arc::clone(elicitation) as Arc<dyn Confirm>,
            Self::Round(round) => Arc::clone(round) as Arc<dyn Confirm>,
        }
    }

    /// The question that has to go out as the answer to the call.
    pub(super) fn question(&self) -> Option<InputRequiredResult> {
        let Self::Round(round) = self else { return None };
        round.question.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Confirm for Elicitation {
    fn ask<'a>(&'a self, question: &'a str, _subject: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let asked = self.peer.create_elicitation_with_timeout(form(question), Some(PATIENCE));
            match asked.await {
                Ok(answer) => said(&answer.action),
                Err(error) => {
                    tracing::warn!(%error, "the user could not be asked");
                    Answer::Unavailable
                }
            }
        })
    }
}

impl Confirm for Round {
    fn ask<'a>(&'a self, question: &'a str, subject: &'a str) -> Asking<'a> {
        Box::pin(async move {
            let secret = match self.services.secret.bytes().await {
                Ok(secret) => secret,
                Err(error) => {
                    tracing::warn!(%error, "the user cannot be asked without the store's secret");
                    return Answer::Unavailable;
                }
            };
            let Ok(codec) = RequestStateCodec::try_new(secret) else { return Answer::Unavailable };
            let asked = self.state.as_deref();
            if asked.is_some_and(|state| codec.open_with(state, subject.as_bytes()).is_ok())
                && let Some(answer) = self.answer()
            {
                return said(&answer.action);
            }
            let options = SealOptions::new().associated_data(subject.as_bytes()).ttl(STANDS);
            let state = codec.seal_with(QUESTION.as_bytes(), &options);
            let request = InputRequest::Elicitation(ElicitRequest::new(form(question)));
            let requests = BTreeMap::from([(QUESTION.to_owned(), request)]);
            let result = InputRequiredResult::new(Some(requests), Some(state));
            *self.question.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            Answer::Later
        })
    }
}

impl Round {
    fn answer(&self) -> Option<ElicitResult> {
        let answer = self.answers.as_ref()?.get(QUESTION)?;
        serde_json::from_value(answer.clone()).ok()
    }
}

/// A form without fields: to accept it is to agree.
fn form(question: &str) -> ElicitRequestParams {
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question.to_owned(),
        requested_schema: ElicitationSchema::new(BTreeMap::new()),
    }
}

fn said(action: &ElicitationAction) -> Answer {
    match action {
        ElicitationAction::Accept => Answer::Accepted,
        _ => Answer::Declined,
    }
}
