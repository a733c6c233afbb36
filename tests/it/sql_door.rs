//! The SQL door: a service registers members inside its own transactions.

use std::sync::Arc;
use std::time::Duration;

use gleaner::clock::SystemClock;
use gleaner::intake::doors::Reception;
use gleaner::intake::inbox;
use gleaner::job::{BatchName, SuppressionReason};
use gleaner::keyring::Keyring;
use gleaner::store::postgres::{Access, Clock, PostgresStore};
use gleaner::store::{Claim, Page, Store};
use gleaner_providers::EmailAddress;
use gleaner_providers::sandbox::SandboxSettings;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::sync::Barrier;

use crate::support::{Home, postgres_database, until};

/// A database with Gleaner's tables, and what opened it.
struct Desk {
    url: String,
    reception: Reception,
}

impl Desk {
    async fn new() -> Self {
        let url = postgres_database().await;
        let reception = reception(&url).await;
        Self { url, reception }
    }

    async fn service(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    fn store(&self) -> &dyn Store {
        &*self.reception.store
    }

    async fn claimed(&self) -> Vec<(String, String)> {
        let order = Claim {
            owner: "worker-1",
            limit: 1_000,
            lease: Duration::from_mins(1),
            now: gleaner::clock::Clock::now(&SystemClock),
        };
        let jobs = self.store().claim(order).await.unwrap();
        let mut pairs: Vec<_> =
            jobs.into_iter().map(|job| (job.member.to_string(), job.email.expose().to_owned())).collect();
        pairs.sort();
        pairs
    }
}

async fn reception(url: &str) -> Reception {
    let keyring = Arc::new(Keyring::from_bytes([7; 32]));
    let access = Access { url: url.into(), pooler: false, clock: Clock::Database };
    let store = PostgresStore::open(&access, &keyring.fingerprint()).await.unwrap();
    Reception {
        store: Arc::new(store),
        keyring,
        clock: SystemClock::shared(),
        remember: jiff::SignedDuration::from_hours(24),
    }
}

async fn hand_over(service: &mut PgConnection, member: Option<&str>, email: &str) {
    sqlx::query("SELECT gleaner_enqueue($1, $2)").bind(member).bind(email).execute(service).await.unwrap();
}

#[tokio::test]
async fn a_member_is_handed_over_exactly_when_the_service_commits() {
    let desk = Desk::new().await;
    let mut service = desk.service().await;
    let mut rolled_back = service.begin().await.unwrap();
    hand_over(&mut rolled_back, Some("1"), "ada@example.com").await;
    inbox::empty(&desk.reception).await.unwrap();
    assert_eq!(desk.store().census().await.unwrap().inbox, 0, "not visible before the commit");
    rolled_back.rollback().await.unwrap();
    let mut committed = service.begin().await.unwrap();
    hand_over(&mut committed, Some("2"), "bob@example.com").await;
    hand_over(&mut committed, None, "cleo@example.com").await;
    committed.commit().await.unwrap();
    assert_eq!(desk.store().census().await.unwrap().inbox, 2);

    inbox::empty(&desk.reception).await.unwrap();
    let counted = desk.store().census().await.unwrap();
    assert!(counted.adds_up(), "{counted:?}");
    assert_eq!((counted.inbox, counted.taken_in, counted.waiting), (0, 2, 2));
    let claimed = desk.claimed().await;
    assert_eq!(claimed[0], ("2".to_owned(), "bob@example.com".to_owned()));
    assert!(claimed[1].0.starts_with("m_"), "without an id, the mailbox is the member: {claimed:?}");
}

#[tokio::test]
async fn a_member_is_handed_over_under_a_batchs_name() {
    let desk = Desk::new().await;
    let mut service = desk.service().await;
    for (member, batch) in
        [("1", Some("spring")), ("2", Some("spring")), ("3", None), ("4", Some("two words"))]
    {
        sqlx::query("SELECT gleaner_enqueue($1, $2, $3)")
            .bind(member)
            .bind(format!("person{member}@example.com"))
            .bind(batch)
            .execute(&mut service)
            .await
            .unwrap();
    }
    inbox::empty(&desk.reception).await.unwrap();
    let now = gleaner::clock::Clock::now(&SystemClock);
    let spring = desk.store().batch(&BatchName::parse("spring").unwrap(), now).await.unwrap().unwrap();
    assert_eq!(desk.store().batch_counts(spring.id).await.unwrap().of("queued"), 2);
    assert_eq!(desk.store().batch_standing(&spring).await.unwrap().waiting, 2);
    // What cannot be a name is told, and loses nobody.
    let counted = desk.store().census().await.unwrap();
    assert!(counted.adds_up(), "{counted:?}");
    assert_eq!((counted.taken_in, counted.waiting, counted.dead_letters), (4, 3, 1));
    let letters = desk.store().dead_letters(Page { limit: 10, before: None }).await.unwrap();
    assert!(letters[0].error.contains("the batch's name"), "{letters:?}");
}

#[tokio::test]
async fn what_is_no_registration_is_told_and_stops_nobody() {
    let desk = Desk::new().await;
    let mut service = desk.service().await;
    let ada = EmailAddress::parse("ada@example.com").unwrap();
    let ada = desk.reception.keyring.subject(&ada);
    let now = gleaner::clock::Clock::now(&SystemClock);
    desk.store().suppress(ada, SuppressionReason::Erased, now).await.unwrap();
    for (member, email) in [
        ("1", "Ada@Example.com"),
        ("2", "no address"),
        ("3", &"x".repeat(5_000)),
        ("a\nb", "dan@example.com"),
    ] {
        hand_over(&mut service, Some(member), email).await;
    }
    hand_over(&mut service, Some("4"), "eve@example.com").await;
    sqlx::query("SELECT gleaner_enqueue(NULL, NULL)").execute(&mut service).await.unwrap();
    inbox::empty(&desk.reception).await.unwrap();

    let counted = desk.store().census().await.unwrap();
    assert!(counted.adds_up(), "{counted:?}");
    assert_eq!((counted.taken_in, counted.waiting, counted.suppressed, counted.dead_letters), (6, 1, 1, 4));
    let letters = desk.store().dead_letters(Page { limit: 9, before: None }).await.unwrap();
    let told: Vec<_> = letters
        .iter()
        .rev()
        .map(|letter| format!("{} {}", letter.origin.as_deref().unwrap_or_default(), letter.error))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    inbox:2 e-mail address: has no `@`
    inbox:3 e-mail address: has no `@`
    inbox:4 the member id has control characters
    inbox:6 e-mail address: is empty
    ");
    let left = "SELECT count(*) FROM registration_inbox";
    let left: i64 = sqlx::query_scalar(left).fetch_one(&mut service).await.unwrap();
    assert_eq!(left, 0, "no address is left behind");
}

/// Many workers empty the inbox while a service changes addresses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_workers_take_each_row_once_and_keep_a_members_order() {
    const MEMBERS: usize = 60;
    const CHANGES: usize = 6;
    const WORKERS: usize = 4;
    let desk = Desk::new().await;
    let barrier = Arc::new(Barrier::new(WORKERS + 1));
    let (done, _) = tokio::sync::watch::channel(false);
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let (reception, barrier, done) = (reception(&desk.url).await, Arc::clone(&barrier), done.subscribe());
        workers.push(tokio::spawn(async move {
            barrier.wait().await;
            let judge = |row: &gleaner::store::inbox::InboxRow| {
                let email = row.email.as_deref().unwrap();
                Ok(gleaner::intake::registration(row.member.as_deref(), email, &reception.keyring).unwrap())
            };
            let mut taken = 0;
            loop {
                let last_look = *done.borrow();
                let emptied = reception.store.empty_inbox(7, &judge, reception.clock.now()).await.unwrap();
                taken += emptied.rows();
                if emptied.rows() == 0 && last_look {
                    return taken;
                }
            }
        }));
    }
    let mut service = desk.service().await;
    barrier.wait().await;
    for change in 0..CHANGES {
        for member in 0..MEMBERS {
            let address = format!("m{member}-{change}@example.com");
            hand_over(&mut service, Some(&member.to_string()), &address).await;
        }
    }
    done.send_replace(true);
    let mut taken = 0;
    for worker in workers {
        taken += worker.await.unwrap();
    }
    // A worker that looked while another one held the last rows has ended: what is left is taken here.
    inbox::empty(&desk.reception).await.unwrap();
    let counted = desk.store().census().await.unwrap();
    assert!(counted.adds_up(), "{counted:?}");
    assert_eq!(counted.taken_in + counted.repeated, (MEMBERS * CHANGES) as u64, "{taken} by workers");
    assert_eq!(counted.waiting, MEMBERS as u64);
    for (member, email) in desk.claimed().await {
        assert_eq!(email, format!("m{member}-{}@example.com", CHANGES - 1), "the last address wins");
    }
}

