import { isDeepStrictEqual } from 'node:util';
import { readJournal } from '../../../src/ledger/journal.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { proofOf } from '../../../src/ledger/proof.ts';
import type { GapCause, LedgerRecord, SegmentStored } from '../../../src/ledger/record.ts';
import { type EngineScript, SEGMENT_MS, type SourceTrouble } from './engineScript.ts';
import type { EngineWorld } from './engineWorld.ts';
import { contentOf } from './simTaker.ts';

/**
 * So long in one piece must source and recorder have been well while a segment was listed: time for a poll that is due in a
 * second and takes another, a retry after up to two, and a fetch.
 */
const GOOD_MS = 5_000;
/** The same of a source that only content can join: contents are compared at most every ten seconds, and what waits is tried anew after up to eight. */
const GOOD_STRANGER_MS = 20_000;

/** A failed try costs so much at most: the wait, and the answer. */
const RETRY_MS = 3_000;
/** A segment is tried while it can be in a window, and for two target durations more. */
const EXPIRY_SEGMENTS = 2;
/** Whoever goes on needs so long for a first look, latencies and one failed poll included. */
const LOOK_MS = 3_000;

/** The shortest time that a failing source is left alone for, and a poll. */
const REST_MS = 3_000;

/** A source that leads and lists nothing new for so long is taken for gone soon, and the other one leads. */
const LEAD_MS = 3_000;

/** What must be true of every recording, whatever befell it. */
export async function checkEngineAtEnd(world: EngineWorld): Promise<void> {
  const { violations, script } = world;
  if (world.end === undefined) {
    violations.push('every recording comes to an end: this one did not');
    return;
  }
  const { records, torn } = await journalOf(world);
  const ledger = new Ledger();
  for (const record of records) ledger.apply(record);
  if (torn) violations.push('a journal that was closed has no torn end');
  const proof = proofOf(ledger);
  const stored = ledger.segments().map((segment) => contentOf(segment.checksum));
  checkPromises(world, records);
  checkFiles(world, ledger.segments());
  if (proof.advertised !== proof.stored + proof.lost.reduce((sum, { count }) => sum + count, 0))
    violations.push('advertised = stored + lost');
  const isStored = new Set(stored);
  const twice = stored
    .filter((content, index) => stored.indexOf(content) !== index)
    .filter((content) => !mayBeTwice(world, records, content));
  if (twice.length > 0) violations.push(`nothing is stored twice: ${twice.join(', ')}`);
  checkSeen(world, ledger, records);
  checkLosses(world, isStored);
  checkLook(world);
  for (const { cause, detail } of ledger.gaps())
    if (!mayCause(script, cause)) violations.push(`a gap names its true cause: ${cause} ${detail}`);
  if (world.end.why !== 'endlist' && world.end.why !== 'stopped' && isCalm(script))
    violations.push(`a stream that ends well is not called ${world.end.why}`);
}

const journalOf = (world: EngineWorld) => readJournal('/recording', 0, world.disk.openHealthy);

/** Whatever was promised to be durable is in the journal. */
function checkPromises(world: EngineWorld, records: readonly LedgerRecord[]): void {
  const lines = new Set(records.map((record) => JSON.stringify(record)));
  for (const record of world.acknowledged) {
    if (lines.has(JSON.stringify(record))) continue;
    // Numbers may be written in another order of fields; then the slow comparison tells.
    if (records.some((one) => isDeepStrictEqual(one, record))) continue;
    world.violations.push(`what was acknowledged stays: ${JSON.stringify(record)}`);
  }
}

/** Every file that a line names is there, with the content that the line says. */
function checkFiles(world: EngineWorld, segments: readonly SegmentStored[]): void {
  for (const { file, checksum } of segments) {
    const found = world.disk.contentOf(file);
    if (found !== checksum)
      world.violations.push(`a line names a file that is there and whole: ${file} ${found}`);
  }
}

/**
 * Better twice than lost: a source that only content can join (other names, no dates) opens an epoch when it has to lead and its content
 * cannot be had, and what was still on its way then may arrive after all.
 */
