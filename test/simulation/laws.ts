import { isTerminal } from '../../machines/vocabulary.ts';
import { POLICY } from './simPolicy.ts';
import type { World } from './world.ts';

/** A stop or a kill must have been obeyed after this long, unless the database was away or the node died meanwhile. */
const OBEY_MS = 180_000;

/**
 * Gives an order, and looks later whether it was obeyed. Slow and repeated commits are paid for by the limit; an outage or
 * a crash of the node (which forgets what it was told) excuses it.
 */
export function orderAndCheck(world: World, jobId: string, type: 'job.stop' | 'job.kill'): void {
  const { clock, database, life } = world;
  const row = database.rows.get(jobId);
  if (!row || !world.tree) return;
  world.log(`order ${jobId} ${type}`);
  if (row.waiting === true) void world.queue.callOff(jobId, type);
  else world.tree.send({ type, jobId });
  if (!world.told.has(jobId)) world.told.set(jobId, { type, at: clock.now });
  world.ordered.add(jobId);
  clock.setTimeout(() => {
    const { state } = database.row(jobId).job;
    const isObeyed =
      isTerminal(state) || (type === 'job.stop' && (state === 'muxing' || state === 'uploading'));
    const wasAway = world.script.outages.some(
      ({ atMs, forMs }) => atMs < clock.now && atMs + forMs > clock.now - OBEY_MS,
    );
    if (!isObeyed && world.life === life && !wasAway)
      world.violate('obeyed', `${jobId} is ${state} long after ${type}`);
  }, OBEY_MS);
}

/** The laws that can be judged once everything is over. */
export function checkAtEnd(world: World): void {
  const { clock, database, recorders } = world;
  for (const { job } of database.rows.values())
    if (!isTerminal(job.state)) world.violate('everyJobEnds', `${job.id} is still ${job.state}`);
  for (const { jobId } of recorders.alive())
    world.violate('nothingOutlives', `a recorder of ${jobId}`);
  if (clock.pending > 0) world.violate('nothingOutlives', `${clock.pending} timers`);
  world.queue.checkAtEnd();
  world.recorders.checkRecoveries();
  checkBudgets(world);
  checkReasons(world);
}

/** A spent restart budget ends as a committed `failed` with its reason; until then, no more restarts than it allows. */
function checkBudgets(world: World): void {
  const { database, crashedAt, rootFalls, script } = world;
  for (const { jobId, decision, at } of database.decisions) {
    if (decision !== 'job.abandon' || rootFalls > 0 || crashedAt.some((crash) => crash >= at))
      continue;
    const last = database.moves.findLast((move) => move.jobId === jobId);
    if (last?.cause !== 'bigDog.spent' && last?.cause !== 'job.kill')
      world.violate('spentBudget', `${jobId} was abandoned but ended by ${last?.cause}`);
  }
  for (const [jobId, { job }] of database.rows) {
    if (job.verdict !== undefined && job.state === 'done')
      world.violate('spentBudget', `${jobId} is done, although its verdict is ${job.verdict}`);
    checkRestarts(world, jobId);
    checkSpent(world, jobId);
    if (job.state === 'cancelled' && !world.ordered.has(jobId) && script.drainAtMs === undefined)
      world.violate('reasons', `${jobId} is cancelled, and nobody asked for that`);
  }
}

function checkRestarts(world: World, jobId: string): void {
  // A new life of the dog or of the node begins its count anew.
  if (world.crashedAt.length + world.script.bugs.length > 0) return;
  const { intensity, periodMs } = POLICY.recorder;
  const falls = world.database.moves.filter(
    (move) => move.jobId === jobId && move.to === 'retrying',
  );
  falls.forEach(({ at }, index) => {
    const first = falls[index - intensity];
    if (first && at - first.at < periodMs)
      world.violate('spentBudget', `${jobId} restarted more than ${intensity} times`);
  });
}

/** No budget is spent before it was used up. */
function checkSpent(world: World, jobId: string): void {
  const { recorder, finish } = POLICY;
  const moves = world.database.moves.filter((move) => move.jobId === jobId);
  const restarts = moves.filter(({ to }) => to === 'retrying').length;
  const evidence = moves.map(({ evidence: { crashes } }) => Number(crashes ?? 0));
  for (const { verdict, cause } of moves) {
    if (verdict === 'recorder.spent' && Math.max(restarts, ...evidence) < recorder.intensity)
      world.violate('spentBudget', `${jobId} has spent its recorders after ${restarts} restarts`);
    for (const kind of ['mux', 'upload'] as const)
      if (cause === `${kind}.spent` && world.finishRuns(kind, jobId) <= finish.intensity)
        world.violate('spentBudget', `${jobId} gave up too early: ${cause}`);
  }
}

/** Every move, kill and restart has a stored reason that a person chose, not the name of an internal event. */
function checkReasons(world: World): void {
  const { moves, decisions } = world.database;
  for (const { jobId, from, to, cause } of moves)
    if (cause === '' || /^(xstate|durable|recorder\.exited|job\.abandon)/.test(cause))
      world.violate('reasons', `${jobId} moved from ${from} to ${to} because of ${cause}`);
  for (const { jobId, why, at } of world.recorders.kills) {
    const isOrdered = why === 'killed' || why === 'abandoned';
    const isNoted = decisions.some(
      (one) => one.jobId === jobId && one.decision === 'recorder.kill' && one.at === at,
    );
    if (!isOrdered && !isNoted)
      world.violate('reasons', `${jobId}: a kill (${why}) without a note`);
  }
}
