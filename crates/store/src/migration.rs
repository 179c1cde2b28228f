//! Brings a database file to this version's schema, whichever version made it.

use rusqlite::Connection;

use crate::StoreError;

/// What turns schema `n` into schema `n + 1`. A step that was released is never changed: append another.
const STEPS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("block_processing.sql"),
    include_str!("chain.sql"),
    include_str!("tx_chunk.sql"),
    include_str!("block_step.sql"),
    include_str!("watch.sql"),
    include_str!("extent.sql"),
    include_str!("notifier.sql"),
    include_str!("notifier_end.sql"),
    include_str!("silence.sql"),
];

/// Runs the steps that the file lacks, all in one transaction. The number of steps run is kept in the file's
/// `user_version`.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).expect("the number of steps is small");
    // Most often there is nothing to do, and then nobody is made to wait.
    if connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? == known {
        return Ok(());
    }
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
    fn findings_of_an_older_version_keep_all_they_had() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.execute_batch(STEPS[1]).unwrap();
        connection.pragma_update(None, "user_version", 2).unwrap();
        connection
            .execute_batch(
                "INSERT INTO network (genesis, name) VALUES (zeroblob(32), 'n');
                 INSERT INTO node (network, name) VALUES (1, 'alice');
                 INSERT INTO finding (id, kind, revision, node, at_us, offset_min_us, offset_max_us, sources, body)
                 VALUES (zeroblob(16), 'invalid-block', 3, 1, 5, 2, 4, '[]', '{\"block\":\"aa\"}');",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let found: (i64, i64, i64, String) = connection
            .query_row(
                "SELECT network, node, server_at_us, body ->> 'block' FROM finding INDEXED BY finding_by_block
                 WHERE kind = 'invalid-block' AND body ->> 'block' = 'aa'",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .unwrap();
        assert_eq!(found, (1, 1, 8, "aa".to_owned()));
        let kept: i64 = connection
            .query_row("SELECT kept FROM tally WHERE kind = 'invalid-block'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 1);
    }

    #[test]
    fn blocks_of_an_older_version_are_found_by_height_and_have_no_steps_yet() {
        let mut connection = Connection::open_in_memory().unwrap();
        STEPS[..4].iter().for_each(|step| connection.execute_batch(step).unwrap());
        connection.pragma_update(None, "user_version", 4).unwrap();
        connection
            .execute_batch(
                "INSERT INTO network (genesis, name) VALUES (zeroblob(32), 'n');
                 INSERT INTO node (network, name) VALUES (1, 'alice');
                 INSERT INTO block (network, hash, height, first_at_us) VALUES (1, zeroblob(32), 7, 5);
                 INSERT INTO block_sighting (block, node, stage, source, at_us) VALUES (1, 1, 4, 1, 5);",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let found: (i64, i64, i64) = connection
            .query_row(
                "SELECT (SELECT first_at_us FROM block INDEXED BY block_by_height WHERE network = 1 AND height = 7),
                        (SELECT count(*) FROM block_time), (SELECT count(*) FROM block_step_time)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        assert_eq!(found, (5, 1, 0));
    }

    #[test]
    fn slow_nodes_of_an_older_version_are_slow_along_heights() {
        let mut connection = Connection::open_in_memory().unwrap();
        STEPS[..6].iter().for_each(|step| connection.execute_batch(step).unwrap());
        connection.pragma_update(None, "user_version", 6).unwrap();
        connection
            .execute_batch(
                "INSERT INTO network (genesis, name) VALUES (zeroblob(32), 'n');
                 INSERT INTO finding (id, kind, revision, network, at_us, sources, body) VALUES
                 (zeroblob(16), 'slow-node', 1, 1, 5, '[]', '{\"from_height\":24,\"to_height\":47,\"measure\":\"arrival\"}');",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let body: String = connection.query_row("SELECT body FROM finding", [], |row| row.get(0)).unwrap();
        assert_eq!(body, r#"{"measure":"arrival","extent":{"heights":{"from":24,"to":47}}}"#);
    }

    #[test]
    fn whoever_took_alerts_of_an_older_version_is_told_no_more_of_those_that_are_over() {
        let mut connection = Connection::open_in_memory().unwrap();
        STEPS[..8].iter().for_each(|step| connection.execute_batch(step).unwrap());
        connection.pragma_update(None, "user_version", 8).unwrap();
        connection
            .execute_batch(
                "INSERT INTO network (genesis, name) VALUES (zeroblob(32), 'n');
                 INSERT INTO alert (id, network, rule, state, revision, active_at_us, body) VALUES
                 (zeroblob(16), 1, 'race', 'resolved', 1, 5, '{}'), (randomblob(16), 1, 'race', 'firing', 1, 5, '{}');
                 INSERT INTO notifier (name, since_us) VALUES ('one', 0);
                 INSERT INTO told (notifier, alert, at_us) VALUES (1, 1, 7), (1, 2, 8);",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let mut statement = connection.prepare("SELECT ended_at_us FROM told ORDER BY alert").unwrap();
        let ended = statement.query_map([], |row| row.get::<_, Option<i64>>(0)).unwrap();
        assert_eq!(ended.map(Result::unwrap).collect::<Vec<_>>(), [Some(7), None]);
    }

    #[test]
    fn a_file_of_a_newer_version_is_refused_unchanged() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 1000).unwrap();
        let known_here = i64::try_from(STEPS.len()).unwrap();
        let refused = migrate(&mut connection);
        assert!(
            matches!(refused, Err(StoreError::Newer { found: 1000, known }) if known == known_here),
            "{refused:?}"
        );
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 0);
    }
}
