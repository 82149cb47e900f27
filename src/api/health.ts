import { Hono } from 'hono';
import { type Clock, pause } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';

/** A condition of health. */
export interface HealthCheck {
  readonly name: string;
  /** Why it is not well, in words that anybody may read: whoever asks has no key. Undefined when it is. */
  look(): Promise<string | undefined> | string | undefined;
}

export interface HealthParts {
  /** Longest time that the event loop stood still lately, milliseconds. */
  lagMs(): number;
  /** What has to be done once before the service can work. */
  startup(): readonly HealthCheck[];
  /** What has to be so for it to take requests. */
  readiness(): readonly HealthCheck[];
  readonly clock: Clock;
}

/** A loop that stands still for so long hears no kill in time, milliseconds. A restart helps, as hosts record on meanwhile. */
const LAG_MS_MAX = 5_000;
/** A check without an answer is not well after so long, milliseconds: probes of Kubernetes wait 1 s by default, but may wait longer. */
const ANSWER_WITHIN_MS = 900;
/** Whoever asks more often than this gets the same answer, milliseconds: anybody may ask, and a look costs a query. */
const KEPT_MS = 1_000;

interface Finding {
  readonly name: string;
  readonly problem: string | undefined;
}

/** Outside of the API: probes have no key, and ask while there is no API yet. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz', '/startupz']);

/**
 * `/livez`, `/readyz` and `/startupz`, in the form of Kubernetes' own: 200 or 503, `ok` or what is wrong, and with `?verbose` every
 * check. Whether the process lives is never made to depend on anything outside of it: a restart would not mend that.
 */
export function healthRoutes(parts: HealthParts): Hono {
  const app = new Hono();
  const loop: HealthCheck = {
    name: 'event loop',
    look: () => {
      const lagMs = Math.round(parts.lagMs());
      return lagMs > LAG_MS_MAX ? `stood still for ${lagMs} ms` : undefined;
    },
  };
  const groups = {
    '/livez': () => [loop],
    '/startupz': () => parts.startup(),
    '/readyz': () => [...parts.startup(), ...parts.readiness()],
  };
  for (const [path, checks] of Object.entries(groups)) {
    const look = kept(parts.clock, () => Promise.all(checks().map((one) => finding(one, parts))));
    app.get(path, async (c) => {
      const findings = await look();
      const isWell = findings.every(({ problem }) => problem === undefined);
      const isVerbose = c.req.query('verbose') !== undefined || !isWell;
      c.header('Cache-Control', 'no-store');
      if (!isWell) c.header('Retry-After', '5');
      return c.text(isVerbose ? told(findings, isWell) : 'ok\n', isWell ? 200 : 503);
    });
  }
  return app;
}

async function finding({ name, look }: HealthCheck, { clock }: HealthParts): Promise<Finding> {
  const answered = new AbortController();
  const looked = Promise.resolve().then(look).catch(messageOf);
  const tooLate = pause(clock, ANSWER_WITHIN_MS, answered.signal).then(() => 'does not answer');
  try {
    return { name, problem: await Promise.race([looked, tooLate]) };
  } finally {
    answered.abort();
  }
}

/** The same answer for everybody who asks within a moment, also while it is looked for. */
function kept<Answer>(clock: Clock, look: () => Promise<Answer>): () => Promise<Answer> {
  let last: { readonly at: number; readonly answer: Promise<Answer> } | undefined;
  return () => {
    if (last === undefined || clock.elapsed() - last.at >= KEPT_MS)
      last = { at: clock.elapsed(), answer: look() };
    return last.answer;
  };
}

function told(findings: readonly Finding[], isWell: boolean): string {
  const lines = findings.map(({ name, problem }) =>
    problem === undefined ? `[+] ${name}: ok` : `[-] ${name}: ${problem}`,
  );
  return `${lines.join('\n')}\n${isWell ? 'ok' : 'not ok'}\n`;
}
