//! The source as the compiler sees it: modules, what each imports, and the items in it. Tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Attribute, Item, UseTree};

/// The path of a module or of an item, from the root of the crate.
pub(super) type ModPath = Vec<String>;

/// One file of `src` that is not a test.
pub(super) struct Module {
    /// `src/tools/image/edit.rs`
    pub(super) file: String,
    /// `["tools", "image", "edit"]`
    pub(super) path: ModPath,
    pub(super) syntax: syn::File,
    /// What each imported name stands for, as it is written: `Request` for `crate::venice::Request`.
    imports: BTreeMap<String, ModPath>,
    /// Every path that is written somewhere in the file.
    paths: BTreeSet<ModPath>,
}

/// The modules of the crate.
pub(super) struct Source {
    pub(super) modules: Vec<Module>,
    known: BTreeMap<ModPath, usize>,
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` whose name ends so, with its path from the root and its text.
pub(crate) fn files(folder: &str, end: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                // What building the fuzz targets leaves is not ours.
                open.extend(Some(path).filter(|path| !path.ends_with("target")));
                continue;
            }
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            if name.ends_with(end)
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                found.push((name, text));
            }
        }
    }
    assert!(!found.is_empty(), "no files below {folder}");
    found.sort();
    found
}

/// Whether a file holds tests alone.
fn is_test(file: &str) -> bool {
    let folders = ["/tests/", "/test/"];
    file.ends_with("/tests.rs")
        || file.ends_with("/test.rs")
        || folders.iter().any(|folder| file.contains(folder))
}

impl Source {
    pub(super) fn read() -> Self {
        let files = files("src", ".rs").into_iter().filter(|(file, _)| !is_test(file));
        let modules: Vec<Module> = files.map(|(file, text)| Module::new(file, &text)).collect();
        let known = modules.iter().enumerate();
        let known = known.map(|(index, module)| (module.path.clone(), index)).collect();
        Self { modules, known }
    }

    /// What `module` uses, as paths from the root: each as it is written, and as it is once re-exports are followed.
    pub(super) fn uses(&self, module: &Module) -> BTreeSet<(ModPath, ModPath)> {
        let mut found = BTreeSet::new();
        for path in &module.paths {
            if let Some(written) = self.absolute(module, path) {
                let followed = self.follow(&written, 0);
                found.insert((written, followed));
            }
        }
        found
    }

    /// A written path from the root of the crate; none where it is of another crate, or a name of this file.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<ModPath> {
        let (first, rest) = path.split_first()?;
        let mut own = module.path.clone();
        match first.as_str() {
            "crate" => return Some(rest.to_vec()),
            "venice_mcp" if module.path == ["main"] => return Some(rest.to_vec()),
            "self" => own.extend(rest.iter().cloned()),
            "super" => {
                let mut rest = path;
                while let Some(("super", after)) =
                    rest.split_first().map(|(one, rest)| (one.as_str(), rest))
                {
                    own.pop();
                    rest = after;
                }
                own.extend(rest.iter().cloned());
            }
            child => {
                own.push(child.to_owned());
                if !self.known.contains_key(&own) {
                    return None;
                }
                own.extend(rest.iter().cloned());
            }
        }
        Some(own)
    }

    /// Where a path leads to: through modules, and through what they re-export.
    fn follow(&self, path: &[String], depth: usize) -> ModPath {
        let mut at = 0;
        while at < path.len() && self.known.contains_key(&path[..=at]) {
            at += 1;
        }
        let (Some(name), Some(index)) = (path.get(at), self.known.get(&path[..at])) else {
            return path.to_vec();
        };
        let module = &self.modules[*index];
        let Some(target) = module.imports.get(name).filter(|_| depth < 8) else {
            return path.to_vec();
        };
        let Some(mut target) = self.absolute(module, target) else { return path.to_vec() };
        target.extend(path[at + 1..].iter().cloned());
        self.follow(&target, depth + 1)
    }

    /// The file that a path leads to.
    pub(super) fn module(&self, path: &[String]) -> Option<&Module> {
        (0..=path.len())
            .rev()
            .find_map(|end| self.known.get(&path[..end]))
            .map(|index| &self.modules[*index])
    }
}

impl Module {
    fn new(file: String, text: &str) -> Self {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let path = file.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
        let path = path.split('/').filter(|step| *step != "lib").map(str::to_owned).collect();
        let mut paths = Paths::default();
        paths.visit_file(&syntax);
        Self { file, path, syntax, imports: paths.imports, paths: paths.found }
    }

    /// Every path that is written in the file.
    pub(super) fn written(&self) -> impl Iterator<Item = &[String]> {
        self.paths.iter().map(Vec::as_slice)
    }

    /// The room that the file belongs to: the first step of its path.
    pub(super) fn room(&self) -> &str {
        self.path.first().map_or("lib", String::as_str)
    }
}

/// Whether an item is for tests alone.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            let mut words = condition.split(|c: char| !c.is_alphanumeric());
            !condition.starts_with("not") && words.any(|word| word == "test")
        }
        syn::Meta::Path(path) => path.is_ident("test"),
        _ => false,
    })
}

/// The attributes of an item.
pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Every path of a file.
#[derive(Default)]
struct Paths {
    found: BTreeSet<ModPath>,
    imports: BTreeMap<String, ModPath>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.expand(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.found.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    /// Macros are not parsed: whatever in them looks like a path of this crate is one.
    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.visit_path(&mac.path);
        self.found.insert(mac.path.segments.iter().map(|one| format!("{}!", one.ident)).collect());
        self.tokens(mac.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }
}

impl Paths {
    fn expand(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &str| [before, &[name.to_owned()]].concat();
        match tree {
            UseTree::Path(path) => self.expand(&path.tree, &with(&path.ident.to_string())),
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let path = if name == "self" { before.to_vec() } else { with(&name) };
                self.import(path.last().cloned(), path);
            }
            UseTree::Rename(rename) => {
                self.import(Some(rename.rename.to_string()), with(&rename.ident.to_string()));
            }
            UseTree::Glob(_) => {
                self.found.insert(before.to_vec());
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.expand(tree, before)),
        }
    }

    fn import(&mut self, name: Option<String>, path: ModPath) {
        self.found.insert(path.clone());
        self.imports.extend(name.map(|name| (name, path)));
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(punct)
                    if punct.as_char() == ':' && !path.is_empty() && colons < 2 =>
                {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(ident) => {
                    self.found.insert(std::mem::replace(&mut path, vec![ident.to_string()]));
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            self.found.insert(std::mem::take(&mut path));
            colons = 0;
        }
        self.found.insert(path);
    }
}
