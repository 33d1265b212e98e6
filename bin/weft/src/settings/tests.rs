//! Which value wins, and what is refused.

use super::*;

fn outside(variables: &[(&str, &str)]) -> Outside {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Outside { variables, root: true }
}

#[test]
fn the_first_that_speaks_wins() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("weft.toml");
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:1\"\nmax_body = \"2MiB\"\n").expect("written");
    let mut flags = Flags { config: Some(file), ..Flags::default() };
    let vars = outside(&[("WEFT_SERVER_LISTEN", "127.0.0.1:2"), ("UNKEY_METALD_PORT", "3")]);
    let settings = load(&flags, &vars).expect("right");
    assert_eq!((settings.listen.port(), settings.max_body_bytes), (2, 2 << 20));
    assert!(settings.notices.iter().any(|notice| notice.contains("UNKEY_METALD_PORT")), "{:?}", settings.notices);
    flags.keys = vec![("server.listen".into(), "127.0.0.1:4".into())];
    assert_eq!(load(&flags, &vars).expect("right").listen.port(), 4);
}

#[test]
fn one_folder_moves_all() {
    let flags = Flags { data_dir: Some("/srv/w".into()), ..Flags::default() };
    let settings = load(&flags, &outside(&[])).expect("right");
    assert_eq!(settings.data_dir, Path::new("/srv/w"));
    assert_eq!(settings.run_dir, Path::new("/srv/w/run"));
    assert_eq!(settings.cache_dir, Path::new("/srv/w/cache"));
}

#[test]
fn folders_of_a_user_are_their_own_or_must_be_named() {
    let user = |variables: &[(&str, &str)]| Outside { root: false, ..outside(variables) };
    let settings = load(&Flags::default(), &user(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "not/absolute")]));
    let settings = settings.expect("right");
    assert_eq!(settings.data_dir, Path::new("/h/.local/state/weft"));
    assert_eq!(settings.run_dir, Path::new("/h/.cache/run/weft"));
    assert_eq!(settings.cache_dir, Path::new("/h/.cache/weft"));
    let nowhere = load(&Flags::default(), &user(&[])).expect_err("no folder that all users share");
    assert!(nowhere.to_string().contains("--data-dir"), "{nowhere}");
}

#[test]
fn what_is_wrong_is_named() {
    let wrong = [
        ("server.listn", "127.0.0.1:1", "server.listen"),
        ("server.listen", "localhost", "an address and a port"),
        ("server.listen", "0.0.0.0:8080", "not loopback"),
        ("server.max_body", "1", "a unit is missing"),
        ("server.max_body", "1TiB", "from 1024"),
        ("server.verb_wait", "0s", "from 1s"),
        ("paths.data_dir", "here", "absolute"),
        ("node.max_vms", "0", "from 1 to"),
        ("log.format", "xml", "one of text, json"),
        ("node.drivers", "qemu:xen", "each must be one of"),
        ("node.drivers", "qemu:qemu", "none twice"),
        ("jail.mode", "maybe", "one of auto, off, required"),
        ("jail.uids", "0-10", "FIRST-LAST"),
        ("jail.uids", "7", "FIRST-LAST"),
    ];
    for (name, value, expected) in wrong {
        let flags = Flags { keys: vec![(name.into(), value.into())], ..Flags::default() };
        let error = format!("{:#}", load(&flags, &outside(&[])).expect_err(name));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_run_folder_too_long_for_a_socket_is_refused() {
    let long = format!("/{}", "a".repeat(80));
    let flags = Flags { data_dir: Some(long.into()), ..Flags::default() };
    assert!(load(&flags, &outside(&[])).expect_err("too long").to_string().contains("a socket's path is limited"));
}

#[test]
fn what_is_printed_reads_back() {
    let flags = Flags::default();
    let (values, _) = gather(&flags, &outside(&[])).expect("right");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("weft.toml");
    std::fs::write(&file, show::in_force(&values)).expect("written");
    let again = Flags { config: Some(file), ..Flags::default() };
    assert_eq!(load(&again, &outside(&[])).expect("right"), load(&flags, &outside(&[])).expect("right"));
}
