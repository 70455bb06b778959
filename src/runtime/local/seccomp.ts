/**
 * The system calls that dynos may make. All others do not exist for them: a list of what is
 * refused would be open to every call that a new kernel brings. Those that a program may
 * reasonably try, and that need a privilege no dyno has, are refused for the want of it.
 *
 * POSIX message queues are none of theirs: all dynos and root would share the bytes of one user's.
 */

const CLONE_NEW_NAMESPACES = 0x7e020080
const EPERM = 1
const ENOSYS = 38
const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16 }
const NETLINK_ROUTE = 0
/** Packets, the kernel's ciphers, the hypervisor. */
const FAMILIES_OF_OTHERS = [17, 38, 40]
/** There are 16: this one is how large a core dump may be. */
const RESOURCES = Array.from({ length: 16 }, (_, resource) => resource)
const RLIMIT_CORE = 4
/** Linux as it is, and as x86 says it is to old 32-bit programs; all others are rarely tried. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]

const files = `access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3
  faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl
  fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate
  getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch ioctl lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek
  lsetxattr lstat memfd_create memfd_secret mkdir mkdirat mknod mknodat newfstatat open openat
  openat2 readahead readlink readlinkat removexattr rename renameat renameat2 rmdir sendfile
  setxattr splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate
  umask unlink unlinkat utime utimensat utimes vmsplice landlock_add_rule
  landlock_create_ruleset landlock_restrict_self`
const transfer = `pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv write writev
  io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit pipe pipe2 poll ppoll
  select pselect6 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait
  eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_gettime timerfd_settime`
const memory = `brk cachestat madvise map_shadow_stack membarrier mincore mlock mlock2 mlockall
  mmap mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
  remap_file_pages shmat shmctl shmdt shmget semctl semget semop semtimedop msgctl msgget msgrcv
  msgsnd`
const processes = `arch_prctl capget capset execve execveat exit exit_group fork futex futex_requeue
  futex_wait futex_waitv futex_wake get_robust_list get_thread_area getcpu getegid geteuid
  getgid getgroups getitimer getpgid getpgrp getpid getppid getpriority getrandom getresgid
  getresuid getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill pause
  pidfd_open pidfd_send_signal prctl process_mrelease process_vm_readv
  process_vm_writev ptrace restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask
  rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
  sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
  sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address
  setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid
  setreuid setsid setuid sigaltstack tgkill time times tkill uname vfork wait4 waitid
  sysinfo alarm clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep timer_create
  timer_delete timer_getoverrun timer_gettime timer_settime`
const network = `accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom
  recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt shutdown`
const unprivileged = `acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module
  fanotify_init finit_module fsconfig fsmount fsopen fspick get_mempolicy init_module
  io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load
  keyctl mbind migrate_pages mount mount_setattr move_mount move_pages name_to_handle_at
  open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_madvise quotactl
  quotactl_fd reboot request_key set_mempolicy set_mempolicy_home_node setdomainname
  sethostname setns settimeofday swapoff swapon syslog umount2 unshare userfaultfd vhangup`

export type Architecture = 'x64' | 'arm64'

export function seccompProfile(architecture: Architecture) {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    // A call by another of the processor's interfaces (32-bit, x32) ends the process.
    architectures: [architecture === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'],
    syscalls: [
      allowed([files, transfer, memory, processes, network].flatMap(namesIn)),
      { names: namesIn(unprivileged), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      // Its flags lie in memory, where a filter can't read them; libc then uses clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      // In a namespace of its own making a process has every capability.
      allowed(['clone'], noneOf(0, CLONE_NEW_NAMESPACES)),
      ...bitsOf(CLONE_NEW_NAMESPACES).map((bit) => refused('clone', allOf(0, bit))),
      ...PERSONALITIES.map((it) => allowed(['personality'], equal(0, it))),
      ...[AF.unix, AF.inet, AF.inet6].map((it) => allowed(['socket'], equal(0, it))),
      ...FAMILIES_OF_OTHERS.map((it) => refused('socket', equal(0, it))),
      // To know its own interfaces; the kernel's other talkers on netlink are none of its business.
      allowed(['socket'], equal(0, AF.netlink), equal(2, NETLINK_ROUTE)),
      // The kernel would load a module for whatever family is asked for.
      allowed(['socketpair'], equal(0, AF.unix)),
      ...RESOURCES.filter((it) => it !== RLIMIT_CORE).flatMap((it) => [
        allowed(['setrlimit'], equal(0, it)),
        allowed(['prlimit64'], equal(1, it)),
      ]),
      // See `NO_CORE_DUMP`: it can be asked for. Who sets it is told that it was set, for programs that want none
      // set it to 0, and end if they can't.
      allowed(['prlimit64'], equal(1, RLIMIT_CORE), equal(2, 0)),
      without('setrlimit', equal(0, RLIMIT_CORE)),
      without('prlimit64', equal(1, RLIMIT_CORE), unlike(2, 0)),
    ],
  }
}

interface Condition {
  readonly index: number
  readonly value: number
  readonly valueTwo: number
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_NE' | 'SCMP_CMP_MASKED_EQ'
}

function allowed(names: readonly string[], ...args: readonly Condition[]) {
  return { names, action: 'SCMP_ACT_ALLOW', ...(args.length > 0 ? { args } : {}) }
}

function refused(name: string, ...args: readonly Condition[]) {
  return { names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM, args }
}

/** It returns 0, and nothing was done. */
function without(name: string, ...args: readonly Condition[]) {
  return { names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: 0, args }
}

function equal(index: number, value: number): Condition {
  return { index, value, valueTwo: 0, op: 'SCMP_CMP_EQ' }
}

function unlike(index: number, value: number): Condition {
  return { index, value, valueTwo: 0, op: 'SCMP_CMP_NE' }
}

function noneOf(index: number, bits: number): Condition {
  return { index, value: bits, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }
}

function allOf(index: number, bits: number): Condition {
  return { index, value: bits, valueTwo: bits, op: 'SCMP_CMP_MASKED_EQ' }
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: 31 }, (_, bit) => 2 ** bit).filter((bit) => mask & bit)
}

function namesIn(text: string): string[] {
  return text.split(/\s+/)
}
