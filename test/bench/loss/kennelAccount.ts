import { ledgerOf } from '../../../src/jobs/recordings.ts';
import { type Proof, proofOf } from '../../../src/ledger/proof.ts';
import type { OriginStream } from '../../support/origin/originStream.ts';
import type { Ending } from './ending.ts';
import type { Stage } from './stage.ts';

/** What a recording's journal claims of the picture, in the origin's own indexes. */
export interface Account {
  readonly proof: Proof;
  /** Stored with the right bytes. */
  readonly stored: readonly number[];
  /** Stored with bytes that are no segment's of this show. */
  readonly strange: number;
  /** Named as lost, with the cause. */
  readonly named: ReadonlyMap<number, string>;
  /** Named as lost under a number that no stream of this show ever had. */
  readonly invented: number;
}

const MAIN_TRACK = 'main';

/** Reads the journal: the proof is made of nothing else. */
export async function accountOf(directory: string, stage: Stage): Promise<Account> {
  const ledger = await ledgerOf(directory);
  const streams = [stage.picture, ...(stage.other ? [stage.other] : [])];
  const byChecksum = new Map<string, number>();
  for (let index = 0; index < stage.picture.length; index++) {
    byChecksum.set(stage.picture.checksumOf(index, ledger.checksums), index);
  }
  const stored = ledger.segments(MAIN_TRACK).map(({ checksum }) => byChecksum.get(checksum));
  const named = new Map<number, string>();
  let invented = 0;
  for (const { epoch, msn, count, cause } of ledger.gaps().filter(isMain)) {
    for (let one = msn; one < msn + count; one++) {
      const index = indexOf(streams, epoch, one);
      if (index === undefined) invented++;
      else named.set(index, cause);
    }
  }
  return {
    proof: proofOf(ledger),
    stored: stored.filter((index) => index !== undefined),
    strange: stored.filter((index) => index === undefined).length,
    named,
    invented,
  };
}

const isMain = ({ track }: { readonly track: string }): boolean => track === MAIN_TRACK;

/** The origin counts an epoch for every change of its numbers; a recorder may have seen fewer, and other sources. */
function indexOf(streams: readonly OriginStream[], epoch: number, msn: number): number | undefined {
  for (const stream of streams) {
    for (let one = epoch; one >= 0; one--) {
      const index = stream.indexOf({ epoch: one, msn });
      if (index !== undefined) return index;
    }
  }
  return undefined;
}

const list = (indexes: readonly number[]): string => indexes.join(' ');

/** Where the account and the file, or the account and the origin, disagree. Empty: it is the truth. */
export function flawsOf(facts: {
  readonly stage: Stage;
  readonly account: Account;
  /** Indexes of which nothing is in the finished file. */
  readonly missing: readonly number[];
  readonly ending: Ending;
}): string[] {
  const { stage, account, missing, ending } = facts;
  const { proof, stored, named } = account;
  const flaws: string[] = [];
  const complain = (what: string, indexes: readonly number[]): unknown =>
    indexes.length > 0 && flaws.push(`${what}: ${list(indexes)}`);
  const advertised = stage.picture.truth().advertised.map(({ index }) => index);
  complain(
    'advertised, but neither stored nor named',
    advertised.filter((index) => !stored.includes(index) && !named.has(index)),
  );
  complain(
    'stored by its own account, but not in the file',
    stored.filter((index) => missing.includes(index)),
  );
  complain(
    'named as lost, but stored',
    [...named.keys()].filter((index) => stored.includes(index)),
  );
  if (account.strange > 0) flaws.push(`${account.strange} stored that the origin never had`);
  if (account.invented > 0) flaws.push(`${account.invented} named that the origin never had`);
  const { causes } = stage.scenario;
  for (const [index, cause] of named) {
    if (!(causes?.test(cause) ?? false)) flaws.push(`lost ${index} because of ${cause}`);
  }
  const expected = proof.lost.length > 0 ? 3 : 0;
  if (ending.exitCode !== expected) flaws.push(`exit code ${ending.exitCode}, not ${expected}`);
  return flaws;
}
