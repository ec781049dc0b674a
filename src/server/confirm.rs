//! Asking the user behind the client to confirm an expensive call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationSchema, InputRequest, InputRequiredResult, InputResponses, ProtocolVersion,
    RequestStateCodec, SealOptions,
};
use rmcp::service::{Peer, RequestContext, RoleServer};

use crate::call::Services;

/// How long a user may take to answer an elicitation.
const ELICITATION_TIMEOUT: Duration = Duration::from_mins(5);
/// How long the answer to an input-required result is accepted.
const INPUT_REQUIRED_TTL: Duration = Duration::from_mins(10);
/// The name of the question among the input requests of a result.
const QUESTION: &str = "confirm";

/// How the user behind a client is asked.
pub(super) enum ConfirmVia {
    /// The client cannot ask its user.
    Unavailable,
    /// A request to the client while its call waits.
    Elicitation(Peer<RoleServer>),
    /// The result of the call, which the client then repeats with the answer.
    InputRequired(InputRequiredRound),
}

/// What asking the user led to.
pub(super) enum Confirmation {
    /// The user agreed.
    Accepted,
    /// The user did not agree.
    Declined,
    /// This client cannot ask its user.
    Unavailable,
    /// The call ends with this question; the client repeats the call with the answer.
    AskFirst(Box<InputRequiredResult>),
}

/// Asks by an input-required result, as revision 2026-07-28 does. The server keeps nothing between the two calls:
/// the client carries a sealed state, which is valid only for the same caller, call, and price.
pub(super) struct InputRequiredRound {
    services: Arc<Services>,
    state: Option<String>,
    answers: Option<InputResponses>,
}

impl ConfirmVia {
    /// The way that the client of `request` supports.
    pub(super) fn for_request(
        request: &RequestContext<RoleServer>,
        params: &CallToolRequestParams,
        services: &Arc<Services>,
    ) -> Self {
        let capabilities = request.client_capabilities().unwrap_or_default();
        // A client that names neither form nor URL means forms.
        let forms =
            capabilities.elicitation.is_some_and(|can| can.form.is_some() || can.url.is_none());
        if !forms {
            return Self::Unavailable;
        }
        let version = request.protocol_version().unwrap_or_default();
        if version.as_str() < ProtocolVersion::V_2026_07_28.as_str() {
            return Self::Elicitation(request.peer.clone());
        }
        Self::InputRequired(InputRequiredRound {
            services: Arc::clone(services),
            state: params.request_state.clone(),
            answers: params.input_responses.clone(),
        })
    }

    /// Asks the user. `subject` identifies the call and everything the question is about: an answer given earlier
    /// counts only for the same subject.
    pub(super) async fn ask(&self, question: &str, subject: &str) -> Confirmation {
        match self {
            Self::Unavailable => Confirmation::Unavailable,
            Self::Elicitation(peer) => elicit(peer, question).await,
            Self::InputRequired(round) => round.ask(question, subject).await,
        }
    }
}

async fn elicit(peer: &Peer<RoleServer>, question: &str) -> Confirmation {
    let answer =
        peer.create_elicitation_with_timeout(form(question), Some(ELICITATION_TIMEOUT)).await;
    match answer {
        Ok(answer) => Confirmation::from_action(&answer.action),
        Err(error) => {
            tracing::warn!(%error, "the user could not be asked");
            Confirmation::Unavailable
        }
    }
}

impl InputRequiredRound {
    async fn ask(&self, question: &str, subject: &str) -> Confirmation {
        let secret = match self.services.secret.bytes().await {
            Ok(secret) => secret,
            Err(error) => {
                tracing::warn!(%error, "the user cannot be asked without the store's secret");
                return Confirmation::Unavailable;
            }
        };
        let Ok(codec) = RequestStateCodec::try_new(secret) else {
            return Confirmation::Unavailable;
        };
        let is_answer_to_this = self
            .state
            .as_deref()
            .is_some_and(|state| codec.open_with(state, subject.as_bytes()).is_ok());
        if is_answer_to_this && let Some(answer) = self.answer() {
            return Confirmation::from_action(&answer.action);
        }
        let options =
            SealOptions::new().associated_data(subject.as_bytes()).ttl(INPUT_REQUIRED_TTL);
        let state = codec.seal_with(QUESTION.as_bytes(), &options);
        let request = InputRequest::Elicitation(ElicitRequest::new(form(question)));
        let requests = BTreeMap::from([(QUESTION.to_owned(), request)]);
        Confirmation::AskFirst(Box::new(InputRequiredResult::new(Some(requests), Some(state))))
    }

    fn answer(&self) -> Option<ElicitResult> {
        let answer = self.answers.as_ref()?.get(QUESTION)?;
        serde_json::from_value(answer.clone()).ok()
    }
}

impl Confirmation {
    fn from_action(action: &ElicitationAction) -> Self {
        match action {
            ElicitationAction::Accept => Self::Accepted,
            _ => Self::Declined,
        }
    }
}

/// A form without fields: accepting it means agreeing.
fn form(question: &str) -> ElicitRequestParams {
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question.to_owned(),
        requested_schema: ElicitationSchema::new(BTreeMap::new()),
    }
}
