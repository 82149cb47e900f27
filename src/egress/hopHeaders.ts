/** What is between two neighbours and not for whoever is behind them (RFC 9110 §7.6.1); `host` and `expect` are made anew. */
const HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
]);

/** The same headers (names and values in turn) without those of one hop, and without what `Connection` names. */
export function withoutHopHeaders(raw: readonly string[]): string[] {
  const named = new Set<string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() !== 'connection') continue;
    for (const name of (raw[at + 1] ?? '').split(',')) named.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = raw.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (!HOP.has(lower) && !named.has(lower)) kept.push(name, value);
  }
  return kept;
}
