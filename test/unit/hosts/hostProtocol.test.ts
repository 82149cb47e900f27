import { describe, expect, it } from 'vitest';
import type { Progress } from '../../../machines/ports.ts';
import { lineReader } from '../../../src/hosts/host/lines.ts';
import { boundedProgress } from '../../../src/hosts/host/programSigns.ts';
import {
  boundedExit,
  EVIDENCE_CHARACTERS_MAX,
  PROTOCOL,
  parseToHost,
  parseToSupervisor,
  type ToHost,
  writeMessage,
} from '../../../src/hosts/host/protocol.ts';

const START: ToHost = {
  type: 'start',
  job: {
    id: 'a',
    attempt: 2,
    spec: {
      url: 'https://origin.test/live.m3u8',
      quality: ['best'],
      durationMs: 1_000,
      headers: { cookie: 'x' },
      recorder: 'ffmpeg',
      audioOnly: true,
      cookies: '# Netscape HTTP Cookie File',
      reach: ['10.0.0.0/8'],
      bytesPerSecondMax: 1_000_000,
      watch: { firstMediaMs: 5_000, staleMs: 4_000 },
      waitMs: 0,
      patienceMs: 1,
      output: '/tmp/',
      keepSegments: false,
    },
  },
  directory: '/rec/a',
};

describe('lineReader', () => {
  it('puts lines together from pieces cut anywhere, also within a character', () => {
    const bytes = Buffer.from('erste\nzweite mit ü\n\nletzte');
    for (let size = 1; size <= bytes.length; size += 1) {
      const read = lineReader(100);
      const lines: string[] = [];
      for (let at = 0; at < bytes.length; at += size)
        lines.push(...read(bytes.subarray(at, at + size)));
      expect(lines).toEqual(['erste', 'zweite mit ü', '']);
    }
  });

  it('does not depend on the buffer that it was given', () => {
    const read = lineReader(100);
    const buffer = Buffer.from('abc');
    read(buffer);
    buffer.fill('x');
    expect(read(Buffer.from('d\n'))).toEqual(['abcd']);
  });

  it('takes a line of just the limit and refuses a longer one, whole or not', () => {
    expect(lineReader(3)(Buffer.from('abc\n'))).toEqual(['abc']);
    expect(() => lineReader(3)(Buffer.from('abcd\n'))).toThrow(RangeError);
    const read = lineReader(3);
    read(Buffer.from('ab'));
    expect(() => read(Buffer.from('cd'))).toThrow(RangeError);
  });
});

describe('the signs of a program', () => {
  const signs = {
    run: 2,
    agedMs: 1_000,
    egressBytes: 3,
    outputBytes: 4,
    mediaMs: 5,
    recordedMs: 6,
    cpuMs: 7,
    isFrozen: true,
    targetMs: 2_000,
    isExcused: false,
    stray: { sign: 'temp', file: 'show.temp.mp4' },
  };
  const numbers = { beats: 1, bytes: 2, advertised: 3, settled: 4 };
  const told = (progress: Progress) =>
    parseToSupervisor(
      writeMessage({ type: 'progress', recorders: [{ jobId: 'a', attempt: 1, progress }] }),
    );

  it('are carried unchanged, with those that are not always there and without', () => {
    const { stray: _, targetMs: __, ...always } = signs;
    for (const program of [signs, always]) {
      const progress = { ...numbers, program };
      expect(boundedProgress(progress)).toEqual(progress);
      expect(told(progress)).toMatchObject({ recorders: [{ progress }] });
    }
  });

  it('stay small and readable whatever a recorder says', () => {
    const program = {
      ...signs,
      cpuMs: Number.NaN,
      mediaMs: Number.POSITIVE_INFINITY,
      targetMs: Number.NaN,
      stray: { sign: 's'.repeat(1_000), file: 'f'.repeat(100_000) },
    };
    const line = writeMessage({
      type: 'progress',
      recorders: [{ jobId: 'a', attempt: 1, progress: boundedProgress({ ...numbers, program }) }],
    });
    expect(line.length).toBeLessThan(1_000);
    expect(parseToSupervisor(line)).toMatchObject({
      recorders: [{ progress: { program: { cpuMs: 0, mediaMs: 0, run: 2 } } }],
    });
  });

  it('are not there for a native recorder', () => {
    expect(boundedProgress(numbers)).toEqual(numbers);
  });
});

describe('protocol', () => {
  it('carries an order unchanged, on one line', () => {
    const line = writeMessage(START);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(parseToHost(line)).toEqual(START);
  });

  it('carries fields of the spec that a later version has added', () => {
    const spec = { ...START.job.spec, chat: 'all' };
    const order = { ...START, job: { ...START.job, spec } };
    expect(parseToHost(writeMessage(order))).toEqual(order);
  });

  it.each([
    ['no JSON', 'start a'],
    ['an unknown type', '{"type":"format"}'],
    ['a missing field', '{"type":"kill","jobId":"a"}'],
    ['a wrong type', '{"type":"acknowledge","jobId":"a","attempt":"1"}'],
    [
      'a spec without a URL',
      '{"type":"start","directory":"/","job":{"id":"a","attempt":1,"spec":{}}}',
    ],
  ])('refuses %s', (_, line) => {
    expect(() => parseToHost(line)).toThrow();
    expect(() => parseToSupervisor(line)).toThrow();
  });

  it('recognises the hello of another version whatever else it says', () => {
    const line = JSON.stringify({ type: 'hello', protocol: PROTOCOL + 1, streams: 'new' });
    expect(parseToSupervisor(line)).toEqual({ type: 'foreign', protocol: PROTOCOL + 1 });
  });

  it('cuts long evidence, and survives evidence that is no JSON', () => {
    const exit = { kind: 'failed', why: 'x', retryable: true } as const;
    const long = boundedExit({ ...exit, evidence: { body: 'y'.repeat(100_000) } });
    expect(JSON.stringify(long).length).toBeLessThan(2 * EVIDENCE_CHARACTERS_MAX);
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    expect(boundedExit({ ...exit, evidence: { cyclic } }).evidence).toHaveProperty('unreadable');
    const short = { ...exit, evidence: { status: 404 } };
    expect(boundedExit(short)).toEqual(short);
  });
});
