//! Inserting many rows with one statement, each value bound by itself.
//!
//! Other statements take their rows as one JSON text, which is shorter to write; but `SQLite` seeks each key of each object
//! anew, which for rows as wide as these costs more than writing them.
//!
//! Invariant: the first value of a row is never NULL.

use std::iter::repeat_n;
use std::sync::OnceLock;

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr, Sqlite};

use super::{StoreError, Write};

/// A statement whose values are being bound.
pub(super) type Filling = Query<'static, Sqlite, SqliteArguments>;

/// How many rows a statement has room for. Given fewer, the rest stays unbound, which is NULL, and is passed over: a statement for
/// every number of rows would be compiled anew most times.
const SIZES: [usize; 3] = [1, 8, 64];
const LARGEST: usize = SIZES[SIZES.len() - 1];

/// An `INSERT` for any number of rows.
pub(super) struct Insert {
    /// The values of a row.
    width: usize,
    /// The table and its columns.
    into: &'static str,
    /// What follows `WHERE TRUE`. The rows are called `given`, their columns `column1` and so on.
    rest: &'static str,
    texts: [OnceLock<SqlStr>; SIZES.len()],
}

impl Insert {
    pub(super) const fn new(width: usize, into: &'static str, rest: &'static str) -> Self {
        Self { width, into, rest, texts: [const { OnceLock::new() }; SIZES.len()] }
    }

    /// Inserts rows; `bind` binds the values of one, in the order of the columns.
    pub(super) async fn run<T>(
        &self,
        tx: &mut Write,
        rows: &[T],
        bind: impl Fn(Filling, &T) -> Result<Filling, StoreError>,
    ) -> Result<(), StoreError> {
        for rows in rows.chunks(LARGEST) {
            let filled = rows.iter().try_fold(sqlx::query(self.for_rows(rows.len())), &bind)?;
            filled.execute(&mut **tx).await?;
        }
        Ok(())
    }

    fn for_rows(&self, rows: usize) -> SqlStr {
        let smallest = SIZES.iter().position(|&size| size >= rows).unwrap_or(SIZES.len() - 1);
        self.texts[smallest].get_or_init(|| AssertSqlSafe(self.text(SIZES[smallest])).into_sql_str()).clone()
    }

    fn text(&self, rows: usize) -> String {
        let Self { width, into, rest, .. } = self;
        let row = format!("({})", repeat_n("?", *width).collect::<Vec<_>>().join(","));
        let rows = repeat_n(row.as_str(), rows).collect::<Vec<_>>().join(",");
        format!(
            "INSERT INTO {into}
             SELECT * FROM (VALUES {rows}) AS given
             WHERE given.column1 IS NOT NULL {rest}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::*;

    /// Every number of rows around the sizes arrives, each row once and with its own values.
    #[tokio::test]
    async fn any_number_of_rows_is_inserted() {
        static PAIRS: Insert = Insert::new(2, "pair (number, text)", "AND given.column1 <> 13");
        let store = SqliteStore::open(SqliteStore::MEMORY, "test").await.unwrap();
        sqlx::query("CREATE TABLE pair (number INTEGER PRIMARY KEY, text TEXT)")
            .execute(&store.writer)
            .await
            .unwrap();
        for count in [0, 1, 2, 7, 8, 9, 63, 64, 65, 200] {
            let numbers: Vec<i64> = (1..=count).collect();
            let mut tx = store.begin().await.unwrap();
            let bind = |query: Filling, number: &i64| Ok(query.bind(*number).bind(Some(number.to_string())));
            PAIRS.run(&mut tx, &numbers, bind).await.unwrap();
            let found: Vec<(i64, String)> =
                sqlx::query_as("DELETE FROM pair RETURNING number, text").fetch_all(&mut *tx).await.unwrap();
            let expected = numbers.iter().filter(|&&number| number != 13);
            assert_eq!(found, expected.map(|number| (*number, number.to_string())).collect::<Vec<_>>());
            tx.commit().await.unwrap();
        }
    }
}
