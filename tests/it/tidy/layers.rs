//! Arrows between modules go one way.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{ModPath, Module, Source};

/// The rooms by layer, lowest first. A room may use those of lower layers, and itself.
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

fn layer(room: &str) -> usize {
    let layer = LAYERS.iter().position(|layer| layer.contains(&room));
    layer.unwrap_or_else(|| panic!("`{room}` is in no layer"))
}

/// The room that a path is of, where it is of one.
fn room(path: &[String]) -> Option<&str> {
    path.first().map(String::as_str).filter(|room| room.starts_with(|c: char| c.is_lowercase()))
}

#[test]
fn arrows_go_one_way() {
    let source = Source::read();
    let mut wrong = BTreeSet::new();
    for module in &source.modules {
        let (own, file) = (module.room(), module.file.as_str());
        for (written, _) in source.uses(module) {
            let Some(other) = room(&written).filter(|other| *other != own) else { continue };
            if layer(other) >= layer(own) {
                wrong.insert(format!("{file} uses {}", written.join("::")));
            }
            if other == "sandbox" && !matches!(own, "cli" | "lib") {
                wrong.insert(format!("{file} knows the sandbox"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn tools_do_not_use_tools_of_other_families() {
    let source = Source::read();
    for module in source.modules.iter().filter(|module| module.room() == "tools") {
        let Some(family) = module.path.get(1) else { continue };
        for (_, path) in source.uses(module) {
            let Some(other) = source.module(&path).filter(|other| other.room() == "tools") else {
                continue;
            };
            // Tools of jobs are generic over the kind, and mounted by the families of the kinds.
            let same = other.path.get(1).is_none_or(|other| other == family || other == "jobs");
            assert!(same, "{} uses {}", module.file, path.join("::"));
        }
    }
}

/// The files of each folder, and which of them use which. A file stands for what is below it, too.
fn arrows(source: &Source) -> BTreeMap<ModPath, BTreeMap<String, BTreeSet<String>>> {
    let mut folders: BTreeMap<ModPath, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for module in &source.modules {
        for (_, path) in source.uses(module) {
            let Some(other) = source.module(&path) else { continue };
            let Some((folder, from, to)) = siblings(module, other) else { continue };
            folders.entry(folder).or_default().entry(from).or_default().insert(to);
        }
    }
    folders
}

/// The folder where the ways to two files part, and the two that stand for them there.
fn siblings(one: &Module, other: &Module) -> Option<(ModPath, String, String)> {
    let shared = one.path.iter().zip(&other.path).take_while(|(one, other)| one == other).count();
    let (from, to) = (one.path.get(shared)?, other.path.get(shared)?);
    Some((one.path[..shared].to_vec(), from.clone(), to.clone()))
}

/// Everything that `from` leads to, itself only where there is a way back.
fn reached<'a>(arrows: &'a BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<&'a str> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(at) = open.pop() {
        for next in arrows.get(at).into_iter().flatten() {
            if reached.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    reached
}

#[test]
fn no_files_of_a_folder_use_each_other_in_a_circle() {
    let source = Source::read();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (folder, arrows) in arrows(&source) {
        for file in arrows.keys() {
            let back = |other: &&str| reached(&arrows, other).contains(file.as_str());
            let circle: Vec<&str> = reached(&arrows, file).into_iter().filter(back).collect();
            if !circle.is_empty() {
                let folder = folder.join("/");
                let full = circle.iter().map(|file| format!("{folder}/{file}"));
                found.insert(full.map(|path| path.trim_start_matches('/').to_owned()).collect());
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
