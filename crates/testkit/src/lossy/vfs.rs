//! SQLite's interface to a lossy disk: translates its C calls. Knows nothing of what the disk does with them.
#![allow(
    unsafe_code,
    reason = "SQLite's file system interface is a table of C functions; only tests use this one"
)]
// Safety, for all functions here: SQLite calls them with the `sqlite3_vfs` that `register` made and never freed, with
// `sqlite3_file` memory of the `szOsFile` bytes it asked for, between xOpen and xClose (SQLite calls nothing on a file whose
// `pMethods` is null), with zero-terminated names, and with buffers of the lengths it names. Each file is used by one
// connection, hence by one thread at a time; what connections share lies behind the disk's mutex, except the pages of the
// log's index, which SQLite itself guards with the locks and barriers it asks for here.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};

use libsqlite3_sys as ffi;

use super::Fault;
use super::disk::{Disk, Handle, Lock, Refused};

/// What SQLite knows as the file system.
struct Mounted {
    disk: Arc<Disk>,
    machine: *mut ffi::sqlite3_vfs,
    /// Pages of each log's index, by file and time of opening; kept until the process ends, as dead connections may look.
    log_index: Mutex<HashMap<(String, u64), Vec<*mut c_void>>>,
    n_unnamed: AtomicU64,
}

/// What SQLite knows as an open file.
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

struct Open {
    mounted: &'static Mounted,
    handle: Handle,
    is_temporary: bool,
}

/// Registers the disk under a new name, for as long as the process lives.
pub(super) fn register(disk: Arc<Disk>) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("lossy-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    // Safety: no arguments to get wrong; SQLite's own file system lives as long as the process.
    let machine = unsafe {
        ffi::sqlite3_initialize();
        ffi::sqlite3_vfs_find(ptr::null())
    };
    assert!(!machine.is_null(), "SQLite has a file system");
    let mounted = Mounted { disk, machine, log_index: Mutex::default(), n_unnamed: AtomicU64::new(0) };
    let c_name = CString::new(name.as_str()).expect("the name has no zero byte").into_raw();
    let vfs = ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<OpenFile>()).expect("a few words"),
        mxPathname: 1024,
        pNext: ptr::null_mut(),
        zName: c_name,
        pAppData: Box::into_raw(Box::new(mounted)).cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: None,
        xCurrentTimeInt64: Some(current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // Safety: the table, its name and its data are leaked and so live as long as the process.
    let registered = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) };
    assert_eq!(registered, ffi::SQLITE_OK, "SQLite takes another file system");
    name
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe fn mounted(vfs: *mut ffi::sqlite3_vfs) -> &'static Mounted {
    unsafe { &*(*vfs).pAppData.cast::<Mounted>() }
}

unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a Open {
    unsafe { &*(*file.cast::<OpenFile>()).open }
}

unsafe fn text(name: *const c_char) -> String {
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

fn code(result: Result<(), Refused>, when_broken: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Refused::Busy) => ffi::SQLITE_BUSY,
        Err(Refused::Missing) => ffi::SQLITE_CANTOPEN,
        Err(Refused::Fault(Fault::Full)) => ffi::SQLITE_FULL,
        Err(Refused::Fault(Fault::Broken) | Refused::Dead) => when_broken,
    }
}

