//! What can be typed, what is refused before anybody is asked, and help as files.

use weft_cli::{Command, Exit, LocalCommand, command, parse, reference};

fn words(line: &str) -> impl Iterator<Item = &str> {
    std::iter::once("weft").chain(line.split_whitespace())
}

#[test]
fn the_command_line_is_sound() {
    command().debug_assert();
}

#[test]
fn help_reads_well() {
    for line in ["--help", "vm --help", "vm create --help", "vm console --help", "usage --help", "up --help"] {
        let help = parse(words(line)).expect_err("help ends the parse").to_string();
        insta::assert_snapshot!(line.replace(' ', "_").replace("--", ""), help);
    }
}

#[test]
fn wrong_words_are_refused_with_what_would_be_right() {
    for (line, said) in [
        ("vm create demo --memory 512", "give a number and a unit, such as 512M"),
        ("vm create demo --memory 1GB", "mean 1000 to some"),
        ("vm create Demo", "must be 1 to 63 of a-z"),
        ("vm create demo --disk /srv/a.img", "the parts are path="),
        ("vm create demo --nic bridge=br0", "the parts are user"),
        ("vm create demo --no-nic --nic user", "cannot be used with"),
        ("vm create demo --initramfs x", "--kernel"),
        ("vm create demo --kernel a --image b", "cannot be used with"),
        ("vm create demo --boot --dry-run", "cannot be used with"),
        ("vm create -f a.yaml --cpus 2", "cannot be used with"),
        ("vm create demo --label tier", "give key=value"),
        ("vm creat demo", "'create'"),
        ("vm update demo", "required"),
        ("vm boot", "required"),
        ("vm logs demo --tail x", "give a number of lines"),
        ("vm shutdown demo --grace 5", "a unit is missing"),
        ("vm console demo --escape ctrl", "give ^ and a letter"),
        ("vm wait --for RUNNING", "required"),
        ("vm wait demo --for asleep", "give a phase (PENDING"),
        ("vm list --watch --filter x", "cannot be used with"),
        ("vm list --project Bad_Name", "must be 1 to 63"),
        ("vm list -o xml", "possible values: table, wide, json, yaml, name"),
        ("usage --since 5", "a unit is missing"),
        ("usage --from yesterday", "give a moment or a day"),
        ("usage --from 2026-11-01 --since 1h", "cannot be used with"),
        ("usage --live --grain day", "cannot be used with"),
        ("usage -A --vm web", "cannot be used with"),
        ("usage export", "--file"),
        ("usage export -f x --format xml", "possible values: jsonl, csv, cloudevents"),
        ("up --listen here", "give an address and a port"),
        ("up --set log", "give key=value"),
        ("bench everything", "possible values"),
        ("completions tcsh", "possible values"),
    ] {
        let refused = parse(words(line)).expect_err(line);
        assert_eq!(refused.exit_code(), i32::from(Exit::USAGE.code()), "{line}");
        assert!(refused.to_string().contains(said), "{line}: {refused}");
    }
}

#[test]
fn local_commands_are_handed_back() {
    let cli = parse(words("up --listen 9090 --set a.b=c --data-dir /tmp/x -vv")).unwrap();
    assert_eq!(cli.globals.verbose, 2);
    let Command::Local(LocalCommand::Up(up)) = cli.command else { panic!("up is local") };
    assert_eq!(up.listen, Some("127.0.0.1:9090".parse().unwrap()));
    assert_eq!(up.settings, [("a.b".to_owned(), "c".to_owned())]);
    for line in
        ["down --keep-vms", "backup f", "restore f", "doctor -o json", "config print", "bench api", "internal man d"]
    {
        assert!(matches!(parse(words(line)).expect(line).command, Command::Local(_)), "{line}");
    }
}

#[test]
fn help_can_be_written_as_files() {
    let markdown = reference::markdown(command());
    for heading in ["## `weft`", "## `weft vm create`", "## `weft event watch`", "--server <URL>"] {
        assert!(markdown.contains(heading), "{heading}");
    }
    assert_eq!(markdown.matches("--server <URL>").count(), 1, "global options are told once");
    assert!(!markdown.contains("weft internal"), "hidden commands stay hidden");
    let pages = reference::manual(command()).unwrap();
    let names: Vec<_> = pages.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"weft.1") && names.contains(&"weft-vm-create.1"), "{names:?}");
    for (name, page) in &pages {
        let page = String::from_utf8(page.clone()).unwrap();
        assert!(page.contains(".SH NAME"), "{name}");
    }
    let scripts = reference::completions(&command());
    assert!(scripts.iter().any(|(name, script)| name == "_weft" && !script.is_empty()));
    assert_eq!(scripts.len(), 5);
}
