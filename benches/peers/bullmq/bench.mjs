// Drains a queue of BullMQ with 100 jobs at a time in one process; prints jobs a second.
// Arguments: the port of an empty Redis, the number of jobs.
import { Queue, Worker } from "bullmq";

const [port, count] = process.argv.slice(2);
const jobs = Number(count);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };

const queue = new Queue("members", { connection });
for (let first = 0; first < jobs; first += 5_000) {
  const chunk = Array.from({ length: Math.min(5_000, jobs - first) }, (_, n) => ({
    name: "nothing",
    data: { member: first + n },
    opts: { removeOnComplete: true },
  }));
  await queue.addBulk(chunk);
}

let done = 0;
let finish;
const finished = new Promise((resolve) => (finish = resolve));
const began = performance.now();
const worker = new Worker("members", async () => {}, { connection, concurrency: 100 });
worker.on("completed", () => {
  done += 1;
  if (done === jobs) finish();
});
worker.on("error", console.error);
await finished;
const seconds = (performance.now() - began) / 1000;
await worker.close();
const left = await queue.getJobCountByTypes("waiting", "active", "delayed", "failed");
if (left !== 0) throw new Error(`${left} jobs are left`);
console.log((jobs / seconds).toFixed(0));
process.exit(0);