fn offset(number: ffi::sqlite3_int64) -> usize {
    usize::try_from(number).expect("SQLite's offsets are not negative")
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let mounted = unsafe { mounted(vfs) };
    // Null methods tell SQLite not to close what was not opened.
    unsafe { (*file).pMethods = ptr::null() };
    let (name, is_temporary) = match name.is_null() {
        true => (format!("unnamed-{}", mounted.n_unnamed.fetch_add(1, Ordering::Relaxed)), true),
        false => (unsafe { text(name) }, flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0),
    };
    // As on Unix: the first sync of a journal syncs its folder.
    const JOURNALS: c_int =
        ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
    match mounted.disk.open(&name, create, create && flags & JOURNALS != 0) {
        Err(refused) => code(Err(refused), ffi::SQLITE_CANTOPEN),
        Ok(handle) => {
            let open = Box::into_raw(Box::new(Open { mounted, handle, is_temporary }));
            unsafe {
                (*file.cast::<OpenFile>()).open = open;
                (*file).pMethods = &raw const METHODS;
                if !flags_out.is_null() {
                    *flags_out = flags;
                }
            }
            ffi::SQLITE_OK
        }
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let open = unsafe { Box::from_raw((*file.cast::<OpenFile>()).open) };
    open.mounted.disk.close(&open.handle);
    if open.is_temporary && open.mounted.disk.is_alive(&open.handle) {
        // A file that is gone already is as good.
        let _: Result<(), Refused> = open.mounted.disk.remove(&open.handle.name, true);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    match unsafe { mounted(vfs) }.disk.remove(&unsafe { text(name) }, sync_dir != 0) {
        Err(Refused::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        result => code(result, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    result: *mut c_int,
) -> c_int {
    unsafe { *result = c_int::from(mounted(vfs).disk.exists(&text(name))) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    out_len: c_int,
    out: *mut c_char,
) -> c_int {
    let name = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if name.len() > usize::try_from(out_len).unwrap_or(0) {
        return ffi::SQLITE_CANTOPEN;
    }
    // Safety: `out` has `out_len` bytes, and the name fits.
    unsafe { ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len()) };
    ffi::SQLITE_OK
}

// The machine's own file system has these four.
unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, n: c_int, out: *mut c_char) -> c_int {
    let machine = unsafe { mounted(vfs) }.machine;
    unsafe { (*machine).xRandomness.map_or(0, |f| f(machine, n, out)) }
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, micros: c_int) -> c_int {
    let machine = unsafe { mounted(vfs) }.machine;
    unsafe { (*machine).xSleep.map_or(0, |f| f(machine, micros)) }
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    let machine = unsafe { mounted(vfs) }.machine;
    unsafe { (*machine).xCurrentTime.map_or(ffi::SQLITE_ERROR, |f| f(machine, out)) }
}

unsafe extern "C" fn current_time_int64(vfs: *mut ffi::sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    let machine = unsafe { mounted(vfs) }.machine;
    unsafe { (*machine).xCurrentTimeInt64.map_or(ffi::SQLITE_ERROR, |f| f(machine, out)) }
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    n: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let open = unsafe { opened(file) };
    let len = usize::try_from(n).unwrap_or(0);
    // Safety: SQLite's buffer may be uninitialised, so it is zeroed before it becomes a slice; short reads must be zeroed anyway.
    let buffer = unsafe {
        ptr::write_bytes(buffer.cast::<u8>(), 0, len);
        slice::from_raw_parts_mut(buffer.cast::<u8>(), len)
    };
    match open.mounted.disk.read(&open.handle, offset(at), buffer) {
        Ok(there) if there == len => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(refused) => code(Err(refused), ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    n: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let open = unsafe { opened(file) };
    let bytes = unsafe { slice::from_raw_parts(buffer.cast::<u8>(), usize::try_from(n).unwrap_or(0)) };
    code(open.mounted.disk.write(&open.handle, offset(at), bytes), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    let open = unsafe { opened(file) };
    code(open.mounted.disk.truncate(&open.handle, offset(size)), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    let open = unsafe { opened(file) };
    code(open.mounted.disk.sync(&open.handle), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut ffi::sqlite3_int64) -> c_int {
    let open = unsafe { opened(file) };
    match open.mounted.disk.size(&open.handle) {
        Ok(size) => {
            unsafe { *out = ffi::sqlite3_int64::try_from(size).expect("a file in memory") };
            ffi::SQLITE_OK
        }
        Err(refused) => code(Err(refused), ffi::SQLITE_IOERR_FSTAT),
    }
}

fn level(number: c_int) -> Lock {
    match number {
        ffi::SQLITE_LOCK_SHARED => Lock::Shared,
        ffi::SQLITE_LOCK_RESERVED => Lock::Reserved,
        ffi::SQLITE_LOCK_PENDING => Lock::Pending,
        ffi::SQLITE_LOCK_EXCLUSIVE => Lock::Exclusive,
        _ => Lock::None,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    let open = unsafe { opened(file) };
    code(open.mounted.disk.lock(&open.handle, level(wanted)), ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, down_to: c_int) -> c_int {
    let open = unsafe { opened(file) };
    code(open.mounted.disk.unlock(&open.handle, level(down_to)), ffi::SQLITE_IOERR_UNLOCK)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    let open = unsafe { opened(file) };
    match open.mounted.disk.is_reserved(&open.handle) {
        Ok(is_reserved) => {
            unsafe { *out = c_int::from(is_reserved) };
            ffi::SQLITE_OK
        }
        Err(refused) => code(Err(refused), ffi::SQLITE_IOERR_CHECKRESERVEDLOCK),
    }
}

unsafe extern "C" fn file_control(_file: *mut ffi::sqlite3_file, _op: c_int, _arg: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    // What the machine's own file system claims: a write changes nothing beside it.
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    page_bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    let open = unsafe { opened(file) };
    unsafe { *out = ptr::null_mut() };
    if !open.mounted.disk.is_alive(&open.handle) {
        return ffi::SQLITE_IOERR_SHMMAP;
    }
    let (page, bytes) = (usize::try_from(page).unwrap_or(0), usize::try_from(page_bytes).unwrap_or(0));
    let mut all = open.mounted.log_index.lock().unwrap_or_else(PoisonError::into_inner);
    let pages = all.entry((open.handle.name.clone(), open.handle.epoch())).or_default();
    while extend != 0 && pages.len() <= page {
        // Words, so that SQLite's atomics are aligned; leaked.
        let words = vec![0_u64; bytes.div_ceil(8)].into_boxed_slice();
        pages.push(Box::into_raw(words).cast());
    }
    unsafe { *out = pages.get(page).copied().unwrap_or(ptr::null_mut()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, first: c_int, n: c_int, flags: c_int) -> c_int {
    let open = unsafe { opened(file) };
    let mask = u8::try_from(((1_u32 << n) - 1) << first).expect("SQLite has eight of these locks");
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        open.mounted.disk.unlock_log(&open.handle, mask);
        return ffi::SQLITE_OK;
    }
    let is_exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    code(open.mounted.disk.lock_log(&open.handle, mask, is_exclusive), ffi::SQLITE_IOERR_SHMLOCK)
}

unsafe extern "C" fn shm_barrier(_file: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    let open = unsafe { opened(file) };
    open.mounted.disk.unlock_log(&open.handle, u8::MAX);
    if delete != 0 {
        let mut all = open.mounted.log_index.lock().unwrap_or_else(PoisonError::into_inner);
        // Forgotten, not freed: the next connection begins with new pages.
        all.remove(&(open.handle.name.clone(), open.handle.epoch()));
    }
    ffi::SQLITE_OK
}
