//! `bmon export`.

use std::{
    fs,
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bmon_server::api::export::Reply;
use clap::{Args, ValueEnum};

use super::{Query, client, progress};
use crate::{
    client::encoded,
    failure::{Code, Failure, Result},
    table::{Align, Table},
};

/// Bytes that are taken from the server at once.
const AT_ONCE: usize = 64 << 10;

/// The end of `--help`.
const AFTER_HELP: &str = "\
A file has the rows of one network. What each column tells stands in docs/http-api.md. With --output the file appears under its
name once it is whole, and not at all if the connection ends before.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Export {
    #[command(flatten)]
    query: Query,
    /// The table; without it, the list of tables
    #[arg(conflicts_with = "json")]
    table: Option<String>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Csv, requires = "table")]
    format: Format,
    /// From when on: a time like 2026-05-31T18:00:00Z, or how long ago, like 90m, 24h, 7d
    #[arg(long, value_name = "TIME", requires = "table")]
    since: Option<String>,
    /// Until before when
    #[arg(long, value_name = "TIME", requires = "table")]
    until: Option<String>,
    /// The network, where the server knows of several
    #[arg(long, requires = "table")]
    network: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE", requires = "table")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Comma-separated values (RFC 4180)
    Csv,
    /// A JSON object a line
    Jsonl,
}

impl Export {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        let Some(table) = &self.table else { return self.query.show(config, "export", text) };
        let mut file = client(self.query.server.as_deref(), config)?.read_long(&self.path(table))?;
        match &self.output {
            Some(output) => save(&mut file, output),
            None => match pass(&mut file, &mut io::stdout().lock()) {
                // A reader that has had enough is no failure.
                Err(Broken::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                result => result.map_err(|broken| broken.failure("standard output")),
            },
        }
    }

    fn path(&self, table: &str) -> String {
        let format = match self.format {
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
        };
        let parameters = [("network", &self.network), ("since", &self.since), ("until", &self.until)];
        let said = parameters.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let said: Vec<_> = said.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mark = if said.is_empty() { "" } else { "?" };
        format!("export/{}.{format}{mark}{}", encoded(table), said.join("&"))
    }
}

/// What is wrong when a file does not come through.
#[derive(Debug)]
enum Broken {
    Read(io::Error),
    Write(io::Error),
}

impl Broken {
    fn failure(self, output: &str) -> Failure {
        match self {
            Self::Read(error) => {
                let error = anyhow::Error::new(error).context("receive the whole file");
                Failure::new(Code::Unreachable, error)
                    .hint("what came is not whole; if the server is still there, its log has the reason")
            }
            Self::Write(error) => {
                Failure::new(Code::Other, anyhow::Error::new(error).context(format!("write to {output}")))
            }
        }
    }
}

/// Writes a file beside `output`, which takes its place once it is whole and on the disk.
fn save(file: &mut impl Read, output: &Path) -> Result {
    let named = format!("`{}`", output.display());
    let failed = |error| Broken::Write(error).failure(&named);
    let directory = output.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut beside = tempfile::Builder::new()
        .prefix(".bmon-export-")
        .suffix(".part")
        // As of any file: the umask takes away what it should.
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(directory.unwrap_or(Path::new(".")))
        .map_err(failed)?;
    pass(file, beside.as_file_mut()).map_err(|broken| broken.failure(&named))?;
    beside.as_file().sync_all().map_err(failed)?;
    beside.persist(output).map_err(|error| failed(error.error))?;
    Ok(())
}

fn pass(file: &mut impl Read, output: &mut impl Write) -> std::result::Result<(), Broken> {
    let passed_bytes = Arc::new(AtomicU64::new(0));
    let shown = Arc::clone(&passed_bytes);
    let _progress =
        progress::show_line(move || format!("received: {:.1} MB", shown.load(Relaxed) as f64 / 1e6));
    let mut buffer = vec![0; AT_ONCE];
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => return output.flush().map_err(Broken::Write),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Read(error)),
        };
        output.write_all(&buffer[..count]).map_err(Broken::Write)?;
        passed_bytes.fetch_add(count as u64, Relaxed);
    }
}

fn text(reply: &Reply) -> String {
    let mut table =
        Table::new(vec![("TABLE", Align::Left), ("COLUMNS", Align::Right), ("ROWS", Align::Left)]);
    for entry in &reply.tables {
        // The first sentence says what a row is.
        let about = entry.about.split([':', '.']).next().unwrap_or_default().to_owned();
        table.row(vec![entry.table.clone(), entry.columns.len().to_string(), about]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_says_of_each_table_what_its_rows_are() {
        let reply: Reply = serde_json::from_value(json!({ "tables": [{
            "table": "gaps", "about": "What is missing. More of it.", "by": null,
            "columns": [{ "name": "network", "meaning": "the network" }],
        }] }))
        .unwrap();
        assert_eq!(text(&reply), "TABLE  COLUMNS  ROWS\ngaps         1  What is missing\n");
    }
}
