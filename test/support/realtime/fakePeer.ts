import type { WebRtc } from '../../../src/api/realtime/rtcPeer.ts';

/** The offer of one data channel, as Chromium makes it. */
export const OFFER = [
  'v=0',
  'o=- 4 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=candidate:1 1 udp 2113937151 10.1.2.3 50000 typ host',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sctp-port:5000',
  '',
].join('\r\n');

class FakeEvent<Told> {
  readonly #listeners: ((told: Told) => void)[] = [];
  subscribe = (listener: (told: Told) => void) => {
    this.#listeners.push(listener);
  };
  tell(told: Told): void {
    for (const listener of this.#listeners) listener(told);
  }
}

/** A channel whose other end is the test. */
export class FakeChannel {
  readonly label: string;
  readonly sent: string[] = [];
  readonly onMessage = new FakeEvent<string | Buffer>();
  readonly stateChanged = new FakeEvent<string>();
  readonly bufferedAmountLow = new FakeEvent<void>();
  readyState = 'open';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;

  constructor(label: string) {
    this.label = label;
  }

  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.readyState = 'closed';
    this.stateChanged.tell('closed');
  }
}

class Peer {
  readonly connectionStateChange = new FakeEvent<string>();
  readonly onDataChannel = new FakeEvent<FakeChannel>();
  localDescription: { readonly sdp: string } | null = null;
  remote: string | undefined;
  closes = 0;

  async setRemoteDescription({ sdp }: { readonly sdp: string }): Promise<void> {
    this.remote = sdp;
  }
  async createAnswer() {
    return { sdp: 'v=0\r\n' };
  }
  async setLocalDescription(description: { readonly sdp: string }): Promise<void> {
    this.localDescription = description;
  }
  async close(): Promise<void> {
    this.closes += 1;
  }
}
export type FakePeerConnection = Peer;

/** In the place of werift's: it has what Kennel uses of it. */
export const FakePeer = Peer as unknown as WebRtc['RTCPeerConnection'];