#[tokio::test]
async fn a_service_needs_one_right_and_can_bend_nothing() {
    let desk = Desk::new().await;
    let mut owner = desk.service().await;
    let role = format!("caller_{}", std::process::id());
    let make = format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role}");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut owner).await.unwrap();
    let mut service = desk.service().await;
    sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE {role}"))).execute(&mut service).await.unwrap();
    let call = "SELECT gleaner_enqueue('1', 'ada@example.com')";
    let refused = sqlx::raw_sql(call).execute(&mut service).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
    let grant = format!("GRANT EXECUTE ON FUNCTION gleaner_enqueue(text, text) TO {role}");
    sqlx::raw_sql(AssertSqlSafe(grant)).execute(&mut owner).await.unwrap();

    // A table of the same name in front of ours is not taken for it.
    let decoy = "CREATE TEMP TABLE registration_inbox (member_id text, email text); SET search_path = pg_temp, public";
    sqlx::raw_sql(decoy).execute(&mut service).await.unwrap();
    sqlx::raw_sql("SELECT public.gleaner_enqueue('1', 'ada@example.com')")
        .execute(&mut service)
        .await
        .unwrap();
    assert_eq!(desk.store().census().await.unwrap().inbox, 1);
    let read = sqlx::raw_sql("SELECT * FROM public.registration_inbox").execute(&mut service).await;
    assert!(
        read.unwrap_err().to_string().contains("permission denied"),
        "it may not read what others handed over"
    );

    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    drop_when_idle(&mut owner, service, drop).await;
}

