//! `bmon stack render`, as a person uses it again and again.

#![expect(clippy::unwrap_used, reason = "whatever fails fails the test")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn render(dir: &Path, settings: &str, arguments: &[&str]) -> Output {
    let config = dir.join("bmon.toml");
    fs::write(&config, settings).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bmon"));
    command.args(["stack", "render"]).arg(dir.join("stack")).args(arguments).arg("--config").arg(config);
    command.output().unwrap()
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn what_a_person_changed_is_kept_and_named_until_forced() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = told(&render(dir.path(), "", &[]));
    assert_eq!((code, stdout.lines().count(), stderr.as_str()), (Some(0), 15, ""));
    assert_eq!(told(&render(dir.path(), "", &[])), (Some(0), String::new(), String::new()));

    let file = dir.path().join("stack/alertmanager/alertmanager.yml");
    fs::write(&file, "# mine\n").unwrap();
    let elsewhere = "[stack]\nalertmanager = '10.0.0.1:9093'\n";
    let (code, stdout, stderr) = told(&render(dir.path(), elsewhere, &[]));
    assert_eq!(code, Some(1));
    assert!(
        stdout.contains("prometheus/prometheus.yml\n") && !stdout.contains("alertmanager.yml"),
        "{stdout}"
    );
    assert!(stderr.contains("changed by hand: alertmanager/alertmanager.yml\nhint: `--force`"), "{stderr}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n");

    let (code, stdout, _) = told(&render(dir.path(), elsewhere, &["--force"]));
    assert_eq!((code, stdout.as_str()), (Some(0), "alertmanager/alertmanager.yml\n"));
    assert!(fs::read_to_string(&file).unwrap().contains("10.0.0.1:9093"));
}
