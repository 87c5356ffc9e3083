//! The one thread that writes a file: takes what waits, hands it to the batch, releases the answers after the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::checkpoint::{self, Checkpoints};
use crate::ended::Threads;
use crate::{Batch, DbError, Options, Weighted, commit, open};

/// Hands jobs to the writer of one file. Clones share it; it ends when the last clone is dropped or closed.
pub struct Writer<J, A> {
    shared: Arc<Shared<J, A>>,
}

impl<J, A> Clone for Writer<J, A> {
    fn clone(&self) -> Writer<J, A> {
        Writer { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<J, A> {
    queue: Option<mpsc::Sender<Message<J, A>>>,
    thread: Threads,
    counts: Arc<Counts>,
}

enum Message<J, A> {
    Job(J, oneshot::Sender<Result<A, DbError>>),
    Optimize(oneshot::Sender<Result<(), DbError>>),
    Close,
}

#[derive(Default)]
struct Counts {
    n_jobs: AtomicU64,
    n_batches: AtomicU64,
    n_batches_failed: AtomicU64,
    n_log_restarts: AtomicU64,
    log_bytes: AtomicU64,
}

/// What a writer has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Jobs taken.
    pub n_jobs: u64,
    /// Transactions they were done in, one fsync each.
    pub n_batches: u64,
    /// Transactions that were rolled back as a whole.
    pub n_batches_failed: u64,
    /// Times the write-ahead log was copied into the file and started over.
    pub n_log_restarts: u64,
    /// The write-ahead log's size after the last commit.
    pub log_bytes: u64,
}

impl<J: Weighted + Send + 'static, A: Send + 'static> Writer<J, A> {
    /// Opens the file (creating and migrating it) and starts the thread. Open [`crate::Readers`] after it.
    pub fn start<B: Batch<Job = J, Answer = A> + Send + 'static>(
        options: Options,
        batch: B,
    ) -> Result<Writer<J, A>, DbError> {
        let conn = open::open_writer(&options)?;
        // What waits behind one batch is the next; more waits at the senders.
        let (queue, messages) = mpsc::channel(options.batch_max.max(1) * 2);
        let counts = Arc::new(Counts::default());
        let (started, has_started) = std::sync::mpsc::sync_channel(1);
        let body = {
            let counts = Arc::clone(&counts);
            move || match Checkpoints::start(&conn, &options) {
                Ok(checkpoints) => {
                    drop(started.send(Ok(())));
                    Thread { conn, options, batch, checkpoints, messages, counts }.run();
                }
                Err(error) => drop(started.send(Err(error))),
            }
        };
        let thread = Threads::start("db-write", [body])?;
        has_started.recv().unwrap_or(Err(DbError::Closed))?;
        Ok(Writer { shared: Arc::new(Shared { queue: Some(queue), thread, counts }) })
    }

    /// Waits for a place in the queue, then for the commit. A caller that goes away before its job began cancels it.
    pub async fn send(&self, job: J) -> Result<A, DbError> {
        let (answer, answered) = oneshot::channel();
        self.push(Message::Job(job, answer)).await?;
        answered.await.unwrap_or(Err(DbError::Closed))
    }

    /// [`Writer::send`] for a caller that may block its thread; panics inside an async task.
    pub fn send_blocking(&self, job: J) -> Result<A, DbError> {
        let (answer, answered) = oneshot::channel();
        self.queue()?.blocking_send(Message::Job(job, answer)).map_err(|_| DbError::Closed)?;
        answered.blocking_recv().unwrap_or(Err(DbError::Closed))
    }

    /// Lets SQLite renew the statistics that its planner uses, between batches.
    pub async fn optimize(&self) -> Result<(), DbError> {
        let (answer, answered) = oneshot::channel();
        self.push(Message::Optimize(answer)).await?;
        answered.await.unwrap_or(Err(DbError::Closed))
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        let counts = &self.shared.counts;
        Stats {
            n_jobs: counts.n_jobs.load(Ordering::Relaxed),
            n_batches: counts.n_batches.load(Ordering::Relaxed),
            n_batches_failed: counts.n_batches_failed.load(Ordering::Relaxed),
            n_log_restarts: counts.n_log_restarts.load(Ordering::Relaxed),
            log_bytes: counts.log_bytes.load(Ordering::Relaxed),
        }
    }

    /// Refuses new jobs, does those that wait, copies the log into the file and returns.
    pub async fn close(&self) -> Result<(), DbError> {
        match self.push(Message::Close).await {
            Ok(()) | Err(DbError::Closed) => {}
            Err(error) => return Err(error),
        }
        self.shared.thread.ended().await;
        Ok(())
    }

    fn queue(&self) -> Result<&mpsc::Sender<Message<J, A>>, DbError> {
        self.shared.queue.as_ref().ok_or(DbError::Closed)
    }

    async fn push(&self, message: Message<J, A>) -> Result<(), DbError> {
        self.queue()?.send(message).await.map_err(|_| DbError::Closed)
    }
}

impl<J, A> Drop for Shared<J, A> {
    fn drop(&mut self) {
        self.queue = None;
        self.thread.join();
    }
}

struct Thread<B: Batch> {
    conn: Connection,
    options: Options,
    batch: B,
    checkpoints: Checkpoints,
    messages: mpsc::Receiver<Message<B::Job, B::Answer>>,
    counts: Arc<Counts>,
}

impl<B: Batch> Thread<B> {
    fn run(mut self) {
        let mut next = self.messages.blocking_recv();
        while let Some(message) = next {
            next = match message {
                Message::Job(job, answer) => self.do_batch(job, answer),
                Message::Optimize(answer) => {
                    drop(answer.send(self.conn.execute_batch("PRAGMA optimize").map_err(DbError::from)));
                    None
                }
                Message::Close => {
                    // Senders get `Closed` from here on; what is queued is still done.
                    self.messages.close();
                    None
                }
            };
            next = next.or_else(|| self.messages.blocking_recv());
        }
        self.checkpoints.finish(&self.conn);
    }

