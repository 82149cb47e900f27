import { ledgerOf } from '../../../src/jobs/recordings.ts';
import { proofOf } from '../../../src/ledger/proof.ts';
import type { OriginStream } from '../../support/origin/originStream.ts';
import { reconcile } from '../../support/origin/reconcile.ts';
import type { NodeEnded } from './protocol.ts';

/** What one recording came to. */
export interface Account {
  readonly show: string;
  readonly advertised: number;
  readonly stored: number;
  /** Named as lost. */
  readonly lost: number;
  readonly attempts: number;
  /** Lost although it was to be had: `index cause`. */
  readonly needless: readonly string[];
  /** Where it does not add up, or does not agree with the origin. Empty: it is the truth. */
  readonly flaws: readonly string[];
}

export interface AccountParts {
  readonly show: string;
  readonly stream: OriginStream;
  readonly recording: string;
  readonly unavoidable: ReadonlySet<number>;
  readonly ended: NodeEnded;
}

/** The origin of the soak never numbers anew, so a number names a segment whatever epoch a recorder counts. */
const ofOneEpoch = <Claim extends { readonly epoch: number }>(claims: readonly Claim[]): Claim[] =>
  claims.map((claim) => ({ ...claim, epoch: 0 }));

export async function accountOf(parts: AccountParts): Promise<Account> {
  const { show, stream, recording, unavoidable, ended } = parts;
  const ledger = await ledgerOf(recording);
  const proof = proofOf(ledger);
  const gaps = ledger.gaps();
  const [stored, lost] = [ofOneEpoch(ledger.segments()), ofOneEpoch(gaps)];
  const account = reconcile(stream, { stored, lost });
  const flaws: string[] = [];
  const complain = (what: string, indexes: readonly number[]): unknown =>
    indexes.length > 0 && flaws.push(`${what}: ${indexes.join(' ')}`);
  complain('advertised, but neither stored nor named', account.unaccounted);
  complain('claimed twice', account.twice);
  complain('stored with other bytes', account.wrong);
  if (account.invented.length > 0) flaws.push(`${account.invented.length} that never were`);
  if (proof.duplicates > 0) flaws.push(`${proof.duplicates} stored twice`);
  if (proof.ended?.why !== 'endlist') flaws.push(`ended by ${proof.ended?.why ?? 'nothing'}`);
  const named = proof.lost.reduce((sum, one) => sum + one.count, 0);
  if (proof.advertised !== proof.stored + named) flaws.push('the proof does not add up');
  const exitCode = named > 0 ? 3 : 0;
  if (ended.exitCode !== exitCode) flaws.push(`exit code ${ended.exitCode}: ${ended.said}`);
  return {
    show,
    advertised: proof.advertised,
    stored: proof.stored,
    lost: named,
    attempts: proof.attempts,
    needless: gaps.flatMap(({ msn, count, cause }) =>
      Array.from({ length: count }, (_, step) => msn + step)
        .filter((index) => !unavoidable.has(index))
        .map((index) => `${index} ${cause}`),
    ),
    flaws,
  };
}
