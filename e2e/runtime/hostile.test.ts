/**
 * Hundreds of files that nobody should have made: each comes to pixels or to a typed error in a sentence,
 * within seconds. They are read in the page, by what the worker reads them with: no model has a part in it.
 */
import { expect, it } from 'vitest';
import { NarvlError } from '../../src/index.ts';
import { Picture } from '../../src/page/image-source.ts';
import { readPixels } from '../../src/worker/pixels.ts';
import { hostileFiles } from '../hostile/corpus.ts';

const PATIENCE = 20_000;
const CODES = ['unsupported-image', 'image-unreadable', 'image-too-large'];

it('are read or refused, all of them', async () => {
  let files = 0;
  let read = 0;
  for await (const { name, file } of hostileFiles(23)) {
    files++;
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, PATIENCE, 'late'));
    const outcome = await Promise.race([
      new Picture(file)
        .wire()
        .then((image) => readPixels(image))
        .catch((error: unknown) => error),
      late,
    ]);
    if (outcome instanceof NarvlError) {
      expect(CODES, name).toContain(outcome.code);
      expect(outcome.message, name).toMatch(/\w+ \w+/);
    } else {
      expect(outcome, name).toMatchObject({ pixels: { width: expect.any(Number) } });
      read++;
    }
  }
  expect(files).toBeGreaterThanOrEqual(500);
  expect(read).toBeGreaterThan(12);
  expect(read).toBeLessThan(files);
  console.info(`${files} files: ${read} read, ${files - read} refused`);
});
