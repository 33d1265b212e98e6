//! How the configuration is shown: what is in force, and the reference of all keys.

use super::keys::{Default, METALD};
use super::{KEYS, Origin, Values};
use std::fmt::Write as _;

/// What is in force, as a configuration file, with the origin of each value.
#[must_use]
pub(crate) fn in_force(values: &Values) -> String {
    let mut text = String::new();
    let mut table = "";
    for key in KEYS {
        let Some(given) = values.get(key.name) else { continue };
        let Some((of, name)) = key.name.split_once('.') else { continue };
        if of != table {
            let gap = if table.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}[{of}]");
            table = of;
        }
        let origin = match &given.origin {
            Origin::Flag => "command line".to_owned(),
            Origin::Variable(variable) => variable.clone(),
            Origin::File(file) => file.display().to_string(),
            Origin::Default => "default".to_owned(),
        };
        let _ = writeln!(text, "{name} = {:?} # {origin}", given.value);
    }
    text
}

/// The reference of all keys, in Markdown.
#[must_use]
pub(crate) fn reference() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         A value comes from the first of: a flag (`--set key=value`, `--listen`, `--metrics`, `--data-dir`), the \
         variable of the environment, metald's variable where there is one, the file (`--config FILE`, otherwise \
         `/etc/weft/weft.toml` as root and `~/.config/weft/weft.toml` for others, where it is there), the default. \
         An unknown key is refused with the nearest known one. `weft config check` tells whether all is right, and \
         `weft config print` shows what is in force and where each value is from.\n\n\
         Sizes have a unit (`512MiB`, `2G`; K, M, G and T count by 1024), spans too (`500ms`, `30s`, `1h30m`).\n\n\
         ```toml\n[server]\nlisten = \"127.0.0.1:8080\"\n\n[node]\nconsole_log = \"16MiB\"\n```\n\n\
         | key | variable | default | meaning |\n|---|---|---|---|\n",
    );
    for key in KEYS {
        let default = match key.default {
            Default::Text("") => "empty".to_owned(),
            Default::Text(text) => format!("`{text}`"),
            Default::Folder { root, xdg, .. } => format!("`{root}` as root, `${xdg}/weft` for others"),
        };
        let _ = writeln!(text, "| `{}` | `{}` | {default} | {} |", key.name, key.variable(), key.meaning);
    }
    text.push_str(
        "\n## metald's variables\n\nThey are read where they mean something here, and each is said once at start.\n\n\
         | variable | read as |\n|---|---|\n",
    );
    for key in KEYS {
        if let Some(alias) = key.alias {
            let _ = writeln!(text, "| `{alias}` | `{}` |", key.name);
        }
    }
    for (variable, key) in METALD {
        let _ = writeln!(text, "| `{variable}` | a part of `{key}`; `0.0.0.0` is read as loopback |");
    }
    text.push_str("| `UNKEY_METALD_BACKEND` | nothing: the driver is chosen for each VM |\n");
    text.push_str("| `UNKEY_METALD_OTEL_ENABLED` | nothing: metrics are always served |\n");
    text
}
