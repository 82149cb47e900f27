import type { Origin } from '../../support/origin/origin.ts';
import type { OriginStream } from '../../support/origin/originStream.ts';
import type { Reach } from '../../support/origin/reach.ts';
import { LIVE, type Scenario } from './scenario.ts';

/** A scenario set up for one recorder: its own streams with their own clock, which begins with the first request. */
export interface Stage {
  readonly scenario: Scenario;
  readonly recorder: string;
  /** What is to be recorded. */
  readonly url: string;
  /** Another link to the same, for recorders that can be given one. */
  readonly fallbackUrl: string | undefined;
  /** The host that cannot be resolved at times. */
  readonly host: string | undefined;
  readonly picture: OriginStream;
  readonly sound: OriginStream;
  readonly other: OriginStream | undefined;
  /** Of the streams this recorder is given: indexes that it could have had, see reach.ts. Takes a tenth of a second. */
  reach(): Pick<Reach, 'sure' | 'never'>;
}

export async function setStage(
  origin: Origin,
  scenario: Scenario,
  { recorder, hasFallback }: { recorder: string; hasFallback: boolean },
): Promise<Stage> {
  const own = (name: string): string => `${scenario.name}-${recorder}-${name}`;
  const clock = own('clock');
  if (scenario.door) await origin.open(own('main'), { ...scenario.door, clock });
  for (const [name, options] of Object.entries(scenario.streams)) {
    const door = scenario.door && name === 'main' ? { door: own('main') } : {};
    await origin.add(own(name), { ...LIVE, ...options, ...door, clock });
  }
  const { master, sound = 'main' } = scenario;
  if (master) {
    origin.addMaster(own('show'), {
      ...master,
      variants: master.variants.map((one) => ({ ...one, stream: own(one.stream) })),
      renditions: (master.renditions ?? []).map((one) => ({ ...one, stream: own(one.stream) })),
    });
  }
  const doorOfMain = scenario.door ? own('main') : undefined;
  const url = master
    ? origin.masterUrlOf(own('show'), doorOfMain)
    : origin.playlistUrl(own('main'));
  const host = scenario.unresolved && `${scenario.name}-${recorder}.kennel.test`;
  const fallback = hasFallback ? scenario.fallback?.stream : undefined;
  return {
    scenario,
    recorder,
    url: host === undefined ? url : url.replace('127.0.0.1', host),
    fallbackUrl: fallback && origin.playlistUrl(own(fallback)),
    host,
    picture: origin.stream(own('main')),
    sound: origin.stream(own(sound)),
    other: fallback === undefined ? undefined : origin.stream(own(fallback)),
    reach: () => {
      const one = origin.reach(own('main'));
      const two = fallback === undefined ? one : origin.reach(own(fallback));
      const sure = new Set([...one.sure, ...two.sure]);
      return { sure: [...sure], never: one.never.filter((index) => two.never.includes(index)) };
    },
  };
}
