//! What a node told of a step besides its time, as a sentence.

use bmon_analysis::{explain::thousands, row::Announcement};
use bmon_event::event::Processing;
use bmon_server::api::waterfall::Passed;

use crate::text::{duration, many};

/// The word for a step.
pub(super) const fn name(step: &Passed) -> &'static str {
    match step {
        Passed::Announced { .. } => "announced",
        Passed::Header {} => "header seen",
        Passed::Requested { .. } => "requested",
        Passed::CompactBlock { .. } => "compact block",
        Passed::TransactionsRequested { .. } => "transactions requested",
        Passed::Received { .. } => "received",
        Passed::Reconstructed { .. } => "reconstructed",
        Passed::Connecting {} => "connecting begun",
        Passed::Checked {} => "checked",
        Passed::Connected {} => "connected",
        Passed::Tip {} => "tip",
    }
}

/// What was told of a step, `None` if that is no more than its time.
pub(super) fn sentence(step: &Passed) -> Option<String> {
    Some(match step {
        Passed::Announced { message, peer } => {
            let by = match message {
                Announcement::Inv => "by its hash",
                Announcement::Headers => "by its header",
                Announcement::Cmpctblock => "as a compact block",
                Announcement::Block => "by sending it",
            };
            format!("announced {by} by peer {peer}")
        }
        Passed::Requested { peer } => format!("requested from peer {peer}"),
        Passed::CompactBlock { bytes, peer } => {
            format!("compact block of {} bytes{}", thousands(*bytes), from(*peer))
        }
        Passed::TransactionsRequested { peer } => format!("transactions requested from peer {peer}"),
        Passed::Received { bytes, peer } if bytes.is_some() || peer.is_some() => {
            let size = bytes.map_or_else(String::new, |bytes| format!(" of {} bytes", thousands(bytes)));
            format!("whole block{size}{}", from(*peer))
        }
        Passed::Reconstructed { .. } => reconstructed(step)?,
        Passed::Received { .. }
        | Passed::Header {}
        | Passed::Connecting {}
        | Passed::Checked {}
        | Passed::Connected {}
        | Passed::Tip {} => return None,
    })
}

fn reconstructed(step: &Passed) -> Option<String> {
    let Passed::Reconstructed {
        prefilled,
        from_mempool,
        from_extra,
        requested,
        requested_bytes,
        message_bytes,
        peer,
    } = step
    else {
        return None;
    };
    let size = match (requested_bytes, message_bytes) {
        _ if *requested == 0 => String::new(),
        (Some(bytes), _) => format!(" ({} bytes)", thousands(*bytes)),
        (None, Some(bytes)) => format!(" (in a message of {} bytes)", thousands(*bytes)),
        (None, None) => String::new(),
    };
    let extra = match from_extra {
        0 => String::new(),
        extra => format!(" (at least {} of the extra pool)", thousands(*extra)),
    };
    Some(format!(
        "reconstructed{}: {} prefilled, {} from mempool{extra}, {} requested{size}",
        from(*peer),
        thousands(*prefilled),
        thousands(*from_mempool),
        thousands(*requested),
    ))
}

/// How long a node took to connect the block, and for what.
pub(super) fn processing(steps: &Processing) -> String {
    let duration = |us: u64| duration(i64::try_from(us).unwrap_or(i64::MAX));
    let parts: Vec<_> = [
        ("reading it", steps.load_us),
        ("sanity checks", steps.sanity_us),
        ("fork checks", steps.forks_us),
        ("transactions", steps.transactions_us),
        ("with their scripts", steps.scripts_us),
        ("undo data", steps.undo_us),
        ("index", steps.index_us),
        ("flush", steps.flush_us),
        ("chainstate", steps.chainstate_us),
        ("afterwards", steps.postprocess_us),
    ]
    .into_iter()
    .filter_map(|(what, us)| Some(format!("{what} {}", duration(us?))))
    .collect();
    let content = match (steps.transactions, steps.inputs) {
        (Some(transactions), Some(inputs)) => {
            format!(" for {} and {}", counted(transactions, "transaction"), counted(inputs, "input"))
        }
        _ => String::new(),
    };
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("connecting took {}{content}{parts}", duration(steps.total_us))
}

fn counted(count: u32, noun: &str) -> String {
    match count {
        0..1_000 => many(count.into(), noun),
        _ => format!("{} {noun}s", thousands(count)),
    }
}

fn from(peer: Option<u64>) -> String {
    peer.map_or_else(String::new, |peer| format!(" from peer {peer}"))
}
