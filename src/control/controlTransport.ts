/** One connection, as a session sees it: text frames both ways, in order. */
export interface ControlTransport {
  /** Never throws. Resolves when the network has taken it, or never will. */
  send(text: string): Promise<void>;
  /** What waits to be taken by the network, bytes. */
  unsentBytes(): number;
  /** Idempotent. */
  close(code: number, reason: string): void;
}
