//! The guides' blocks of shell, run as they stand against a daemon of our own.
//!
//! A line `# → text … text` says what the output of the lines since the last such line holds, in order. The
//! address is ours instead of the usual one, and so is the folder of metald's assets.

use crate::{found, words};
use std::path::Path;
use std::process::Command;
use weft_testbed::daemon::{Daemon, program};
use weft_testbed::need_guest;
use weft_testbed::watch::until_ready;

/// The blocks of shell in a page, each with what stands between them left out.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("```sh\n") {
        let (block, next) = after.split_once("```").expect("a block ends");
        blocks.push(block.to_owned());
        rest = next;
    }
    blocks
}

/// Lines of shell with what their output must hold.
fn steps(block: &str) -> Vec<(String, Vec<String>)> {
    let mut steps: Vec<(String, Vec<String>)> = Vec::new();
    let mut lines = String::new();
    for line in block.lines() {
        match line.strip_prefix("# → ") {
            Some(holds) => {
                let parts = holds.split('…').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty());
                steps.push((std::mem::take(&mut lines), parts.collect()));
            }
            None => lines = lines + line + "\n",
        }
    }
    steps.push((lines, Vec::new()));
    steps
}

/// Runs lines, and answers their output.
fn shell(lines: &str) -> String {
    words(&Command::new("sh").arg("-c").arg(lines).output().expect("a shell"))
}

