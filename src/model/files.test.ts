/** Downloads against a made-up server: what arrives is what the manifest promised, or an error. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { downloadModel, loadModelFiles } from './files.ts';
import {
  captionTasks,
  findCaptionTask,
  findTask,
  onlyTask,
  parseManifest,
  wordCount,
} from './manifest.ts';
import { promisedShape } from './network-shape.ts';

const URL_OF_MODEL = 'https://example.test/model/';
const contents: Record<string, Uint8Array<ArrayBuffer>> = {
  'vision.onnx': Uint8Array.of(1, 2, 3),
  'fusion.onnx': Uint8Array.of(4, 5),
  'decoder.safetensors': Uint8Array.of(6),
  'tokenizer.json': Uint8Array.of(7, 8, 9, 10),
  'captions.ngrams.bin': Uint8Array.of(11, 12),
};

const beam = { ngrams: 'captions.ngrams.bin', bos: 1, width: 16, languageWeight: 0.5, bonus: 2 };
const copying = { start: 0, inside: 1, least: 0, sure: 1, named: 0 };

function manifest() {
  const files = Object.entries(contents).map(([name, data]) => {
    const sha256 = createHash('sha256').update(data).digest('hex');
    return [name, { bytes: data.length, sha256 }] as const;
  });
  return {
    format: 2,
    name: 'test',
    files: Object.fromEntries(files),
    image: { size: 8, mean: [0, 0, 0], std: [1, 1, 1], fit: 'squash' },
    features: { rows: 4, width: 6 },
    prompt: { length: 3, pad: 3 },
    decoder: {
      ...{ width: 8, heads: 2, layers: 1, ffn: 8, vocabulary: 9, queries: 4, memory: 7 },
      ...{ blank: 0, eos: 2, epsilon: 1e-5 },
    },
    tasks: {
      caption: { kind: 'caption', prompt: 'what?', queries: { first: 0, count: 3 }, beam },
      'caption-human': { kind: 'caption', prompt: 'so?', queries: { first: 0, count: 3 } },
      answer: { kind: 'answer', queries: { first: 3, count: 1 } },
    },
    licence: 'test',
    trainedOn: [],
  };
}

/** What the server has, by path below the model's folder. */
let server: Map<string, Uint8Array<ArrayBuffer> | string>;
let requests: string[];

beforeEach(() => {
  server = new Map<string, Uint8Array<ArrayBuffer> | string>(Object.entries(contents));
  server.set('manifest.json', JSON.stringify(manifest()));
  requests = [];
  vi.stubGlobal('fetch', async (url: string) => {
    const path = url.slice(URL_OF_MODEL.length);
    requests.push(path);
    const body = server.get(path);
    return body === undefined ? new Response(null, { status: 404 }) : new Response(body);
  });
});

afterEach(() => vi.unstubAllGlobals());

const load = () => loadModelFiles(URL_OF_MODEL, () => {});

