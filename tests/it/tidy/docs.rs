//! What is written of the program is true of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use venice_mcp::config::SETTINGS;
use venice_mcp::tool::{Cost, Effect};
use venice_mcp::tools::FAMILIES;

use super::source::root;
use crate::harness::BINARY;

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
