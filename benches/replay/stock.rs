//! The same members looked up for the first time, and replayed from the answers in stock.

use crate::home::Home;
use crate::server::Databank;

pub(crate) async fn measure(engine: &str, databank: Option<&Databank>, members: u32) {
    let home = Home::new(databank, str::to_owned).await;
    home.import(members);
    let (_, first) = home.run(&["worker", "--until-idle", "2"]);
    let asked = home.sandbox.summary();
    let calls = asked.calls;
    let (filled, filling) = home.run(&["replay", "--batch", "first", "--name", "again", "--yes"]);
    let (_, again) = home.run(&["worker", "--until-idle", "2"]);
    let asked_again = home.sandbox.summary();
    let more = asked_again.calls - calls;
    let story = home.run(&["batch", "show", "again"]).0;
    let finished = &story["finished"];
    assert_eq!(*finished, filled["made"], "everybody came to an end: {story}");
    for (provider, service) in &asked_again.providers {
        let before = asked.providers.get(provider).map_or(0, |service| service.calls);
        if service.calls > before {
            println!(
                "  {provider} was asked {} times in the replay: {:?}",
                service.calls - before,
                service.answers
            );
        }
    }
    println!(
        "{engine}: {members} members, settings of config/sandbox.toml, answers after 20 to 120 ms, one worker"
    );
    println!("  first run: {:.1} s, {calls} calls", first.as_secs_f64());
    println!(
        "  replay of {finished}: {:.2} s and {:.2} s to fill it, {more} calls (goal: 0), {:.0} x as fast (goal: 20 x)",
        again.as_secs_f64(),
        filling.as_secs_f64(),
        first.as_secs_f64() / (again + filling).as_secs_f64()
    );
}
