/** `<narvl-image>` with the shipped model: what its user sees, what its page hears, what it never does. */

import { beforeAll, describe, expect, it, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { NarvlImage } from '../../src/widget/index.ts';
import { MODEL, mount, only, panelOf, pause, photos, reach, record, wrap } from './page.ts';

const raccoon = `<img src="${photos.raccoon}" width="320" height="256">`;

beforeAll(() => {
  NarvlImage.releaseAfter = 600_000; // The tests of this file share a model.
});

describe('a suggestion', () => {
  it('stands in an editable field, and becomes the alt when it is used', async () => {
    const captions = record('narvl-caption');
    const applies = record('narvl-apply');
    const progress = record('narvl-progress');
    const { element, image } = wrap('', raccoon);
    await reach(element, 'suggested');

    const { field, part, panel } = panelOf(element);
    expect(panel.hidden).toBe(false);
    expect(field.value).toMatch(/^[A-Z].+/);
    expect(part('note').textContent).toMatch(/Confidence \d+%/);
    expect(image.hasAttribute('alt')).toBe(false);
    expect(captions).toHaveLength(1);
    expect(captions[0]).toMatchObject({ bubbles: true, composed: true, target: element });
    expect(captions[0]?.detail).toBe(element.caption);
    expect(progress.at(-1)?.detail.stage).toBe('ready');

    await userEvent.fill(field, '  a raccoon\non a log ');
    part('use').click();
    expect(image.alt).toBe('A raccoon on a log');
    expect(image.dataset.narvl).toBeUndefined();
    expect(applies).toHaveLength(1);
    expect(applies[0]).toMatchObject({ bubbles: true, composed: true, cancelable: true });
    expect(applies[0]?.detail).toMatchObject({ by: 'human', text: 'A raccoon on a log', image });
    expect(panel.hidden).toBe(true);
    expect(element.state).toBe('used');
    expect(element.matches(':state(used)')).toBe(true);
  });

  it('has others, which go round with what was typed kept', async () => {
    const { element } = wrap('', raccoon);
    await reach(element, 'suggested');
    const { field, part } = panelOf(element);
    const first = field.value;
    await userEvent.fill(field, 'My own');
    const seen = new Set<string>();
    for (let i = 0; i < 10 && !seen.has('My own'); i++) {
      part('another').click();
      seen.add(field.value);
    }
    expect(seen).toContain('My own');
    expect(seen).not.toContain(first);
    expect(seen.size).toBeGreaterThan(2);
  });

  it('is used, dismissed and left by keyboard alone', async () => {
    mount(`<narvl-image model="${MODEL}">${raccoon}</narvl-image><button>after</button>`);
    const element = only('narvl-image');
    await reach(element, 'suggested');
    const { field, panel } = panelOf(element);
    await userEvent.tab();
    expect(element.shadowRoot?.activeElement).toBe(field);
    await userEvent.keyboard('{Escape}');
    expect(element.state).toBe('dismissed');
    expect(panel.hidden).toBe(true);
    expect(document.activeElement).toBe(element);
    await userEvent.tab();
    expect(document.activeElement).toBe(document.querySelector('main > button'));
    expect(element.hasAttribute('tabindex')).toBe(false);
    await pause(300);
    expect(element.state).toBe('dismissed');

    await element.describe();
    field.focus();
    await userEvent.keyboard('{Enter}');
    expect(only('img').alt).toBe(field.value);
    expect(element.state).toBe('used');
  });

  it('is not written where the page prevents it', async () => {
    const { element, image } = wrap('', raccoon);
    element.addEventListener('narvl-apply', (event) => event.preventDefault(), { once: true });
    await reach(element, 'suggested');
    const { part, panel } = panelOf(element);
    part('use').click();
    expect(image.hasAttribute('alt')).toBe(false);
    expect(panel.hidden).toBe(false);
    part('use').click();
    expect(image.alt).not.toBe('');
  });

  it('answers a question where there is one', async () => {
    const { element } = wrap('question="What animal is this?"', raccoon);
    await reach(element, 'suggested');
    expect(panelOf(element).field.value).not.toBe('');
    expect(element.caption?.slots).toHaveLength(12);
  });

  it('takes own controls and words', async () => {
    const { element, image } = wrap(
      '',
      `${raccoon}<span slot="label">Vorschlag</span><button slot="use">Übernehmen</button>`,
    );
    await reach(element, 'suggested');
    document.querySelector<HTMLButtonElement>('[slot=use]')?.click();
    expect(image.alt).toBe(panelOf(element).field.value);

    NarvlImage.texts = { dismiss: 'Verwerfen' };
    const other = wrap('', raccoon).element;
    await reach(other, 'suggested');
    expect(panelOf(other).part('dismiss').textContent).toBe('Verwerfen');
    NarvlImage.texts = {};
  });

  it('is read out by the one voice of the page', async () => {
    mount(`
      <narvl-image model="${MODEL}">${raccoon}</narvl-image>
      <narvl-image model="${MODEL}">${raccoon}</narvl-image>`);
    const [first, second] = document.querySelectorAll('narvl-image');
    if (!first || !second) throw new Error('Expected two elements');
    const voices = document.querySelectorAll('[role=status]');
    expect(voices).toHaveLength(1);
    await Promise.all([reach(first, 'suggested'), reach(second, 'suggested')]);
    await expect.poll(() => voices[0]?.textContent).toMatch(/suggested/i);
  });
});

describe('filling in', () => {
  it('writes what is sure enough, and marks it as a machine’s', async () => {
    const applies = record('narvl-apply');
    const { element, image } = wrap('mode="fill" threshold="0"', raccoon);
    await reach(element, 'filled');
    expect(image.alt).toMatch(/^[A-Z].+/);
    expect(image.dataset.narvl).toBe('machine');
    expect(applies.map(({ detail }) => detail.by)).toEqual(['machine']);
    expect(element.shadowRoot?.querySelector('[part=panel]')).toBeNull();

    image.alt = 'Somebody’s own';
    await expect.poll(() => image.dataset.narvl).toBeUndefined();
    expect(image.alt).toBe('Somebody’s own');
  });

  it('writes one again when it is taken away', async () => {
    const { element, image } = wrap('mode="fill" threshold="0"', raccoon);
    await reach(element, 'filled');
    const text = image.alt;
    image.removeAttribute('alt');
    await expect.poll(() => image.alt).toBe(text);
    expect(image.dataset.narvl).toBe('machine');
  });

  it('leaves the alt away below the threshold, and where the page prevents it', async () => {
    const { element, image } = wrap('mode="fill" threshold="1"', raccoon);
    await reach(element, 'unsure');
    expect(image.hasAttribute('alt')).toBe(false);
    expect(element.caption?.confidence).toBeLessThan(1);

    element.addEventListener('narvl-apply', (event) => event.preventDefault());
    element.threshold = 0;
    await reach(element, 'dismissed');
    expect(image.hasAttribute('alt')).toBe(false);
  });
});

describe('what is never done', () => {
  it.each([
    ['a human’s text', 'alt="Our garden"'],
    ['a decorative picture', 'alt=""'],
    ['a picture that is presentation', 'role="presentation"'],
    ['a label', 'aria-label="Our garden"'],
    ['a machine’s text of another visit', 'alt="A raccoon" data-narvl="machine"'],
  ])('%s is not touched, nor looked at', async (_, attributes) => {
    const asked = vi.fn();
    const { element, image } = wrap('mode="fill" threshold="0"', `<img ${attributes}>`);
    element.captioner = { caption: asked };
    const before = image.outerHTML;
    image.src = photos.cat;
    await image.decode();
    await pause(300);
    // A text that a machine wrote describes a picture that is gone.
    if (attributes.includes('machine')) await vi.waitUntil(() => asked.mock.calls.length > 0);
    else expect(asked).not.toHaveBeenCalled();
    if (!attributes.includes('machine')) {
      expect(image.outerHTML.replace(` src="${photos.cat}"`, '')).toBe(before);
      expect(element.state).toBe('idle');
    }
  });

  it('overwriting a text that somebody writes meanwhile', async () => {
    const { element, image } = wrap('mode="fill" threshold="0"', raccoon);
    element.addEventListener('narvl-caption', () => {
      image.alt = 'Written meanwhile';
    });
    await vi.waitUntil(() => element.caption !== undefined, { timeout: 120_000 });
    await pause(300);
    expect(image.alt).toBe('Written meanwhile');
    expect(image.dataset.narvl).toBeUndefined();
    expect(element.state).toBe('idle');
  });

  it('anything while it is disabled', async () => {
    const { element, image } = wrap('disabled mode="fill" threshold="0"', raccoon);
    await image.decode();
    await pause(300);
    expect(element.state).toBe('idle');
    element.disabled = false;
    await reach(element, 'filled');
  });

  it('anything before the picture is in sight', async () => {
    const { element } = wrap('', raccoon);
    mount(`<div id="far"></div>`);
    const far = document.getElementById('far');
    if (!far) throw new Error('Expected #far');
    far.style.paddingTop = '5000px';
    far.append(element);
    await pause(500);
    expect(element.state).toBe('waiting');
    element.scrollIntoView();
    await reach(element, 'suggested');
  });
});

describe('another picture', () => {
  it('has its own text: a machine’s goes with the picture that it describes', async () => {
    const { element, image } = wrap('mode="fill" threshold="0"', raccoon);
    await reach(element, 'filled');
    const first = image.alt;
    image.src = photos.cat;
    await expect.poll(() => image.hasAttribute('alt')).toBe(false);
    await reach(element, 'filled');
    expect(image.alt).not.toBe(first);
  });

  it('is suggested another text, and a human’s stays until it is used', async () => {
    const { element, image } = wrap('', raccoon);
    await reach(element, 'suggested');
    panelOf(element).part('use').click();
    const first = image.alt;
    image.src = photos.cat;
    await reach(element, 'waiting', 'loading', 'looking');
    await reach(element, 'suggested');
    expect(image.alt).toBe(first);
    panelOf(element).part('use').click();
    expect(image.alt).not.toBe(first);
  });

  it('is one that a <source> or a new <img> brings, and none that comes with its text', async () => {
    const { element } = wrap('mode="fill" threshold="0"', `<picture><source>${raccoon}</picture>`);
    await reach(element, 'filled');
    const first = only('img').alt;
    only('source').srcset = photos.cat;
    await expect.poll(() => only('img').hasAttribute('alt')).toBe(false);
    await reach(element, 'filled');
    expect(only('img').alt).not.toBe(first);

    // As a framework does: source and text at a time.
    only('source').remove();
    only('img').src = photos.coffee;
    only('img').alt = 'Our cup';
    await pause(300);
    expect(only('img').alt).toBe('Our cup');
    expect(only('img').dataset.narvl).toBeUndefined();

    const image = new Image();
    image.src = photos.raccoon;
    only('picture').replaceWith(image);
    await expect.poll(() => image.alt, { timeout: 120_000 }).toBe(first);
  });

  it('may stand elsewhere', async () => {
    mount(`<p><img id="far" src="${photos.raccoon}" width="320"></p>
      <narvl-image model="${MODEL}" for="far" mode="fill" threshold="0"></narvl-image>`);
    await reach(only('narvl-image'), 'filled');
    expect(only('img').alt).not.toBe('');
  });
});

describe('a failure', () => {
  it('leaves the field empty, for who writes a text, and can be tried again', async () => {
    const errors = record('narvl-error');
    const { element, image } = wrap(
      '',
      `<img src="/no-such-picture.jpg" width="300" height="200">`,
    );
    await reach(element, 'failed');
    expect(errors[0]?.detail).toMatchObject({ name: 'NarvlError', code: 'image-unreadable' });
    expect(errors[0]).toMatchObject({ bubbles: true, composed: true, target: element });
    const { field, part, panel } = panelOf(element);
    expect(panel.hidden).toBe(false);
    expect(field.value).toBe('');
    expect(part('note').textContent).toContain('could not load the picture');
    part('use').click();
    expect(image.hasAttribute('alt')).toBe(false);
    await userEvent.fill(field, 'My own words');
    part('use').click();
    expect(image.alt).toBe('My own words');
  });

  it('of the model says what is missing, and the next try takes another way', async () => {
    const { element } = wrap('', raccoon);
    element.model = '/models/none/';
    await reach(element, 'failed');
    element.removeAttribute('model');
    await expect.poll(() => panelOf(element).part('note').textContent).toMatch(/NarvlImage\.model/);
    NarvlImage.model = MODEL;
    panelOf(element).part('retry').click();
    await reach(element, 'suggested');
    NarvlImage.model = '';
    await expect(element.describe()).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('pictures of all kinds', () => {
  const svg = (size: string) =>
    `data:image/svg+xml,${encodeURIComponent(
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" ${size}><circle r="9" fill="red"/></svg>`,
    )}`;

  it.each([
    ['an SVG with a size', svg('width="90" height="90"')],
    ['an SVG without one', svg('')],
  ])('%s is described', async (_, src) => {
    const { element, image } = wrap('mode="fill" threshold="0"', `<img width="90" height="90">`);
    image.src = src;
    await reach(element, 'filled');
  });

  it('one that has not arrived is waited for', async () => {
    const { element, image } = wrap('loading="eager" mode="fill" threshold="0"', '<img>');
    await pause(300);
    expect(element.state).toBe('waiting');
    image.src = photos.raccoon;
    await reach(element, 'filled');
  });
});
