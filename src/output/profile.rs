//! What each host does with media, by the name that its client gives itself.
//!
//! The rows follow the hosts' sources, documentation and issue trackers as of November 2026.

/// How one item stands in a result, below its line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An embedded resource with the bytes.
    Blob,
    /// An image or audio block.
    Content,
    /// A link that `resources/read` follows.
    Link,
    /// Nothing: the text names its path and URI.
    Text,
}

/// What a host can be given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) image: Form,
    pub(super) audio: Form,
    pub(super) video: Form,
    /// Whether a link is of use: elsewhere it is dropped, or pasted as JSON.
    pub(super) links: bool,
    /// The most raw bytes of all blocks of a result together.
    pub(super) budget: u64,
    /// The longest side in pixels of an image that is shown whole.
    pub(super) edge: u32,
    /// Whether the whole result fails over what the host does not take: blobs that are no images, audio blocks,
    /// links, and more than the budget. No setting lifts this.
    pub(super) strict: bool,
}

/// What a result carries where nothing bounds it further: the TypeScript SDK closes the connection at 10 MiB of base64,
/// OpenAI's executor at 8 MiB.
pub(super) const DEFAULT_LIMIT: u64 = 4 << 20;

/// The longest side of an image that Claude's API takes: a longer one fails every request that the conversation makes
/// from then on.
const LONGEST_EDGE: u32 = 8000;

/// Hosts that are not known, and those that take everything: Inspector, VS Code, the Python SDK under its own name.
const DEFAULT: Profile = Profile {
    image: Form::Blob,
    audio: Form::Blob,
    video: Form::Link,
    links: true,
    budget: DEFAULT_LIMIT,
    edge: u32::MAX,
    strict: false,
};

/// Claude Code sends blobs of images on to its model, whose API takes 5 MB of base64, and saves other blobs as files.
const CLAUDE_CODE: Profile = Profile { budget: 3_700_000, edge: LONGEST_EDGE, ..DEFAULT };

/// Claude's apps fail on a blob that is no image, on links, and on a result of more than about 150,000 characters.
const CLAUDE_APPS: Profile =
    Profile { budget: 100_000, strict: true, ..only_images(Form::Content) };

/// Gemini CLI hands every blob to its model, where sound costs tokens that nobody asked for.
const GEMINI: Profile = only_images(Form::Blob);

/// Hosts that drop blobs or paste them as text, but take image blocks.
const IMAGE_BLOCKS: Profile = only_images(Form::Content);

/// `Open WebUI` keeps image and audio blocks as files, and drops blobs.
const OPEN_WEBUI: Profile = Profile { audio: Form::Content, ..IMAGE_BLOCKS };

/// Hosts that show no media, or paste them as text.
const TEXT: Profile = only_images(Form::Text);

/// A chat host that gets images in one form and the rest as text. Such hosts keep media in the conversation.
const fn only_images(image: Form) -> Profile {
    Profile {
        image,
        audio: Form::Text,
        video: Form::Text,
        links: false,
        budget: 600_000,
        edge: LONGEST_EDGE,
        strict: false,
    }
}

/// The name of a client, as far as it is known.
enum Name {
    /// Read in the host's source or in what it sent.
    Is(&'static str),
    /// Known by hearsay or in variants: in any case, and with anything behind it. Such a row only ever gives less
    /// than the default, so that a wrong match costs comfort and breaks nothing.
    Begins(&'static str),
}

impl Name {
    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Is(known) => name == *known,
            Self::Begins(known) => name
                .get(..known.len())
                .is_some_and(|beginning| beginning.eq_ignore_ascii_case(known)),
        }
    }
}

