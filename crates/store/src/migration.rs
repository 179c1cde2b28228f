//! Brings a database file to this version's schema, whichever version made it.

use rusqlite::Connection;

use crate::StoreError;

/// What turns schema `n` into schema `n + 1`. A step that was released is never changed: append another.
const STEPS: [&str; 2] = [include_str!("schema.sql"), include_str!("block_processing.sql")];

/// Runs the steps that the file lacks, all in one transaction. The number of steps run is kept in the file's
/// `user_version`.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).expect("the number of steps is small");
    let transaction = connection.transaction()?;
    let found = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(found).ok().filter(|done| *done <= STEPS.len());
    let Some(missing) = done.and_then(|done| STEPS.get(done..)) else {
        return Err(StoreError::Newer { found, known });
    };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_migrated_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.execute("UPDATE journal SET position = 7", []).unwrap();
        migrate(&mut connection).unwrap();
        let position: i64 =
            connection.query_row("SELECT position FROM journal", [], |row| row.get(0)).unwrap();
        assert_eq!(position, 7);
    }

    #[test]
    fn a_file_of_an_older_version_keeps_what_it_has_and_gets_the_rest() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection.execute("UPDATE journal SET position = 7", []).unwrap();
        migrate(&mut connection).unwrap();
        let found: (i64, i64) = connection
            .query_row(
                "SELECT position, (SELECT count(*) FROM block_processing_time) FROM journal",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(found, (7, 0));
    }

    #[test]
    fn a_file_of_a_newer_version_is_refused_unchanged() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 1000).unwrap();
        assert!(matches!(migrate(&mut connection), Err(StoreError::Newer { found: 1000, known: 2 })));
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 0);
    }
}
