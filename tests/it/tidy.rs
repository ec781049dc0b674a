//! The tree keeps its shape: arrows go one way, names stay where they belong, what is written is true.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use venice_mcp::config::SETTINGS;
use venice_mcp::tool::{Cost, Effect};
use venice_mcp::tools::{self, FAMILIES};

use crate::harness::BINARY;

/// The modules by layer, lowest first. A module may use those of lower layers, and itself.
const LAYERS: &[&[&str]] = &[
    &["error", "near", "net", "hex", "splice"],
    &["metrics", "fingerprint"],
    &["context"],
    &["speech", "schema", "sandbox"],
    &["storage", "venice"],
    &["media"],
    &["catalog", "outcome"],
    &["spend"],
    &["input", "jobs"],
    &["call"],
    &["tool"],
    &["tools", "output"],
    &["resources", "prompts"],
    &["completions"],
    &["server"],
    &["transport"],
    &["config"],
    &["cli"],
    &["main", "lib"],
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, with its path from the root and its text.
pub(crate) fn files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                // What building the fuzz targets leaves is not ours.
                open.extend(Some(path).filter(|path| !path.ends_with("target")));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "no files below {folder}");
    found.sort();
    found
}

/// The files of the crate that are not tests.
fn sources() -> Vec<(String, String)> {
    let is_test = |name: &str| name.ends_with("/tests.rs") || name.contains("/tests/");
    files("src").into_iter().filter(|(name, _)| !is_test(name)).collect()
}

/// The text without its comments and its tests.
fn code(text: &str) -> String {
    let text = text.split("\nmod tests {").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The module of a file: `src/tools/image/edit.rs` belongs to `tools`.
fn module(name: &str) -> &str {
    name.strip_prefix("src/").unwrap().split(['/', '.']).next().unwrap()
}

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| panic!("`{module}` is in no layer"))
}

/// The modules that a text names as `crate::module`.
fn used(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
        if end > 0 {
            found.push(rest[..end].to_owned());
        }
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split('}').next().unwrap();
            let names = list.split(',').map(|name| name.trim().split("::").next().unwrap());
            found.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    found
}

#[test]
fn arrows_go_one_way() {
    for (name, text) in sources() {
        let own = module(&name);
        for other in used(&code(&text)) {
            let allowed = other == own || layer(&other) < layer(own);
            assert!(allowed, "{name} uses crate::{other}");
            let sandbox = other != "sandbox" || matches!(own, "cli" | "sandbox" | "lib");
            assert!(sandbox, "{name} knows the sandbox");
        }
    }
}

#[test]
fn names_stay_where_they_belong() {
    let rules: &[(&[&str], &[&str])] = &[
        (
            &["rmcp::"],
            &["server", "output", "resources", "prompts", "completions", "transport", "cli"],
        ),
        (&["reqwest::"], &["venice"]),
        (&["env::var", "env::temp_dir", "env::current_dir", "env::split_paths"], &["config"]),
        (&["std::fs", "tokio::fs"], &["storage", "input", "config", "cli"]),
        (&["std::process::exit", "println!", "print!("], &[]),
    ];
    for (name, text) in sources() {
        let code = code(&text);
        for (words, allowed) in rules {
            for word in *words {
                let there = code.contains(word) && !allowed.contains(&module(&name));
                assert!(!there, "{name} names {word}");
            }
        }
    }
}

#[test]
fn tools_do_not_use_tools() {
    for (name, text) in files("src/tools") {
        let parts: Vec<&str> = name.split('/').collect();
        let [_, _, family, _] = parts[..] else { continue };
        for rest in code(&text).split("crate::tools::").skip(1) {
            assert!(rest.starts_with(family), "{name} uses another family's tool");
        }
    }
}

/// The server's own methods of a call are public within the crate, and would lead to all of it.
#[test]
fn tools_reach_the_server_through_the_facade_alone() {
    for (name, text) in files("src/tools") {
        for word in ["services", "Services", "Defaults", ".context()", ".view()", "Call::new"] {
            assert!(!code(&text).contains(word), "{name} names {word}");
        }
    }
}

#[test]
fn every_tool_file_is_mounted() {
    for (name, text) in files("src/tools") {
        let tools = text.matches(" Tool for ").count();
        assert!(tools <= 1, "{name} has {tools} tools");
        if text.contains("impl<K: JobType> Tool for ") {
            // Its names are those of the kinds, which are checked below.
            let tool = text.split(" Tool for ").nth(1).unwrap().split('<').next().unwrap();
            assert_eq!(mounts_of_each_kind(tool), tools::job_kinds().count(), "{name}");
        } else if tools == 1 {
            let spec = text.split("name: \"venice_").nth(1).unwrap().split('"').next().unwrap();
            let mounted =
                tools::all().any(|route| route.spec.name.strip_prefix("venice_") == Some(spec));
            assert!(mounted, "{name} is not mounted");
        }
    }
    for family in FAMILIES {
        assert!(family.tools.iter().all(|route| route.spec.toolset == family.name));
    }
    let kinds: Vec<_> = tools::job_kinds().collect();
    assert!(!kinds.is_empty());
    for kind in kinds {
        for name in [kind.generate_tool, kind.status_tool.name, kind.complete_tool.name] {
            assert_eq!(tools::all().filter(|route| route.spec.name == name).count(), 1, "{name}");
        }
    }
}

