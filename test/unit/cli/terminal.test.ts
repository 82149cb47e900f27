import { expect, onTestFinished, test, vi } from 'vitest';
import { terminal } from '../../../src/cli/terminal.ts';

/** What a terminal writes to one of the outputs. */
function written(name: 'stdout' | 'stderr'): () => string {
  let text = '';
  const spy = vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
    text += chunk;
    return true;
  });
  onTestFinished(() => spy.mockRestore());
  return () => text;
}

const hostile = 'a\u001b[2J\u001b]0;title\u0007\u009b31m\r\u007f\u0000\u202eb\tc\nd';
const seen = 'a\\u001b[2J\\u001b]0;title\\u0007\\u009b31m\\u000d\\u007f\\u0000\\u202eb\tc\nd\n';

test('what steers a terminal is shown, not sent', () => {
  const [out, err] = [written('stdout'), written('stderr')];
  terminal({}).out(hostile);
  terminal({}).err(hostile);
  expect([out(), err()]).toEqual([seen, seen]);
});

test('JSON means the same as before', () => {
  const out = written('stdout');
  terminal({}).out(JSON.stringify({ title: hostile }));
  expect(JSON.parse(out())).toEqual({ title: hostile });
});

test('its own styles stay', () => {
  const err = written('stderr');
  terminal({}).err('\u001b[2mdim\u001b[22m and \u001b[31mred');
  expect(err()).toBe('\u001b[2mdim\u001b[22m and \\u001b[31mred\n');
});
