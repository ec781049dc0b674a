//! What holds for one result: the mode, the host's profile, and how many bytes it may carry.

use crate::config::HIGHEST_INLINE_LIMIT;
use crate::context::{Context, OutputMode};
use crate::media::{Media, MediaKind};

use super::OutputSettings;
use super::profile::{DEFAULT_LIMIT, Form, Profile};

/// The terms of one result.
pub(super) struct Terms {
    profile: &'static Profile,
    mode: OutputMode,
    /// Whether a user or a caller chose the mode, and not the outcome or the profile.
    chosen: bool,
    /// The most raw bytes of all blocks together.
    pub(super) limit: u64,
}

impl Terms {
    /// The terms of a call whose argument asks for `asked`, where the outcome itself does not say its mode (`fixed`).
    pub(super) fn new(
        fixed: Option<OutputMode>,
        asked: Option<OutputMode>,
        context: &Context,
        settings: &OutputSettings,
    ) -> Self {
        let profile = Profile::of(context.client.as_deref());
        let asked = asked.filter(|mode| *mode != OutputMode::Auto);
        let mode = [fixed, asked, context.settings.output, Some(settings.mode)]
            .into_iter()
            .flatten()
            .find(|mode| *mode != OutputMode::Auto)
            .unwrap_or_default();
        let by_hand = settings.inline_limit.map(|limit| limit.min(HIGHEST_INLINE_LIMIT));
        let mut limit = by_hand.unwrap_or(DEFAULT_LIMIT);
        if let Some(most) = context.reply_limit {
            limit = limit.min(most);
        }
        let lifted = by_hand.is_some() || asked.is_some();
        if profile.strict || !lifted {
            limit = limit.min(profile.budget);
        }
        let chosen = fixed.is_none() && mode != OutputMode::Auto;
        Self { profile, mode, chosen, limit }
    }

    /// How `media` is shown, where its bytes fit.
    pub(super) fn form(&self, media: &Media) -> Form {
        let shown = shown(media);
        let form = match self.mode {
            OutputMode::Auto => match media.kind {
                MediaKind::Image if shown => self.profile.image,
                MediaKind::Audio => self.profile.audio,
                MediaKind::Video => self.profile.video,
                MediaKind::Image | MediaKind::Document => Form::Link,
            },
            OutputMode::Blob => Form::Blob,
            OutputMode::Image if shown || media.kind == MediaKind::Audio => Form::Content,
            OutputMode::Image | OutputMode::Link => Form::Link,
            OutputMode::File | OutputMode::None => Form::Text,
        };
        match form {
            Form::Blob | Form::Content if self.profile.strict && !shown => Form::Text,
            Form::Link => self.link(),
            form => form,
        }
    }

    /// Whether the client takes an image with as many pixels as `media` has.
    pub(super) fn takes(&self, media: &Media) -> bool {
        media.width.max(media.height).is_none_or(|side| side <= self.profile.edge)
    }

    /// What stands for media that are not shown: a link, where the host does something with it or was asked to.
    pub(super) fn link(&self) -> Form {
        let wanted = self.chosen && self.mode == OutputMode::Link && !self.profile.strict;
        if self.profile.links || wanted { Form::Link } else { Form::Text }
    }

    /// Whether someone asked for bytes or a link, by name.
    pub(super) const fn by_name(&self) -> bool {
        self.chosen && matches!(self.mode, OutputMode::Blob | OutputMode::Image | OutputMode::Link)
    }
}

/// Whether models and hosts take it as an image: one of another type fails the request that carries it.
fn shown(media: &Media) -> bool {
    media.kind == MediaKind::Image
        && matches!(
            media.mime_type.as_str(),
            "image/png" | "image/jpeg" | "image/webp" | "image/gif"
        )
}

/// What an item gets of `budget` where the items under way have these sizes: the small ones go whole, and the large
/// ones divide what is left equally. All of `budget`, where everything fits.
pub(super) fn share(budget: u64, mut sizes: Vec<u64>) -> u64 {
    sizes.sort_unstable();
    let mut left = budget;
    let mut waiting = u64::try_from(sizes.len()).unwrap_or(u64::MAX);
    for size in sizes {
        let equal = left / waiting.max(1);
        if size > equal {
            return equal;
        }
        left = left.saturating_sub(size);
        waiting = waiting.saturating_sub(1);
    }
    budget
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(client: &str, asked: Option<OutputMode>, by_hand: Option<u64>) -> Terms {
        let context = Context { client: Some(client.to_owned()), ..Context::default() };
        let settings = OutputSettings { mode: OutputMode::Auto, inline_limit: by_hand };
        Terms::new(None, asked, &context, &settings)
    }

    #[test]
    fn the_mode_nearest_to_the_call_counts_and_auto_asks_the_next() {
        use OutputMode::{Auto, Blob, File, Image, Link, None as Nothing};
        let cases = [
            (None, None, None, Auto, Auto),
            (None, None, None, File, File),
            (None, None, Some(Link), File, Link),
            (None, Some(Image), Some(Link), File, Image),
            (None, Some(Auto), Some(Auto), Blob, Blob),
            (None, Some(Auto), Some(Link), Blob, Link),
            (Some(Nothing), Some(Image), Some(Link), File, Nothing),
        ];
        for (fixed, asked, header, mode, expected) in cases {
            let mut context = Context::default();
            context.settings.output = header;
            let settings = OutputSettings { mode, inline_limit: None };
            assert_eq!(Terms::new(fixed, asked, &context, &settings).mode, expected);
        }
    }

    #[test]
    fn a_budget_yields_to_the_user_but_not_where_the_host_fails() {
        let blob = Some(OutputMode::Blob);
        assert_eq!(terms("x", None, None).limit, DEFAULT_LIMIT);
        assert_eq!(terms("x", None, Some(1 << 40)).limit, HIGHEST_INLINE_LIMIT);
        assert_eq!(terms("codex-mcp-client", None, None).limit, 600_000);
        assert_eq!(terms("codex-mcp-client", Some(OutputMode::Auto), None).limit, 600_000);
        assert_eq!(terms("codex-mcp-client", blob, None).limit, DEFAULT_LIMIT);
        assert_eq!(terms("codex-mcp-client", None, Some(9 << 20)).limit, 9 << 20);
        assert_eq!(terms("Anthropic/ClaudeAI", blob, Some(9 << 20)).limit, 100_000);
    }

    #[test]
    fn a_transport_bounds_every_limit() {
        let context = Context { reply_limit: Some(700_000), ..Context::default() };
        let settings = OutputSettings { mode: OutputMode::Blob, inline_limit: Some(9 << 20) };
        let terms = Terms::new(None, Some(OutputMode::Blob), &context, &settings);
        assert_eq!(terms.limit, 700_000);
    }

    #[test]
    fn shares_are_fair() {
        assert_eq!(share(100, vec![10, 20, 70]), 100);
        assert_eq!(share(100, vec![200]), 100);
        assert_eq!(share(100, vec![200, 200, 200, 200]), 25);
        assert_eq!(share(100, vec![200, 10, 200]), 45);
        assert_eq!(share(0, vec![1]), 0);
    }
}
