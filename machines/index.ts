import type { AnyStateMachine } from 'xstate';
import { bigDogChart } from './bigDog.ts';
import { bigDogDogChart } from './bigDogDog.ts';
import { durationDoggy } from './durationDoggy.ts';
import { heartbeatDoggy } from './heartbeatDoggy.ts';
import type { Ports } from './ports.ts';
import { tempFileDoggy } from './tempFileDoggy.ts';

/** Every statechart of the house, top of the tree first. Documentation, inspector and path tests iterate over it. */
export const charts = (ports: Ports): Readonly<Record<string, AnyStateMachine>> => ({
  bigDogDog: bigDogDogChart(ports),
  bigDog: bigDogChart(ports),
  durationDoggy: durationDoggy(ports),
  tempFileDoggy: tempFileDoggy(ports),
  heartbeatDoggy: heartbeatDoggy(ports),
});
