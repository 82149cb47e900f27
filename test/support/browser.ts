import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import bundled from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';
import { messageOf } from '../../src/core/errors.ts';

/** Names a Chromium or Chrome explicitly; absent: the one from npm (linux x64 and arm64), unpacked into the system's directory for temporary files. */
const PATH_VARIABLE = 'KENNEL_TEST_CHROMIUM';
/** Unpacking takes ten seconds on a slow machine, starting one. */
const START_TIMEOUT_MS = 60_000;

export interface OpenBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** A Chromium without a window, with its own rules as they are (same origin and all). */
export async function openBrowser(): Promise<OpenBrowser> {
  const { [PATH_VARIABLE]: named } = process.env;
  const executablePath = named ?? (await bundled.executablePath());
  const home = await mkdtemp(join(tmpdir(), 'kennel-browser-'));
  const browser = await chromium.launch({
    executablePath,
    // Its sandbox refuses root, and needs namespaces that containers seldom grant.
    args: ['--headless=shell', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    env: { ...process.env, HOME: home },
    timeout: START_TIMEOUT_MS,
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Why there is no browser here, for the line that says which tests did not run; undefined when there is one. */
export async function whyNoBrowser(): Promise<string | undefined> {
  try {
    const { close } = await openBrowser();
    await close();
    return undefined;
  } catch (error) {
    return `no Chromium starts here (${PATH_VARIABLE} may name one): ${messageOf(error).split('\n')[0]}`;
  }
}
