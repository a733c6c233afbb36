//! How a worker is told to stop: once to finish what is in flight, twice to drop it.

use tokio_util::sync::CancellationToken;

/// A stop that can be asked for, softly and hard. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    drain: CancellationToken,
    abort: CancellationToken,
    /// Set by the worker itself when nothing is left to claim.
    finished: CancellationToken,
}

impl Stop {
    /// A stop that is asked for by SIGTERM or ctrl-c; the second one is hard.
    pub fn on_signals() -> std::io::Result<Self> {
        let stop = Self::default();
        let mut signals = Signals::listen()?;
        tokio::spawn({
            let stop = stop.clone();
            async move {
                signals.next().await;
                tracing::info!("stopping: members in flight are finished; once more stops at once");
                stop.drain();
                signals.next().await;
                stop.abort();
            }
        });
        Ok(stop)
    }

    /// Asks to take nothing new and to finish what is in flight.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Asks to drop what is in flight; it is given back.
    pub fn abort(&self) {
        self.drain.cancel();
        self.abort.cancel();
    }

    /// Whether anyone asked to stop.
    pub fn is_asked(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Ends when a stop is asked for.
    pub async fn asked(&self) {
        self.drain.cancelled().await;
    }

    /// Ends when a hard stop is asked for.
    pub async fn asked_hard(&self) {
        self.abort.cancelled().await;
    }

    /// Says that no more work will come.
    pub(super) fn no_more_work(&self) {
        self.finished.cancel();
    }

    /// Ends when no more work will come.
    pub(super) async fn out_of_work(&self) {
        self.finished.cancelled().await;
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "the other platform's version can fail")]
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Where ctrl-c cannot be listened for, it ends the process, which is safe: nothing is ever half written.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
