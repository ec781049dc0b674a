//! Names stay where they belong.

use venice_mcp::tools::{self, FAMILIES};

use super::source::{Source, files};

/// Paths, and the rooms that may name them.
const RULES: &[(&[&str], &[&str])] = &[
    (&["rmcp"], &["server", "output", "resources", "prompts", "completions", "transport", "cli"]),
    (&["reqwest"], &["venice"]),
    (&["env", "var"], &["config"]),
    (&["env", "var_os"], &["config"]),
    (&["env", "temp_dir"], &["config"]),
    (&["env", "current_dir"], &["config"]),
    (&["env", "split_paths"], &["config"]),
    (&["std", "fs"], &["storage", "input", "config", "cli"]),
    (&["tokio", "fs"], &["storage", "input", "config", "cli"]),
    (&["process", "exit"], &[]),
    (&["println!"], &[]),
    (&["print!"], &[]),
];

#[test]
fn names_stay_where_they_belong() {
    for module in &Source::read().modules {
        for path in module.written() {
            for (name, rooms) in RULES {
                let named = path.windows(name.len()).any(|part| part == *name);
                assert!(!named || rooms.contains(&module.room()), "{} names {name:?}", module.file);
            }
        }
    }
}

/// The server's own methods of a call are public within the crate, and would lead to all of it.
#[test]
fn tools_reach_the_server_through_the_facade_alone() {
    for (name, text) in files("src/tools", ".rs") {
        let code = text.split("\nmod tests {").next().unwrap().lines();
        let code: String = code.filter(|line| !line.trim_start().starts_with("//")).collect();
        for word in ["services", "Services", "Defaults", ".context()", ".view()", "Call::new"] {
            assert!(!code.contains(word), "{name} names {word}");
        }
    }
}

#[test]
fn every_tool_file_is_mounted() {
    for (name, text) in files("src/tools", ".rs") {
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
    files("src/tools", ".rs").iter().map(|(_, text)| text.matches(&mounted).count()).sum()
}
