import { expect, test } from 'vitest';
import { ffmpegArguments } from '../../../src/media/mux/ffmpegArguments.ts';
import { runsOf } from '../../../src/media/runsOf.ts';
import { ledgerOf, recordsOf } from './recording.ts';

function argumentsFor(text: string): string[] {
  const [made] = runsOf(ledgerOf(recordsOf([{ set: 'ts', from: 0, to: 0 }])));
  if (made === undefined) throw new Error('there is no run');
  const audio = { kind: 'audio', id: 257, codec: 'aac', codecString: null } as const;
  return ffmpegArguments(
    {
      run: { ...made.run, info: { ...made.run.info, name: text, language: text } },
      directory: '/recording',
      checksums: 'sha256',
      output: '/recording/finish/run-1.mp4.tmp',
      firsts: [{ format: 'MPEG Transport Stream', tracks: [audio] }],
      companionFirsts: [],
      needsExactTimes: false,
      environment: {},
      signal: new AbortController().signal,
      ragged: { skewSeconds: 0, overhangMs: 0 },
      withoutPictures: false,
      tags: { title: text },
      subtitlesFor: async () => await Promise.resolve([]),
    },
    { exact: false, inputs: [{ format: 'mpegts', offsetSeconds: 0 }] },
    [],
  );
}

test('names of somebody else stay what they are: a part of an argument', () => {
  const name = '-y -i "x" = \\ ; é 🎬';
  const made = argumentsFor(name);
  expect(made.filter((each) => each.includes(name))).toEqual([
    `handler_name=${name}`,
    `title=${name}`,
  ]);
});

test('what no argument can hold is taken out of names', () => {
  const made = argumentsFor(`one\0two\n${'x'.repeat(1_000_000)}`);
  const names = made.filter((each) => each.includes('one two '));
  expect(names).toHaveLength(2);
  for (const each of names) expect(each.length).toBeLessThan(1_100);
});
