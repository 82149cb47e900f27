import type { Mutant } from '../mutant.ts';

/** Bugs in planner, run, writer and journal. */
export const ENGINE_MUTANTS: readonly Mutant[] = [
  {
    bug: 'what slid out of the window is not named',
    file: 'src/hls/planner/timelineState.ts',
    find: 'if (first > next) slid.push(this.slid(next, first - next, playlist));',
    replace: '',
  },
  {
    bug: 'a resumed recording forgets its holes',
    file: 'src/hls/planner/timelineState.ts',
    find: 'this.holes = resume?.holes ?? [];',
    replace: 'this.holes = [];',
  },
  {
    bug: 'a resumed recording takes any content for its own',
    file: 'src/hls/planner/resumeJoin.ts',
    find: '(checksum === undefined || here.checksum === checksum)',
    replace: '(checksum === undefined || checksum.length > 0)',
  },
  {
    bug: 'a segment is tried three times only',
    file: 'src/hls/planner/queue.ts',
    find: '    this.#later.push(one.dueAt, one);',
    replace: '    if (one.tries < 3) this.#later.push(one.dueAt, one);',
  },
  {
    bug: 'more is fetched at once than may be',
    file: 'src/hls/planner/planner.ts',
    find: 'const free = FETCHES_MAX - this.#queue.fetching;',
    replace: 'const free = FETCHES_MAX;',
  },
  {
    bug: 'ENDLIST ends a recording although segments wait',
    file: 'src/hls/planner/planner.ts',
    find: 'if (this.#queue.size > 0 && !deaf) return;',
    replace: '',
  },
  {
    bug: 'the ENDLIST of an unjoined source drops what it lists',
    file: 'src/hls/planner/planner.ts',
    find: 'for (const placement of this.#timeline.retryAll(now)) this.#place(placement, now);',
    replace: '',
  },
  {
    bug: 'patience is over too soon',
    file: 'src/hls/planner/endOfStream.ts',
    find: "if (now - this.#answeredAt >= patienceMs) return this.#end('source.vanished', now);",
    replace:
      "if (now - this.#answeredAt >= patienceMs / 30) return this.#end('source.vanished', now);",
  },
  {
    bug: 'what a stop leaves open is not named',
    file: 'src/hls/planner/planner.ts',
    find: 'this.#lines.loseAll(this.#queue.giveUp(STOPPED, true));',
    replace: 'this.#queue.giveUp(STOPPED, true);',
  },
  {
    bug: 'names join a source one number off',
    file: 'src/hls/planner/sourceJoin.ts',
    find: 'return number === undefined ? undefined : number - msn;',
    replace: 'return number === undefined ? undefined : number - msn + 1;',
  },
  {
    bug: 'dates join a source one number off',
    file: 'src/hls/planner/sourceJoin.ts',
    find: 'return [found.msn - msn];',
    replace: 'return [found.msn - msn + 1];',
  },
  {
    bug: 'content joins a source one number off',
    file: 'src/hls/planner/sourceJoin.ts',
    find: 'return match.msn - segment.msn;',
    replace: 'return match.msn - segment.msn - 1;',
  },
  {
    bug: 'only the leading address of a segment is tried',
    file: 'src/hls/planner/waiting.ts',
    find: 'return now.length > 0 ? [...turned, ...before] : turned;',
    replace: 'return turning.slice(0, 1);',
  },
  {
    bug: 'a source that cannot be joined leads although another goes on',
    file: 'src/hls/planner/timeline.ts',
    find: 'if (!isOver && this.#isAlone(heard)) return true;',
    replace: 'if (!isOver) return true;',
  },
  {
    bug: 'an answer that is behind is taken for a new beginning',
    file: 'src/hls/planner/timeline.ts',
    find: "    if (candidates.length > 0) return { reason: 'backwards', heard, candidates };\n    return this.#state.stale(heard);",
    replace:
      '    return candidates.length > 0 ? this.#beganAgain(heard) : this.#state.stale(heard);',
  },
  {
    bug: 'what comes back under other numbers is stored again',
    file: 'src/hls/planner/timeline.ts',
    find: 'const fresh = segments.filter(({ msn }) => msn > last);',
    replace: 'const fresh = segments;',
  },
  {
    bug: 'gaps are not written',
    file: 'src/hls/recordingRun.ts',
    find: 'void writer.write({ ...record, at: clock.now() });',
    replace: "if (record.t !== 'gap') void writer.write({ ...record, at: clock.now() });",
  },
  {
    bug: 'a stop lets go of polls that a resumed recording needs',
    file: 'src/hls/recordingRun.ts',
    find: 'if (this.#isStopped && !plan.polling)',
    replace: 'if (this.#isStopped)',
  },
  {
    bug: 'nobody hears of a download that failed',
    file: 'src/hls/recordingRun.ts',
    find: 'else planner.onFetchFailed(key, failure, at);',
    replace: '',
  },
  {
    bug: 'durability is promised before anything is written',
    file: 'src/recording/journalWriter.ts',
    find: '      try {\n        await this.#commit(batch);',
    replace:
      '      for (const { settle } of batch) settle(true);\n      try {\n        await this.#commit(batch);',
  },
  {
    bug: 'lines that could not be written are let go of',
    file: 'src/recording/journalWriter.ts',
    find: 'await pause(this.#options.clock, RETRY_MS, this.#abandoned.signal);',
    replace: 'this.#waiting = this.#waiting.slice(batch.length);',
  },
  {
    bug: 'the names of new files are not made durable',
    file: 'src/recording/journalWriter.ts',
    find: 'for (const directory of directories) await syncDirectory(directory);',
    replace: 'void [directories, syncDirectory];',
  },
  {
    bug: 'lines are not synced',
    file: 'src/ledger/journal.ts',
    find: 'await this.#file.append(lines);\n      await this.#file.sync();',
    replace: 'await this.#file.append(lines);',
  },
  {
    bug: 'a torn line is left in the journal',
    file: 'src/ledger/journal.ts',
    find: 'if (tornBytes > 0) {',
    replace: 'if (tornBytes < 0) {',
  },
  {
    bug: 'what a failed write left is not cut off',
    file: 'src/ledger/journal.ts',
    find: 'await this.#file.truncate(this.#bytes);',
    replace: '',
  },
];
