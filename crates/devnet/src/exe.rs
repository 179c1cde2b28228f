//! Finds `bitcoind`.
//!
//! First the environment variable `BITCOIND_EXE` (one path, or several with `:` between them, so that versions can be
//! mixed), then `bitcoind` in `PATH`, then what the project's scripts installed into the user's cache.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// No `bitcoind` can be used.
#[derive(Debug, thiserror::Error)]
pub enum ExeError {
    /// A path in `BITCOIND_EXE` is not an executable file.
    #[error("find `{}`, which `BITCOIND_EXE` names: it is not an executable file", .0.display())]
    NotExecutable(PathBuf),
    /// Neither the variable nor any place that is searched has one.
    #[error("find `bitcoind`: not in `BITCOIND_EXE`, not in `PATH`, not in `{}`", .0.display())]
    NotFound(PathBuf),
}

impl ExeError {
    /// What the user can do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotExecutable(_) => "BITCOIND_EXE takes full paths with `:` between them",
            Self::NotFound(_) => {
                "run scripts/bitcoind-knots (quick), or set BITCOIND_EXE=/path/to/bitcoind[:/another/bitcoind]"
            }
        }
    }
}

/// The node binaries to use, at least one, in the order of preference.
pub fn find() -> Result<Vec<PathBuf>, ExeError> {
    let installed = cache_dir().join("bmon/bitcoind");
    find_in(env::var_os("BITCOIND_EXE").as_deref(), env::var_os("PATH").as_deref(), &installed)
}

fn cache_dir() -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache"))).unwrap_or_default()
}

fn find_in(named: Option<&OsStr>, path: Option<&OsStr>, installed: &Path) -> Result<Vec<PathBuf>, ExeError> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return env::split_paths(named)
            .filter(|path| !path.as_os_str().is_empty())
            .map(|path| if is_executable(&path) { Ok(path) } else { Err(ExeError::NotExecutable(path)) })
            .collect();
    }
    let in_path = path.and_then(|path| {
        env::split_paths(path).map(|dir| dir.join("bitcoind")).find(|candidate| is_executable(candidate))
    });
    if let Some(found) = in_path {
        return Ok(vec![found]);
    }
    let found = installed_in(installed);
    if found.is_empty() { Err(ExeError::NotFound(installed.to_owned())) } else { Ok(found) }
}

/// What `scripts/bitcoind-knots` and `scripts/bitcoind-core` installed: Knots first, then Core, the newest first.
fn installed_in(dir: &Path) -> Vec<PathBuf> {
    let mut core: Vec<PathBuf> = dir
        .read_dir()
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"core-"))
        .map(|entry| entry.path().join("bitcoind"))
        .collect();
    core.sort_unstable_by(|a, b| b.cmp(a));
    core.insert(0, dir.join("knots/bin/bitcoind"));
    core.retain(|path| is_executable(path));
    core
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn executable(dir: &Path, path: &str) -> PathBuf {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_variable_wins_over_path_and_path_over_what_is_installed() {
        let dir = tempfile::tempdir().unwrap();
        let installed = dir.path().join("installed");
        let core_30 = executable(&installed, "core-30.99/bitcoind");
        let core_31 = executable(&installed, "core-31.99/bitcoind");
        let knots = executable(&installed, "knots/bin/bitcoind");
        let in_path = executable(dir.path(), "path/bitcoind");
        let path = in_path.parent().unwrap().as_os_str().to_owned();
        let named = env::join_paths([&core_30, &knots]).unwrap();

        assert_eq!(find_in(Some(&named), Some(&path), &installed).unwrap(), [core_30.clone(), knots.clone()]);
        assert_eq!(find_in(None, Some(&path), &installed).unwrap(), [in_path]);
        assert_eq!(find_in(Some(OsStr::new("")), None, &installed).unwrap(), [knots, core_31, core_30]);
    }

    #[test]
    fn a_wrong_variable_is_an_error_and_never_a_reason_to_take_another() {
        let dir = tempfile::tempdir().unwrap();
        executable(dir.path(), "knots/bin/bitcoind");
        let error = find_in(Some(OsStr::new("/nonexistent")), None, dir.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "find `/nonexistent`, which `BITCOIND_EXE` names: it is not an executable file"
        );
    }

    #[test]
    fn without_any_the_hint_names_the_script_that_installs_one() {
        let dir = tempfile::tempdir().unwrap();
        let error = find_in(None, None, dir.path()).unwrap_err();
        assert!(matches!(error, ExeError::NotFound(_)));
        assert!(error.hint().contains("scripts/bitcoind-knots"));
    }
}
