//! How one result is presented: the mode, the host's profile, and how many bytes it may carry.

use crate::context::{Context, OutputMode};
use crate::media::{Media, MediaKind};

use super::profile::{BlockKind, DEFAULT_INLINE_BYTES, Profile};
use super::{MAX_INLINE_BYTES, OutputSettings};

/// How one result is presented.
pub(super) struct Presentation {
    profile: &'static Profile,
    mode: OutputMode,
    /// Whether the user or the caller chose the mode, not the outcome or the profile.
    chosen: bool,
    /// The most raw bytes in all blocks together.
    pub(super) limit: u64,
}

impl Presentation {
    /// The presentation for a call whose argument asks for `asked`. An outcome may have a mode of its own (`fixed`).
    pub(super) fn new(
        fixed: Option<OutputMode>,
        asked: Option<OutputMode>,
        context: &Context,
        settings: &OutputSettings,
    ) -> Self {
        let profile = Profile::for_client(context.client.as_deref());
        let asked = asked.filter(|mode| *mode != OutputMode::Auto);
        let mode = [fixed, asked, context.settings.output, Some(settings.mode)]
            .into_iter()
            .flatten()
            .find(|mode| *mode != OutputMode::Auto)
            .unwrap_or_default();
        let set_limit = settings.inline_limit.map(|limit| limit.min(MAX_INLINE_BYTES));
        let mut limit = set_limit.unwrap_or(DEFAULT_INLINE_BYTES);
        if let Some(most) = context.reply_limit {
            limit = limit.min(most);
        }
        let exceeds_profile = set_limit.is_some() || asked.is_some();
        if profile.strict || !exceeds_profile {
            limit = limit.min(profile.budget);
        }
        let chosen = fixed.is_none() && mode != OutputMode::Auto;
        Self { profile, mode, chosen, limit }
    }

    /// How `media` is shown if its bytes fit.
    pub(super) fn block_kind(&self, media: &Media) -> BlockKind {
        let is_image = is_image(media);
        let kind = match self.mode {
            OutputMode::Auto => match media.kind {
                MediaKind::Image if is_image => self.profile.image,
                MediaKind::Audio => self.profile.audio,
                MediaKind::Video => self.profile.video,
                MediaKind::Image | MediaKind::Document => BlockKind::Link,
            },
            OutputMode::Blob => BlockKind::Blob,
            OutputMode::Image if is_image || media.kind == MediaKind::Audio => BlockKind::Content,
            OutputMode::Image | OutputMode::Link => BlockKind::Link,
            OutputMode::File | OutputMode::None => BlockKind::None,
        };
        match kind {
            BlockKind::Blob | BlockKind::Content if self.profile.strict && !is_image => {
                BlockKind::None
            }
            BlockKind::Link => self.link(),
            kind => kind,
        }
    }

    /// Whether the client accepts an image with as many pixels as `media` has.
    pub(super) fn accepts_size(&self, media: &Media) -> bool {
        media.width.max(media.height).is_none_or(|side| side <= self.profile.max_edge)
    }

    /// What media that are not shown get instead: a link, if the host does something with links or the user chose them.
    pub(super) fn link(&self) -> BlockKind {
        let wanted = self.chosen && self.mode == OutputMode::Link && !self.profile.strict;
        if self.profile.links || wanted { BlockKind::Link } else { BlockKind::None }
    }

    /// Whether bytes or a link were asked for explicitly.
    pub(super) const fn is_explicit(&self) -> bool {
        self.chosen && matches!(self.mode, OutputMode::Blob | OutputMode::Image | OutputMode::Link)
    }
}

/// Whether models and hosts accept it as an image. An image of another type fails the request that contains it.
fn is_image(media: &Media) -> bool {
    media.kind == MediaKind::Image
        && matches!(
            media.mime_type.as_str(),
            "image/png" | "image/jpeg" | "image/webp" | "image/gif"
        )
}

/// The share of `budget` that one of the remaining items gets, given their sizes: small items are sent whole, and large
/// ones share the rest equally. All of `budget` if everything fits.
pub(super) fn share(budget: u64, mut sizes: Vec<u64>) -> u64 {
    sizes.sort_unstable();
    let mut left = budget;
    let mut remaining = u64::try_from(sizes.len()).unwrap_or(u64::MAX);
    for size in sizes {
        let equal = left / remaining.max(1);
        if size > equal {
            return equal;
        }
        left = left.saturating_sub(size);
        remaining = remaining.saturating_sub(1);
    }
    budget
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presentation(
        client: &str,
        asked: Option<OutputMode>,
        set_limit: Option<u64>,
    ) -> Presentation {
        let context = Context { client: Some(client.to_owned()), ..Context::default() };
        let settings = OutputSettings { mode: OutputMode::Auto, inline_limit: set_limit };
        Presentation::new(None, asked, &context, &settings)
    }

    #[test]
    fn the_mode_closest_to_the_call_counts_and_auto_defers_to_the_next() {
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
            assert_eq!(Presentation::new(fixed, asked, &context, &settings).mode, expected);
        }
    }

    #[test]
    fn the_user_can_exceed_a_profiles_budget_unless_the_host_would_fail() {
        let blob = Some(OutputMode::Blob);
        assert_eq!(presentation("x", None, None).limit, DEFAULT_INLINE_BYTES);
        assert_eq!(presentation("x", None, Some(1 << 40)).limit, MAX_INLINE_BYTES);
        assert_eq!(presentation("codex-mcp-client", None, None).limit, 600_000);
        assert_eq!(presentation("codex-mcp-client", Some(OutputMode::Auto), None).limit, 600_000);
        assert_eq!(presentation("codex-mcp-client", blob, None).limit, DEFAULT_INLINE_BYTES);
        assert_eq!(presentation("codex-mcp-client", None, Some(9 << 20)).limit, 9 << 20);
        assert_eq!(presentation("Anthropic/ClaudeAI", blob, Some(9 << 20)).limit, 100_000);
    }

    #[test]
    fn a_transport_limits_every_result() {
        let context = Context { reply_limit: Some(700_000), ..Context::default() };
        let settings = OutputSettings { mode: OutputMode::Blob, inline_limit: Some(9 << 20) };
        let presentation = Presentation::new(None, Some(OutputMode::Blob), &context, &settings);
        assert_eq!(presentation.limit, 700_000);
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
