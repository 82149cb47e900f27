import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe } from 'vitest';
import type { RecorderPlugin } from '../../src/programs/recorderPlugin.ts';
import { obeysTheLaws } from './recorderPluginLaws.ts';

const root = join(import.meta.dirname, '../..');
const plugins = join(root, 'src/programs/plugins');

const guide = readFileSync(join(root, 'docs/guides/plugins.md'), 'utf8');
const [, example] = /^```ts\n(.*?)^```$/ms.exec(guide) ?? [];
if (example === undefined) throw new Error('docs/guides/plugins.md has no example any more');

// Not beside the plugins, where other tests would find it: its imports are made to lead there.
mkdirSync(join(root, '.cache'), { recursive: true });
const directory = mkdtempSync(join(root, '.cache/plugin-example-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'curl.ts');
writeFileSync(
  file,
  example.replace(/from '(\.[^']+)'/g, (_, path: string) => `from '${join(plugins, path)}'`),
);
// What the page promises; were it anything else, the laws would tell.
const module = (await import(pathToFileURL(file).href)) as { readonly curl: RecorderPlugin };

describe('the example of the guide', () => {
  obeysTheLaws(module.curl);
});
