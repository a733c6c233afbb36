// Drains a queue of pg-boss with 8 loops that fetch 100 jobs and complete them together; prints jobs a second.
// Arguments: the address of an empty database, the number of jobs.
import PgBoss from "pg-boss";

const LOOPS = 8;
const BATCH = 100;
const [connectionString, count] = process.argv.slice(2);
const jobs = Number(count);

const boss = new PgBoss({ connectionString, max: LOOPS, supervise: false, schedule: false });
boss.on("error", (error) => {
  throw error;
});
await boss.start();
await boss.createQueue("members");
for (let first = 0; first < jobs; first += 10_000) {
  const chunk = Array.from({ length: Math.min(10_000, jobs - first) }, (_, n) => ({
    name: "members",
    data: { member: first + n },
  }));
  await boss.insert(chunk);
}
await boss.getDb().executeSql("VACUUM ANALYZE");

let done = 0;
async function work() {
  for (;;) {
    const taken = await boss.fetch("members", { batchSize: BATCH });
    if (taken.length === 0) return;
    await boss.complete("members", taken.map((job) => job.id));
    done += taken.length;
  }
}
const began = performance.now();
await Promise.all(Array.from({ length: LOOPS }, work));
const seconds = (performance.now() - began) / 1000;
if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were done`);
console.log((jobs / seconds).toFixed(0));
process.exit(0);