describe('loadModelFiles', () => {
  it('gives every file and counts its bytes up to the total', async () => {
    const progress: [number, number][] = [];
    const { files } = await loadModelFiles(URL_OF_MODEL, (...step) => progress.push(step));
    expect(new Uint8Array(files['tokenizer.json'])).toEqual(contents['tokenizer.json']);
    expect(new Uint8Array(files['captions.ngrams.bin'] ?? [])).toEqual(Uint8Array.of(11, 12));
    expect(progress[0]).toEqual([0, 12]);
    expect(progress.at(-1)).toEqual([12, 12]);
    expect(progress.map(([loaded]) => loaded)).toEqual(
      [...progress.map(([n]) => n)].sort((a, b) => a - b),
    );
  });

  it('refuses a file with a wrong byte', async () => {
    server.set('vision.onnx', Uint8Array.of(1, 2, 4));
    await expect(load()).rejects.toMatchObject({ code: 'integrity' });
  });

  it('refuses a file that is too short, and one that is too long', async () => {
    server.set('fusion.onnx', Uint8Array.of(4));
    await expect(load()).rejects.toMatchObject({ code: 'integrity' });
    server.set('fusion.onnx', Uint8Array.of(4, 5, 6));
    await expect(load()).rejects.toMatchObject({ code: 'integrity' });
  });

  it('gives the weights in pieces, and ends or fails with the file', async () => {
    const good = await downloadModel(URL_OF_MODEL, () => {});
    const reader = good.weights.getReader();
    expect(await reader.read()).toEqual({ done: false, value: contents['decoder.safetensors'] });
    expect(await reader.read()).toMatchObject({ done: true });
    await good.all;

    server.set('decoder.safetensors', Uint8Array.of(0));
    const bad = await downloadModel(URL_OF_MODEL, () => {});
    const other = bad.weights.getReader();
    await other.read().catch(() => {});
    await expect(other.closed).rejects.toMatchObject({ code: 'integrity' });
    await expect(bad.all).rejects.toMatchObject({ code: 'integrity' });

    const unread = await downloadModel(URL_OF_MODEL, () => {});
    await unread.weights.cancel();
    await expect(unread.all).rejects.toMatchObject({ code: 'integrity' });
  });

  it('says which file the server does not have', async () => {
    server.delete('decoder.safetensors');
    await expect(load()).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('decoder.safetensors'),
    });
  });

  it('refuses a page that is no manifest', async () => {
    server.set('manifest.json', '<!doctype html>');
    await expect(load()).rejects.toMatchObject({ code: 'invalid-model' });
  });

  it('asks the server, whatever the browser has cached of a version before', async () => {
    const answer = globalThis.fetch;
    const stale = Uint8Array.of(0, 0, 0);
    vi.stubGlobal('fetch', async (url: string, init?: RequestInit) =>
      init?.cache === 'no-cache' ? answer(url) : new Response(stale),
    );
    const { files } = await load();
    expect(new Uint8Array(files['vision.onnx'])).toEqual(contents['vision.onnx']);
  });
});

describe('the cache', () => {
  let kept: Map<string, Uint8Array<ArrayBuffer>>;

  beforeEach(() => {
    kept = new Map();
    vi.stubGlobal('caches', {
      open: async () => ({
        match: async (key: string) => {
          const data = kept.get(key);
          return data && new Response(data);
        },
        put: async (key: string, response: Response) => {
          kept.set(key, new Uint8Array(await response.arrayBuffer()));
        },
        delete: async (key: string) => kept.delete(key),
        keys: async () => [...kept.keys()].map((url) => ({ url })),
      }),
    });
  });

  const offline = () => vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
  const tidied = () => vi.waitUntil(() => kept.has(`${URL_OF_MODEL}manifest.json`));

  it('keeps checked files, and gives up a kept one that has changed', async () => {
    await load();
    requests = [];
    await load();
    expect(requests).toEqual(['manifest.json']);

    const [key] = [...kept.keys()].filter((href) => href.includes('tokenizer.json'));
    kept.set(key ?? '', Uint8Array.of(0, 0, 0, 0));
    requests = [];
    const { files } = await load();
    expect(requests).toEqual(['manifest.json', 'tokenizer.json']);
    expect(new Uint8Array(files['tokenizer.json'])).toEqual(contents['tokenizer.json']);
  });

  it('is enough where there is no network, once all has come', async () => {
    await load();
    await tidied();
    offline();
    const { files } = await load();
    expect(new Uint8Array(files['tokenizer.json'])).toEqual(contents['tokenizer.json']);
  });

  it('is not asked where a server answers that there is no model any more', async () => {
    await load();
    await tidied();
    server.delete('manifest.json');
    await expect(load()).rejects.toMatchObject({ code: 'download-failed' });
  });

  it('has nothing for who never came so far', async () => {
    server.delete('tokenizer.json');
    await expect(load()).rejects.toMatchObject({ code: 'download-failed' });
    offline();
    await expect(load()).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('manifest.json: no answer'),
    });
  });

  it("lets a version's files go when the next one is there, and no other model's", async () => {
    kept.set('https://example.test/model/below/vision.onnx?sha256=1', Uint8Array.of(1));
    kept.set('https://example.test/vision.onnx?sha256=2', Uint8Array.of(2));
    const others = kept.size;
    await load();
    await tidied();
    const before = new Set(kept.keys());
    expect(before.size).toBe(others + Object.keys(contents).length + 1);

    const old = contents['fusion.onnx'];
    try {
      contents['fusion.onnx'] = Uint8Array.of(40, 50, 60);
      server.set('fusion.onnx', contents['fusion.onnx']);
      server.set('manifest.json', JSON.stringify(manifest()));
      await load();
      const gone = [...before].filter((key) => key.includes('fusion.onnx'));
      await vi.waitUntil(() => gone.every((key) => !kept.has(key)));
      expect(gone).toHaveLength(1);
      expect(kept.size).toBe(before.size);
    } finally {
      if (old) contents['fusion.onnx'] = old;
    }
  });
});

