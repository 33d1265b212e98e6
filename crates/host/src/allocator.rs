//! The C library's allocator, told to be sparing: a daemon lives long, and its load comes in bursts.
//!
//! By default each thread gets a heap of its own, and what one burst leaves free between things that stay is
//! never given back. With few heaps that are trimmed now and then, thousands of VMs cost what they hold and not
//! what it took to start them. Other C libraries are left as they are.

/// At most so many heaps.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const HEAPS: libc::c_int = 2;

/// From now on, few heaps; called before there are threads.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator has no other door")]
pub fn keep_few_heaps() {
    // SAFETY: it takes two numbers and touches nothing of ours; a value that it does not take changes nothing.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, HEAPS) };
}

/// Gives free memory back to the kernel. Takes milliseconds for each hundred megabytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator has no other door")]
pub fn trim() {
    // SAFETY: it may be called at any time from any thread, and moves nothing that is in use.
    unsafe { libc::malloc_trim(0) };
}

/// This C library's allocator is left as it is.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_few_heaps() {}

/// This C library's allocator is left as it is.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn trim() {}
