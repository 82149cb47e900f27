/** Finishes a recording and kills itself, as a power cut would, before the n-th change: `dyingFinish.ts <workplace> <n>`. */
import { finishingIn, jobIn } from './finishing.ts';

const [workplace = '', nth = '0'] = process.argv.slice(2);
let steps = 0;
const finish = finishingIn(workplace, {
  before: () => {
    if (++steps === Number(nth)) process.kill(process.pid, 'SIGKILL');
  },
});
const { signal } = new AbortController();
await finish.mux(jobIn(workplace), signal);
await finish.upload(jobIn(workplace), signal);
