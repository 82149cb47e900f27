/**
 * The child process that works with mediabunny: one request as JSON on standard input, one answer as JSON on standard
 * output. A child, because parsing untrusted media costs memory and time that the supervisor must not spend, and because a
 * crash in here is only an exit code to it.
 */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inspect } from './inspect.ts';
import type { MediabunnyRequest } from './protocol.ts';
import { stitch } from './stitch.ts';

/** How often it is seen whether the parent is still there. */
const PARENT_LOOK_MS = 1_000;

// A node that was killed cannot end its children, and its successor begins anew.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(1);
}, PARENT_LOOK_MS).unref();

// The parent is the same version of Kennel and builds the request from this very type.
const request = JSON.parse(await text(process.stdin)) as MediabunnyRequest;
const answer =
  request.ask === 'inspect'
    ? await inspect(request)
    : { ...(await stitch(request)), version: await libraryVersion() };
process.stdout.write(JSON.stringify(answer));

/** Goes into the manifest. The package does not export its version. */
async function libraryVersion(): Promise<string> {
  let directory = new URL('./', import.meta.resolve('mediabunny'));
  for (let level = 0; level < 8; level++) {
    try {
      const content = JSON.parse(
        await readFile(fileURLToPath(new URL('package.json', directory)), 'utf8'),
      ) as { name?: string; version?: string };
      if (content.name === 'mediabunny') return content.version ?? 'unknown';
    } catch {
      // No package.json on this level: the next one up.
    }
    directory = new URL('../', directory);
  }
  return 'unknown';
}
