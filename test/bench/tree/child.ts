import { once } from 'node:events';
import type { Configuration } from './configuration.ts';
import { measure } from './measurement.ts';

/** One configuration in a process of its own: takes it as a message and answers with its figures. */
const [configuration] = await once(process, 'message');
// The parent is `runChild.ts`, and it sends nothing else.
const measurement = await measure(configuration as Configuration);
process.send?.(measurement, () => process.exit(0));
