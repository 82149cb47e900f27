import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startTicksOf } from '../../../src/process/procfs.ts';
import {
  leaveQuestionPlace,
  questionPlace,
  sweepQuestionPlaces,
} from '../../../src/programs/questionPlaces.ts';

function runDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-questions-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

it('removes the secrets of questions whose process is gone, and nothing else', () => {
  const directory = runDirectory();
  const own = join(questionPlace(directory), 'ask-1');
  const gone = join(directory, 'questions', '999999999-12', 'ask-2');
  const reused = join(directory, 'questions', `${process.pid}-1`, 'ask-3');
  const strange = join(directory, 'questions', 'notes', 'ask-4');
  for (const place of [own, gone, reused, strange]) {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'cookies.txt'), 'secret');
  }
  sweepQuestionPlaces(directory);
  const left = [own, gone, reused, strange].filter((place) => existsSync(place));
  expect(left).toEqual([own, strange]);
});

it('leaves nothing behind in the end, unless a question is still asked', () => {
  const directory = runDirectory();
  const place = questionPlace(directory);
  expect(place).toContain(`${process.pid}-${startTicksOf(process.pid)}`);
  mkdirSync(join(place, 'ask-1'));
  leaveQuestionPlace(directory);
  expect(readdirSync(place)).toEqual(['ask-1']);
  rmSync(join(place, 'ask-1'), { recursive: true });
  leaveQuestionPlace(directory);
  expect(existsSync(place)).toBe(false);
});

it('has nothing to sweep where nothing was ever asked', () => {
  expect(() => sweepQuestionPlaces(join(runDirectory(), 'none'))).not.toThrow();
});