function mayBeTwice(
  { script: { second, dates, sick }, durableAt }: EngineWorld,
  records: readonly LedgerRecord[],
  content: number,
): boolean {
  if (second === undefined || second.sameNames || dates) return false;
  if (sick.some((one) => one.content === content)) return true;
  const copies = records.flatMap((one) =>
    one.t === 'segment' && contentOf(one.checksum) === content ? [one] : [],
  );
  return records.some(
    (one) =>
      one.t === 'epoch' &&
      one.why === 'source' &&
      copies.some(({ epoch }) => epoch === one.epoch) &&
      // A line may have become durable without anybody being told, just before the recorder died.
      copies.every(({ epoch, msn, at }) => (durableAt.get(`${epoch}/${msn}`) ?? at) >= one.at),
  );
}

/** What a recorder was shown is stored or named, and nothing else is named. */
function checkSeen(world: EngineWorld, ledger: Ledger, records: readonly LedgerRecord[]): void {
  const { violations, script } = world;
  const unsettled = ledger.unsettled('main');
  if (unsettled.length > 0)
    violations.push(`no number is passed over: ${JSON.stringify(unsettled)} are open`);
  const isStored = new Set(ledger.segments().map(({ checksum }) => contentOf(checksum)));
  const { named, unplaced } = namedContents(world, records);
  const excused = excusedContents(world, records);
  const missing = [...world.seen.keys()].filter(
    (content) => !isStored.has(content) && !named.has(content) && !excused.has(content),
  );
  if (missing.length > unplaced)
    violations.push(
      `what was shown is stored or named: ${missing.join(', ')} are neither, ${unplaced} are named without a place`,
    );
  if (hasStreamEvents(script)) return;
  const invented = [...named].filter((content) => content < 0 || content >= script.endsAt);
  if (invented.length > 0)
    violations.push(`no loss is invented: ${invented.join(', ')} were never made`);
  // What one source could not give and another did under numbers that nothing joins is named, and stored as well.
  const { second, dates } = script;
  if (second !== undefined && !second.sameNames && !dates) return;
  const produced = script.endsAt - isStored.size;
  if (ledger.lost > produced)
    violations.push(`no loss is invented: ${ledger.lost} are named, ${produced} are missing`);
}

/**
 * The contents that gaps name, and how many gaps name what no content of their epoch tells. How far the numbers of an epoch are from
 * their contents is the same for all of it. Only where the stream itself moved, and nothing that was listed before was listed after
 * that, or a new life had nothing to compare with, may moved numbers be taken for those that are known: nobody could tell.
 */
function namedContents(world: EngineWorld, records: readonly LedgerRecord[]) {
  const { violations, script } = world;
  const isBridged = script.stream.every(({ atMs }) => isOverlapping(world, atMs));
  const told = new Map<LedgerRecord, number>();
  let known = new Map<number, number>();
  for (const one of records) {
    if (one.t === 'attempt' && hasStreamEvents(script)) known = new Map();
    if (one.t !== 'segment') continue;
    const content = contentOf(one.checksum);
    const offset = (isBridged ? known.get(one.epoch) : undefined) ?? one.msn - content;
    known.set(one.epoch, offset);
    told.set(one, offset);
    if (one.msn - content !== offset)
      violations.push(
        `numbers of an epoch belong together: ${one.msn} of epoch ${one.epoch} is content ${content}, not ${one.msn - offset}`,
      );
  }
  const named = new Set<number>();
  let unplaced = 0;
  for (const [index, one] of records.entries()) {
    if (one.t !== 'gap') continue;
    // As the same life took the numbers; where it stored nothing, as those before it or after it did.
    const offset = [...lifeOf(records, index), ...records.slice(0, index).toReversed(), ...records]
      .filter((other) => other.t === 'segment' && other.epoch === one.epoch)
      .map((other) => told.get(other))[0];
    if (offset === undefined) unplaced += one.count;
    else for (let msn = one.msn; msn < one.msn + one.count; msn++) named.add(msn - offset);
  }
  return { named, unplaced };
}

