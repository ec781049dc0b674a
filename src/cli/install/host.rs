//! The hosts that are known, and where each keeps its list of MCP servers.

use std::path::PathBuf;

use crate::config::Config;

/// One host.
#[derive(Debug)]
pub(in crate::cli) struct Host {
    /// What the command line calls it.
    pub(in crate::cli) name: &'static str,
    /// What people call it.
    pub(in crate::cli) title: &'static str,
    /// In which form it keeps servers.
    pub(in crate::cli) form: Form,
    /// The file that is written first; doctor looks into all of them.
    pub(in crate::cli) places: &'static [ConfigLocation],
    /// How its configuration refers to an environment variable.
    pub(in crate::cli) variables: Variables,
    /// What to do after the file is written.
    pub(in crate::cli) then: &'static str,
}

/// The form of a host's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Form {
    /// JSON, with comments or without: the name of the object that holds the servers.
    Json(&'static str),
    /// TOML: the name of the table that holds the servers.
    Toml(&'static str),
    /// YAML: the name of the mapping that holds the servers.
    Yaml(&'static str),
    /// Fields that a person fills in.
    Fields,
}

/// One file of a host.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct ConfigLocation {
    base: Base,
    path: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// The user's home directory.
    Home,
    /// Where programs keep their settings.
    Settings,
    /// The working directory: the file belongs to a project.
    Project,
}

/// How a configuration refers to an environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Variables {
    /// Not at all: values are literal.
    None,
    /// A text before the variable's name, and one after it.
    Around(&'static str, &'static str),
    /// The host asks the user, and keeps the answer.
    Asked,
    /// The host passes variables on by name.
    Named,
}

const fn home(path: &'static str) -> ConfigLocation {
    ConfigLocation { base: Base::Home, path }
}

const fn settings(path: &'static str) -> ConfigLocation {
    ConfigLocation { base: Base::Settings, path }
}

const fn project(path: &'static str) -> ConfigLocation {
    ConfigLocation { base: Base::Project, path }
}

/// Zed keeps its settings below `~/.config` on macOS too.
const ZED: ConfigLocation = if cfg!(target_os = "macos") {
    home(".config/zed/settings.json")
} else {
    settings(if cfg!(windows) { "Zed/settings.json" } else { "zed/settings.json" })
};

/// Every host, in the order in which help lists them.
pub(in crate::cli) const HOSTS: &[Host] = &[
    Host {
        name: "claude-desktop",
        title: "Claude Desktop",
        form: Form::Json("mcpServers"),
        places: &[settings("Claude/claude_desktop_config.json")],
        variables: Variables::None,
        then: "Quit Claude Desktop and start it again.",
    },
    Host {
        name: "claude-code",
        title: "Claude Code",
        form: Form::Json("mcpServers"),
        places: &[project(".mcp.json"), home(".claude.json")],
        variables: Variables::Around("${", "}"),
        then: "Start claude in this directory and allow the server; /mcp shows it. For every project, use \
               --config-file with ~/.claude.json while Claude Code is not running.",
    },
    Host {
        name: "cursor",
        title: "Cursor",
        form: Form::Json("mcpServers"),
        places: &[home(".cursor/mcp.json"), project(".cursor/mcp.json")],
        variables: Variables::Around("${env:", "}"),
        then: "Switch the server on under Settings > MCP.",
    },
    Host {
        name: "vscode",
        title: "VS Code",
        form: Form::Json("servers"),
        places: &[project(".vscode/mcp.json"), settings("Code/User/mcp.json")],
        variables: Variables::Asked,
        then: "Open this directory in VS Code, and press Start above the server in .vscode/mcp.json.",
    },
    Host {
        name: "windsurf",
        title: "Windsurf",
        form: Form::Json("mcpServers"),
        places: &[home(".codeium/windsurf/mcp_config.json")],
        variables: Variables::None,
        then: "Press Refresh in the MCP panel of Cascade.",
    },
    Host {
        name: "cline",
        title: "Cline",
        form: Form::Json("mcpServers"),
        places: &[settings(
            "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        )],
        variables: Variables::None,
        then: "Open Cline's MCP Servers panel: it reads the file again.",
    },
    Host {
        name: "zed",
        title: "Zed",
        form: Form::Json("context_servers"),
        places: &[ZED],
        variables: Variables::None,
        then: "The agent panel's settings show the server.",
    },
    Host {
        name: "goose",
        title: "Goose",
        form: Form::Yaml("extensions"),
        places: &[home(".config/goose/config.yaml")],
        variables: Variables::None,
        then: "Start a new Goose session.",
    },
    Host {
        name: "lmstudio",
        title: "LM Studio",
        form: Form::Json("mcpServers"),
        places: &[home(".lmstudio/mcp.json")],
        variables: Variables::None,
        then: "Switch the server on under Program > Integrations.",
    },
    Host {
        name: "codex",
        title: "Codex",
        form: Form::Toml("mcp_servers"),
        places: &[home(".codex/config.toml"), project(".codex/config.toml")],
        variables: Variables::Named,
        then: "Start codex again; /mcp shows the server.",
    },
    Host {
        name: "gemini",
        title: "Gemini CLI",
        form: Form::Json("mcpServers"),
        places: &[home(".gemini/settings.json"), project(".gemini/settings.json")],
        variables: Variables::Around("$", ""),
        then: "Start gemini again; /mcp shows the server.",
    },
    Host {
        name: "librechat",
        title: "LibreChat",
        form: Form::Yaml("mcpServers"),
        places: &[project("librechat.yaml")],
        variables: Variables::Around("${", "}"),
        then: "Restart LibreChat; where it runs in a container, the program must be inside it, or use --url.",
    },
    Host {
        name: "n8n",
        title: "n8n",
        form: Form::Fields,
        places: &[],
        variables: Variables::None,
        then: "Connect the node to the Tool input of an AI Agent node.",
    },
];

/// The host of that name.
pub(in crate::cli) fn find(name: &str) -> Option<&'static Host> {
    HOSTS.iter().find(|host| host.name == name)
}

impl ConfigLocation {
    /// The file, if its base is known.
    pub(in crate::cli) fn path(self, config: &Config) -> Option<PathBuf> {
        let base = match self.base {
            Base::Home => config.directories.home.as_ref(),
            Base::Settings => config.directories.settings.as_ref(),
            Base::Project => config.directories.working.as_ref(),
        }?;
        Some(self.path.split('/').fold(base.clone(), |path, part| path.join(part)))
    }

    /// Whether the file belongs to a project, and may be the first of its directory.
    pub(in crate::cli) fn is_of_project(self) -> bool {
        self.base == Base::Project
    }
}
