/** What one session of control may take. */
export interface ControlLimits {
  /** One message, bytes of UTF-8. */
  readonly messageBytesMax: number;
  /** Requests that are not answered yet. */
  readonly requestsMax: number;
  readonly subscriptionsMax: number;
  /** What may wait to be sent, bytes; more, and the session is closed: whoever is there does not read. */
  readonly unsentBytesMax: number;
}

export const CONTROL_LIMITS: ControlLimits = {
  // The longest request names a job and some types of events: 1 KiB. Data channels carry 16 KiB everywhere.
  messageBytesMax: 16 * 1024,
  // Whoever kills a hundred jobs at once sends no more than a screen of them at a time.
  requestsMax: 100,
  // One for each job on a screen.
  subscriptionsMax: 50,
  // A status of all jobs that are shown at once is 100 KiB; ten of them.
  unsentBytesMax: 1024 ** 2,
};
