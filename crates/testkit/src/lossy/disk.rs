//! The state of a lossy disk: for each file what programs see, what is durable, and what is on its way. Knows nothing of SQLite's interface.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Fault;

const SECTOR_BYTES: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Disk {
    state: Mutex<State>,
}

/// Names an open file; files opened before a crash are dead after it.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) name: String,
    number: u64,
    epoch: u64,
    /// The next sync makes the names in its folder durable too.
    syncs_folder: AtomicBool,
}

impl Handle {
    /// The number of crashes before it was opened.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// Why a change or a lock was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Dead,
    Fault(Fault),
    Missing,
    Busy,
}

#[derive(Debug, Default)]
pub(super) struct State {
    epoch: u64,
    n_handles: u64,
    n_changes: u64,
    fault: Option<Planned>,
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
struct Planned {
    kind: Fault,
    after: u64,
    n_times: u64,
    has_failed: bool,
}

#[derive(Debug, Default)]
struct File {
    seen: Option<Vec<u8>>,
    durable: Option<Vec<u8>>,
    unsynced: Vec<Change>,
    locks: HashMap<u64, Lock>,
    log_locks: HashMap<u64, LogLocks>,
}

#[derive(Clone, Debug)]
enum Change {
    Create,
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
    Remove,
}

/// SQLite's locks of a database file, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lock {
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// Which of the eight locks of the write-ahead log's index a connection holds.
#[derive(Clone, Copy, Debug, Default)]
struct LogLocks {
    shared: u8,
    exclusive: u8,
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn crash(&self, mut survives: impl FnMut() -> bool) {
        let mut state = self.state();
        state.epoch += 1;
        state.fault = None;
        state.files.retain(|_, file| {
            for change in std::mem::take(&mut file.unsynced) {
                for part in change.sectors() {
                    if survives() {
                        part.apply(&mut file.durable);
                    }
                }
            }
            file.seen.clone_from(&file.durable);
            (file.locks, file.log_locks) = Default::default();
            file.seen.is_some()
        });
    }

    pub(super) fn fail_after(&self, after: u64, kind: Fault, n_times: u64) {
        self.state().fault = Some(Planned { kind, after, n_times, has_failed: false });
    }

    pub(super) fn heal(&self) -> bool {
        self.state().fault.take().is_some_and(|fault| fault.has_failed)
    }

    pub(super) fn n_changes(&self) -> u64 {
        self.state().n_changes
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        self.state().files.get(name).is_some_and(|file| file.seen.is_some())
    }

    pub(super) fn open(&self, name: &str, create: bool, syncs_folder: bool) -> Result<Handle, Refused> {
        let mut state = self.state();
        if state.files.get(name).is_none_or(|file| file.seen.is_none()) {
            if !create {
                return Err(Refused::Missing);
            }
            state.count_change()?;
            state.files.entry(name.to_owned()).or_default().change(Change::Create);
        }
        state.n_handles += 1;
        let syncs_folder = AtomicBool::new(syncs_folder);
        Ok(Handle { name: name.to_owned(), number: state.n_handles, epoch: state.epoch, syncs_folder })
    }

    /// Removes the name; it may come back after a crash unless the folder is synced.
    pub(super) fn remove(&self, name: &str, is_synced: bool) -> Result<(), Refused> {
        let mut state = self.state();
        state.count_change()?;
        let file = state.files.get_mut(name).filter(|file| file.seen.is_some()).ok_or(Refused::Missing)?;
        file.change(Change::Remove);
        if is_synced {
            file.sync();
        }
        Ok(())
    }

    /// Copies what is there into `buffer`; returns how much that was.
    pub(super) fn read(&self, handle: &Handle, at: usize, buffer: &mut [u8]) -> Result<usize, Refused> {
        let mut state = self.state();
        let bytes = state.alive(handle)?.seen.as_deref().unwrap_or_default();
        let there = bytes.get(at.min(bytes.len())..).unwrap_or_default();
        let n = there.len().min(buffer.len());
        buffer[..n].copy_from_slice(&there[..n]);
        Ok(n)
    }

    pub(super) fn size(&self, handle: &Handle) -> Result<usize, Refused> {
        Ok(self.state().alive(handle)?.seen.as_ref().map_or(0, Vec::len))
    }

    pub(super) fn write(&self, handle: &Handle, at: usize, bytes: &[u8]) -> Result<(), Refused> {
        self.change(handle, Change::Write { at, bytes: bytes.to_vec() })
    }

    pub(super) fn truncate(&self, handle: &Handle, size: usize) -> Result<(), Refused> {
        self.change(handle, Change::Truncate(size))
    }

    pub(super) fn sync(&self, handle: &Handle) -> Result<(), Refused> {
        let mut state = self.state();
        state.alive(handle)?;
        state.count_change()?;
        state.alive(handle)?.sync();
        if handle.syncs_folder.swap(false, Ordering::Relaxed) {
            // One folder is all a database has.
            state.files.values_mut().for_each(File::sync_name);
        }
        Ok(())
    }

