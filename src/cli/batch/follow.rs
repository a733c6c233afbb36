//! A batch, watched until it is over: a bar on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use gleaner::job::BatchName;
use gleaner::store::batches::BatchState;
use gleaner::worker::Stop;
use indicatif::ProgressBar;
use tokio::time::Instant;

use super::super::host::{Host, Vault};
use super::super::progress::{LINE_EVERY, style};
use super::super::view::money;
use super::story::{Story, length};
use super::{Exit, find, out};

const LOOK: Duration = Duration::from_millis(500);

/// Shows how far a batch is until it is over or held back; a signal ends the showing, not the batch.
pub(crate) async fn until_over(host: &Host, vault: &Vault, name: &BatchName) -> anyhow::Result<Exit> {
    let stop = Stop::on_signals()?;
    let bar = std::io::stderr().is_terminal().then(|| {
        ProgressBar::new(0)
            .with_style(style("{prefix}  [{bar:30}] {pos}/{len}  {msg}"))
            .with_prefix(name.to_string())
    });
    let mut next_line = Instant::now() + LINE_EVERY;
    let mut rate = Rate::default();
    let exit = loop {
        let story = Story::read(find(name, host, vault).await?, host, vault).await?;
        let state = story.batch.state;
        let text = line(&story, &mut rate);
        if let Some(bar) = &bar {
            bar.set_length(story.put_in.max(story.batch.selected));
            bar.set_position(story.finished);
            bar.set_message(text);
        } else if Instant::now() >= next_line {
            out::note(format_args!("{name}  {}/{}  {text}", story.finished, story.put_in));
            next_line += LINE_EVERY;
        }
        if state.is_over() || state == BatchState::Paused {
            break if state == BatchState::Done { Exit::Done } else { Exit::Nothing };
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.asked() => break Exit::Interrupted,
        }
    };
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Story::read(find(name, host, vault).await?, host, vault).await?.print();
    Ok(exit)
}

/// What the last half minute was like.
#[derive(Default)]
struct Rate {
    seen: std::collections::VecDeque<(Instant, u64)>,
}

impl Rate {
    fn of(&mut self, finished: u64) -> f64 {
        const WINDOW: Duration = Duration::from_secs(30);
        let now = Instant::now();
        self.seen.push_back((now, finished));
        while self.seen.len() > 2 && self.seen.front().is_some_and(|(at, _)| now - *at > WINDOW) {
            self.seen.pop_front();
        }
        let Some((began, before)) = self.seen.front() else { return 0.0 };
        let seconds = (now - *began).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let gone = finished.saturating_sub(*before) as f64;
        if seconds > 0.0 { gone / seconds } else { 0.0 }
    }
}

fn line(story: &Story, rate: &mut Rate) -> String {
    let pace = rate.of(story.finished);
    let left = story.standing.waiting + story.standing.running;
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    let seconds = left as f64 / pace;
    let eta = if pace > 0.0 && left > 0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
        let seconds = seconds as u64;
        format!("{} left", length(seconds))
    } else {
        story.batch.state.as_str().to_owned()
    };
    let ceiling = story.batch.ceiling_micros.map(|most| format!(" of {}", money(most))).unwrap_or_default();
    format!("{pace:.0}/s, {eta}, {}{ceiling}", money(story.cost_micros))
}