/** The lines of the life that wrote this one, the nearest before it first. */
function lifeOf(records: readonly LedgerRecord[], index: number): LedgerRecord[] {
  const from = records.findLastIndex((one, at) => at <= index && one.t === 'attempt');
  const to = records.findIndex((one, at) => at > index && one.t === 'attempt');
  return [
    ...records.slice(Math.max(0, from), index).toReversed(),
    ...records.slice(index, to < 0 ? undefined : to),
  ];
}

/** Whether something that was listed before this time was listed after it as well. */
function isOverlapping({ shown }: EngineWorld, time: number): boolean {
  const contents = (isOf: (asOf: number) => boolean) =>
    shown.filter(({ asOf }) => isOf(asOf)).map(({ content }) => content);
  return (
    Math.max(...contents((asOf) => asOf < time)) >= Math.min(...contents((asOf) => asOf >= time))
  );
}

/**
 * What nobody could know any more, each for its reason and no more than that:
 * - What a recorder was shown just before it died, when the journal does not have it yet, can only be told from how the numbers
 *   go on. Where they did not (another epoch was opened, or nobody answered until the end), and what was not shown again, is unknown.
 * - The same where the stream moved meanwhile and nothing of the epoch is stored that the new numbers could be compared with.
 * - Where the stream itself moved, the same goes for what only a source had listed that was not joined: another one leads.
 * - At a stop, a source may be ahead whose numbers cannot be joined (yet) while another leads: the leader had not listed it.
 */
function excusedContents(world: EngineWorld, records: readonly LedgerRecord[]): Set<number> {
  const excused = new Set<number>();
  for (const { life, epoch, next, stored } of world.beginnings) {
    if (epoch === undefined) continue;
    const wentOn = records.some(
      (one) =>
        (one.t === 'segment' || one.t === 'gap') && one.epoch === epoch && one.msn >= (next ?? 0),
    );
    if (wentOn && (stored > 0 || !hasStreamEvents(world.script))) continue;
    const again = new Set(world.shown.filter((one) => one.life >= life).map((one) => one.content));
    for (const one of world.shown)
      if (one.life < life && !again.has(one.content)) excused.add(one.content);
  }
  if (world.script.second === undefined) return excused;
  if (world.script.second.dual && hasStreamEvents(world.script)) {
    const sourcesOf = (content: number) =>
      new Set(world.shown.filter((one) => one.content === content).map(({ source }) => source));
    for (const content of world.seen.keys())
      if (sourcesOf(content).size === 1) excused.add(content);
  }
  if (world.end?.why !== 'stopped') return excused;
  const ends = [0, 1].map((source) =>
    Math.max(...world.shown.filter((one) => one.source === source).map(({ content }) => content)),
  );
  const shared = Math.min(...ends);
  if (!Number.isFinite(shared)) return excused;
  const since = (world.script.stopAtMs ?? 0) - LEAD_MS;
  for (const { content } of world.shown)
    if (content > shared && (world.seen.get(content) ?? 0) > since) excused.add(content);
  return excused;
}

/** Whoever goes on with a recording looks at what there is before it ends it, also when it was told to stop. */
function checkLook(world: EngineWorld): void {
  const last = world.beginnings.at(-1);
  if (last === undefined || last.life === 1 || last.epoch === undefined) return;
  const { troubles, disk } = world.script;
  const wasWell = [...troubles, ...disk].every(
    ({ atMs, forMs }) => atMs > last.at + LOOK_MS || atMs + forMs < last.at,
  );
  if (!wasWell || world.looked.has(last.life)) return;
  world.violations.push('a life that goes on looks before it ends');
}

/** Nothing that could be had is lost. */
function checkLosses(world: EngineWorld, isStored: ReadonlySet<number>): void {
  const { script } = world;
  if (hasStreamEvents(script)) return;
  const lost = [...world.seen.keys()].filter((content) => !isStored.has(content));
  for (const content of lost) {
    if (couldBeHad(world, content))
      world.violations.push(`what could be had is not lost: content ${content}`);
  }
}

