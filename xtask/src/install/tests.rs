//! Installing into a folder and taking it away again, with stand-in files.

use super::*;

struct House {
    room: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let house = Self { room: tempfile::tempdir().unwrap() };
        for (file, text) in [
            ("tree/built/weft", "program"),
            ("tree/docs/man/weft.1", "page"),
            ("tree/deploy/completions/weft.bash", "bash"),
            ("tree/deploy/completions/_weft", "zsh"),
            ("tree/deploy/completions/weft.fish", "fish"),
            ("tree/deploy/weft.service", "ExecStart=/usr/local/bin/weft up"),
            ("tree/deploy/weft.toml", "# all defaults\n"),
            ("root/usr/bin/other", "theirs"),
        ] {
            let path = house.room.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        house
    }

    fn tree(&self) -> Tree {
        Tree::at(&self.room.path().join("tree"))
    }

    fn target(&self) -> Target {
        Target { prefix: "/usr".into(), destdir: self.room.path().join("root") }
    }

    fn install(&self) {
        place(&self.tree(), &self.target(), &self.tree().join("built/weft")).unwrap();
    }

    fn uninstall(&self) {
        uninstall(&self.tree(), &self.target()).unwrap();
    }

    fn there(&self) -> Vec<String> {
        let files = Tree::at(&self.target().destdir).files().unwrap();
        files.iter().map(|file| file.display().to_string()).collect()
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.target().destdir.join(file)).unwrap()
    }
}

#[test]
fn every_file_lands_in_its_place_and_the_unit_names_the_prefix() {
    let house = House::new();
    house.install();
    assert_eq!(
        house.there(),
        [
            "etc/weft/weft.toml",
            "usr/bin/other",
            "usr/bin/weft",
            "usr/lib/systemd/system/weft.service",
            "usr/share/bash-completion/completions/weft",
            "usr/share/fish/vendor_completions.d/weft.fish",
            "usr/share/man/man1/weft.1",
            "usr/share/weft/installed",
            "usr/share/zsh/site-functions/_weft",
        ]
    );
    assert_eq!(house.read("usr/lib/systemd/system/weft.service"), "ExecStart=/usr/bin/weft up");
    assert!(house.read("usr/share/weft/installed").contains("file /usr/bin/weft\n"));
}

#[test]
fn uninstalling_leaves_what_was_there_and_no_empty_folder() {
    let house = House::new();
    house.install();
    house.uninstall();
    assert_eq!(house.there(), ["usr/bin/other"]);
    assert!(!house.target().destdir.join("etc").exists());
    assert!(!house.target().destdir.join("usr/share").exists());
    house.uninstall();
}

#[test]
fn a_changed_configuration_outlives_both() {
    let house = House::new();
    house.install();
    let file = house.target().destdir.join("etc/weft/weft.toml");
    std::fs::write(&file, "mine").unwrap();
    house.install();
    assert_eq!(house.read("etc/weft/weft.toml"), "mine");
    house.uninstall();
    assert_eq!(house.there(), ["etc/weft/weft.toml", "usr/bin/other"]);
}

#[test]
fn an_upgrade_removes_what_it_no_longer_has_and_still_uninstalls_whole() {
    let house = House::new();
    house.install();
    std::fs::rename(house.tree().join("docs/man/weft.1"), house.tree().join("docs/man/weft-vm.1")).unwrap();
    house.install();
    assert!(!house.there().contains(&"usr/share/man/man1/weft.1".to_owned()));
    house.uninstall();
    assert_eq!(house.there(), ["usr/bin/other"]);
    assert!(!house.target().destdir.join("usr/lib").exists());
}

#[test]
fn one_user_s_prefix_gets_no_unit_and_no_etc() {
    let house = House::new();
    let target = Target { prefix: "/opt/me".into(), ..house.target() };
    place(&house.tree(), &target, &house.tree().join("built/weft")).unwrap();
    assert!(!house.there().iter().any(|file| file.starts_with("etc") || file.contains("systemd")));
}
