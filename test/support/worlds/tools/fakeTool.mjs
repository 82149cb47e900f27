/**
 * A recorder that is not one: it answers for its version as yt-dlp, ffmpeg or streamlink would, puts real MPEG-TS on its standard
 * output in real time, as if it followed a live stream, and misbehaves in one way. `fakeTool.ts` writes it, with its orders and its
 * media, into one executable file: in a cage there is nothing else that it could read.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync, writeSync } from 'node:fs';

// Given by fakeTool.ts, which puts them before this text.
const { ORDERS, MEDIA } = globalThis.fakeTool;

const SECOND_MS = 1_000;
const given = process.argv.slice(2);

/** What yt-dlp's configuration files say counts as said on the command line. */
const said = [
  ...given,
  ...given.flatMap((word, at) =>
    given[at - 1] === '--config-locations' ? readFileSync(word, 'utf8').split(/\n|=/) : [],
  ),
];

const VERSIONS = {
  'yt-dlp': () => `${ORDERS.version}`,
  ffmpeg: () =>
    `ffmpeg version ${ORDERS.version} Copyright (c) 2000-2024 the FFmpeg developers\nbuilt with gcc 13`,
  streamlink: () => `streamlink ${ORDERS.version}`,
};

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const forEver = () => new Promise(() => setInterval(() => {}, 60_000));

/** Writes everything, however full the pipe is. Whoever has closed it wants no more. */
async function put(bytes) {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') process.exit(1);
      await wait(5);
    }
  }
}

/** Seconds of the show that are over by now. */
const headNow = () => Math.floor((Date.now() - ORDERS.epochMs) / SECOND_MS);
const body = (second) => Buffer.from(MEDIA[second % MEDIA.length], 'base64');

/** Puts out the show as a live stream has it: its last few seconds at once, the others as they come. */
async function show({ seconds = Number.POSITIVE_INFINITY, afterEach = async () => {} } = {}) {
  const from = Math.max(0, headNow() - ORDERS.windowSeconds);
  for (let second = from; second < from + seconds; second++) {
    const dueMs = ORDERS.epochMs + (second + 1) * SECOND_MS - Date.now();
    if (dueMs > 0) await wait(dueMs);
    await put(body(second));
    await afterEach(second - from + 1);
  }
}

/** Another process, which says in its arguments whose it is. */
const child = (code, options = {}) =>
  spawn(process.execPath, ['-e', code, ORDERS.token], { stdio: 'ignore', ...options });

const ignoreSignals = () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
};

/** How it misbehaves, each by itself. */
const MISDEEDS = {
  none: () => show(),
  ignoresSignals: async () => {
    ignoreSignals();
    await show();
    await forEver();
  },
  detaches: async () => {
    // It takes the pipe along: a reader that waits for its end waits for ever.
    child("process.on('SIGTERM',()=>{});setInterval(()=>{},1e3)", {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    }).unref();
    await show({ seconds: ORDERS.afterSeconds + ORDERS.windowSeconds });
    process.exit(1);
  },
  detachesWithoutMarks: async () => {
    child('setInterval(()=>{},1e3)', { detached: true, env: {} }).unref();
    await show({ seconds: ORDERS.afterSeconds + ORDERS.windowSeconds });
    process.exit(1);
  },
  floodsStderr: async () => {
    const line = `${'x'.repeat(1_023)}\n`.repeat(64);
    setInterval(() => process.stderr.write(line), 10);
    await show();
  },
  muxes: async () => {
    await show({ seconds: ORDERS.afterSeconds + ORDERS.windowSeconds });
    writeFileSync('show.ts', Buffer.concat(MEDIA.map((_, second) => body(second))));
    writeFileSync('show.temp.mp4', '');
    const copy = ['-c', 'copy', '-f', 'mp4', 'file:show.temp.mp4'];
    spawn(ORDERS.ffmpeg, ['-nostdin', '-v', 'error', '-y', '-re', '-i', 'file:show.ts', ...copy], {
      stdio: 'ignore',
    });
    await forEver();
  },
  leavesFiles: async () => {
    for (const name of ['show.mp4.part', 'show.mp4.ytdl', 'show.mp4.part-Frag7', 'x.tmp'])
      writeFileSync(name, name);
    await show({ seconds: ORDERS.afterSeconds + ORDERS.windowSeconds });
    process.exit(1);
  },
  oneWindow: async () => {
    await show({ seconds: Math.max(1, ORDERS.windowSeconds) });
    process.exit(0);
  },
  exitsEmpty: async () => process.exit(0),
  crashes: async () => {
    setTimeout(
      () => process.kill(process.pid, Math.random() < 0.5 ? 'SIGSEGV' : 'SIGABRT'),
      (0.5 + Math.random()) * ORDERS.afterSeconds * SECOND_MS,
    );
    await show();
  },
  eatsMemory: async () => {
    const eaten = [];
    setInterval(() => eaten.push(Buffer.alloc(32 * 1_048_576, 1)), 100);
    await show();
  },
  spinsCpu: async () => {
    for (let each = 0; each < ORDERS.cores; each++) child('for(;;);');
    await show();
  },
  silentStart: () => forEver(),
  hangsMidway: async () => {
    await show({ seconds: ORDERS.afterSeconds + ORDERS.windowSeconds });
    await forEver();
  },
};