/// The hosts. The first row that fits counts.
const HOSTS: &[(Name, &Profile)] = &[
    // The Python SDK's default name, which many frameworks share.
    (Name::Is("mcp"), &DEFAULT),
    (Name::Is("inspector"), &DEFAULT),
    (Name::Is("Visual Studio Code"), &DEFAULT),
    (Name::Is("claude-code"), &CLAUDE_CODE),
    (Name::Begins("Anthropic/"), &CLAUDE_APPS),
    (Name::Begins("claude-ai"), &CLAUDE_APPS),
    (Name::Begins("claude-desktop"), &CLAUDE_APPS),
    (Name::Begins("local-agent-mode"), &CLAUDE_APPS),
    (Name::Is("gemini-cli-mcp-client"), &GEMINI),
    (Name::Begins("codex"), &IMAGE_BLOCKS),
    (Name::Begins("cursor"), &IMAGE_BLOCKS),
    (Name::Begins("goose"), &IMAGE_BLOCKS),
    (Name::Begins("@librechat/"), &IMAGE_BLOCKS),
    (Name::Begins("librechat"), &IMAGE_BLOCKS),
    (Name::Begins("lmstudio"), &IMAGE_BLOCKS),
    (Name::Begins("lm-studio"), &IMAGE_BLOCKS),
    (Name::Begins("lm studio"), &IMAGE_BLOCKS),
    (Name::Is("ai-sdk-mcp-client"), &IMAGE_BLOCKS),
    (Name::Begins("open-webui"), &OPEN_WEBUI),
    (Name::Begins("open webui"), &OPEN_WEBUI),
    (Name::Is("Cline"), &TEXT),
    (Name::Is("@cline/core"), &TEXT),
    (Name::Begins("zed"), &TEXT),
    (Name::Begins("@n8n/"), &TEXT),
    (Name::Begins("n8n"), &TEXT),
    (Name::Begins("mcpo"), &TEXT),
];

impl Profile {
    /// The profile of the client with this name.
    pub(super) fn of(client: Option<&str>) -> &'static Self {
        // The proxy mcp-remote writes itself behind the name of the host it serves.
        let name = client.and_then(|name| name.split(" (via ").next()).unwrap_or_default().trim();
        HOSTS.iter().find(|(known, _)| known.fits(name)).map_or(&DEFAULT, |(_, profile)| *profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_gets_the_profile_of_its_host() {
        let cases: &[(&str, &Profile)] = &[
            ("", &DEFAULT),
            ("mcp", &DEFAULT),
            ("inspector", &DEFAULT),
            ("somebody's client", &DEFAULT),
            ("Visual Studio Code", &DEFAULT),
            ("claude-code", &CLAUDE_CODE),
            ("claude-code (via mcp-remote 0.1.37)", &CLAUDE_CODE),
            ("Claude-Code", &DEFAULT),
            ("Anthropic/ClaudeAI", &CLAUDE_APPS),
            ("anthropic/toolbox", &CLAUDE_APPS),
            ("claude-ai", &CLAUDE_APPS),
            ("claude-ai (via mcp-remote 0.1.37)", &CLAUDE_APPS),
            ("gemini-cli-mcp-client", &GEMINI),
            ("codex-mcp-client", &IMAGE_BLOCKS),
            ("Codex-MCP-Client", &IMAGE_BLOCKS),
            ("cursor-vscode", &IMAGE_BLOCKS),
            ("goose-desktop", &IMAGE_BLOCKS),
            ("@librechat/api-client", &IMAGE_BLOCKS),
            ("LM Studio", &IMAGE_BLOCKS),
            ("ai-sdk-mcp-client", &IMAGE_BLOCKS),
            ("Open WebUI", &OPEN_WEBUI),
            ("Cline", &TEXT),
            ("@cline/core", &TEXT),
            ("Zed", &TEXT),
            ("@n8n/n8n-nodes-langchain.mcpClientTool", &TEXT),
            ("mcpo", &TEXT),
            ("zé", &DEFAULT),
        ];
        for (name, profile) in cases {
            assert_eq!(Profile::of(Some(name)), *profile, "{name}");
        }
        assert_eq!(Profile::of(None), &DEFAULT);
    }

    #[test]
    fn a_guessed_name_never_gives_a_blob_or_a_link() {
        for (name, profile) in HOSTS {
            if matches!(name, Name::Begins(_)) {
                let forms = [profile.image, profile.audio, profile.video];
                assert!(!forms.contains(&Form::Blob) && !forms.contains(&Form::Link));
                assert!(!profile.links && profile.budget < DEFAULT.budget);
            }
        }
    }

    #[test]
    fn no_profile_inlines_video() {
        for (_, profile) in HOSTS {
            assert!(matches!(profile.video, Form::Link | Form::Text));
        }
    }
}
