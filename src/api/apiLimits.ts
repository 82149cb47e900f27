/** How much one caller, and all together, may take of the API. */
export interface ApiLimits {
  /** Body of a request, bytes. */
  readonly bodyBytesMax: number;
  /** Requests in a minute with one key. */
  readonly requestsPerKeyAndMinute: number;
  /** Requests in a minute from one address, whoever sends them. */
  readonly requestsPerAddressAndMinute: number;
}

export const API_LIMITS: ApiLimits = {
  // A job with fallbacks, headers and a cookie file stays below 300 KiB.
  bodyBytesMax: 1024 ** 2,
  // A dashboard that polls ten things a second, ten times over.
  requestsPerKeyAndMinute: 6_000,
  // Two such keys behind one address.
  requestsPerAddressAndMinute: 12_000,
};