fn holds_in_order(output: &str, parts: &[String]) -> bool {
    let mut rest = output;
    parts.iter().all(|part| match rest.split_once(part.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

fn page(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides").join(name);
    std::fs::read_to_string(file).expect("a guide")
}

#[test]
fn the_api_by_hand() {
    need_guest!();
    if !found("curl") {
        println!("skipped: no curl in PATH");
        return;
    }
    let daemon = Daemon::start(&[]).expect("weft is up");
    let page = page("api.md").replace("http://127.0.0.1:8080", &daemon.url());
    let blocks = blocks(&page);
    let (head, blocks) = blocks.split_first().expect("blocks");
    let mut checked = 0;
    for (lines, parts) in blocks.iter().flat_map(|block| steps(block)) {
        let output = shell(&format!("{head}{lines}"));
        assert!(holds_in_order(&output, &parts), "{lines}\nshould hold {parts:?}:\n{output}");
        checked += parts.len();
    }
    assert!(checked > 30, "the guide's answers were checked");
}

#[test]
fn the_readmes_commands() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let head = format!("export WEFT_SERVER={}; weft() {{ {} \"$@\"; }}; set -e\n", daemon.url(), program().display());
    let page = page("../../README.md").replace("http://127.0.0.1:8080", &daemon.url());
    let blocks = blocks(&page);
    // The console needs a terminal, which has a test of its own.
    let verbs = |line: &&str| line.starts_with("weft vm ") && !line.starts_with("weft vm console");
    let lines: Vec<&str> = blocks.iter().flat_map(|block| block.lines()).filter(verbs).collect();
    let output = shell(&format!("{head}{}\necho all-is-well", lines.join("\n")));
    assert!(lines.len() > 5 && output.contains("weft-guest: ready demo") && output.contains("all-is-well"), "{output}");
    let calls = blocks.iter().find(|block| block.starts_with("curl")).expect("calls with curl");
    if found("curl") {
        let output = shell(&format!("{head}{calls}"));
        assert_eq!(output.matches("VM_PHASE_RUNNING").count(), 2, "{output}");
    }
}

#[tokio::test]
async fn metalds_documented_calls_on_a_real_machine() {
    need_guest!();
    if !found("curl") || !found("mke2fs") {
        println!("skipped: no curl or no mke2fs in PATH");
        return;
    }
    let assets = tempfile::tempdir().expect("a folder");
    let daemon = Daemon::start(&[&format!("paths.allowed_roots={}", assets.path().display())]).expect("weft is up");
    // Any VM has the default image prepared, and its kernel is as good as another.
    crate::well(daemon.client_command().args(["vm", "run", "first", "--no-nic"]));
    until_ready(&daemon.client(), "first").await;
    crate::well(daemon.client_command().args(["vm", "delete", "first", "--force"]));
    std::fs::copy(prepared("vmlinux"), assets.path().join("vmlinux")).expect("a kernel");
    let root = assets.path().join("root/sbin");
    std::fs::create_dir_all(&root).expect("a root");
    std::fs::write(root.join("init"), "#!/bin/sh\n").expect("a program");
    let image = assets.path().join("rootfs.ext4");
    crate::well(
        Command::new("mke2fs").args(["-q", "-t", "ext4", "-d"]).arg(assets.path().join("root")).arg(&image).arg("8M"),
    );

    let address = format!("http://{}", daemon.api());
    let folder = assets.path().display().to_string();
    let page = page("metald.md").replace("http://localhost:8080", &address).replace("/opt/vm-assets", &folder);
    let mut id = "VM_ID".to_owned();
    for (lines, parts) in blocks(&page).iter().flat_map(|block| steps(block)) {
        let output = shell(&lines.replace("VM_ID", &id));
        let parts: Vec<String> = parts.iter().map(|part| part.replace("VM_ID", &id)).collect();
        assert!(holds_in_order(&output, &parts), "{lines}\nshould hold {parts:?}:\n{output}");
        if id == "VM_ID" {
            let answer: serde_json::Value =
                serde_json::from_str(output.split_once('{').map_or("", |_| brace(&output))).expect("JSON");
            id = answer["vmId"].as_str().expect("an id").to_owned();
        }
        if output.contains("VM_STATE_RUNNING") {
            every_other_call(&address, &id);
            console_begins(&daemon, &id).await;
        }
    }
    assert!(daemon.entries("vms").is_empty(), "nothing is left");
    assert!(image.is_file(), "a disk given by its path is left");
}

/// The rest of the nine, in metald's names and in JSON's.
fn every_other_call(address: &str, id: &str) {
    let call = |verb: &str, body: &str| {
        let url = format!("{address}/vmprovisioner.v1.VmService/{verb}");
        shell(&format!("curl -s -X POST {url} -H 'Content-Type: application/json' -d '{body}'"))
    };
    assert!(call("ListVms", "{}").contains(id));
    for (verb, field, state) in [
        ("PauseVm", "vm_id", "VM_STATE_PAUSED"),
        ("ResumeVm", "vmId", "VM_STATE_RUNNING"),
        ("RebootVm", "vmId", "VM_STATE_RUNNING"),
    ] {
        let force = if verb == "RebootVm" { ",\"force\":true" } else { "" };
        let answer = call(verb, &format!("{{\"{field}\":\"{id}\"{force},\"unknown_field\":1}}"));
        assert!(answer.contains("\"success\":true") && answer.contains(state), "{verb}: {answer}");
    }
    let shown = crate::well(Command::new(program()).args(["--server", address, "vm", "list", "-o", "wide"]));
    assert!(shown.contains("microvm"), "a kernel without PCI gets a machine without: {shown}");
}

/// Waits until the kernel has told its command line: the disk is the root.
async fn console_begins(daemon: &Daemon, id: &str) {
    use futures::StreamExt;
    use weft_ports::api::{Consoles, LogQuery, LogStart, VmRef};
    let vm = VmRef::Id(id.parse().expect("an id"));
    let query = LogQuery { start: LogStart::Offset(0), follow: true, max_bytes: 0 };
    let mut log = daemon.client().log(&weft_testbed::guest::call(), &vm, query).await.expect("a log");
    let mut text = String::new();
    while !text.contains("Kernel command line: console=ttyS0 reboot=k panic=1 pci=off root=/dev/vda rw") {
        let chunk = log.next().await.expect("the log goes on").expect("no refusal");
        text.push_str(&String::from_utf8_lossy(&chunk.bytes));
    }
}

fn brace(text: &str) -> &str {
    &text[text.find('{').unwrap_or(0)..=text.rfind('}').unwrap_or(0)]
}

/// A file of the default image that all tests share.
fn prepared(name: &str) -> std::path::PathBuf {
    let images = program().with_file_name("testbed-cache").join("images");
    let entries = std::fs::read_dir(images).expect("images were prepared").flatten();
    entries.map(|entry| entry.path().join(name)).find(|file| file.is_file()).expect("the image has it")
}
