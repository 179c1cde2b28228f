//! One real node: start, stop, kill, pause, rotate.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its own functions too")]

use std::{fs, net::TcpListener, path::PathBuf, time::Duration};

use bmon_devnet::{Node, NodeConfig, NodeError, Rotation, RpcError, Zmq, coin::Lock, exe};
use bmon_event::BlockHash;
use serde_json::json;
use tempfile::TempDir;

/// The binary under test, or a failure that says how to get one.
fn exe() -> PathBuf {
    match exe::find() {
        Ok(mut found) => found.swap_remove(0),
        Err(error) => panic!("failed to {error}\nhint: {}", error.hint()),
    }
}

fn config(dir: &TempDir) -> NodeConfig {
    NodeConfig::new("alice".parse().unwrap(), exe(), dir.path().join("alice"))
}

fn best(node: &Node) -> BlockHash {
    node.rpc().call("getbestblockhash", json!([])).unwrap()
}

fn is_alive(pid: u32) -> bool {
    PathBuf::from(format!("/proc/{pid}")).exists()
}

#[test]
fn a_node_tells_where_everything_is_and_ends_when_it_is_dropped() {
    let dir = TempDir::new().unwrap();
    let node = Node::start(config(&dir)).unwrap();
    assert!(node.version().starts_with("/Satoshi:"), "{}", node.version());
    assert!(node.debug_log().is_file() && node.cookie().is_file());
    assert!(TcpListener::bind(node.p2p_address()).is_err() && TcpListener::bind(node.rpc_address()).is_err());
    let publishers: serde_json::Value = node.rpc().call("getzmqnotifications", json!([])).unwrap();
    for publisher in publishers.as_array().unwrap() {
        assert_eq!(publisher["address"], json!(node.zmq_endpoint().unwrap()));
    }

    let pid = node.process_id().unwrap();
    assert!(is_alive(pid));
    drop(node);
    assert!(!is_alive(pid));
}

#[test]
fn a_stopped_node_starts_again_with_its_chain_and_a_killed_one_at_the_same_place() {
    let dir = TempDir::new().unwrap();
    let mut node = Node::start(config(&dir)).unwrap();
    let mined = node.mine(3, Lock::new(0)).unwrap();
    let (rpc, endpoint) = (node.rpc_address(), node.zmq_endpoint());

    node.stop().unwrap();
    assert_eq!(node.process_id(), None);
    assert!(matches!(
        node.rpc().call::<u32>("getblockcount", json!([])),
        Err(RpcError::Cookie { .. } | RpcError::Transport { .. })
    ));
    node.start_again().unwrap();
    assert_eq!(best(&node), mined[2]);

    node.kill().unwrap();
    node.start_again().unwrap();
    assert_eq!((node.rpc_address(), node.zmq_endpoint()), (rpc, endpoint));
    // A killed node keeps what an orderly stop before had written.
    assert_eq!(best(&node), mined[2]);
}

#[test]
fn a_paused_node_answers_when_it_goes_on() {
    let dir = TempDir::new().unwrap();
    let mut node = Node::start(config(&dir)).unwrap();
    node.pause().unwrap();
    let state = fs::read_to_string(format!("/proc/{}/stat", node.process_id().unwrap())).unwrap();
    assert!(state.contains(") T "), "{state}");
    node.resume().unwrap();
    best(&node);
    // A paused node is stopped in order, too.
    node.pause().unwrap();
    node.stop().unwrap();
    let log = fs::read_to_string(node.debug_log()).unwrap();
    assert!(log.trim_end().ends_with("Shutdown done") || log.contains("Shutdown: done"), "{log}");
}

#[test]
fn a_log_is_rotated_both_ways() {
    let dir = TempDir::new().unwrap();
    let node = Node::start(config(&dir)).unwrap();
    for (how, number) in [(Rotation::Rename, 1), (Rotation::CopyTruncate, 2)] {
        let rotated = node.rotate_log(how).unwrap();
        assert_eq!(rotated, node.debug_log().with_extension(format!("log.{number}")));
        // The signal takes its time: lines may come before it and go to the old file.
        let reopened = (0..100).any(|_| {
            node.mine(1, Lock::new(0)).unwrap();
            node.debug_log().exists()
        });
        assert!(reopened, "{how:?}");
        let block = node.mine(1, Lock::new(0)).unwrap()[0].to_string();
        let new = fs::read_to_string(node.debug_log()).unwrap();
        assert!(new.contains(&format!("UpdateTip: new best={block}")), "{how:?}: {new}");
        let old = fs::read_to_string(rotated).unwrap();
        assert!(!old.is_empty() && !old.contains(&block), "{how:?}");
    }
}