function couldBeHad(world: EngineWorld, content: number): boolean {
  const { script } = world;
  const { second, dates } = script;
  const sources = second?.dual === true ? [0, 1] : [0];
  const isStranger = second !== undefined && !second.sameNames && !dates;
  return sources.some((source) => {
    const sick = script.sick.filter((one) => one.source === source && one.content === content);
    let spoiltMs = 0;
    for (const { times, how } of sick) {
      if (times === 'always' || how === 'hang' || how === 'marked') return false;
      spoiltMs += times * RETRY_MS;
    }
    // Listed from when it is whole; the newest is listed at once in this origin.
    const from = Math.max(content * SEGMENT_MS, world.seen.get(content) ?? 0);
    // Once one source has said that the stream is over, another that was away is not asked again.
    const heardAt = second === undefined ? Number.POSITIVE_INFINITY : script.endsAt + 1;
    const listedUntil = content + script.window + EXPIRY_SEGMENTS;
    const until = Math.min(listedUntil, heardAt) * SEGMENT_MS;
    const bad = [
      ...script.troubles
        .filter((one) => one.source === source)
        .map((one) => restedAfter(one, second)),
      ...script.disk,
      ...(script.stopAtMs === undefined
        ? []
        : [{ atMs: script.stopAtMs, forMs: Number.POSITIVE_INFINITY }]),
    ].map(({ atMs, forMs }) => ({ from: atMs, to: atMs + forMs }));
    const leastMs = source === 1 && isStranger ? GOOD_STRANGER_MS : GOOD_MS;
    return longestGood(from, until, [...bad, ...world.deadSpans]) >= leastMs + spoiltMs;
  });
}

/**
 * A source that fails while another leads is asked at intervals that double: of two that are both asked all the time, the second may be
 * left alone for as long again. Otherwise, the other one leads from then on.
 */
function restedAfter({ atMs, forMs, source }: SourceTrouble, second: EngineScript['second']) {
  if (second === undefined) return { atMs, forMs };
  if (!second.dual) return { atMs, forMs: Number.POSITIVE_INFINITY };
  return { atMs, forMs: source === 0 ? forMs : 2 * forMs + REST_MS };
}

/** The longest time within a span that nothing bad touches, milliseconds. */
function longestGood(
  from: number,
  until: number,
  bad: readonly { readonly from: number; readonly to: number }[],
): number {
  let longest = 0;
  let at = from;
  for (const one of bad.toSorted((a, b) => a.from - b.from)) {
    if (one.from > at) longest = Math.max(longest, Math.min(one.from, until) - at);
    at = Math.max(at, one.to);
  }
  return Math.max(longest, until - at);
}

const hasStreamEvents = ({ stream }: EngineScript): boolean => stream.length > 0;

const isCalm = ({ troubles, disk, deaths, sick }: EngineScript): boolean =>
  troubles.length + disk.length + deaths.length + sick.length === 0;

/** Whether anything in the script can be the reason that a gap gives. */
function mayCause(script: EngineScript, cause: GapCause): boolean {
  const how = (name: string) => script.sick.some((one) => one.how === name);
  const trouble = (name: string) => script.troubles.some((one) => one.kind === name);
  const slow = script.latencies.some((latency) => latency >= 500);
  switch (cause) {
    case 'marked':
      return how('marked');
    case 'disk':
      return script.disk.length > 0;
    case 'stopped':
      return script.stopAtMs !== undefined;
    case 'truncated':
      return how('truncated');
    case 'timeout':
      return how('hang') || trouble('hang') || script.disk.length > 0;
    case 'network':
      return trouble('down') || trouble('hang') || trouble('html');
    case 'http.500':
      return how('status') || how('marked');
    case 'http.404':
      return (
        hasStreamEvents(script) ||
        script.deaths.length + script.disk.length > 0 ||
        // What is refused otherwise is tried until the origin has deleted it.
        script.sick.length > 0 ||
        slow ||
        script.troubles.length > 0
      );
    case 'window.slid':
      return (
        script.deaths.length + script.troubles.length + script.disk.length > 0 ||
        hasStreamEvents(script) ||
        slow
      );
    case 'invalid':
      // Nothing that this origin serves is no media.
      return false;
    case 'recorder.down':
    case 'skipped':
      // Gaps between the media of programs; the engine knows of numbers.
      return false;
    default:
      return false;
  }
}
