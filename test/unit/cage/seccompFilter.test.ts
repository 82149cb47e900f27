import { describe, expect, it } from 'vitest';
import { REFUSED_CALLS, seccompFilter } from '../../../src/cage/seccompFilter.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (code: number) => 0x00050000 + code;

interface Call {
  readonly audit: number;
  readonly number: number;
  readonly arguments?: readonly number[];
}

/** What the kernel's interpreter would answer (linux/Documentation/networking/filter.rst). */
function verdict(filter: Buffer, call: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.audit, 4);
  for (const [at, value] of (call.arguments ?? []).entries())
    data.writeUInt32LE(value, 16 + 8 * at);
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; ) {
    const code = filter.readUInt16LE(at * 8);
    const [ifTrue, ifFalse] = [filter.readUInt8(at * 8 + 2), filter.readUInt8(at * 8 + 3)];
    const value = filter.readUInt32LE(at * 8 + 4);
    at += 1;
    if (code === 0x06) return value;
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= value ? ifTrue : ifFalse;
    else if (code === 0x45) at += (accumulator & value) !== 0 ? ifTrue : ifFalse;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the filter has no end');
}

const MACHINES = [
  {
    name: 'x64',
    audit: 0xc000003e,
    clone: 56,
    clone3: 435,
    socket: 41,
    ioctl: 16,
    read: 0,
    execve: 59,
  },
  {
    name: 'arm64',
    audit: 0xc00000b7,
    clone: 220,
    clone3: 435,
    socket: 198,
    ioctl: 29,
    read: 63,
    execve: 221,
  },
];

describe.each(MACHINES)('the seccomp filter of $name', (machine) => {
  const { audit } = machine;
  const filter = seccompFilter(machine.name) ?? Buffer.alloc(0);
  const ask = (number: number, ...args: number[]) =>
    verdict(filter, { audit, number, arguments: args });

  it('refuses every call on its list, and lets programs read and start others', () => {
    for (const [name, x64, arm64] of REFUSED_CALLS) {
      const number = machine.name === 'x64' ? x64 : arm64;
      if (number !== undefined) expect([name, ask(number)]).toEqual([name, errno(1)]);
    }
    expect(ask(machine.read)).toBe(ALLOW);
    expect(ask(machine.execve)).toBe(ALLOW);
  });

  it('lets threads and processes be made, but no namespaces', () => {
    // What glibc asks for pthread_create, and for fork.
    expect(ask(machine.clone, 0x3d0f00)).toBe(ALLOW);
    expect(ask(machine.clone, 0x1200011)).toBe(ALLOW);
    for (const bit of [
      0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
    ]) {
      expect(ask(machine.clone, bit + 17)).toBe(errno(1));
    }
    // The C library takes this for an old kernel, and uses clone.
    expect(ask(machine.clone3)).toBe(errno(38));
  });

  it('lets sockets be made for the internet and this machine only', () => {
    for (const family of [1, 2, 10, 16]) expect(ask(machine.socket, family)).toBe(ALLOW);
    for (const family of [17, 38, 40]) expect(ask(machine.socket, family)).toBe(errno(97));
  });

  it('refuses to type into terminals', () => {
    expect(ask(machine.ioctl, 0, 0x5412)).toBe(errno(1));
    expect(ask(machine.ioctl, 0, 0x541c)).toBe(errno(1));
    expect(ask(machine.ioctl, 0, 0x5401)).toBe(ALLOW);
  });

  it('kills what calls by the numbers of another machine', () => {
    expect(verdict(filter, { audit: 0x40000003, number: machine.read })).toBe(KILL);
  });
});

describe('the seccomp filter', () => {
  it('knows no x32 calls on x86_64', () => {
    const filter = seccompFilter('x64') ?? Buffer.alloc(0);
    expect(verdict(filter, { audit: 0xc000003e, number: 0x40000000 + 101 })).toBe(errno(38));
  });

  it('is not there for machines whose numbers are not known', () => {
    expect(seccompFilter('riscv64')).toBeUndefined();
  });
});
