/**
 * The system calls that programs in a cage are refused: a classic BPF program for seccomp(2), as `bwrap --seccomp` takes it.
 * Sources: seccomp(2), bpf's `linux/bpf_common.h` (opcodes), `linux/seccomp.h` (layout and return values), `linux/audit.h`
 * (architectures), `linux/sched.h` (CLONE_*), `asm/unistd_64.h` and `asm-generic/unistd.h` (numbers).
 */

/** `[name, number on x86_64, number on aarch64]`; undefined: that machine has no such call. */
type RefusedCall = readonly [name: string, x64: number, arm64: number | undefined];

/** What no recorder needs, and what has been the way out of sandboxes: other processes, namespaces and mounts, the kernel itself. */
export const REFUSED_CALLS: readonly RefusedCall[] = [
  ['ptrace', 101, 117],
  ['process_vm_readv', 310, 270],
  ['process_vm_writev', 311, 271],
  ['pidfd_getfd', 438, 438],
  ['kcmp', 312, 272],
  ['unshare', 272, 97],
  ['setns', 308, 268],
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['pivot_root', 155, 41],
  ['chroot', 161, 51],
  ['move_mount', 429, 429],
  ['open_tree', 428, 428],
  ['fsopen', 430, 430],
  ['fsconfig', 431, 431],
  ['fsmount', 432, 432],
  ['fspick', 433, 433],
  ['mount_setattr', 442, 442],
  ['open_by_handle_at', 304, 265],
  ['name_to_handle_at', 303, 264],
  ['bpf', 321, 280],
  ['perf_event_open', 298, 241],
  ['userfaultfd', 323, 282],
  ['io_uring_setup', 425, 425],
  ['io_uring_enter', 426, 426],
  ['io_uring_register', 427, 427],
  ['keyctl', 250, 219],
  ['add_key', 248, 217],
  ['request_key', 249, 218],
  ['kexec_load', 246, 104],
  ['kexec_file_load', 320, 294],
  ['init_module', 175, 105],
  ['finit_module', 313, 273],
  ['delete_module', 176, 106],
  ['swapon', 167, 224],
  ['swapoff', 168, 225],
  ['reboot', 169, 142],
  ['acct', 163, 89],
  ['quotactl', 179, 60],
  ['quotactl_fd', 443, 443],
  ['syslog', 103, 116],
  ['settimeofday', 164, 170],
  ['clock_settime', 227, 112],
  ['clock_adjtime', 305, 266],
  ['fanotify_init', 300, 262],
  ['lookup_dcookie', 212, 18],
  ['iopl', 172, undefined],
  ['ioperm', 173, undefined],
  ['modify_ldt', 154, undefined],
  ['uselib', 134, undefined],
];

interface Machine {
  /** AUDIT_ARCH_*. */
  readonly audit: number;
  readonly clone: number;
  readonly clone3: number;
  readonly socket: number;
  readonly ioctl: number;
  readonly refused: readonly number[];
}

const machineOf = (architecture: string): Machine | undefined => {
  if (architecture === 'x64') {
    const refused = REFUSED_CALLS.map(([, x64]) => x64);
    return { audit: 0xc000_003e, clone: 56, clone3: 435, socket: 41, ioctl: 16, refused };
  }
  if (architecture === 'arm64') {
    const refused = REFUSED_CALLS.flatMap(([, , arm64]) => (arm64 === undefined ? [] : [arm64]));
    return { audit: 0xc000_00b7, clone: 220, clone3: 435, socket: 198, ioctl: 29, refused };
  }
  return undefined;
};

/** NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: any new namespace. */
const CLONE_NEW_NAMESPACES = 0x7e02_0000;
/** Puts characters into the input of a terminal (`linux/tty`): would type into the operator's shell. */
const TIOCSTI = 0x5412;
/** The selection and keyboard of a virtual console, as TIOCSTI. */
const TIOCLINUX = 0x541c;
/** UNIX, INET, INET6 and NETLINK (which getaddrinfo asks for the addresses): others reach devices, hypervisors (VSOCK) or rare kernel code. */
const SOCKET_FAMILIES = [1, 2, 10, 16];
/** x32 calls on x86_64 have this bit and other numbers. */
const X32_BIT = 0x4000_0000;

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const errno = (code: number): number => 0x0005_0000 | code;

/** Opcodes: load a word of `seccomp_data`; jump when equal, when at least, when any bit is set; and; return. */
const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

/** Offsets in `seccomp_data`; the lower half of an argument comes first on both machines. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const ARGUMENT_0_AT = 16;
const ARGUMENT_1_AT = 24;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

const load = (offset: number): Instruction => [LOAD, 0, 0, offset];
const give = (verdict: number): Instruction => [RETURN, 0, 0, verdict];
/** The next instruction is done only when the comparison holds. */
const when = (comparison: number, value: number): Instruction => [comparison, 0, 1, value];

/** A block that is entered only for one call, and gives a verdict for it in any case. */
const forCall = (number: number, block: readonly Instruction[]): Instruction[] => [
  [JUMP_EQUAL, 0, block.length, number],
  ...block,
];

/** The filter as the kernel reads it, or undefined for a machine whose numbers are not known here. */
export function seccompFilter(architecture: string = process.arch): Buffer | undefined {
  const machine = machineOf(architecture);
  if (machine === undefined) return undefined;
  const program: Instruction[] = [
    load(ARCHITECTURE_AT),
    [JUMP_EQUAL, 1, 0, machine.audit],
    give(KILL_PROCESS),
    load(NUMBER_AT),
    ...(architecture === 'x64' ? [when(JUMP_AT_LEAST, X32_BIT), give(errno(ENOSYS))] : []),
    ...machine.refused.flatMap((number) => [when(JUMP_EQUAL, number), give(errno(EPERM))]),
    // Its flags are in memory, where BPF cannot look. The C library falls back to clone.
    ...forCall(machine.clone3, [give(errno(ENOSYS))]),
    ...forCall(machine.clone, [
      load(ARGUMENT_0_AT),
      when(JUMP_ANY_BIT, CLONE_NEW_NAMESPACES),
      give(errno(EPERM)),
      give(ALLOW),
    ]),
    ...forCall(machine.socket, [
      load(ARGUMENT_0_AT),
      ...SOCKET_FAMILIES.flatMap((family) => [when(JUMP_EQUAL, family), give(ALLOW)]),
      give(errno(EAFNOSUPPORT)),
    ]),
    ...forCall(machine.ioctl, [
      load(ARGUMENT_1_AT),
      ...[TIOCSTI, TIOCLINUX].flatMap((order) => [when(JUMP_EQUAL, order), give(errno(EPERM))]),
      give(ALLOW),
    ]),
    give(ALLOW),
  ];
  return assembled(program);
}

/** `struct sock_filter`: u16 code, u8 jt, u8 jf, u32 k, little-endian on both machines. */
function assembled(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [at, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(ifTrue, at * 8 + 2);
    bytes.writeUInt8(ifFalse, at * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, at * 8 + 4);
  }
  return bytes;
}
