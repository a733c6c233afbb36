// Drains a queue of graphile-worker (Node) with the batched settings of its page on performance; prints jobs a second.
// Arguments: the address of an empty database, the number of jobs.
import { makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";

const [connectionString, count] = process.argv.slice(2);
const jobs = Number(count);
const logger = { error: console.error, warn() {}, info() {}, debug() {}, scope: () => logger };

const utils = await makeWorkerUtils({ connectionString });
await utils.migrate();
for (let first = 0; first < jobs; first += 10_000) {
  const chunk = Array.from({ length: Math.min(10_000, jobs - first) }, (_, n) => ({
    identifier: "nothing",
    payload: { member: first + n },
  }));
  await utils.addJobs(chunk);
}
await utils.withPgClient((client) => client.query("VACUUM ANALYZE"));
await utils.release();

let done = 0;
let finish;
const finished = new Promise((resolve) => (finish = resolve));
const began = performance.now();
const runner = await run({
  noHandleSignals: true,
  preset: {
    worker: {
      connectionString,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  taskList: {
    nothing: () => {
      done += 1;
      if (done === jobs) finish();
    },
  },
});
await finished;
const seconds = (performance.now() - began) / 1000;
await runner.stop();

const client = new pg.Client({ connectionString });
await client.connect();
const { rows } = await client.query("SELECT count(*)::int AS left FROM graphile_worker._private_jobs");
await client.end();
if (rows[0].left !== 0) throw new Error(`${rows[0].left} jobs are left`);
console.log((jobs / seconds).toFixed(0));
process.exit(0);
