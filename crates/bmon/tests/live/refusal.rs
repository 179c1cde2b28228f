//! Bad input: a clear error that names what is wrong, and nothing else changes.

use std::{fs, net::TcpListener, process::Output};

use crate::support::{LIMIT, Site, network, wait_for};

/// The exit code, and what was printed to stderr.
fn outcome(output: &Output) -> (i32, String) {
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn errors_name_what_is_wrong_and_how_to_mend_it() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::new(dir.path(), &[]);
    let other = dir.path().join("other.toml");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("[server]\nlisten = '{}'\ndata_dir = 'x'\n", taken.local_addr().unwrap());
    let bmon = |config: &str, arguments: &[&str]| {
        fs::write(&other, config).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bmon"));
        command.current_dir(dir.path()).args(arguments).arg("--config").arg(&other);
        outcome(&command.output().unwrap())
    };
    for (config, arguments, code, named) in [
        ("[server]\nlisen = 'x'", &["server"][..], 2, "unknown key `server.lisen`"),
        ("[server]\nlisten = 'nowhere'", &["server"], 2, "`nowhere` is not ADDRESS:PORT"),
        (
            "[server]\nalertmanager = 'localhost:9093'",
            &["server"],
            2,
            "`server.alertmanager` must begin with `http://`",
        ),
        (
            "[server]\nwebhook = 'http://a'\nwebhook_credentials_file = 'none'",
            &["server"],
            2,
            "read `server.webhook_credentials_file` from `none`",
        ),
        ("[server", &["config", "check"], 2, "parse configuration file"),
        ("[[nodes]]\nname = 'Alice'", &["config", "check"], 2, "`Alice` is not a node name"),
        ("[[nodes]]\nnetwork = 'mainnet'", &["agent"], 2, "unknown network `mainnet`"),
        ("[agent]\nspool_dir = 'none'", &["agent"], 2, "bmon server token local"),
        (&taken, &["server"], 4, "listen on 127.0.0.1:"),
        ("", &["tx", "xyz"], 2, "expected 64 hexadecimal digits"),
        ("", &["nodes", "--server", "http://127.0.0.1:1"], 3, "reach the server at `http://127.0.0.1:1`"),
        (
            "",
            &["alerts", "silence", "--rule", "reorgs", "--for", "1h", "--comment", "x"],
            2,
            "the rules are tip-old,",
        ),
        (
            "",
            &["alerts", "silence", "--rule", "reorg", "--for", "1", "--comment", "x"],
            2,
            "like `90m`, `2h` or `7d`",
        ),
        ("", &["alerts", "silence", "--for", "1h", "--comment", "x"], 2, "name a network, a rule or a node"),
        ("", &["alerts", "--state", "over"], 2, "there are pending, firing, resolved"),
        ("", &["nodes", "--server", "127.0.0.1:1"], 2, "use `--server`: it must begin with `http://`"),
        ("", &["replay", "a=/nonexistent.log"], 2, "/nonexistent.log"),
    ] {
        let (found, stderr) = bmon(config, arguments);
        assert_eq!(found, code, "{arguments:?} with {config:?}: {stderr}");
        assert!(stderr.contains(named), "{arguments:?} with {config:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    drop(site);
}

#[test]
fn what_is_not_known_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::new(dir.path(), &[]);
    site.start_server();
    let (code, stderr) = outcome(&site.command(&["tx", &"ab".repeat(32)]).output().unwrap());
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("no node told of transaction"), "{stderr}");
}

#[test]
fn a_wrong_token_delivers_nothing_until_it_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let network = network(dir.path(), 1);
    let mut site = Site::new(&dir.path().join("site"), network.nodes());
    let token = dir.path().join("site/agent/alice.token");
    let right = fs::read(&token).unwrap();
    fs::write(&token, "wrong").unwrap();
    site.start_server();
    site.start_agent();
    wait_for("the refusal in the agent's log", LIMIT, || {
        site.logs().contains("the server refuses batches").then_some(())
    });
    assert_eq!(site.get("status")["journal_position"], 0);
    site.kill_agent();
    fs::write(&token, right).unwrap();
    site.start_agent();
    site.wait_for_sources(network.nodes());
}
