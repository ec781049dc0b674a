//! What each host does with media, by the name of its client.
//!
//! The rows follow the hosts' sources, documentation, and issue trackers as of November 2026.

/// How a result shows one item, below its line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// An embedded resource with the bytes.
    Blob,
    /// An image or audio block.
    Content,
    /// A link that `resources/read` follows.
    Link,
    /// No block: the text names its path and URI.
    None,
}

/// What a host can show.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) image: BlockKind,
    pub(super) audio: BlockKind,
    pub(super) video: BlockKind,
    /// Whether the host does something with a link. Others drop it, or paste it as JSON.
    pub(super) links: bool,
    /// The most raw bytes in all blocks of a result together.
    pub(super) budget: u64,
    /// The longest side of an image that is shown whole, in pixels.
    pub(super) max_edge: u32,
    /// Whether the whole result fails if it contains what the host does not accept: blobs other than images, audio
    /// blocks, links, or more than the budget. No setting overrides this.
    pub(super) strict: bool,
}

/// The most raw bytes in a result, unless a setting or a profile says otherwise: the TypeScript SDK closes the connection
/// at 10 MiB of base64, OpenAI's executor at 8 MiB.
pub(super) const DEFAULT_INLINE_BYTES: u64 = 4 << 20;

/// The longest side of an image that Claude's API accepts, in pixels. A longer one makes every later request of the
/// conversation fail.
const CLAUDE_MAX_EDGE: u32 = 8000;

/// Unknown hosts, and those that accept everything: Inspector, VS Code, and the Python SDK under its own name.
const DEFAULT: Profile = Profile {
    image: BlockKind::Blob,
    audio: BlockKind::Blob,
    video: BlockKind::Link,
    links: true,
    budget: DEFAULT_INLINE_BYTES,
    max_edge: u32::MAX,
    strict: false,
};

/// Claude Code sends image blobs to its model, whose API accepts 5 MB of base64, and saves other blobs as files.
const CLAUDE_CODE: Profile = Profile { budget: 3_700_000, max_edge: CLAUDE_MAX_EDGE, ..DEFAULT };

/// Claude's apps fail on blobs other than images, on links, and on results of more than about 150,000 characters.
const CLAUDE_APPS: Profile =
    Profile { budget: 100_000, strict: true, ..only_images(BlockKind::Content) };

/// Gemini CLI sends every blob to its model, where audio costs tokens that the user did not ask to spend.
const GEMINI: Profile = only_images(BlockKind::Blob);

/// Hosts that drop blobs or paste them as text, but accept image blocks.
const IMAGE_BLOCKS: Profile = only_images(BlockKind::Content);

/// `Open WebUI` keeps image and audio blocks as files, and drops blobs.
const OPEN_WEBUI: Profile = Profile { audio: BlockKind::Content, ..IMAGE_BLOCKS };

/// Hosts that show no media or paste them as text.
const TEXT: Profile = only_images(BlockKind::None);

/// A chat host that shows images as `image` and other media only as text. Such hosts keep media in the conversation.
const fn only_images(image: BlockKind) -> Profile {
    Profile {
        image,
        audio: BlockKind::None,
        video: BlockKind::None,
        links: false,
        budget: 600_000,
        max_edge: CLAUDE_MAX_EDGE,
        strict: false,
    }
}

/// The name of a client.
enum Name {
    /// The exact name, seen in the host's source or in what it sent.
    Exact(&'static str),
    /// How a name begins that is not known for certain or has variants, in any case. Such a row only shows less than the
    /// default, so that a wrong match is inconvenient but breaks nothing.
    Prefix(&'static str),
}

impl Name {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(known) => name == *known,
            Self::Prefix(known) => name
                .get(..known.len())
                .is_some_and(|beginning| beginning.eq_ignore_ascii_case(known)),
        }
    }
}

/// The hosts. The first row that matches counts.
const HOSTS: &[(Name, &Profile)] = &[
    // The Python SDK's default name, which many frameworks share.
    (Name::Exact("mcp"), &DEFAULT),
    (Name::Exact("inspector"), &DEFAULT),
    (Name::Exact("Visual Studio Code"), &DEFAULT),
    (Name::Exact("claude-code"), &CLAUDE_CODE),
    (Name::Prefix("Anthropic/"), &CLAUDE_APPS),
    (Name::Prefix("claude-ai"), &CLAUDE_APPS),
    (Name::Prefix("claude-desktop"), &CLAUDE_APPS),
    (Name::Prefix("local-agent-mode"), &CLAUDE_APPS),
    (Name::Exact("gemini-cli-mcp-client"), &GEMINI),
    (Name::Prefix("codex"), &IMAGE_BLOCKS),
    (Name::Prefix("cursor"), &IMAGE_BLOCKS),
    (Name::Prefix("goose"), &IMAGE_BLOCKS),
    (Name::Prefix("@librechat/"), &IMAGE_BLOCKS),
    (Name::Prefix("librechat"), &IMAGE_BLOCKS),
    (Name::Prefix("lmstudio"), &IMAGE_BLOCKS),
    (Name::Prefix("lm-studio"), &IMAGE_BLOCKS),
    (Name::Prefix("lm studio"), &IMAGE_BLOCKS),
    (Name::Exact("ai-sdk-mcp-client"), &IMAGE_BLOCKS),
    (Name::Prefix("open-webui"), &OPEN_WEBUI),
    (Name::Prefix("open webui"), &OPEN_WEBUI),
    (Name::Exact("Cline"), &TEXT),
    (Name::Exact("@cline/core"), &TEXT),
    (Name::Prefix("zed"), &TEXT),
    (Name::Prefix("@n8n/"), &TEXT),
    (Name::Prefix("n8n"), &TEXT),
    (Name::Prefix("mcpo"), &TEXT),
];

impl Profile {
    /// The profile of the client with this name.
    pub(super) fn for_client(client: Option<&str>) -> &'static Self {
        // The proxy mcp-remote adds its own name after that of the host it serves.
        let name = client.and_then(|name| name.split(" (via ").next()).unwrap_or_default().trim();
        HOSTS
            .iter()
            .find(|(known, _)| known.matches(name))
            .map_or(&DEFAULT, |(_, profile)| *profile)
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
            assert_eq!(Profile::for_client(Some(name)), *profile, "{name}");
        }
        assert_eq!(Profile::for_client(None), &DEFAULT);
    }

    #[test]
    fn a_guessed_name_never_gives_a_blob_or_a_link() {
        for (name, profile) in HOSTS {
            if matches!(name, Name::Prefix(_)) {
                let forms = [profile.image, profile.audio, profile.video];
                assert!(!forms.contains(&BlockKind::Blob) && !forms.contains(&BlockKind::Link));
                assert!(!profile.links && profile.budget < DEFAULT.budget);
            }
        }
    }

    #[test]
    fn no_profile_inlines_video() {
        for (_, profile) in HOSTS {
            assert!(matches!(profile.video, BlockKind::Link | BlockKind::None));
        }
    }
}
