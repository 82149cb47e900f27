import type { AnyStateMachine } from 'xstate';
import { bigDogChart } from './bigDog.ts';
import { bigDogDogChart } from './bigDogDog.ts';
import { durationDoggy } from './durationDoggy.ts';
import { heartbeatDoggy } from './heartbeatDoggy.ts';
import { inertPorts } from './inertPorts.ts';
import { legalMoves } from './legalMoves.ts';
import { tempFileDoggy } from './tempFileDoggy.ts';

/** Every statechart of the house, top of the tree first. Documentation, inspector and path tests iterate over it. */
export const CHARTS: Readonly<Record<string, AnyStateMachine>> = {
  bigDogDog: bigDogDogChart(inertPorts),
  bigDog: bigDogChart(inertPorts),
  durationDoggy: durationDoggy(inertPorts),
  tempFileDoggy: tempFileDoggy(inertPorts),
  heartbeatDoggy: heartbeatDoggy(inertPorts),
};

/** Every move between job states that Big Dog's chart allows. The database refuses all others. */
export const LEGAL_MOVES = legalMoves(bigDogChart(inertPorts));
