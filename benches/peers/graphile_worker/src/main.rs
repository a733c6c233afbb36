//! Drains a queue of `graphile_worker` with the batched settings of its own benchmark; prints jobs a second.
//! Arguments: the address of an empty database, the number of jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, WorkerContext, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;

#[derive(Deserialize, Serialize)]
struct Nothing {
    member: usize,
}

#[derive(Clone, Debug)]
struct Done(Arc<AtomicUsize>);

impl TaskHandler for Nothing {
    const IDENTIFIER: &'static str = "nothing";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        if let Some(done) = context.get_ext::<Done>() {
            done.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok::<(), String>(())
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("an address");
    let jobs: usize = arguments.next().and_then(|jobs| jobs.parse().ok()).expect("a number of jobs");
    let pool = PgPoolOptions::new().max_connections(100).connect(&url).await.expect("a database");
    let done = Done(Arc::default());
    let worker = WorkerOptions::default()
        .pg_pool(pool.clone())
        .schema("graphile_worker")
        .concurrency(500)
        .poll_interval(Duration::from_millis(5))
        .complete_job_batch_delay(Duration::from_millis(5))
        .local_queue(LocalQueueConfig::default().with_size(5_000))
        .add_extension(done.clone())
        .define_job::<Nothing>()
        .init()
        .await
        .expect("a worker");
    let worker = Arc::new(worker);
    let spec = |member: usize| RawJobSpec {
        identifier: "nothing".to_owned(),
        payload: serde_json::json!({ "member": member }),
        spec: JobSpec::default(),
    };
    let utils = worker.create_utils();
    let all: Vec<_> = (0..jobs).map(spec).collect();
    for chunk in all.chunks(10_000) {
        utils.add_raw_jobs(chunk).await.expect("jobs");
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await.expect("a vacuum");

    let began = Instant::now();
    let running = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.run().await }
    });
    while done.0.load(Ordering::Relaxed) < jobs {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = began.elapsed();
    worker.request_shutdown();
    running.await.expect("no panic").expect("a clean end");
    let sql = "SELECT count(*) FROM graphile_worker._private_jobs";
    let left: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.expect("a count");
    assert_eq!(left, 0, "jobs are left");
    println!("{:.0}", jobs as f64 / took.as_secs_f64());
}
