//! Waiting for threads to end without blocking a caller's thread.

use std::convert::Infallible;
use std::sync::Mutex as Lock;
use std::thread::{self, JoinHandle};

use tokio::sync::{Mutex, mpsc};

/// Threads that end by themselves when their queue is closed.
pub(crate) struct Threads {
    ended: Mutex<mpsc::Receiver<Infallible>>,
    running: Lock<Vec<JoinHandle<()>>>,
}

impl Threads {
    /// Starts one named thread per body.
    pub(crate) fn start<F: FnOnce() + Send + 'static>(
        name: &str,
        bodies: impl IntoIterator<Item = F>,
    ) -> std::io::Result<Threads> {
        let (alive, ended) = mpsc::channel(1);
        let mut running = Vec::new();
        for body in bodies {
            let alive = alive.clone();
            let run = move || {
                body();
                drop(alive);
            };
            running.push(thread::Builder::new().name(name.to_owned()).spawn(run)?);
        }
        Ok(Threads { ended: Mutex::new(ended), running: Lock::new(running) })
    }

    /// Returns when all of them have ended.
    pub(crate) async fn ended(&self) {
        let _: Option<Infallible> = self.ended.lock().await.recv().await;
    }

    /// Blocks until all of them have ended; does nothing on one of them.
    pub(crate) fn join(&self) {
        let mut running = self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let own = thread::current().id();
        if running.iter().any(|thread| thread.thread().id() == own) {
            return;
        }
        for thread in running.drain(..) {
            // A panic that ended the thread was already reported, and its callers were told `Closed`.
            drop(thread.join());
        }
    }
}
