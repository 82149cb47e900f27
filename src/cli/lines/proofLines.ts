import type { NamedLoss, Proof } from '../../ledger/proof.ts';
import { bytesText } from '../bytes.ts';
import { clockText } from '../duration.ts';

/** What a recording has, for a person. */
export function proofLines(proven: Proof): string[] {
  const lost = proven.advertised - proven.stored;
  return [
    `job         ${proven.jobId}`,
    `advertised  ${proven.advertised} = stored ${proven.stored} + lost ${lost}; duplicates ${proven.duplicates}`,
    `media       ${clockText(proven.durationMs)}, ${bytesText(proven.bytes)}, in ${proven.attempts} attempts`,
    `rests on    ${basisText(proven)}`,
    `ended       ${proven.ended ? proven.ended.why : 'not yet'}`,
    `checksum    ${proven.checksum}`,
    ...proven.unheard.map(
      (track) => `unheard     ${track}: its playlist could not be read for a time, or ever`,
    ),
    ...proven.lost.map(gapLine),
  ];
}

function basisText({ basis, recorders }: Proof): string {
  const who = recorders.join(', ');
  if (recorders.length === 0) return 'nothing yet';
  return basis === 'playlist'
    ? `what the playlists offered (recorded by ${who})`
    : `the timestamps of what programs put out (recorded by ${who}): a program tells nobody what it was offered`;
}

const gapLine = ({ track, epoch, msn, count, cause, detail, durationMs }: NamedLoss): string =>
  `gap         ${track}, epoch ${epoch}, segment ${msn}${count > 1 ? ` to ${msn + count - 1}` : ''}, ` +
  `${clockText(durationMs)}: ${cause} (${detail})`;
