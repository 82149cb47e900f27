import fc from 'fast-check';
import { expect, test } from 'vitest';
import { complaintBody, complaintSchema } from '../../../src/webhooks/complaint.ts';
import { BODY_BYTES_MAX, eventBody } from '../../../src/webhooks/webhookBody.ts';

const event = (data: Readonly<Record<string, unknown>>) => ({
  place: '12-34',
  tenantId: 'default',
  jobId: '01890a5d-ac96-774b-bcce-b302099a8057',
  type: 'job.moved',
  at: 1_700_000_000_000,
  data,
});

test('a body is the event, as it is', () => {
  const data = { from: 'pending', to: 'recording', evidence: { load: 0.5 } };
  expect(JSON.parse(eventBody(event(data)))).toEqual({
    type: 'job.moved',
    timestamp: '2023-11-14T22:13:20.000Z',
    tenantId: 'default',
    jobId: '01890a5d-ac96-774b-bcce-b302099a8057',
    place: '12-34',
    data,
  });
});

test('evidence that is too long is cut and says so; what is short stays', () => {
  const evidence = {
    log: 'x'.repeat(30_000),
    status: 503,
    list: Array.from({ length: 9_999 }, String),
  };
  const { data } = JSON.parse(eventBody(event({ to: 'failed', cause: 'job.kill', evidence })));
  expect(data).toMatchObject({ to: 'failed', cause: 'job.kill', truncated: true });
  expect(data.evidence).toMatchObject({ status: 503, truncated: true });
  expect(data.evidence.log).toMatch(/^x+…$/);
});

test('whatever the event is, the body is shorter than 20 kB, and JSON', () => {
  const letter = fc.constantFrom('x', '\u0001', '€', '😀', '\ud800', '"');
  const huge = fc.tuple(letter, fc.nat(20_000)).map(([one, count]) => one.repeat(count));
  const some = fc.oneof(fc.jsonValue({ maxDepth: 2 }), huge);
  const facts = fc.dictionary(fc.oneof(fc.string(), huge), some, { maxKeys: 30 });
  fc.assert(
    fc.property(facts, facts, (data, evidence) => {
      const body = eventBody(event({ ...data, evidence }));
      JSON.parse(body);
      return Buffer.byteLength(body) < BODY_BYTES_MAX;
    }),
    { numRuns: 60, seed: 7 },
  );
  const worst = Object.fromEntries(
    Array.from({ length: 99 }, (_, index) => [`${index}\u0001`.repeat(999), '\u0001'.repeat(999)]),
  );
  expect(Buffer.byteLength(eventBody(event({ ...worst, evidence: worst })))).toBeLessThan(
    BODY_BYTES_MAX,
  );
});

const OVERLOAD = {
  resource: 'cpu',
  explanation: 'the recordings would take 3.4 of 3.2 cores',
  limit: 3.2,
  expected: 3.1,
  needed: 0.3,
  fitsAt: 1_700_000_600_000,
};

test.each([
  ['itself', OVERLOAD],
  ['a part of it', { overload: OVERLOAD, other: 1 }],
])('a complaint has the numbers of the overload, when the evidence is %s', (_, evidence) => {
  const moved = {
    ...event({ to: 'rejected', cause: 'capacity', evidence }),
    sourceUrl: 'https://example.test/live',
  };
  const complaint = complaintSchema.parse(JSON.parse(complaintBody(moved, 'node-1')));
  const { fitsAt: _fitsAt, ...reason } = OVERLOAD;
  expect(complaint).toEqual({
    type: 'job.rejected',
    timestamp: '2023-11-14T22:13:20.000Z',
    data: {
      jobId: moved.jobId,
      tenantId: 'default',
      url: 'https://example.test/live',
      reason,
      cause: 'capacity',
      fitsAt: '2023-11-14T22:23:20.000Z',
      node: 'node-1',
    },
  });
});

test('a rejection without numbers is complained of all the same', () => {
  const moved = event({ to: 'rejected', cause: 'capacity', evidence: { resource: 7 } });
  const { data } = complaintSchema.parse(JSON.parse(complaintBody(moved, 'node-1')));
  expect(data).toMatchObject({ reason: {}, node: 'node-1' });
});
