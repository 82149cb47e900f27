/** By protocol (IANA's registry; Adobe's for RTMP). SRT has none. */
const PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'rtmp:': 1935,
  'rtmpe:': 1935,
  'rtmpt:': 80,
  'rtmps:': 443,
  'rtmpte:': 80,
  'rtmpts:': 443,
  'rtsp:': 554,
  'rtsps:': 322,
  'mms:': 1755,
};

/** Where a protocol (`https:`) listens when a link names no port; undefined for protocols that have no such port. */
export const defaultPort = (protocol: string): number | undefined =>
  Object.hasOwn(PORTS, protocol) ? PORTS[protocol] : undefined;

/** The port that a link names, or else that of its protocol. */
export const portOf = ({ port, protocol }: URL): number | undefined =>
  port === '' ? defaultPort(protocol) : Number(port);
