import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { GatheredWrites } from '../../src/redis/gathered_writes.ts';

/** A stream, how its writes are gathered, and what has been written to it. */
function aStream() {
  const written: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      written.push(String(chunk));
      done();
    },
  });
  return { stream, writes: new GatheredWrites(stream), written };
}

describe('texts', () => {
  it('are one write when they are released, and each its own when they are not gathered', () => {
    const { stream, writes, written } = aStream();
    stream.write('a');
    writes.gather();
    stream.write('b');
    stream.write('c');
    expect(written).toEqual(['a']);
    writes.release();
    expect(written).toEqual(['a', 'bc']);
    stream.write('d');
    writes.release();
    expect(written).toEqual(['a', 'bc', 'd']);
  });

  it('stay in order with the bytes between them', () => {
    const { stream, writes, written } = aStream();
    writes.gather();
    stream.write('a');
    stream.write(Buffer.from('b'));
    stream.write('c');
    writes.release();
    expect(written).toEqual(['a', 'b', 'c']);
  });

  it('go at once when they are long together', () => {
    const { stream, writes, written } = aStream();
    const long = 'x'.repeat(40_000);
    writes.gather();
    stream.write(long);
    expect(written).toEqual([]);
    stream.write(long);
    stream.write('rest');
    expect(written).toEqual([long + long]);
    writes.release();
    expect(written).toEqual([long + long, 'rest']);
  });

  it('are forgotten with a stream that is gone', async () => {
    const { stream, writes, written } = aStream();
    let failed = false;
    stream.on('error', () => {
      failed = true;
    });
    writes.gather();
    stream.write('a');
    stream.destroy();
    writes.release();
    await new Promise(setImmediate);
    expect({ written, failed }).toEqual({ written: [], failed: false });
  });
});
