import type { Order } from '../../machines/bigDogDog.ts';
import { isTerminal, type JobEnd } from '../../machines/vocabulary.ts';
import type { Script, WaitScript } from './script.ts';
import type { World } from './world.ts';

/** How soon a queue whose database is away asks it again. */
const ASK_AGAIN_MS = 100;

/** What whoever refuses a job says: it has to arrive in the job's history as it is. */
export const refusalOf = (jobId: string, to: 'rejected' | 'expired') =>
  ({ to, why: `queue.${to}`, evidence: { said: `${jobId} ${to}` } }) as const;

/** The queue of a simulated service: it takes jobs out, and gives them to the tree, with an order where they shall not begin. */
export class SimQueue {
  readonly #world: World;
  /** The life of the node in which a job was called off, or refused. */
  readonly endedIn = new Map<string, number>();
  /** When a job was last given another end. */
  readonly extendedAt = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** What the script has for a job that waits at first. */
  waitsOf(jobId: string): WaitScript | undefined {
    return this.#world.script.jobs[Number(jobId.slice(1))]?.waits;
  }

  /** A node begins: what was taken out and has not begun goes back, and everything that waits is decided anew. */
  open(life: number): void {
    const { clock, database } = this.#world;
    for (const [jobId, row] of database.rows) {
      const waits = this.waitsOf(jobId);
      if (waits === undefined || row.job.state !== 'pending') continue;
      row.waiting = true;
      const delayMs = Math.max(1, waits.atMs - clock.now);
      clock.setTimeout(() => void this.#decide(jobId, waits.fate, life), delayMs);
    }
  }

  /** A job that was refused or called off never records, in no life of the node where the queue still knows of it. */
  checkStart(jobId: string): void {
    const { fate = 'begin' } = this.waitsOf(jobId) ?? {};
    if (fate !== 'begin' || this.endedIn.get(jobId) === this.#world.life)
      this.#world.violate('refused', `${jobId} records, although it was to end (${fate})`);
  }

  /** A refusal ends its job, with the cause and the evidence that it came with, unless something stronger came. */
  checkAtEnd(): void {
    const { script, database, ordered } = this.#world;
    for (const [jobId, { job }] of database.rows) {
      const { fate = 'begin' } = this.waitsOf(jobId) ?? {};
      const isDrained = script.drainAtMs !== undefined;
      if (fate === 'begin' || job.state === 'failed') continue;
      if (job.state === 'cancelled' && (ordered.has(jobId) || isDrained)) continue;
      const last = database.moves.findLast((move) => move.jobId === jobId);
      if (fate === 'job.stop' || fate === 'job.kill' || last === undefined || last.to !== fate) {
        this.#world.violate('refused', `${jobId} is ${job.state}, and was to be ${fate}`);
        continue;
      }
      const { why, evidence } = refusalOf(jobId, fate);
      if (last.cause !== why || JSON.stringify(last.evidence) !== JSON.stringify(evidence))
        this.#world.violate('refused', `${jobId} is ${fate} because of ${last.cause}`);
    }
  }

  /** An operator calls a job off that waits. */
  async callOff(jobId: string, type: 'job.stop' | 'job.kill'): Promise<void> {
    await this.#decide(jobId, type, this.#world.life);
  }

  /** Another end: stored first, then told. An operator who gets no answer from the database has to come again. */
  extend({ job, by, ms }: NonNullable<Script['extensions']>[number]): void {
    const { clock, database, tree } = this.#world;
    const row = database.rows.get(`j${job}`);
    if (!row || !tree || database.isAway || isTerminal(row.job.state)) return;
    const end: JobEnd = by === 'duration' ? { durationMs: ms } : { endAt: clock.now + ms };
    const { durationMs: _, endAt: __, ...spec } = row.job.spec;
    row.job = { ...row.job, spec: { ...spec, ...end } };
    this.extendedAt.set(row.job.id, clock.now);
    this.#world.log(`extend ${row.job.id} ${by} ${ms}`);
    tree.send({ type: 'job.extend', jobId: row.job.id, ...end });
  }

  async #decide(jobId: string, fate: WaitScript['fate'], life: number): Promise<void> {
    const world = this.#world;
    const { database } = world;
    while (database.isAway) await world.later(life, ASK_AGAIN_MS);
    await world.later(life, 1);
    const row = database.row(jobId);
    // Somebody else took it out meanwhile, or this node is gone.
    if (row.waiting !== true || world.life !== life) return;
    row.waiting = false;
    world.log(`out ${jobId} ${fate}`);
    await world.later(life, 1);
    if (world.life !== life) return;
    const order = orderOf(jobId, fate);
    world.handed.add(jobId);
    if (order) this.endedIn.set(jobId, life);
    if (fate === 'job.stop' || fate === 'job.kill') world.ordered.add(jobId);
    world.tree?.send({ type: 'job.add', jobId, ...(order && { order }) });
  }
}

function orderOf(jobId: string, fate: WaitScript['fate']): Order | undefined {
  if (fate === 'begin') return undefined;
  if (fate === 'rejected' || fate === 'expired')
    return { type: 'job.refuse', ...refusalOf(jobId, fate) };
  return { type: fate };
}
