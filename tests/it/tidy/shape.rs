//! The shape of the tree, of files, of functions, and of names.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;
use syn::{Item, Visibility};

use super::source::{Module, Source, attributes, files, is_for_tests, root};

/// The most lines of a file.
const MAX_FILE_LINES: usize = 400;
/// The most lines that all but one of a hundred functions have.
const MAX_FUNCTION_LINES: usize = 45;

/// Names that say nothing of what a constant bounds.
const BANNED_CONSTANTS: &[&str] = &[
    "AWAY", "EVERY", "GATHER", "LONGEST", "MOST", "NAMED", "NOTHING", "PATIENCE", "PAUSE", "SAID",
    "SAME", "SEEN", "STANDS", "TELL", "YOUNG",
];

/// Types that may share their name, with the reason.
const SHARED_NAMES: &[(&str, &str)] = &[
    ("Arguments", "of a command, which its file is named after"),
    ("Plan", "of a tool, by the name that its trait gives it"),
];

#[test]
fn files_stay_small() {
    for (name, text) in files("src", ".rs").into_iter().chain(files("tests", ".rs")) {
        let lines = text.lines().count();
        assert!(lines <= MAX_FILE_LINES, "{name} has {lines} lines");
    }
}

#[test]
fn no_folder_has_a_single_file() {
    let mut single = Vec::new();
    let mut open = vec![root().join("src")];
    while let Some(folder) = open.pop() {
        let entries: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|one| one.unwrap().path()).collect();
        open.extend(entries.iter().filter(|path| path.is_dir()).cloned());
        // A file that leaves its tests to another one stays below the ceiling.
        let only_tests =
            folder.ends_with("tests") || entries.iter().all(|path| path.ends_with("tests.rs"));
        if entries.len() == 1 && !only_tests {
            single.push(folder);
        }
    }
    single.sort();
    assert!(single.is_empty(), "{single:#?}");
}

/// The lengths of the functions of a file, in lines from `fn` to the last brace.
#[derive(Default)]
struct Lengths(Vec<usize>);

impl Lengths {
    fn note(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let lines =
            block.brace_token.span.close().end().line - signature.fn_token.span.start().line + 1;
        self.0.push(lines);
    }
}

impl<'ast> Visit<'ast> for Lengths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }
}

#[test]
fn functions_fit_a_screen() {
    let mut lengths = Lengths::default();
    for module in Source::read().modules {
        lengths.visit_file(&module.syntax);
    }
    let mut lengths = lengths.0;
    lengths.sort_unstable();
    let (median, p99) = (lengths[lengths.len() / 2], lengths[lengths.len() * 99 / 100]);
    println!("{} functions, median {median} lines, p99 {p99}", lengths.len());
    assert!(p99 <= MAX_FUNCTION_LINES, "one function of a hundred has over {p99} lines");
}

/// The types of a module that others can see.
fn visible_types(module: &Module) -> Vec<String> {
    let items = module.syntax.items.iter().filter(|item| !is_for_tests(attributes(item)));
    items
        .filter_map(|item| match item {
            Item::Struct(item) => Some((&item.vis, &item.ident)),
            Item::Enum(item) => Some((&item.vis, &item.ident)),
            Item::Trait(item) => Some((&item.vis, &item.ident)),
            Item::Type(item) => Some((&item.vis, &item.ident)),
            _ => None,
        })
        .filter(|(visibility, _)| !matches!(visibility, Visibility::Inherited))
        .map(|(_, name)| name.to_string())
        .collect()
}

#[test]
fn no_two_types_share_a_name() {
    let source = Source::read();
    let mut places: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for module in &source.modules {
        for name in visible_types(module) {
            places.entry(name).or_default().insert(&module.file);
        }
    }
    places.retain(|_, places| places.len() > 1);
    for (name, reason) in SHARED_NAMES {
        assert!(places.remove(*name).is_some(), "no two types are called {name} ({reason})");
    }
    assert!(places.is_empty(), "{places:#?}");
}

#[test]
fn constants_say_what_they_bound() {
    let mut found = Vec::new();
    for (file, text) in files("src", ".rs") {
        let syntax = syn::parse_file(&text).unwrap();
        let mut names = Constants::default();
        names.visit_file(&syntax);
        for name in names.0 {
            if BANNED_CONSTANTS.contains(&name.as_str()) {
                found.push((file.clone(), name));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The names of the constants of a file.
#[derive(Default)]
struct Constants(Vec<String>);

impl<'ast> Visit<'ast> for Constants {
    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.0.push(item.ident.to_string());
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.0.push(item.ident.to_string());
    }
}
