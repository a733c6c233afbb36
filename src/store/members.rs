//! A service's own list of members, read from its `PostgreSQL` database by a query of the operator's.
//!
//! The query runs in a read-only transaction with one snapshot, and its rows come through a cursor: the list may be
//! longer than memory, and is one moment of the service's.
//!
//! Invariant: nothing can be written there; an error shows neither rows nor the password.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::StoreError;

/// Rows in one batch.
const FETCH: &str = "FETCH FORWARD 1000 FROM gleaner_members";

/// A row: the member's id and the address, as they are there.
pub type MemberRow = (Option<String>, Option<String>);

/// The rows of a query, batch by batch.
#[derive(Debug)]
pub struct MemberQuery {
    connection: PgConnection,
}

impl MemberQuery {
    /// Connects and starts the query, whose first column is the member's id and whose second one is the address.
    pub async fn open(url: &str, query: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StoreError::Open("`--from` is no `postgres://` URL".to_owned()))?
            .application_name("gleaner reconcile")
            .disable_statement_logging();
        let mut connection = PgConnection::connect_with(&options).await.map_err(told)?;
        sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut connection)
            .await
            .map_err(told)?;
        // On lines of its own, so that a comment at the query's end hides nothing of ours.
        let query = query.trim().trim_end_matches(';');
        let declare = format!(
            "DECLARE gleaner_members NO SCROLL CURSOR FOR
             SELECT members.id::text AS id, members.email::text AS email FROM (\n{query}\n) AS members (id, email)"
        );
        sqlx::query(AssertSqlSafe(declare)).execute(&mut connection).await.map_err(told)?;
        Ok(Self { connection })
    }

    /// The next rows; none at the end.
    pub async fn next(&mut self) -> Result<Vec<MemberRow>, StoreError> {
        let rows =
            sqlx::query(FETCH).persistent(false).fetch_all(&mut self.connection).await.map_err(told)?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }
}

/// What an operator can mend in a query is told; what may quote a row is not.
fn told(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) if error.code().is_some_and(|code| tells_of_the_query(&code)) => {
            StoreError::Statement(error.message().to_owned())
        }
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            StoreError::Statement(format!("the service's database ended the query (SQLSTATE {code})"))
        }
        sqlx::Error::Io(error) => {
            StoreError::Unavailable(format!("the service's database cannot be reached: {}", error.kind()))
        }
        other => StoreError::from(other),
    }
}

/// Wrong password, no such database, a syntax error or a missing right, a write in a read-only transaction.
fn tells_of_the_query(code: &str) -> bool {
    ["28", "3D", "42", "25"].iter().any(|class| code.starts_with(class))
}
