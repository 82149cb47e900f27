import type { KennelHome, Running } from './kennel.ts';

export interface Served {
  readonly running: Running;
  readonly url: string;
  /** Status and text of an answer; status 0 while nobody listens. */
  ask(path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** Resolves once the path is answered with this status, and with the text. */
  answers(path: string, status: number, withinMs?: number): Promise<string>;
}

const ASK_EVERY_MS = 50;
/** An empty database takes several seconds to be made, and other tests may be running. */
const WITHIN_MS = 60_000;

/** Starts the real service on a free port, and resolves once it listens. */
export async function serve(
  home: KennelHome,
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> } = {},
): Promise<Served> {
  const running = home.start(['serve', '--port', '0', ...args], env);
  await running.saw(/listens at http:\S+/);
  const url = /listens at (http:\S+)/.exec(running.said())?.[1] ?? '';
  const ask = async (path: string) => {
    try {
      const response = await fetch(url + path, { headers: { connection: 'close' } });
      return { status: response.status, text: await response.text() };
    } catch {
      return { status: 0, text: '' };
    }
  };
  const answers = async (path: string, status: number, withinMs = WITHIN_MS) => {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const answer = await ask(path);
      if (answer.status === status) return answer.text;
      if (performance.now() > deadline)
        throw new Error(
          `${path} answers ${answer.status}, not ${status}: ${answer.text}\n${running.said()}`,
        );
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  };
  return { running, url, ask, answers };
}
