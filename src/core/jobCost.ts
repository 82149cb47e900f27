/** What a job takes of the machine while it runs. Every number is for a second of its life, or a level. */
export interface MeasuredCost {
  /** Cores: CPU seconds a second. */
  readonly cpu: number;
  /** Resident memory, bytes. */
  readonly memoryBytes: number;
  /** From the network, bytes a second. */
  readonly networkBytesPerSecond: number;
  /** To the disk, bytes a second. */
  readonly diskBytesPerSecond: number;
  /** Open files and sockets. */
  readonly descriptors: number;
}
