import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Loaded before the service (`node --import`): it believes that nobody else works on its machine. What neighbours do, tests that
 * run beside this one among them, would otherwise keep jobs waiting for minutes, and that is tried elsewhere.
 */

const HIDDEN = /^\/proc\/(stat$|pressure\/)/;

const hide = (path: unknown): void => {
  if (typeof path === 'string' && HIDDEN.test(path))
    throw Object.assign(new Error(`${path} is hidden from this test`), { code: 'ENOENT' });
};

const { readFileSync } = fs;
const { readFile } = promises;
Object.assign(fs, {
  readFileSync: (...given: Parameters<typeof readFileSync>) => {
    hide(given[0]);
    return readFileSync(...given);
  },
});
Object.assign(promises, {
  readFile: async (...given: Parameters<typeof readFile>) => {
    hide(given[0]);
    return await readFile(...given);
  },
});
syncBuiltinESMExports();
