import { describe, expect, test } from 'vitest';
import { addressRules, combineRules } from '../../../src/egress/addressRules.ts';
import { reachOfLinks } from '../../../src/egress/reachOfLinks.ts';

const permits = (
  allow: readonly string[],
  host: string,
  at: { readonly port?: number; readonly address?: string } = {},
): boolean => addressRules(allow).permits({ host, address: host, port: 80, ...at });

describe('address rules', () => {
  test('permit the public internet and nothing else', () => {
    const open = [
      '1.1.1.1',
      '93.184.216.34',
      '2606:4700::1111',
      '::ffff:8.8.8.8',
      '64:ff9b::8.8.8.8',
    ];
    const closed = [
      ...[
        '0.0.0.0',
        '0.1.2.3',
        '127.0.0.1',
        '127.255.255.254',
        '10.0.0.1',
        '172.16.0.1',
        '172.31.255.1',
      ],
      ...[
        '192.168.1.1',
        '169.254.169.254',
        '100.64.0.1',
        '100.127.255.255',
        '192.0.0.1',
        '192.0.2.1',
      ],
      ...['198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
      ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00::1', 'fec0::1', 'ff02::1'],
      ...[
        '::ffff:127.0.0.1',
        '::ffff:7f00:1',
        '::ffff:10.0.0.1',
        '::127.0.0.1',
        '::ffff:0:127.0.0.1',
      ],
      ...[
        '64:ff9b::127.0.0.1',
        '64:ff9b::a00:1',
        '64:ff9b:1::1',
        '2002:7f00:1::',
        '2001::1',
        '2001:db8::1',
      ],
      ...['168.63.129.16', '100.100.100.200', 'fd00:ec2::254', '4000::1', '5f00::1'],
      ...[
        '',
        'localhost',
        '2130706433',
        '0x7f000001',
        '127.1',
        '017700000001',
        '1.1.1.1.',
        '1.1.1.1:80',
      ],
    ];
    expect(open.filter((address) => !permits([], address))).toEqual([]);
    expect(closed.filter((address) => permits([], address))).toEqual([]);
  });

  test.each([
    ['10.0.0.0/8', '10.200.0.1', 80, true],
    ['10.0.0.0/8', '192.168.0.1', 80, false],
    ['10.0.0.0/8', '::ffff:10.1.1.1', 80, true],
    ['10.0.0.0/8', '64:ff9b::10.1.1.1', 80, true],
    ['10.0.0.0/8:8080', '10.1.1.1', 8080, true],
    ['10.0.0.0/8:8080', '10.1.1.1', 8081, false],
    ['10.1.2.3/8', '10.200.0.1', 80, true],
    ['::ffff:10.0.0.0/104', '10.1.1.1', 80, true],
    ['127.0.0.1', '127.0.0.1', 80, true],
    ['127.0.0.1', '127.0.0.2', 80, false],
    ['127.0.0.1', '::1', 80, false],
    ['127.0.0.1:8000', '127.0.0.1', 8000, true],
    ['127.0.0.1:8000', '127.0.0.1', 8001, false],
    ['::1', '::1', 80, true],
    ['fd00::/8', 'fd12::1', 80, true],
    ['fd00::/8', 'fe80::1', 80, false],
    ['[fd00::]/8:80', 'fd12::1', 80, true],
    ['[fd00::/8]:80', 'fd12::1', 81, false],
    ['[::1]:8000', '::1', 8000, true],
    ['[::1]', '::1', 1, true],
    ['::1:8000', '::1', 8000, false],
    ['0.0.0.0/0', '169.254.169.254', 80, true],
    ['0.0.0.0/0', '::1', 80, false],
    ['169.254.169.254', '169.254.169.254', 80, true],
  ])('with %s: %s at port %d is permitted: %s', (...row) => {
    const [entry, address, port, permitted] = row;
    expect(permits([entry], address, { port })).toBe(permitted);
  });

  test.each([
    ['cam.lan', 'cam.lan', true],
    ['cam.lan', 'CAM.lan.', true],
    ['Cam.LAN.', 'cam.lan', true],
    ['cam.lan', 'x.cam.lan', false],
    ['cam.lan', 'xcam.lan', false],
    ['*.lan', 'cam.lan', true],
    ['*.lan', 'a.b.lan', true],
    ['*.lan', 'lan', false],
    ['*.lan', 'evillan', false],
    ['localhost:80', 'localhost', true],
    ['localhost:81', 'localhost', false],
    ['bücher.lan', 'xn--bcher-kva.lan', true],
    ['my_cam', 'my_cam', true],
  ])('with %s: the name %s may be private: %s', (entry, host, permitted) => {
    expect(permits([entry], host, { address: '10.0.0.5' })).toBe(permitted);
    expect(permits([entry], host, { address: '127.0.0.1' })).toBe(permitted);
    const nobodys = ['169.254.169.254', 'fe80::1', 'fd00:ec2::254', '0.0.0.0', '224.0.0.1'];
    expect(nobodys.filter((address) => permits([entry], host, { address }))).toEqual([]);
  });

  test.each([
    ...[
      '',
      ' ',
      '*',
      '*.',
      '.',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/1e0',
      '10.0.0.0/',
      '10.0.0/8',
      '10/8',
      'fd00::/129',
    ],
    ...[
      '127.1',
      '2130706433',
      '0x7f.0.0.1',
      '127.0.0.1:0',
      '127.0.0.1:65536',
      '127.0.0.1:x',
      'cam.lan:',
    ],
    ...[
      'http://cam.lan/',
      'cam.lan/8',
      'user@cam.lan',
      'a b',
      'a..b',
      '-cam',
      '[cam]',
      '[10.0.0.1]',
      '[::1',
    ],
    ...['*cam.lan', 'a.*.lan', 'cam.lan#x', 'cam.lan?x', '10.0.0.1/8/9'],
  ])('an entry like %j is refused with the way to write it', (entry) => {
    expect(() => addressRules(['10.0.0.1', entry])).toThrow(
      expect.objectContaining({
        code: 'usage.invalid',
        message: expect.stringContaining(
          `${JSON.stringify(entry)} cannot be allowed: write an address`,
        ),
      }),
    );
  });

  test('combined permit what one of them permits', () => {
    const both = combineRules(addressRules(['10.0.0.1']), addressRules(['10.0.0.2']));
    const at = (address: string) => both.permits({ host: address, address, port: 1 });
    expect(['10.0.0.1', '10.0.0.2', '10.0.0.3', '1.1.1.1'].map(at)).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(combineRules().permits({ host: '1.1.1.1', address: '1.1.1.1', port: 1 })).toBe(false);
  });
});

describe('the reach of links', () => {
  test('is their hosts at their ports', () => {
    const links = [
      'http://127.0.0.1:8000/a.m3u8',
      'http://127.0.0.1:8000/b.m3u8',
      'https://user:secret@[::1]/x',
      'http://2130706433/',
      'http://Cam.LAN./live',
      'rtmp://cam.lan/live',
      'rtsp://0x7f.1:8554/x',
      'srt://10.0.0.7:9000?mode=caller',
      new URL('http://bücher.lan:81/'),
    ];
    const reach = reachOfLinks(links);
    expect(reach).toEqual([
      ...['127.0.0.1:8000', '[::1]:443', '127.0.0.1:80', 'cam.lan:80', 'cam.lan:1935'],
      ...['127.0.0.1:8554', '10.0.0.7:9000', 'xn--bcher-kva.lan:81'],
    ]);
    const rules = addressRules(reach);
    const at = (port: number, address = '127.0.0.1') =>
      rules.permits({ host: address, address, port });
    expect([at(8000), at(80), at(8001), at(8000, '127.0.0.2')]).toEqual([true, true, false, false]);
  });

  test('leaves out what needs none and what leads nowhere', () => {
    const links = [
      'https://1.1.1.1/',
      'file:///etc/passwd',
      'srt://cam.lan',
      'nonsense',
      'data:,x',
    ];
    expect(reachOfLinks([...links, 'http://a!b/', 'http://a..b/'])).toEqual([]);
  });
});
