import { createHash, createHmac, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { ofHex, toHex } from './digest';
import { Hmac, Sha256 } from './sha256';

test('a digest is the same however its bytes come in pieces, and whatever their number', () => {
  const data = randomBytes(300);
  for (let size = 0; size <= 260; size += 1) {
    const found = new Sha256();
    for (let at = 0; at < size; at += 1 + ((at * 7 + size) % 90))
      found.add(data.subarray(at, Math.min(size, at + 1 + ((at * 7 + size) % 90))));
    expect(toHex(found.digest())).toBe(createHash('sha256').update(data.subarray(0, size)).digest('hex'));
  }
  expect(toHex(new Sha256().digest())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('a copy goes on by itself', () => {
  const one = new Sha256().add(ofHex('616263'));
  const other = one.copy().add(ofHex('00'));
  expect(toHex(one.digest())).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(toHex(other.digest())).toBe(createHash('sha256').update('abc\0').digest('hex'));
});

test('an HMAC is that of another implementation, for short and long keys', () => {
  for (const size of [0, 32, 64, 65, 200]) {
    const [key, message] = [randomBytes(size), randomBytes(77)];
    const hmac = new Hmac(key);
    for (const part of [message, message.subarray(3)]) {
      expect(toHex(hmac.of(part))).toBe(createHmac('sha256', key).update(part).digest('hex'));
    }
  }
});
