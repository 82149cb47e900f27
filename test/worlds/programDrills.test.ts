import { expect } from 'vitest';
import { DRILL_KINDS } from '../support/worlds/drills/drillKinds.ts';
import { drillTable, rowOf } from '../support/worlds/drills/drillReport.ts';
import { judgeDrill } from '../support/worlds/drills/judgeDrill.ts';
import { FAULTS_MAX, runDrill } from '../support/worlds/drills/runDrill.ts';
import { testWithTools } from '../support/worlds/testWith.ts';
import { findWorldTools } from '../support/worlds/worldTools.ts';

/*
 * Programs are killed, stopped, and replaced by ones that misbehave, while they record. Each time the recording goes on, its reason
 * is told, nothing is left behind, and the finished file has what the proof says. KENNEL_DRILLS: faults of each kind (4); the
 * times, which a shared machine spoils, are printed here and judged by `npm run drills:programs -- 50`.
 */

const testWith = testWithTools(await findWorldTools());
const FAULTS = Number(process.env['KENNEL_DRILLS'] ?? FAULTS_MAX);
/** How long recovery may take at worst on a machine that is doing something else, milliseconds: windows are as long. */
const MEDIA_WITHIN_MS = 10_000;

for (const kind of DRILL_KINDS) {
  testWith(
    `${kind.name}: the recording goes on or ends with its reason, and its proof is true`,
    kind.needs,
    async (tools) => {
      const drilled = [];
      for (let left = FAULTS; left > 0; left -= FAULTS_MAX) {
        drilled.push(await runDrill(kind, { tools, faults: Math.min(left, FAULTS_MAX) }));
      }
      process.stdout.write(`${drillTable([rowOf(kind.name, drilled)])}\n`);
      for (const one of drilled) {
        expect(judgeDrill(kind, one), one.story).toEqual([]);
        for (const { mediaMs = 0 } of one.faults)
          expect(mediaMs, one.story).toBeLessThan(MEDIA_WITHIN_MS);
      }
    },
  );
}