    /// Does the job and those that wait behind it; returns the message that ended the batch, if it was not a job.
    fn do_batch(
        &mut self,
        job: B::Job,
        answer: oneshot::Sender<Result<B::Answer, DbError>>,
    ) -> Option<Message<B::Job, B::Answer>> {
        let (mut jobs, mut senders, mut weight) = (Vec::new(), Vec::new(), 0_usize);
        let mut next = Some(Message::Job(job, answer));
        while let Some(Message::Job(job, answer)) = next {
            // A caller that has gone away never sees an acknowledgement, so its job need not be done.
            if !answer.is_closed() {
                weight = weight.saturating_add(job.weight());
                jobs.push(job);
                senders.push(answer);
            }
            // What waits now goes along; nobody waits for more to come.
            next = match jobs.len() < self.options.batch_max && weight < self.options.batch_bytes_max {
                true => self.messages.try_recv().ok(),
                false => None,
            };
        }
        if !jobs.is_empty() {
            let answers = self.commit(jobs);
            for (sender, answer) in senders.into_iter().zip(answers) {
                // The caller may have gone away meanwhile; its write stays, unacknowledged.
                drop(sender.send(answer));
            }
            self.tidy_log();
        }
        next
    }

    fn commit(&mut self, jobs: Vec<B::Job>) -> Vec<Result<B::Answer, DbError>> {
        self.counts.n_jobs.fetch_add(jobs.len() as u64, Ordering::Relaxed);
        let (answers, is_committed) = commit::run(&self.conn, &mut self.batch, jobs);
        let count = if is_committed { &self.counts.n_batches } else { &self.counts.n_batches_failed };
        count.fetch_add(1, Ordering::Relaxed);
        if !self.conn.is_autocommit() {
            self.reconnect();
        }
        answers
    }

    /// Only after a rollback failed: the transaction goes with its connection.
    fn reconnect(&mut self) {
        match open::connect(&self.options) {
            Ok(conn) => {
                checkpoint::watch(&conn);
                self.conn = conn;
            }
            Err(error) => tracing::error!(%error, "the writer keeps a connection whose rollback failed"),
        }
    }

    fn tidy_log(&mut self) {
        if self.checkpoints.after_commit(&self.conn) {
            self.counts.n_log_restarts.fetch_add(1, Ordering::Relaxed);
        }
        self.counts.log_bytes.store(self.checkpoints.log_bytes(), Ordering::Relaxed);
    }
}