    fn change(&self, handle: &Handle, change: Change) -> Result<(), Refused> {
        let mut state = self.state();
        state.alive(handle)?;
        state.count_change()?;
        state.alive(handle)?.change(change);
        Ok(())
    }

    pub(super) fn close(&self, handle: &Handle) {
        self.unlock_log(handle, u8::MAX);
        if let Ok(file) = self.state().alive(handle) {
            file.locks.remove(&handle.number);
        }
    }

    pub(super) fn lock(&self, handle: &Handle, wanted: Lock) -> Result<(), Refused> {
        let mut state = self.state();
        let locks = &mut state.alive(handle)?.locks;
        let own = locks.get(&handle.number).copied().unwrap_or(Lock::None);
        if own >= wanted {
            return Ok(());
        }
        let others = locks.iter().filter(|(number, _)| **number != handle.number).map(|(_, lock)| *lock);
        let others = others.max().unwrap_or(Lock::None);
        let (granted, is_granted) = match wanted {
            Lock::None => (Lock::None, true),
            Lock::Shared => (Lock::Shared, others < Lock::Pending),
            Lock::Reserved => (Lock::Reserved, others < Lock::Reserved),
            // Waiting for readers to leave keeps new ones out.
            Lock::Pending | Lock::Exclusive if others == Lock::Shared => {
                (Lock::Pending, wanted == Lock::Pending)
            }
            Lock::Pending | Lock::Exclusive => (wanted, others == Lock::None),
        };
        if is_granted || granted == Lock::Pending {
            locks.insert(handle.number, granted);
        }
        if is_granted { Ok(()) } else { Err(Refused::Busy) }
    }

    pub(super) fn unlock(&self, handle: &Handle, down_to: Lock) -> Result<(), Refused> {
        let mut state = self.state();
        let locks = &mut state.alive(handle)?.locks;
        if locks.get(&handle.number).is_some_and(|own| *own > down_to) {
            locks.insert(handle.number, down_to);
        }
        Ok(())
    }

    pub(super) fn is_reserved(&self, handle: &Handle) -> Result<bool, Refused> {
        Ok(self.state().alive(handle)?.locks.values().any(|lock| *lock >= Lock::Reserved))
    }

    pub(super) fn lock_log(&self, handle: &Handle, mask: u8, exclusive: bool) -> Result<(), Refused> {
        let mut state = self.state();
        let locks = &mut state.alive(handle)?.log_locks;
        let is_taken = locks.iter().any(|(number, theirs)| {
            *number != handle.number
                && mask & (theirs.exclusive | if exclusive { theirs.shared } else { 0 }) != 0
        });
        if is_taken {
            return Err(Refused::Busy);
        }
        let own = locks.entry(handle.number).or_default();
        if exclusive {
            own.exclusive |= mask;
        } else {
            own.shared |= mask;
        }
        Ok(())
    }

    pub(super) fn unlock_log(&self, handle: &Handle, mask: u8) {
        let mut state = self.state();
        // After a crash nobody holds anything.
        if let Ok(file) = state.alive(handle)
            && let Some(own) = file.log_locks.get_mut(&handle.number)
        {
            own.exclusive &= !mask;
            own.shared &= !mask;
        }
    }

    pub(super) fn is_alive(&self, handle: &Handle) -> bool {
        self.state().epoch == handle.epoch
    }
}

impl State {
    fn alive(&mut self, handle: &Handle) -> Result<&mut File, Refused> {
        if self.epoch != handle.epoch {
            return Err(Refused::Dead);
        }
        self.files.get_mut(&handle.name).ok_or(Refused::Missing)
    }

