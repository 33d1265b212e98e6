//! The system calls that a jailed process is denied, as programs for the kernel's filter.
//!
//! VMMs load stricter filters of their own; this one takes from all of them what nobody in a jail needs:
//! what mounts, traces, loads, reboots, sets clocks, changes who may use a file, or opens a way back to the
//! host. What is denied answers "not permitted". Only calls of this machine's own instruction set are let
//! through. What is given to the kernel by rings is not seen here, so rings are for those who ask for them.

use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter};
use seccompiler::{SeccompRule, TargetArch};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use weft_ports::processes::Rings;

/// Denied whatever their arguments are.
const DENIED: &[libc::c_long] = &[
    // Mounts and roots.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // Who may use a file: what is lent belongs to another, whom the host trusts more.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
    // Other processes and namespaces.
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // The kernel.
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_syslog,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    libc::SYS_acct,
    libc::SYS_reboot,
    libc::SYS_vhangup,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    // Keys and clocks.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
];

// Calls of newer kernels, which have one number everywhere.
const FCHMODAT2: libc::c_long = 452;
const SETXATTRAT: libc::c_long = 463;
const REMOVEXATTRAT: libc::c_long = 466;

/// What gives the kernel work by rings.
const RINGS: &[libc::c_long] = &[libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// Kinds of socket: those that reach the network it has, and nothing that has none.
const SOCKETS: &[i32] = &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// Denied too where they are.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[libc::c_long] = &[
    libc::SYS_chmod,
    libc::SYS_kexec_file_load,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[libc::c_long] = &[];

/// Kinds of namespace that `clone` could make.
const NAMESPACES: &[i32] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// The programs in the order in which they are loaded, as the kernel has them.
pub(super) fn filters(rings: Rings) -> Result<&'static [Vec<u8>], &'static str> {
    static WITHOUT: OnceLock<Result<Vec<Vec<u8>>, String>> = OnceLock::new();
    static WITH: OnceLock<Result<Vec<Vec<u8>>, String>> = OnceLock::new();
    let (filters, denied) = match rings {
        Rings::None => (&WITHOUT, RINGS),
        Rings::Allowed => (&WITH, &[] as &[_]),
    };
    let built = filters
        .get_or_init(|| build(denied).map_err(|error| format!("no filter of system calls can be made: {error}")));
    built.as_deref().map_err(String::as_str)
}

fn build(further: &[libc::c_long]) -> Result<Vec<Vec<u8>>, seccompiler::BackendError> {
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    let all = DENIED.iter().chain(DENIED_HERE).chain(further);
    let mut denied: BTreeMap<_, _> = all.map(|call| (*call, Vec::new())).collect();
    denied.insert(libc::SYS_clone, NAMESPACES.iter().map(|kind| with_flag(*kind)).collect::<Result<_, _>>()?);
    let other = SOCKETS.iter().map(|kind| with(0, SeccompCmpOp::Ne, kind.unsigned_abs())).collect::<Result<_, _>>()?;
    denied.insert(libc::SYS_socket, vec![SeccompRule::new(other)?]);
    // Who opens a file with a lease on it waits for the holder, and we open files that it wrote.
    let lease = with(1, SeccompCmpOp::Eq, libc::F_SETLEASE.unsigned_abs())?;
    denied.insert(libc::SYS_fcntl, vec![SeccompRule::new(vec![lease])?]);
    // Without the limit that it was given, the host could keep its core.
    let core = |argument| with(argument, SeccompCmpOp::Eq, libc::RLIMIT_CORE);
    denied.insert(libc::SYS_setrlimit, vec![SeccompRule::new(vec![core(0)?])?]);
    let set = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
    denied.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![core(1)?, set])?]);
    // Its flags are in memory, where a filter cannot look: the C library then falls back to `clone`.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let mut programs = vec![program(denied, libc::EPERM, arch)?, program(unknown, libc::ENOSYS, arch)?];
    if arch == TargetArch::x86_64 {
        programs.push(OTHER_NUMBERS.to_vec());
    }
    Ok(programs.iter().map(|program| bytes(program)).collect())
}

/// An argument of 32 bits that compares so with this value.
fn with(argument: u8, how: SeccompCmpOp, value: u32) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, value.into())
}

/// A call whose first argument has this bit.
fn with_flag(flag: i32) -> Result<SeccompRule, seccompiler::BackendError> {
    let flag = u64::from(flag.unsigned_abs());
    let has = SeccompCmpOp::MaskedEq(flag);
    SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Qword, has, flag)?])
}

fn program(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    errno: i32,
    arch: TargetArch,
) -> Result<BpfProgram, seccompiler::BackendError> {
    let refusal = SeccompAction::Errno(errno.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refusal, arch)?.try_into()
}

/// On x86-64 every call has a second number, for programs with short pointers; none is let through by it.
const OTHER_NUMBERS: [seccompiler::sock_filter; 4] = {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7fff_0000;
    const REFUSE: u32 = 0x0005_0000 | libc::EPERM.unsigned_abs();
    const FIRST: u32 = 0x4000_0000;
    [
        seccompiler::sock_filter { code: LOAD_WORD, jt: 0, jf: 0, k: 0 },
        seccompiler::sock_filter { code: JUMP_IF_AT_LEAST, jt: 0, jf: 1, k: FIRST },
        seccompiler::sock_filter { code: RETURN, jt: 0, jf: 0, k: REFUSE },
        seccompiler::sock_filter { code: RETURN, jt: 0, jf: 0, k: ALLOW },
    ]
};

fn bytes(program: &[seccompiler::sock_filter]) -> Vec<u8> {
    let step = |step: &seccompiler::sock_filter| {
        let (code, value) = (step.code.to_ne_bytes(), step.k.to_ne_bytes());
        [code[0], code[1], step.jt, step.jf, value[0], value[1], value[2], value[3]]
    };
    program.iter().flat_map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_whole_steps_and_few_enough() {
        for program in [Rings::None, Rings::Allowed].into_iter().flat_map(|rings| filters(rings).unwrap()) {
            assert_eq!(program.len() % 8, 0);
            // The kernel takes 4096 steps at most.
            assert!((1..=4096).contains(&(program.len() / 8)), "{}", program.len());
        }
    }
}
