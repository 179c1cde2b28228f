//! What a node's version is called, so that its log and its RPC server call it the same.

/// By the first line of a log: `Bitcoin Core version v30.0.0 (release build)` is `Bitcoin Core v30.0.0`
/// (`LogPackageVersion`, `src/init/common.cpp@v30`). The commit of a build that is no release is part of it.
pub(super) fn of_banner(banner: &str) -> String {
    let words = banner.split(" (").next().unwrap_or(banner).trim();
    words.replacen(" version v", " v", 1)
}

/// By a user agent (BIP 14), without its comments, which are each operator's own: `/Satoshi:30.0.0(mine)/` is
/// `Bitcoin Core v30.0.0`. Other names stay as they are.
pub(super) fn of_user_agent(agent: &str) -> String {
    let (mut plain, mut depth) = (String::new(), 0_u32);
    for letter in agent.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            letter if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    let core = plain.strip_prefix("/Satoshi:").and_then(|rest| rest.strip_suffix('/'));
    match core.filter(|version| !version.contains('/')) {
        Some(version) => format!("Bitcoin Core v{version}"),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_and_rpc_call_a_release_the_same() {
        assert_eq!(of_banner("Bitcoin Core version v30.0.0 (release build)"), "Bitcoin Core v30.0.0");
        assert_eq!(of_user_agent("/Satoshi:30.0.0/"), "Bitcoin Core v30.0.0");
        assert_eq!(of_user_agent("/Satoshi:30.0.0(alice; eu)/"), "Bitcoin Core v30.0.0");
    }

    #[test]
    fn what_is_no_release_of_core_keeps_its_name() {
        assert_eq!(
            of_banner("Bitcoin Core version v30.99.0-1a2b3c4d5e6f"),
            "Bitcoin Core v30.99.0-1a2b3c4d5e6f"
        );
        assert_eq!(of_banner("Bitcoin version v0.12.1 (2016)"), "Bitcoin v0.12.1");
        assert_eq!(of_user_agent("/Satoshi:29.3.0/Knots:20260508/"), "/Satoshi:29.3.0/Knots:20260508/");
        assert_eq!(of_user_agent("odd"), "odd");
    }
}