    fn count_change(&mut self) -> Result<(), Refused> {
        self.n_changes += 1;
        let Some(fault) = &mut self.fault else { return Ok(()) };
        if fault.after > 0 {
            fault.after -= 1;
            return Ok(());
        }
        if fault.n_times == 0 {
            return Ok(());
        }
        fault.n_times -= 1;
        fault.has_failed = true;
        Err(Refused::Fault(fault.kind))
    }
}

impl File {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.unsynced.push(change);
    }

    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

impl File {
    /// The folder was synced: the name is there or gone as programs see it; what was written to the file may still be lost.
    fn sync_name(&mut self) {
        let names =
            self.unsynced.iter().rposition(|change| matches!(change, Change::Create | Change::Remove));
        if let Some(last) = names {
            self.unsynced.drain(..last).for_each(drop);
            self.unsynced.remove(0).apply(&mut self.durable);
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Option<Vec<u8>>) {
        match self {
            Change::Create => *content = Some(Vec::new()),
            Change::Remove => *content = None,
            // A file whose name never became durable is not there, whatever was written to it.
            Change::Write { .. } | Change::Truncate(_) if content.is_none() => {}
            Change::Truncate(size) => content.get_or_insert_default().truncate(*size),
            Change::Write { at, bytes } => {
                let content = content.get_or_insert_default();
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    /// The parts that reach the disk one by one.
    fn sectors(self) -> Vec<Change> {
        let Change::Write { at, bytes } = self else { return vec![self] };
        let mut parts = Vec::new();
        let mut from = 0;
        while from < bytes.len() {
            let to = bytes.len().min((at + from) / SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES - at);
            parts.push(Change::Write { at: at + from, bytes: bytes[from..to].to_vec() });
            from = to;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(disk: &Disk, name: &str) -> Option<String> {
        let handle = disk.open(name, false, false).ok()?;
        let mut buffer = vec![0; disk.size(&handle).unwrap()];
        disk.read(&handle, 0, &mut buffer).unwrap();
        Some(String::from_utf8(buffer).unwrap())
    }

    #[test]
    fn only_what_was_synced_survives() {
        let disk = Disk::default();
        let handle = disk.open("a", true, false).unwrap();
        disk.open("never synced", true, false).unwrap();
        disk.write(&handle, 0, b"hello").unwrap();
        disk.sync(&handle).unwrap();
        disk.write(&handle, 3, b"P!").unwrap();
        assert_eq!(content(&disk, "a").unwrap(), "helP!");
        disk.crash(|| false);
        assert_eq!(content(&disk, "a").unwrap(), "hello");
        assert_eq!(content(&disk, "never synced"), None);
        assert_eq!(disk.write(&handle, 0, b"late"), Err(Refused::Dead));
    }

    #[test]
    fn a_removed_name_comes_back_unless_the_folder_was_synced() {
        let disk = Disk::default();
        for (name, is_synced) in [("a", false), ("b", true)] {
            let handle = disk.open(name, true, false).unwrap();
            disk.write(&handle, 0, b"x").unwrap();
            disk.sync(&handle).unwrap();
            disk.remove(name, is_synced).unwrap();
            assert!(!disk.exists(name));
        }
        disk.crash(|| false);
        assert_eq!((disk.exists("a"), disk.exists("b")), (true, false));
    }

    #[test]
    fn syncing_a_new_journal_makes_all_names_durable() {
        let disk = Disk::default();
        let removed = disk.open("removed", true, false).unwrap();
        disk.sync(&removed).unwrap();
        disk.remove("removed", false).unwrap();
        let named = disk.open("named", true, false).unwrap();
        disk.write(&named, 0, b"not synced").unwrap();
        disk.sync(&disk.open("journal", true, true).unwrap()).unwrap();
        disk.crash(|| false);
        assert_eq!(["removed", "named", "journal"].map(|name| disk.exists(name)), [false, true, true]);
        assert_eq!(content(&disk, "named").unwrap(), "");
    }

    #[test]
    fn a_torn_write_survives_in_sectors() {
        let disk = Disk::default();
        let handle = disk.open("a", true, false).unwrap();
        disk.sync(&handle).unwrap();
        disk.write(&handle, 100, &[b'x'; 1000]).unwrap();
        let mut n_parts = 0;
        disk.crash(|| {
            n_parts += 1;
            n_parts == 2
        });
        let text = content(&disk, "a").unwrap();
        assert_eq!((n_parts, text.len()), (3, 1024));
        assert!(text[..512].bytes().all(|b| b == 0) && text[512..].bytes().all(|b| b == b'x'));
    }

    #[test]
    fn faults_come_when_planned_and_go_when_healed() {
        let disk = Disk::default();
        let handle = disk.open("a", true, false).unwrap();
        disk.fail_after(1, Fault::Full, 1);
        let results = [0, 1, 2].map(|at| disk.write(&handle, at, b"x"));
        assert_eq!(results, [Ok(()), Err(Refused::Fault(Fault::Full)), Ok(())]);
        assert!(disk.heal());
        assert!(!disk.heal());
    }

    #[test]
    fn locks_exclude_each_other() {
        let disk = Disk::default();
        let (a, b) = (disk.open("a", true, false).unwrap(), disk.open("a", true, false).unwrap());
        disk.lock(&a, Lock::Shared).unwrap();
        disk.lock(&b, Lock::Shared).unwrap();
        disk.lock(&a, Lock::Reserved).unwrap();
        assert_eq!(disk.lock(&b, Lock::Reserved), Err(Refused::Busy));
        assert!(disk.is_reserved(&b).unwrap());
        assert_eq!(disk.lock(&a, Lock::Exclusive), Err(Refused::Busy));
        disk.unlock(&b, Lock::None).unwrap();
        assert_eq!(disk.lock(&b, Lock::Shared), Err(Refused::Busy), "a writer waits");
        disk.lock(&a, Lock::Exclusive).unwrap();
        disk.lock_log(&a, 0b11, false).unwrap();
        disk.lock_log(&b, 0b10, false).unwrap();
        assert_eq!(disk.lock_log(&b, 0b01, true), Err(Refused::Busy));
        disk.unlock_log(&a, 0b11);
        disk.lock_log(&b, 0b01, true).unwrap();
        disk.close(&b);
        disk.lock_log(&a, 0b11, true).unwrap();
    }
}
