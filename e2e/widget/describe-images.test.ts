/** A page of many pictures: those without a text get one, no other is touched, and one worker does it. */
import { afterEach, expect, it, vi } from 'vitest';
import {
  type Captioner,
  type DescribeProgress,
  describeImages,
  NarvlImage,
} from '../../src/widget/index.ts';
import { MODEL, mount, photos, reach } from './page.ts';

afterEach(() => vi.restoreAllMocks());

const addresses = Object.values(photos);

/** Fifty pictures: 20 without a text, 20 with one, 10 decorative, mixed, most of them out of sight. */
function fifty(): string {
  const alts = ['', 'alt="Somebody’s text"', '', 'alt="Somebody’s text"', 'alt=""'];
  return Array.from({ length: 50 }, (_, i) => {
    const src = addresses[i % addresses.length];
    const lazy = i % 2 === 0 ? 'loading="lazy"' : '';
    return `<p><img src="${src}" width="400" height="300" ${lazy} ${alts[i % 5]}></p>`;
  }).join('');
}

it('suggests 20 texts on a page of 50 pictures, with one worker, and touches no other', async () => {
  const sent = vi.spyOn(Worker.prototype, 'postMessage');
  const main = mount(fifty());
  const images = [...main.querySelectorAll('img')];
  const lacking = images.filter((image) => !image.hasAttribute('alt'));
  const others = images.filter((image) => image.hasAttribute('alt'));
  const before = others.map((image) => image.outerHTML);
  expect([lacking.length, others.length]).toEqual([20, 30]);

  const steps: DescribeProgress[] = [];
  const descriptions = await describeImages(main, {
    model: MODEL,
    onProgress: (step) => steps.push(step),
  });
  expect(descriptions.map(({ outcome }) => outcome)).toEqual(Array(20).fill('suggested'));
  expect(new Set(descriptions.map(({ image }) => image))).toEqual(new Set(lacking));
  expect(steps.map(({ done, total }) => [done, total])).toEqual(
    Array.from({ length: 21 }, (_, done) => [done, 20]),
  );
  expect(new Set(sent.mock.contexts).size).toBe(1);

  const elements = [...document.querySelectorAll('narvl-image')];
  expect(elements.map((element) => element.state)).toEqual(Array(20).fill('suggested'));
  expect(elements.map((element) => element.previousElementSibling)).toEqual(lacking);
  expect(others.map((image) => image.outerHTML)).toEqual(before);
  expect(lacking.every((image) => !image.hasAttribute('alt'))).toBe(true);
  expect(document.querySelectorAll('[role=status]')).toHaveLength(1);
});

/** Answers at once, and remembers whom it was asked about. */
function quick(confidence = 0.9): { captioner: Captioner; asked: string[] } {
  const asked: string[] = [];
  const captioner = {
    caption: async (image: unknown) => {
      const src = image instanceof HTMLImageElement ? image.id : String(image);
      asked.push(src);
      return { text: `picture ${src}`, confidence } as Awaited<ReturnType<Captioner['caption']>>;
    },
  };
  return { captioner, asked };
}

const picture = (id: string, more = '') =>
  `<p><img id="${id}" src="${photos.cat}" width="200" height="200" ${more}></p>`;

const decoded = (root: HTMLElement) =>
  Promise.all([...root.querySelectorAll('img')].map((image) => image.decode()));

it('begins with what is in sight, and goes on in document order', async () => {
  const main = mount(
    `${picture('a')}<div id="gap"></div>${picture('b')}${picture('c')}${picture('d')}`,
  );
  const gap = document.getElementById('gap');
  if (!gap) throw new Error('Expected #gap');
  gap.style.height = '4000px';
  await decoded(main);
  document.getElementById('c')?.scrollIntoView();
  const { captioner, asked } = quick();
  await describeImages(main, { model: captioner, mode: 'fill' });
  expect(asked.at(-1)).toBe('a');
  expect(asked.slice(0, 3)).toEqual(['b', 'c', 'd']);
});

it('fills what is sure, unless the page prevents it, and tells of it at the picture', async () => {
  const main = mount(picture('a') + picture('b') + picture('c', 'alt=""') + picture('tiny'));
  await decoded(main);
  const { captioner, asked } = quick();
  main.addEventListener('narvl-apply', (event) => {
    if (event.detail.image.id === 'b') event.preventDefault();
  });
  const filter = (image: HTMLImageElement) => image.id !== 'tiny';
  const done = await describeImages(main, { model: captioner, mode: 'fill', filter });
  expect(done.map(({ outcome }) => outcome)).toEqual(['filled', 'prevented']);
  expect(asked).toEqual(['a', 'b']);
  const [a, b, c, tiny] = main.querySelectorAll('img');
  expect([a?.alt, a?.dataset.narvl]).toEqual(['Picture a', 'machine']);
  expect([b, tiny].some((image) => image?.hasAttribute('alt'))).toBe(false);
  expect(c?.alt).toBe('');

  const unsure = await describeImages(main, { model: quick(0.3).captioner, mode: 'fill', filter });
  expect(unsure.map(({ outcome }) => outcome)).toEqual(['unsure']);
});

it('has the error of a picture in its place, and goes on', async () => {
  const main = mount(`<img id="broken" src="/no-such.jpg">${picture('b')}`);
  await document.querySelector<HTMLImageElement>('#b')?.decode();
  const { captioner } = quick();
  const done = await describeImages(main, { model: captioner, mode: 'fill' });
  expect(done.map(({ image, outcome, error }) => [image.id, outcome, error?.code])).toEqual(
    expect.arrayContaining([
      ['b', 'filled', undefined],
      ['broken', 'failed', 'image-unreadable'],
    ]),
  );
});

it('stops at its signal', async () => {
  const main = mount(picture('a') + picture('b') + picture('c'));
  await decoded(main);
  const controller = new AbortController();
  const { captioner, asked } = quick();
  const onProgress = ({ done }: DescribeProgress) => {
    if (done === 1) controller.abort();
  };
  const { signal } = controller;
  const model = captioner;
  await expect(
    describeImages(main, { model, mode: 'fill', signal, onProgress }),
  ).rejects.toMatchObject({ code: 'aborted' });
  expect(asked).toEqual(['a']);
  expect(main.querySelectorAll('img[alt]')).toHaveLength(1);
});

it('says once that there is no model, and puts nothing into links', async () => {
  const main = mount(`<a href="#"><img id="a" src="${photos.cat}" width="90"></a>${picture('b')}`);
  await decoded(main);
  await expect(describeImages(main, { model: '/models/none/' })).rejects.toMatchObject({
    name: 'NarvlError',
  });
  expect(main.querySelector('narvl-image')).toBeNull();

  await describeImages(main, { model: quick().captioner });
  const [first] = document.querySelectorAll('narvl-image');
  if (!(first instanceof NarvlImage)) throw new Error('Expected an element');
  await reach(first, 'suggested');
  expect(first.closest('a')).toBeNull();
  expect(first.picture?.id).toBe('a');
});
