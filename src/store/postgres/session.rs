//! Connections, and how a transaction begins: the only file that knows whether a pooler stands between.
//!
//! What is on the way of a member, and all that writes about people, runs on connections that seek rows by an index, always: a
//! plan that was made while the queue was empty, and a table of one page quicker to read than its index, would read a million jobs after
//! an import. What counts and searches whole tables has a few of its own, where the planner is free, and keeps nobody waiting.
//!
//! Invariant: what writes about people begins with [`Sessions::write`] or [`Sessions::exclude`], and so under the erasure
//! lock; behind a pooler, everything is inside a transaction and nothing is left on the connection.

use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Transaction, pool::PoolConnection};

use super::StoreError;

/// The two numbers of the erasure lock: `Glea` in ASCII, and 1.
macro_rules! erasure_lock {
    () => {
        "(1198286177, 1)"
    };
}

/// Whatever the database's default is: a snapshot that was taken before the lock would miss what was committed under it. The
/// limits are those that connections of our own are given when they are made (`open.rs`), which a pooler's are not.
macro_rules! begin {
    (own) => {
        "BEGIN ISOLATION LEVEL READ COMMITTED"
    };
    (pooler) => {
        "BEGIN ISOLATION LEVEL READ COMMITTED;
         SET LOCAL statement_timeout = '60s';
         SET LOCAL lock_timeout = '15s';
         SET LOCAL idle_in_transaction_session_timeout = '30s'"
    };
}

macro_rules! share_the_erasure_lock {
    () => {
        concat!("; SELECT pg_advisory_xact_lock_shared", erasure_lock!())
    };
}

macro_rules! hold_the_erasure_lock {
    () => {
        concat!("; SELECT pg_advisory_xact_lock", erasure_lock!())
    };
}

/// Where sessions come from.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    /// Connections that seek by index.
    work: PgPool,
    /// Those that may read whole tables.
    reports: PgPool,
    pooler: bool,
}

/// One connection for one statement, or for one transaction that is rolled back when it is dropped.
pub(super) struct Session {
    link: Link,
    pooler: bool,
}

enum Link {
    Alone(PoolConnection<Postgres>),
    Inside(Transaction<'static, Postgres>),
}

impl Sessions {
    pub(super) const fn new(work: PgPool, reports: PgPool) -> Self {
        Self { work, reports, pooler: false }
    }

    /// All from one pool: what is left on a pooler's connection would be found there by somebody else. (Statements are not prepared there,
    /// and so are planned for the tables as they are.)
    pub(super) fn behind_a_pooler(pool: PgPool) -> Self {
        Self { work: pool.clone(), reports: pool, pooler: true }
    }

    /// For a single statement that is committed by itself.
    pub(super) async fn alone(&self) -> Result<Session, StoreError> {
        self.single(&self.work).await
    }

    /// For a single statement that may have to read a whole table.
    pub(super) async fn report(&self) -> Result<Session, StoreError> {
        self.single(&self.reports).await
    }

    async fn single(&self, pool: &PgPool) -> Result<Session, StoreError> {
        if self.pooler {
            return self.begin(begin!(pooler)).await;
        }
        Ok(Session { link: Link::Alone(pool.acquire().await?), pooler: false })
    }

    /// A transaction that writes beside others.
    pub(super) async fn write(&self) -> Result<Session, StoreError> {
        let own = concat!(begin!(own), share_the_erasure_lock!());
        let pooled = concat!(begin!(pooler), share_the_erasure_lock!());
        self.begin(if self.pooler { pooled } else { own }).await
    }

    /// A transaction beside which nobody writes about people.
    pub(super) async fn exclude(&self) -> Result<Session, StoreError> {
        let own = concat!(begin!(own), hold_the_erasure_lock!());
        let pooled = concat!(begin!(pooler), hold_the_erasure_lock!());
        self.begin(if self.pooler { pooled } else { own }).await
    }

    async fn begin(&self, begin: &'static str) -> Result<Session, StoreError> {
        Ok(Session { link: Link::Inside(self.work.begin_with(begin).await?), pooler: self.pooler })
    }

    pub(super) async fn close(&self) {
        tokio::join!(self.work.close(), self.reports.close());
    }
}

impl Session {
    /// A statement: prepared once a connection, unless a pooler hands out another connection each time.
    pub(super) fn query(&self, sql: &'static str) -> Query<'static, Postgres, PgArguments> {
        sqlx::query(sql).persistent(!self.pooler)
    }

    /// Runs a statement; returns how many rows it wrote.
    pub(super) async fn run(
        &mut self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<u64, StoreError> {
        Ok(query.execute(self.connection()).await?.rows_affected())
    }

    pub(super) async fn rows(
        &mut self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, StoreError> {
        Ok(query.fetch_all(self.connection()).await?)
    }

    pub(super) async fn row(
        &mut self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<PgRow, StoreError> {
        Ok(query.fetch_one(self.connection()).await?)
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        match &mut self.link {
            Link::Alone(connection) => connection,
            Link::Inside(transaction) => transaction,
        }
    }

    /// Commits what is not committed yet.
    pub(super) async fn end(self) -> Result<(), StoreError> {
        match self.link {
            Link::Alone(_) => Ok(()),
            Link::Inside(transaction) => Ok(transaction.commit().await?),
        }
    }
}