/** What parses to the manifest of these tests with something changed. */
const parse = (change: object = {}) => parseManifest(JSON.stringify({ ...manifest(), ...change }));

describe('parseManifest', () => {
  const { caption, answer } = manifest().tasks;

  it.each([
    ['an older format', { format: 1 }, /^manifest\.json, format: .*2.*1/],
    ['a newer format', { format: 5 }, /^manifest\.json, format: .*4.*5/],
    [
      'evidence in a format whose runtimes do not hear it',
      { decoder: { ...manifest().decoder, evidence: true } },
      /format: expected 3 of a decoder that hears evidence, got 2/,
    ],
    ['a size below 1', { image: { ...manifest().image, size: -1 } }, /image\.size/],
    [
      'memory that features and prompt do not fit into',
      { decoder: { ...manifest().decoder, memory: 6 } },
      /expected at least .* 7, got 6/,
    ],
    [
      'a grid that is not of its features',
      { features: { ...manifest().features, grid: [2, 3] } },
      /features\.grid: expected \d+ cells, got 2 × 3/,
    ],
    ['no task', { tasks: {} }, /tasks: Expected the first task to be a caption/],
    ['an answer as the first task', { tasks: { answer, caption } }, /first task to be a caption/],
    ['a task of no known kind', { tasks: { caption: { ...caption, kind: 'sing' } } }, /kind/],
    [
      'a caption without a prompt',
      { tasks: { caption: { kind: 'caption', queries: caption.queries } } },
      /tasks\.caption\.prompt/,
    ],
    [
      'queries that are not there',
      { tasks: { caption, answer: { ...answer, queries: { first: 3, count: 2 } } } },
      /tasks\.answer\.queries: expected a range within 4 rows, got 2 from 3/,
    ],
    [
      'n-grams that are not among the files',
      { tasks: { caption: { ...caption, beam: { ...beam, ngrams: 'toString' } } } },
      /tasks\.caption\.beam\.ngrams: expected one of files, got toString/,
    ],
    [
      'a file above its folder',
      { files: { ...manifest().files, '../x': manifest().files['fusion.onnx'] } },
      /name of a file/,
    ],
    ['a file that is missing', { files: {} }, /files/],
    [
      'names to copy where there are none',
      { tasks: { caption: { ...caption, beam: { ...beam, copying } } } },
      /tasks\.caption\.beam\.copying: expected names to copy, got none/,
    ],
    [
      'a beam that keeps nothing',
      { tasks: { caption: { ...caption, beam: { ...beam, width: 0 } } } },
      /tasks\.caption\.beam\.width/,
    ],
    [
      'a calibration that is no curve',
      {
        tasks: {
          caption: {
            ...caption,
            calibration: {
              curve: [
                [-1, 0.5],
                [-2, 0.6],
              ],
            },
          },
        },
      },
      /tasks\.caption\.calibration\.curve: Expected points in rising order/,
    ],
    [
      'a calibration beyond certainty',
      { tasks: { caption: { ...caption, calibration: { curve: [[-1, 1.5]] } } } },
      /tasks\.caption\.calibration\.curve/,
    ],
  ])('refuses %s, and says where', (_, change, message) => {
    expect(() => parse(change)).toThrow(
      expect.objectContaining({
        code: 'invalid-model',
        message: expect.stringMatching(message),
      }),
    );
  });

  it("refuses a server's start page in its place, and shows how it begins", () => {
    expect(() => parseManifest('<!doctype html><title>Hello</title>')).toThrow(
      expect.objectContaining({
        code: 'invalid-model',
        message: expect.stringMatching(/manifest\.json to be JSON, got "<!doctype html>.*is there/),
      }),
    );
  });
});

const bins = { first: 10, count: 6 };
const map = { stride: 4, weight: 0.1 };
const locate = {
  ...{ kind: 'locate', prompt: 'where is {}?', queries: { first: 4, count: 7 }, bins },
  calibration: { curve: [[-1, 0.5]] },
};
const labels = { entailment: 'yes', neutral: 'maybe', contradiction: 'no' };
const entail = {
  ...{ kind: 'entail', prompt: 'is it true that {}?', queries: { first: 0, count: 3 }, labels },
  calibration: { candidates: { weight: 1, floor: 0 } },
};

/** A manifest of a model that points and judges, with some of its tasks changed. */
function pointing(points: object = {}, judges: object = {}, change: object = {}) {
  const { caption } = manifest().tasks;
  return parse({
    ...change,
    decoder: { ...manifest().decoder, vocabulary: 16, queries: 11 },
    tasks: { caption, locate: { ...locate, ...points }, entail: { ...entail, ...judges } },
  });
}

describe('a task that points or judges', () => {
  it.each([
    ['has no place for a phrase', { prompt: 'where?' }, /locate\.prompt: Expected one {}/],
    ['has two', { prompt: '{} in {}' }, /locate\.prompt: Expected one {}/],
    [
      'has too few slots',
      { queries: { first: 0, count: 6 } },
      /queries: Expected at least 7 slots/,
    ],
    ['has one bin', { bins: { first: 10, count: 1 } }, /locate\.bins\.count/],
    ['spreads bins by less than none', { bins: { ...bins, spread: -1 } }, /locate\.bins\.spread/],
    [
      'has a map whose edges are nowhere',
      { bins: { ...bins, map: { ...map, stride: 0 } } },
      /locate\.bins\.map\.stride/,
    ],
    [
      'has a map that counts against a box',
      { bins: { ...bins, map: { ...map, weight: -1 } } },
      /locate\.bins\.map\.weight/,
    ],
    ['has bins beyond the vocabulary', { bins: { first: 11, count: 6 } }, /got 6 from 11/],
    ['takes the end for a bin', { bins: { first: 2, count: 6 } }, /below 16 without 0 and 2/],
  ])('is refused if it %s', (_, change, message) => {
    expect(() => pointing(change)).toThrow(
      expect.objectContaining({
        code: 'invalid-model',
        message: expect.stringMatching(message),
      }),
    );
  });

  it.each([
    ['has no place for a statement', { prompt: 'so?' }, /entail\.prompt: Expected one {}/],
    ['lacks a label', { labels: { ...labels, neutral: undefined } }, /entail\.labels\.neutral/],
    ['has a label without words', { labels: { ...labels, neutral: '?' } }, /with words in them/],
    ['has two alike', { labels: { ...labels, neutral: 'No.' } }, /no two alike/],
  ])('is refused if it %s', (_, change, message) => {
    expect(() => pointing({}, change)).toThrow(
      expect.objectContaining({
        code: 'invalid-model',
        message: expect.stringMatching(message),
      }),
    );
  });
});

describe('a phrase map', () => {
  const mapped = { bins: { ...bins, map } };
  const grid = { features: { ...manifest().features, grid: [2, 2] } };

  it('is of format 4, of a photo in cells', () => {
    const parsed = pointing(mapped, {}, { ...grid, format: 4 });
    expect(findTask(parsed, 'locate').bins.map).toEqual(map);
  });

  it.each([2, 3])('is refused in format %i, whose runtimes do not read it', (format) => {
    expect(() => pointing(mapped, {}, { ...grid, format })).toThrow(
      expect.objectContaining({
        code: 'invalid-model',
        message: `manifest.json, format: expected 4 of a task with a phrase map, got ${format}`,
      }),
    );
  });

  it('is refused without cells', () => {
    expect(() => pointing(mapped, {}, { format: 4 })).toThrow(
      expect.objectContaining({
        code: 'invalid-model',
        message: expect.stringMatching(/tasks\.locate\.bins\.map: expected features\.grid.* none$/),
      }),
    );
  });

  it.each([2, 3, 4])('may be lacking in format %i', (format) => {
    expect(findTask(pointing({}, {}, { format }), 'locate').bins.map).toBeUndefined();
  });

  it('has its units stated ahead, in fours, or not at all', () => {
    const network = (fusion: object) => ({
      vision: { stem: 8, blocks: [block], fine: 0, head: 8 },
      fusion: { ffn: 8, ...fusion },
    });
    const block = { kernel: 3, stride: 1, outputs: 8, residual: false };
    const units = (fusion: object) =>
      promisedShape(parse({ network: network(fusion) }))?.fusion.places;
    expect(units({ places: 128 })).toBe(128);
    expect(units({})).toBe(0);
    expect(() => units({ places: 126 })).toThrow(/network\.fusion\.places/);
  });
});

describe('tasks', () => {
  it('are found by name, the first caption without one', () => {
    expect([...captionTasks(parse()).keys()]).toEqual(['caption', 'caption-human']);
    expect(findCaptionTask(parse(), undefined).prompt).toBe('what?');
    expect(findCaptionTask(parse(), 'caption-human').prompt).toBe('so?');
    expect(findTask(parse(), 'answer').queries).toEqual({ first: 3, count: 1 });
  });

  it.each(['sing', 'answer', 'toString', ''])('has no caption task %j', (name) => {
    expect(() => findCaptionTask(parse(), name)).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        message: `Expected a caption task of caption, caption-human, got ${JSON.stringify(name)}`,
      }),
    );
  });

  it('may lack an answer', () => {
    const { caption } = manifest().tasks;
    const mute = parse({ tasks: { caption } });
    expect(onlyTask(mute, 'answer')).toBeUndefined();
    expect(() => findTask(mute, 'answer')).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        message: 'This model answers no questions',
      }),
    );
  });

  it('may locate and entail, or say that they do not', () => {
    const both = pointing();
    expect(findTask(both, 'locate').bins).toEqual({ first: 10, count: 6 });
    expect(findTask(both, 'entail').labels.neutral).toBe('maybe');
    const lacking = [
      ['locate', 'This model points at nothing: it has no task of the kind "locate"'],
      ['entail', 'This model judges no statements: it has no task of the kind "entail"'],
    ] as const;
    for (const [kind, message] of lacking) {
      expect(() => findTask(parse(), kind)).toThrow(
        expect.objectContaining({ code: 'invalid-argument', message }),
      );
    }
  });

  it('have words for all tokens but the locations at their end', () => {
    expect(wordCount(parse())).toBe(9);
    expect(wordCount(pointing())).toBe(10);
    expect(wordCount(pointing({ bins: { first: 9, count: 6 } }))).toBe(16);
  });
});