async fn drop_when_idle(owner: &mut PgConnection, service: PgConnection, sql: String) {
    service.close().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(owner).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_a_transaction_wakes_a_worker_unless_it_is_switched_off() {
    let desk = Desk::new().await;
    let mut service = desk.service().await;
    let store = &desk.reception.store;
    let hear = async |patience| tokio::time::timeout(patience, store.wait_for_inbox()).await;
    hear(Duration::from_secs(20)).await.expect("it rings once when it begins to listen");
    let mut tx = service.begin().await.unwrap();
    for member in ["1", "2", "3"] {
        hand_over(&mut tx, Some(member), "ada@example.com").await;
    }
    tx.commit().await.unwrap();
    hear(Duration::from_secs(20)).await.expect("it rings at the commit");
    hear(Duration::from_millis(100)).await.expect_err("and once");
    sqlx::raw_sql("SET gleaner.notify = off").execute(&mut service).await.unwrap();
    hand_over(&mut service, Some("4"), "dan@example.com").await;
    hear(Duration::from_millis(100)).await.expect_err("it is switched off");
    sqlx::raw_sql("RESET gleaner.notify").execute(&mut service).await.unwrap();
    hand_over(&mut service, Some("5"), "eve@example.com").await;
    hear(Duration::from_secs(20)).await.expect("it rings again");
}

/// The SQL of the walkthrough in docs/operate.md, as it stands there.
fn walkthrough() -> Vec<String> {
    let document = include_str!("../../docs/operate.md");
    let (_, chapter) = document.split_once("## Registering inside your own transaction").unwrap();
    let chapter = chapter.split("\n## ").next().unwrap();
    let fences = chapter.split("```sql\n").skip(1);
    fences.map(|fence| fence.split("```").next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_walkthrough_works_word_for_word() {
    let url = postgres_database().await;
    let settings = SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) };
    let home = Home::new(settings, &format!("database = {url:?}\n")).await;
    home.json(&["migrate"]).await;
    let blocks = walkthrough();
    let [grants, set_up, register, look] = &*blocks else { panic!("four steps, not {}", blocks.len()) };

    let mut owner = PgConnection::connect(&url).await.unwrap();
    // Roles belong to the whole server, which may have served this test before.
    let forget = "DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'signup') THEN
            EXECUTE format('ALTER ROLE signup RENAME TO %I', 'signup_' || 'signup'::regrole::oid);
        END IF;
    END $$";
    sqlx::raw_sql(forget).execute(&mut owner).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(grants.clone())).execute(&mut owner).await.unwrap();
    let mut as_signup = url::Url::parse(&url).unwrap();
    as_signup.set_username("signup").unwrap();
    let mut service = PgConnection::connect(as_signup.as_str()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(set_up.clone())).execute(&mut service).await.unwrap();

    let worker = home.start(&["worker"]);
    sqlx::raw_sql(AssertSqlSafe(register.clone())).execute(&mut service).await.unwrap();
    let rows = until(
        "the record appears",
        async || {
            let rows = sqlx::query(AssertSqlSafe(look.clone())).fetch_all(&mut owner).await.unwrap();
            rows.iter().map(|row| row.get::<Option<String>, _>("full_name").is_some()).collect::<Vec<_>>()
        },
        |rows| !rows.is_empty(),
    )
    .await;
    assert_eq!(rows, [true], "one record, with a name");
    drop(worker);
    let status = home.json(&["status"]).await;
    assert_eq!((&status["adds_up"], &status["inbox"]), (&true.into(), &0.into()), "{status}");

    service.close().await.unwrap();
    sqlx::raw_sql(forget).execute(&mut owner).await.unwrap();
}