#[test]
fn zmq_is_on_a_unix_socket_or_off_where_that_is_asked_for() {
    let dir = TempDir::new().unwrap();
    let off = Node::start(NodeConfig { zmq: Zmq::Off, ..config(&dir) }).unwrap();
    assert_eq!(off.zmq_endpoint(), None);
    drop(off);
    let ipc = Node::start(NodeConfig { zmq: Zmq::Ipc, ..config(&dir) }).unwrap();
    let endpoint = ipc.zmq_endpoint().unwrap();
    assert!(PathBuf::from(endpoint.strip_prefix("ipc://").unwrap()).exists());
}

#[test]
fn extra_arguments_reach_the_node_and_a_wrong_one_is_named() {
    let dir = TempDir::new().unwrap();
    let mut config = config(&dir);
    config.extra_args = vec!["-logthreadnames=1".to_owned()];
    let node = Node::start(config.clone()).unwrap();
    node.mine(1, Lock::new(0)).unwrap();
    let log = fs::read_to_string(node.debug_log()).unwrap();
    assert!(log.contains("Z [http"), "{log}");
    drop(node);

    config.extra_args = vec!["-nosuchargument".to_owned()];
    let error = Node::start(config).unwrap_err();
    assert!(matches!(error, NodeError::Ended { .. }));
    assert!(error.to_string().contains("nosuchargument"), "{error}");
}

#[test]
fn an_error_of_the_node_comes_with_its_code() {
    let dir = TempDir::new().unwrap();
    let node = Node::start(config(&dir)).unwrap();
    // RPC_METHOD_NOT_FOUND and RPC_INVALID_ADDRESS_OR_KEY, src/rpc/protocol.h@v30.
    for (method, parameters, expected) in
        [("nosuchmethod", json!([]), -32601), ("getblock", json!(["00".repeat(32)]), -5)]
    {
        let error = node.rpc().call::<u32>(method, parameters).unwrap_err();
        assert!(matches!(error, RpcError::Refused { code, .. } if code == expected), "{error}");
    }
    let error = node.rpc().call::<u32>("getbestblockhash", json!([])).unwrap_err();
    assert!(matches!(error, RpcError::Shape { .. }), "{error}");
}

/// The parent dies by a signal, so that no destructor runs.
#[test]
fn nodes_die_with_the_process_that_started_them_whatever_thread_it_was() {
    const CHILD: &str = "BMON_DEVNET_TEST_CHILD_DIR";
    if let Some(dir) = std::env::var_os(CHILD) {
        let start = move || {
            let config = NodeConfig::new("alice".parse().unwrap(), exe(), PathBuf::from(&dir).join("alice"));
            let node = Node::start(config).unwrap();
            fs::write(PathBuf::from(&dir).join("pid"), node.process_id().unwrap().to_string()).unwrap();
            node
        };
        let node = std::thread::spawn(start).join().unwrap();
        assert!(node.process_id().is_some());
        std::process::abort();
    }

    let dir = TempDir::new().unwrap();
    let mut parent = std::process::Command::new(std::env::current_exe().unwrap());
    parent.args(["--exact", "nodes_die_with_the_process_that_started_them_whatever_thread_it_was"]);
    let output = parent.env(CHILD, dir.path()).output().unwrap();
    assert!(!output.status.success());
    let pid: u32 = fs::read_to_string(dir.path().join("pid")).unwrap().parse().unwrap();
    // The kernel has sent the signal; the process goes in its own time.
    let gone = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        !is_alive(pid)
    });
    assert!(gone, "bitcoind {pid} outlives its parent");
}

#[test]
fn a_node_with_a_shifted_clock_makes_blocks_by_it() {
    for offset_us in [3_600_000_000, -3_600_000_000] {
        let dir = TempDir::new().unwrap();
        let node = Node::start(NodeConfig { clock_offset_us: offset_us, ..config(&dir) }).unwrap();
        let block = node.mine(1, Lock::new(0)).unwrap()[0];
        let header: serde_json::Value = node.rpc().call("getblockheader", json!([block])).unwrap();
        // The kernel stamps files by the host's clock.
        let started = fs::metadata(node.cookie()).unwrap().modified().unwrap();
        let started = started.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let apart = header["time"].as_i64().unwrap() - i64::try_from(started).unwrap();
        assert!((-2..60).contains(&(apart - offset_us / 1_000_000)), "{apart}");
        let shared = format!("/dev/shm/faketime_shm_{}", node.process_id().unwrap());
        assert!(!PathBuf::from(shared).exists());
    }
}
