/**
 * System calls that no dyno needs and that reach deep into the kernel. A dyno has no
 * capabilities and may gain none, so most of these fail anyway; here they fail before any
 * of their code has run. New namespaces are refused above all, for inside one of its own a
 * process has every capability.
 */

const CLONE_NEW_NAMESPACES = 0x7e020080
const EPERM = 1
const ENOSYS = 38
/** Sockets to the hypervisor, and to the kernel's ciphers. */
const REFUSED_FAMILIES = [40, 38]

const refused = [
  'acct add_key adjtimex bpf clock_adjtime clock_settime delete_module fanotify_init',
  'finit_module fsconfig fsmount fsopen fspick init_module io_uring_enter io_uring_register',
  'io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie',
  'mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl',
  'open_by_handle_at open_tree perf_event_open pivot_root process_madvise quotactl',
  'quotactl_fd reboot request_key setns setdomainname sethostname settimeofday swapoff',
  'swapon sysfs syslog umount2 unshare uselib userfaultfd ustat vhangup',
].flatMap((line) => line.split(' '))

export type Architecture = 'x64' | 'arm64'

export function seccompProfile(architecture: Architecture) {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    // A call by another of the processor's interfaces (32-bit, x32) ends the process.
    architectures: [architecture === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'],
    syscalls: [
      { names: refused, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      // Its flags lie in memory, where a filter can't read them; libc then uses clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...bitsOf(CLONE_NEW_NAMESPACES).map((flag) => ({
        names: ['clone'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
        args: [{ index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }],
      })),
      ...REFUSED_FAMILIES.map((family) => ({
        names: ['socket'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
        args: [{ index: 0, value: family, op: 'SCMP_CMP_EQ' }],
      })),
    ],
  }
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: 31 }, (_, bit) => 2 ** bit).filter((bit) => mask & bit)
}
