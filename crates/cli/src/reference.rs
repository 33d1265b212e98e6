//! Help as files: Markdown, manual pages, completion scripts, all from the one command line.

use clap::{Command, ValueEnum};
use clap_complete::Shell;
use std::io;

/// A file's name and content.
pub type Page = (String, Vec<u8>);

/// The command line's reference as Markdown: one section per command, in the order of the help.
#[must_use]
pub fn markdown(mut command: Command) -> String {
    command.build();
    let mut text = String::from("# The command line\n\nMade from the program itself; do not edit.\n");
    section(&command, &mut text);
    text
}

fn section(command: &Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let mut shown = command.clone().term_width(100).disable_help_subcommand(true);
    if name != "weft" {
        // The options that hold for every command are told once, at the top.
        let globals: Vec<_> =
            shown.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.get_id().clone()).collect();
        shown = globals.into_iter().fold(shown, |shown, id| shown.mut_arg(id, |arg| arg.hide(true)));
    }
    let help: String = shown.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    *text += &format!("\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        section(sub, text);
    }
}

/// All manual pages of section 1.
///
/// # Errors
/// None of its own: what the renderer reports.
pub fn manual(mut command: Command) -> io::Result<Vec<Page>> {
    command.build();
    let mut pages = Vec::new();
    manual_of(&command, &mut pages)?;
    Ok(pages)
}

fn manual_of(command: &Command, pages: &mut Vec<Page>) -> io::Result<()> {
    let name = command.get_bin_name().unwrap_or(command.get_name()).replace(' ', "-");
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .source("weft")
        .manual("weft")
        .date("")
        .render(&mut page)?;
    pages.push((format!("{name}.1"), page));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        manual_of(sub, pages)?;
    }
    Ok(())
}

/// The completion script of a shell.
#[must_use]
pub fn completion(shell: Shell, mut command: Command) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "weft", &mut script);
    script
}

/// The completion scripts of all shells, under the names that they are looked for.
#[must_use]
pub fn completions(command: &Command) -> Vec<Page> {
    let name = |shell: &Shell| clap_complete::Generator::file_name(shell, "weft");
    Shell::value_variants().iter().map(|shell| (name(shell), completion(*shell, command.clone()))).collect()
}
