//! Reads the module tree of one crate target: its files, what each defines,
//! what it imports under which name, and every path that it mentions.
//!
//! A root file goes in, with a function that reads files; an arena of modules
//! comes out, every parent before its children, the root at index 0. Whatever
//! is under `#[cfg(test)]` is left out.

use crate::syntax::{only_for_tests, paths_in};
use anyhow::{Context, Result};
use proc_macro2::TokenStream;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// How a file is read: the disk, or a map in tests.
pub(crate) type ReadFile<'a> = &'a dyn Fn(&Path) -> Result<String>;

/// A module: a file, or an inline `mod` of one.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Its name in full, without `crate`.
    pub(crate) name: String,
    /// The file that its text stands in.
    pub(crate) file: PathBuf,
    /// Whether it is written inside its parent's file.
    pub(crate) inline: bool,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    /// The names of what is defined here.
    pub(crate) items: BTreeSet<String>,
    /// Imported names and where they lead.
    pub(crate) aliases: BTreeMap<String, Vec<String>>,
    /// What is imported with `*`.
    pub(crate) globs: Vec<Vec<String>>,
    /// Every path in the text that has more than one part.
    pub(crate) mentions: Vec<Mention>,
}

impl Module {
    /// The name to show to people.
    pub(crate) fn title(&self) -> &str {
        if self.name.is_empty() { "crate" } else { &self.name }
    }
}

/// A path and its line.
#[derive(Debug)]
pub(crate) struct Mention {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// Reads the tree whose root file is `root`.
pub(crate) fn read(root: &Path, files: ReadFile<'_>) -> Result<Vec<Module>> {
    let mut reader = Reader { files, modules: Vec::new() };
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    let module = Module { file: root.to_owned(), ..Module::default() };
    reader.file(module, &folder)?;
    Ok(reader.modules)
}

struct Reader<'a> {
    files: ReadFile<'a>,
    modules: Vec<Module>,
}

impl Reader<'_> {
    /// Reads a module that is a file; its children's files lie in `folder`.
    fn file(&mut self, module: Module, folder: &Path) -> Result<usize> {
        let path = module.file.clone();
        let text =
            (self.files)(&path).with_context(|| format!("module {} has no file {}", module.title(), path.display()))?;
        let parsed = syn::parse_file(&text).with_context(|| format!("parse {}", path.display()))?;
        self.module(module, &parsed.items, folder)
    }

    fn module(&mut self, module: Module, items: &[Item], folder: &Path) -> Result<usize> {
        let at = self.modules.len();
        self.modules.push(module);
        for item in items {
            if let Item::Mod(child) = item {
                if !only_for_tests(&child.attrs) {
                    self.child(at, child, folder)?;
                }
                continue;
            }
            let mut reading = Reading { module: &mut self.modules[at] };
            reading.top(item);
        }
        Ok(at)
    }

    fn child(&mut self, parent: usize, child: &syn::ItemMod, folder: &Path) -> Result<()> {
        let name = child.ident.to_string();
        let above = &self.modules[parent];
        let full = if above.name.is_empty() { name.clone() } else { format!("{}::{name}", above.name) };
        let mut module = Module { name: full, parent: Some(parent), ..Module::default() };
        let below = folder.join(&name);
        let index = if let Some((_, items)) = &child.content {
            module.file.clone_from(&above.file);
            module.inline = true;
            self.module(module, items, &below)?
        } else {
            module.file = path_attribute(&child.attrs).map_or_else(
                || folder.join(format!("{name}.rs")),
                |written| above.file.parent().unwrap_or(Path::new("")).join(written),
            );
            self.file(module, &below)?
        };
        self.modules[parent].children.insert(name, index);
        Ok(())
    }
}

/// `#[path = "…"]`.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let value = &attribute.meta.require_name_value().ok()?.value;
    let syn::Expr::Lit(literal) = value else { return None };
    let syn::Lit::Str(text) = &literal.lit else { return None };
    Some(text.value())
}

/// Fills one module from its items.
struct Reading<'m> {
    module: &'m mut Module,
}

impl Reading<'_> {
    fn top(&mut self, item: &Item) {
        if only_for_tests(attributes_of(item)) {
            return;
        }
        if let Item::Use(import) = item {
            let mut leaves = Vec::new();
            flatten(&import.tree, &mut Vec::new(), &mut leaves);
            for leaf in leaves {
                self.import(leaf);
            }
            return;
        }
        if let Some(name) = name_of(item) {
            self.module.items.insert(name);
        }
        self.visit_item(item);
    }

    fn import(&mut self, leaf: Leaf) {
        self.mention(leaf.path.clone(), leaf.line);
        match leaf.name {
            Some(name) => drop(self.module.aliases.insert(name, leaf.path)),
            None => self.module.globs.push(leaf.path),
        }
    }

    fn mention(&mut self, path: Vec<String>, line: usize) {
        if path.len() > 1 {
            self.module.mentions.push(Mention { path, line });
        }
    }

    /// Paths in a macro's argument, which is no syntax tree yet.
    fn tokens(&mut self, tokens: TokenStream) {
        for (path, line) in paths_in(tokens) {
            self.mention(path, line);
        }
    }
}

impl<'ast> Visit<'ast> for Reading<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |first| first.ident.span().start().line);
        if path.leading_colon.is_none() {
            self.mention(parts, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        let mut leaves = Vec::new();
        flatten(&import.tree, &mut Vec::new(), &mut leaves);
        for leaf in leaves {
            self.mention(leaf.path, leaf.line);
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// One imported name; no name stands for `*`.
struct Leaf {
    path: Vec<String>,
    name: Option<String>,
    line: usize,
}

fn flatten(tree: &UseTree, above: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    match tree {
        UseTree::Path(part) => {
            above.push(part.ident.to_string());
            flatten(&part.tree, above, leaves);
            above.pop();
        }
        UseTree::Name(leaf) => leaves.push(ending(above, &leaf.ident, &leaf.ident)),
        UseTree::Rename(leaf) => leaves.push(ending(above, &leaf.ident, &leaf.rename)),
        UseTree::Glob(glob) => {
            let line = glob.star_token.spans[0].start().line;
            leaves.push(Leaf { path: above.clone(), name: None, line });
        }
        UseTree::Group(group) => {
            for item in &group.items {
                flatten(item, above, leaves);
            }
        }
    }
}

/// `a::b::{self}` names `a::b`.
fn ending(above: &[String], ident: &syn::Ident, name: &syn::Ident) -> Leaf {
    let mut path = above.to_vec();
    if ident != "self" || path.is_empty() {
        path.push(ident.to_string());
    }
    let name = if name == "self" { path.last().cloned() } else { Some(name.to_string()) };
    Leaf { path, name, line: ident.span().start().line }
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Verbatim(_) | _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::ExternCrate(_)
        | Item::ForeignMod(_)
        | Item::Impl(_)
        | Item::Mod(_)
        | Item::Use(_)
        | Item::Verbatim(_)
        | _ => return None,
    };
    Some(ident.to_string())
}
