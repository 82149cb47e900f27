import { describe, expect, it } from 'vitest';
import { jobSpec } from '../../../src/jobs/jobRequest.ts';
import { renewedSpec } from '../../../src/jobs/renewedSpec.ts';

const url = 'http://a.test/live.m3u8';
const held = jobSpec({
  url,
  fallbacks: ['http://b.test/', 'http://c.test/'],
  headers: { referer: 'http://old.test/' },
  patienceMs: 7_000,
});
const renewed = (asked: Omit<Parameters<typeof jobSpec>[0], 'url'>) =>
  renewedSpec(held, jobSpec({ url, ...asked }));

describe('the same command, given again', () => {
  it('changes nothing where it does not say anything new', () => {
    expect(renewed({})).toEqual({ spec: held, changed: [] });
    expect(renewed({ fallbacks: ['http://c.test/'] }).changed).toEqual([]);
  });

  it('brings new headers and another proxy in the place of the old ones', () => {
    const { spec, changed } = renewed({ headers: { cookie: 'x=1' }, proxy: 'http://p.test/' });
    const reach = [...(held.reach ?? []), 'p.test:80'];
    expect(spec).toEqual({ ...held, headers: { cookie: 'x=1' }, proxy: 'http://p.test/', reach });
    expect(changed).toEqual(['headers', 'proxy']);
  });

  it('brings new links behind those that there are, whose numbers stand in the journal', () => {
    const { spec, changed } = renewed({
      fallbacks: ['http://d.test/', 'http://b.test/'],
      dual: true,
    });
    expect(spec.fallbacks).toEqual(['http://b.test/', 'http://c.test/', 'http://d.test/']);
    expect([spec.dual, changed]).toEqual([true, ['fallbacks', 'dual']]);
  });

  it('brings no more links than a job may have', () => {
    const many = Array.from({ length: 7 }, (_, number) => `http://${number}.test/`);
    expect(renewed({ fallbacks: many }).spec.fallbacks).toHaveLength(7);
  });

  it('brings new cookies and limits, and reaches what either command names', () => {
    const { spec, changed } = renewed({
      cookies: 'a.test\tTRUE\t/\tTRUE\t0\tsid\tabc\n',
      allow: ['10.0.0.0/8'],
      watch: { staleMs: 5_000 },
      bytesPerSecondMax: 1_000,
    });
    expect(spec).toMatchObject({
      reach: [
        ...['a.test:80', 'b.test:80', 'c.test:80', 'a.test:443', 'b.test:443', 'c.test:443'],
        '10.0.0.0/8',
      ],
      watch: { staleMs: 5_000 },
    });
    expect(changed).toEqual(['cookies', 'reach', 'bytesPerSecondMax', 'watch']);
    const again = renewedSpec(spec, jobSpec({ url, watch: { firstMediaMs: 9 } }));
    expect(again.spec.watch).toEqual({ staleMs: 5_000, firstMediaMs: 9 });
    expect(again.spec.cookies).toBe(spec.cookies);
  });
});
