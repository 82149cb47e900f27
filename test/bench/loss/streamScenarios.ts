import type { StreamOptions } from '../../support/origin/streamOptions.ts';
import { FAULT_MS, HIT, type Scenario } from './scenario.ts';

const main = (options: StreamOptions): Scenario['streams'] => ({ main: options });

const SEQUENCE: readonly Scenario[] = [
  {
    name: 'encoder-restart',
    class: 'sequence',
    what: 'the encoder restarts: numbers begin at 0 again, new names',
    short: true,
    streams: main({ startSequence: 700, renumberings: [{ kind: 'reset', at: HIT, to: 0 }] }),
    causes: /^window\.slid$/,
  },
  {
    name: 'encoder-restart-names',
    class: 'sequence',
    what: 'the encoder restarts: numbers begin at 0 again, and names that were used before',
    streams: main({ names: 'sequence', renumberings: [{ kind: 'reset', at: HIT, to: 0 }] }),
    causes: /^window\.slid$/,
  },
  {
    name: 'number-jump',
    class: 'sequence',
    what: 'numbers leap ahead by 5,000, and the playlist begins anew',
    streams: main({ renumberings: [{ kind: 'jump', at: HIT, to: 5_000 }] }),
    causes: /^window\.slid$/,
  },
  {
    name: 'relabelled',
    class: 'sequence',
    what: 'numbers leap ahead by 5,000 for the same addresses',
    streams: main({ renumberings: [{ kind: 'relabel', at: HIT, to: 5_000 }] }),
  },
  {
    name: 'discontinuities',
    class: 'sequence',
    what: 'EXT-X-DISCONTINUITY stands in three places, though the media goes on',
    streams: main({ discontinuities: [HIT, HIT + 3, HIT + 4] }),
  },
];

const ENCRYPTION: readonly Scenario[] = [
  {
    name: 'aes-128',
    class: 'encryption',
    what: 'AES-128, the IV follows from the number',
    streams: main({ startSequence: 70, encryption: {} }),
  },
  {
    name: 'key-rotation',
    class: 'encryption',
    what: 'AES-128 with an explicit IV and a new key every five segments',
    short: true,
    streams: main({ encryption: { rotateEvery: 5, explicitIv: true } }),
  },
  {
    name: 'key-500',
    class: 'encryption',
    what: 'a key answers 500 twice',
    streams: main({
      encryption: { rotateEvery: 5 },
      faults: [{ on: 'key', do: 'status', status: 500, fromMs: FAULT_MS, times: 2 }],
    }),
  },
  {
    name: 'key-hang',
    class: 'encryption',
    what: 'keys are not answered at all for 4 s',
    streams: main({
      encryption: { rotateEvery: 5 },
      faults: [{ on: 'key', do: 'hang', fromMs: FAULT_MS, forMs: 4_000 }],
    }),
  },
];

const FORM: readonly Scenario[] = [
  {
    name: 'fmp4-init-change',
    class: 'form',
    what: 'fragmented MP4 whose EXT-X-MAP changes in the middle',
    streams: main({ set: 'fmp4', switches: [{ at: 15, set: 'fmp4hi' }], endAfter: 21 }),
  },
  {
    name: 'init-500',
    class: 'form',
    what: 'the initialisation section answers 500 twice',
    streams: main({
      set: 'fmp4',
      endAfter: 15,
      faults: [{ on: 'init', do: 'status', status: 500, times: 2 }],
    }),
  },
  {
    name: 'resolution-change',
    class: 'form',
    what: 'MPEG-TS changes its resolution in the middle',
    streams: main({ switches: [{ at: HIT, set: 'hi' }], endAfter: HIT + 6 }),
  },
  {
    name: 'byte-ranges',
    class: 'form',
    what: 'all segments are ranges of one growing file',
    streams: main({ byteRanges: true }),
  },
  {
    name: 'low-latency',
    class: 'form',
    what: 'LL-HLS with parts, blocking reloads and delta updates',
    streams: main({ window: 12, prefill: 12, lowLatency: { skipUntilMs: 6_000 } }),
  },
  {
    name: 'variables',
    class: 'form',
    what: 'addresses hold a variable of EXT-X-DEFINE',
    streams: main({ define: 'value' }),
  },
  {
    name: 'audio-apart',
    class: 'form',
    what: 'the sound is a rendition of its own (MPEG-TS)',
    short: true,
    ...apart({ picture: 'ts-video', sound: 'ts-audio' }),
  },
  {
    name: 'audio-packed',
    class: 'form',
    what: 'the sound is a rendition of its own (packed AAC), and one of its segments answers 404 twice',
    ...apart({
      picture: 'ts-video',
      sound: 'ts-packed',
      faults: [{ on: 'segment', index: HIT, do: 'status', status: 404, times: 2 }],
    }),
  },
  {
    name: 'audio-fmp4',
    class: 'form',
    what: 'the sound is a rendition of its own (fragmented MP4)',
    ...apart({ picture: 'fmp4video', sound: 'fmp4audio', endAfter: 36 }),
  },
];

function apart(
  options: { picture: string; sound: string } & Pick<StreamOptions, 'faults' | 'endAfter'>,
): Pick<Scenario, 'streams' | 'sound' | 'master'> {
  const { picture, sound, faults = [], endAfter } = options;
  const end = endAfter === undefined ? {} : { endAfter };
  return {
    streams: { main: { set: picture, ...end }, sound: { set: sound, faults, ...end } },
    sound: 'sound',
    master: {
      variants: [{ stream: 'main', audio: 'aac' }],
      renditions: [
        {
          kind: 'audio',
          group: 'aac',
          stream: 'sound',
          name: 'English',
          language: 'en',
          default: true,
        },
      ],
    },
  };
}

/** What the stream itself does, or is made of. */
export const STREAM_SCENARIOS: readonly Scenario[] = [...SEQUENCE, ...ENCRYPTION, ...FORM];
