import { RTCPeerConnection } from 'werift';
import { ControlClient } from '../../support/realtime/controlClient.ts';

export interface KillChannel {
  readonly name: string;
  /** Resolves when it is acknowledged. */
  kill(jobId: string): Promise<void>;
  close(): Promise<void>;
}

/** Everything that a service hears kills by, opened beforehand. */
export const killChannels = async (url: string): Promise<readonly KillChannel[]> => [
  rest(url),
  await socket(url),
  await rtc(url),
];

const rest = (url: string): KillChannel => ({
  name: 'REST',
  kill: async (jobId) => {
    const answer = await fetch(`${url}/jobs/${jobId}/kill`, { method: 'POST' });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  },
  close: async () => undefined,
});

async function socket(url: string): Promise<KillChannel> {
  const client = await ControlClient.open(`${url.replace('http', 'ws')}/control`);
  return {
    name: 'WebSocket',
    kill: async (jobId) => {
      const { type } = await client.ask({ type: 'kill', jobId });
      if (type !== 'ack') throw new Error(`not acknowledged: ${type}`);
    },
    close: async () => client.socket.close(),
  };
}

async function rtc(url: string): Promise<KillChannel> {
  const peer = new RTCPeerConnection({ iceServers: [] });
  const channel = peer.createDataChannel('control');
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(`${url}/rtc`, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp' },
    body: peer.localDescription?.sdp ?? '',
  });
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  if (channel.readyState !== 'open') await channel.stateChanged.watch((state) => state === 'open');
  return {
    name: 'WebRTC',
    kill: async (jobId) => {
      const answered = channel.onMessage.asPromise();
      channel.send(JSON.stringify({ v: 1, id: jobId, type: 'kill', jobId }));
      const [text] = await answered;
      if (!text.toString().includes('"ack"')) throw new Error(`not acknowledged: ${text}`);
    },
    close: async () => await peer.close(),
  };
}
