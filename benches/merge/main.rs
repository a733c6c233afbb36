//! How right the merge is, and how well it knows: `cargo bench --bench merge`.
//!
//! Over ten seeds it has our providers ask the sandbox, whose population is known (`sandbox.rs`), and makes worlds with a known
//! truth (`worlds.rs`); learns the sources from what they say, merges, and holds the records against the truth, beside the
//! vote of the majority and the best single source. It prints the table of `docs/merge.md`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark, not a product"
)]

mod sample;
mod sandbox;
mod score;
mod worlds;

use sample::Sample;
use score::Score;
use worlds::WORLDS;

const SEEDS: u64 = 10;
const SUBJECTS: usize = 2000;
/// Who is asked in the sandbox.
const SANDBOX: [(&str, &[&str]); 2] = [
    ("the sandbox, three services", sandbox::THREE),
    (
        "the sandbox, eight services",
        &["gravatar", "github", "homepage", "gitlab", "people_data_labs", "enrich_so", "fullcontact", "pipl"],
    ),
];

fn main() {
    // `cargo test --benches` runs this too; a benchmark says nothing there.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    // `-- copy 100`: only the worlds with that word in their name, and other seeds than those that rules were made with.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let wanted = arguments.next();
    let first: u64 = arguments.next().map_or(0, |seed| seed.parse().unwrap());
    println!(
        "{SUBJECTS} subjects a seed, {SEEDS} seeds from {first} on; shares of fields that are right, the mean of the seeds and the least\n"
    );
    println!(
        "| world | merged | majority | seeds below majority | of the fields given: merged, majority | seeds below majority | the best source alone | seeds below it | on the best source's fields: merged, that source | seeds below it | calibration error, mean and worst | mixed |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let is_wanted = |name: &str| wanted.as_deref().is_none_or(|word| name.contains(word));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, services) in SANDBOX {
        if is_wanted(name) {
            row(name, first, |seed| runtime.block_on(sandbox::sample(services, SUBJECTS, seed)));
        }
    }
    for world in WORLDS.iter().filter(|world| is_wanted(world.name)) {
        row(world.name, first, |seed| world.sample(SUBJECTS, seed));
    }
}

fn row(name: &str, first: u64, sample: impl Fn(u64) -> Sample) {
    let scores: Vec<Score> = (first..first + SEEDS).map(|seed| score::score(&sample(seed))).collect();
    let mean = |of: fn(&Score) -> f64| scores.iter().map(of).sum::<f64>() / scores.len() as f64;
    let least = |of: fn(&Score) -> f64| scores.iter().map(of).fold(f64::INFINITY, f64::min);
    let worst = scores.iter().map(|score| score.calibration).fold(0.0, f64::max);
    let below = |other: fn(&Score) -> f64, own: fn(&Score) -> f64| {
        scores.iter().filter(|score| own(score) < other(score)).count()
    };
    let mixed: usize = scores.iter().map(|score| score.mixed).sum();
    println!(
        "| {name} | {:.3} ({:.3}) | {:.3} | {} | {:.3}, {:.3} | {} | {:.3} | {} | {:.3}, {:.3} | {} | {:.3}, {worst:.3} | {mixed} |",
        mean(|score| score.merged),
        least(|score| score.merged),
        mean(|score| score.majority),
        below(|score| score.majority, |score| score.merged),
        mean(|score| score.of_given),
        mean(|score| score.majority_of_given),
        below(|score| score.majority_of_given, |score| score.of_given),
        mean(|score| score.alone),
        below(|score| score.alone, |score| score.merged),
        mean(|score| score.merged_there),
        mean(|score| score.best_source),
        below(|score| score.best_source, |score| score.merged_there),
        mean(|score| score.calibration),
    );
}