/** Misdeeds that can be added to the real program. */
const BESIDE = {
  ignoresSignals: ignoreSignals,
  detaches: () =>
    child('setInterval(()=>{},1e3)', {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    }).unref(),
  detachesWithoutMarks: () => child('setInterval(()=>{},1e3)', { detached: true, env: {} }).unref(),
  floodsStderr: () => setInterval(() => process.stderr.write(`${'x'.repeat(65_535)}\n`), 10),
  leavesFiles: () => {
    for (const name of ['show.mp4.part', 'show.mp4.ytdl', 'x.tmp']) writeFileSync(name, name);
  },
  crashes: (real) =>
    setTimeout(
      () => {
        real.kill('SIGKILL');
        process.kill(process.pid, 'SIGSEGV');
      },
      (0.5 + Math.random()) * ORDERS.afterSeconds * SECOND_MS,
    ),
};

/** The real program with the same arguments and pipes, and one misdeed beside it. */
function around(file) {
  const real = spawn(file, given, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => real.kill(signal));
  real.on('exit', (code, signal) => {
    if (signal !== null) process.kill(process.pid, 'SIGKILL');
    process.exit(code ?? 1);
  });
  BESIDE[ORDERS.misdeed]?.(real);
}

/** As yt-dlp tells of a page with a live stream behind it. */
function answer() {
  const file = said.find((_, at) => /batch-file$/.test(said[at - 1] ?? ''));
  const link = file
    ? readFileSync(file.replace(/^'|'$/g, ''), 'utf8').trim()
    : given.findLast((word) => word.includes('://'));
  const format = { format_id: '0', url: link, protocol: 'm3u8_native', ext: 'mp4' };
  const codecs = { vcodec: 'avc1.4d400c', acodec: 'mp4a.40.2' };
  const about = { id: 'fake', title: 'A fake show', extractor: 'generic', webpage_url: link };
  const whole = {
    ...about,
    ...format,
    ...codecs,
    is_live: true,
    formats: [{ ...format, ...codecs }],
  };
  writeSync(1, `${JSON.stringify(whole)}\n`);
}

const isRemote = (word) => /^(https?|rtmps?|rtsps?|srt|tcp|udp):\/\//.test(word);

async function main() {
  if (given.some((word) => /^--?version$/.test(word))) {
    writeSync(1, `${VERSIONS[ORDERS.as]()}\n`);
    return;
  }
  const asks = said.some((word) => /^(-J|--dump-single-json|--dump-json|-j|--json)$/.test(word));
  if (ORDERS.around !== undefined && !asks) return around(ORDERS.around);
  if (asks) return answer();
  // Kennel's own muxing is none of this program's business.
  if (ORDERS.as === 'ffmpeg' && !given.some(isRemote)) {
    const { status } = spawnSync(ORDERS.ffmpeg, given, { stdio: 'inherit' });
    process.exit(status ?? 1);
  }
  if (ORDERS.misdeed !== 'ignoresSignals') {
    process.on('SIGINT', () => process.exit(ORDERS.as === 'ffmpeg' ? 255 : 1));
  }
  await MISDEEDS[ORDERS.misdeed]();
}

await main();