/// How often a tool that is generic over the kind of job is mounted.
fn mounts_of_each_kind(tool: &str) -> usize {
    let mounted = format!("Route::new::<{tool}<");
    files("src/tools").iter().map(|(_, text)| text.matches(&mounted).count()).sum()
}

#[test]
fn files_stay_small() {
    for (name, text) in files("src").into_iter().chain(files("tests")) {
        let lines = text.lines().count();
        assert!(lines <= 400, "{name} has {lines} lines");
    }
}

#[test]
fn every_setting_has_one_row_and_every_flag_is_in_the_help() {
    let mut variables: Vec<&str> = SETTINGS.iter().map(|setting| setting.variable).collect();
    let rows = variables.len();
    variables.sort_unstable();
    variables.dedup();
    assert_eq!(variables.len(), rows);
    assert!(SETTINGS.iter().all(|setting| setting.variable.starts_with("VENICE_")));

    let help = std::process::Command::new(BINARY).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for setting in SETTINGS {
        let Some(flag) = setting.flag else { continue };
        assert!(help.contains(&format!(" {flag} ")), "{flag}");
        let words = format!("{} [{}]", setting.help, setting.variable);
        assert!(help.contains(&words), "{words}");
    }
}

#[test]
fn the_readme_tables_are_fresh() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let tables = BTreeMap::from([("tools", tools_table()), ("settings", settings_table())]);
    let mut fresh = readme.clone();
    for (name, table) in tables {
        let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let from = fresh.find(&open).unwrap_or_else(|| panic!("no table `{name}`")) + open.len();
        let to = from + fresh[from..].find(&close).unwrap();
        fresh.replace_range(from..to, &table);
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &fresh).unwrap();
        return;
    }
    assert!(readme == fresh, "a table of the README is stale: run the tests once with UPDATE=1");
}

fn tools_table() -> String {
    let mut table =
        "| tool | what it does | endpoint | toolset | cost | effect |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for family in FAMILIES {
        for route in family.tools {
            let spec = route.spec;
            let description = route.published().description;
            let first = description.split_inclusive(". ").next().unwrap().trim_end();
            let endpoints: Vec<String> = spec
                .endpoints
                .first()
                .map(|endpoint| format!("{} {}", endpoint.method(), endpoint.path()))
                .into_iter()
                .collect();
            let endpoint = endpoints.first().map_or("the store", String::as_str);
            let cost = match spec.cost {
                Cost::Free => "free",
                Cost::Paid(what) => what,
            };
            let effect = match spec.effect {
                Effect::Reads => "reads",
                Effect::Creates => "creates",
                Effect::MayDelete => "reads; deletes if asked",
                Effect::Deletes => "deletes",
            };
            let opt_in = if family.opt_in { " (opt-in)" } else { "" };
            let _ = writeln!(
                table,
                "| `{}` | {first} | `{endpoint}` | {}{opt_in} | {cost} | {effect} |",
                spec.name, family.name
            );
        }
    }
    table
}

fn settings_table() -> String {
    let mut table = "| variable | flag | default | what |\n|---|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let flag = setting.flag.map_or(String::new(), |flag| format!("`{flag}`"));
        let detail = match setting.detail {
            "" => String::new(),
            detail => format!("; {detail}"),
        };
        let _ = writeln!(
            table,
            "| `{}` | {flag} | {} | {}{detail} |",
            setting.variable, setting.default, setting.help
        );
    }
    table
}

#[test]
fn the_example_configuration_parses_and_names_real_flags() {
    let text = std::fs::read_to_string(root().join("mcp.json.example")).unwrap();
    let example: serde_json::Value = serde_json::from_str(&text).unwrap();
    let servers = example["mcpServers"].as_object().unwrap();
    assert!(servers.keys().eq(["venice", "venice-http", "venice-sse"]));
    for (name, server) in servers {
        match (server["command"].as_str(), server["url"].as_str(), server["type"].as_str()) {
            (Some("venice-mcp"), None, None) => {}
            (None, Some(url), Some("http")) => assert!(url.contains(":3333/mcp"), "{name}"),
            (None, Some(url), Some("sse")) => assert!(url.contains(":3333/sse"), "{name}"),
            _ => panic!("{name} is neither started nor reached"),
        }
        for variable in server["env"].as_object().into_iter().flat_map(|all| all.keys()) {
            assert!(SETTINGS.iter().any(|one| one.variable == variable), "{name}: {variable}");
        }
        for flag in server["args"].as_array().into_iter().flatten() {
            let flag = flag.as_str().unwrap();
            let known = SETTINGS.iter().any(|one| one.flag == Some(flag));
            assert!(known || !flag.starts_with("--"), "{name}: {flag}");
        }
    }
}
