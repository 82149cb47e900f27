import type { LookupFunction, Socket } from 'node:net';
import type { AddressRules } from './addressRules.ts';
import type { Target } from './dial.ts';
import type { GateNetwork } from './gateNetwork.ts';
import type { IdleWatch } from './idleWatch.ts';
import type { PassMeter } from './passMeter.ts';

/** What a relay needs of the pass that it belongs to. */
export interface RelayPass {
  readonly meter: PassMeter;
  readonly watch: IdleWatch;
  hold(socket: Socket): void;
  dial(target: Target): Promise<Socket>;
}

export interface RelayOptions {
  readonly pass: RelayPass;
  readonly target: Target;
  readonly network: GateNetwork;
  readonly rules: AddressRules;
  readonly upstream: URL | undefined;
  readonly lookup: LookupFunction | undefined;
}

/** An address in the program's network that stands for one target. */
export interface Relay {
  readonly host: string;
  readonly port: number;
  close(): void;
}
