/**
 * What is right for the pictures and questions of ../shared/cases, which bug reports of other projects
 * gave: as its README says.
 */
import type { Caption } from '../../src/index.ts';

/** What came of a picture or a question. */
export type Came =
  | (Pick<Caption, 'text' | 'confidence'> & { readonly part?: Caption['part'] })
  | { readonly error: { readonly code: string; readonly message: string } };

/** A picture to caption, or to ask about. */
export interface Case {
  /** A name in the folder of cases, or a path from the folder that has it. */
  readonly file: string;
  readonly ask?: string;
  readonly candidates?: readonly string[];
  /** What is right, in words. */
  readonly right: string;
  /** @param before what came of a file or question that is compared with */
  readonly judge: (came: Came, before: (key: string) => Came) => boolean;
  /**
   * Whether it hangs on what the model knows, and not on the runtime: it is printed, and fails nothing
   * unless that is asked for.
   */
  readonly ofTheModel?: true;
}

/** What a case is found by. */
export const keyOf = ({ file, ask, candidates }: Case) =>
  [file, ask, candidates?.join()].filter((part) => part !== undefined).join(' ');

/** The photo that a caption of many files has to agree with. */
const CONTROL = '00-control-hydrant.png';

/** Of ../shared/data, beside the folder of cases. */
const ZEBRAS = '../data/visual7w/images/v7w_2413097.webp';

/** A confidence below it says that the model does not know. */
const DOUBT = 0.3;

const said = (came: Came, words: RegExp) => 'text' in came && words.test(came.text);
const doubted = (came: Came) => 'text' in came && came.confidence < DOUBT;
const refused = (came: Came, code: string, words: RegExp) =>
  'error' in came && came.error.code === code && words.test(came.error.message);

/** The share of a text's words that another has too. */
function sharedWords(text: string, other: string): number {
  const [words, known] = [text.split(' '), new Set(other.split(' '))];
  return words.filter((word) => known.has(word)).length / words.length;
}

const asControl = (file: string): Case => ({
  file,
  right: 'as the control, confidence within 0.1',
  judge: (came, before) => {
    const control = before(CONTROL);
    return (
      'text' in came &&
      'text' in control &&
      came.text === control.text &&
      Math.abs(came.confidence - control.confidence) <= 0.1
    );
  },
});

const isRefused = (file: string, code: string, words: RegExp): Case => ({
  file,
  right: `${code}: ${words.source}`,
  judge: (came) => refused(came, code, words),
});

/** What the model should see, which is its own matter. */
const seen = (file: string, right: string, judge: (came: Came) => boolean): Case => ({
  file,
  right,
  judge,
  ofTheModel: true,
});

const asked = (
  file: string,
  ask: string,
  right: string,
  judge: Case['judge'],
  more: Pick<Case, 'candidates' | 'ofTheModel'> = { ofTheModel: true },
): Case => ({ file, ask, right, judge, ...more });

export const cases: readonly Case[] = [
  {
    file: CONTROL,
    right: 'a caption',
    judge: (came) => said(came, /\S/),
  },
  asControl('01-jpeg-no-eoi.jpg'),
  asControl('01-jpeg-no-eoi-then-maker-trailer.jpg'),
  isRefused('01-jpeg-last-1pct-missing.jpg', 'image-unreadable', /part of the picture is missing/),
  asControl('02-png-iend-crc-cut.png'),
  asControl('02-png-no-iend.png'),
  asControl('03-gif-no-trailer.gif'),
  // Its first frame has 128 colours, in which a model may take the thing itself for another.
  {
    file: '03-gif-animated-cut-in-frame-4.gif',
    right: 'most words of the control: the first frame is whole',
    judge: (came, before) => {
      const control = before(CONTROL);
      return 'text' in came && 'text' in control && sharedWords(came.text, control.text) > 0.5;
    },
  },
  { ...asControl('03-gif-animated-cut-in-frame-4.gif'), ofTheModel: true },
  asControl('05-avif-major-brand-mif1.avif'),
  asControl('05-avif-major-brand-miaf.avif'),
  isRefused('06-heic-named.jpg', 'unsupported-image', /HEIC.*convert/),
  seen('09-white-logo-on-transparent.png', 'not a white page', (came) => {
    return 'text' in came && !/\bwhite (page|paper|sheet|wall)\b/.test(came.text);
  }),
  asControl('10-gif-fades-in-from-black.gif'),
  {
    file: '11-aspect-9-to-1.jpg',
    right: 'of a part, said in the result',
    judge: (came) => 'text' in came && came.part !== undefined,
  },
  seen('11-aspect-9-to-1.jpg', 'a beach with people', (came) => {
    return (
      said(came, /\b(beach|shore|sea|ocean|waves?|surf)/) &&
      said(came, /\b(people|person|m[ae]n|surfers?|wom[ae]n)\b/)
    );
  }),
  seen('11-page-screenshot-1-to-9.png', 'a page of text', (came) =>
    said(came, /\b(text|page|website|web ?page|document|letters?|writing|words)\b/),
  ),
  asControl('12-bmp-24-bit.bmp'),
  {
    file: '12-ico-256.ico', // Which shows another photo.
    right: 'a caption',
    judge: (came) => said(came, /\S/),
  },
  seen('12-ico-256.ico', 'a stop sign', (came) => said(came, /\bstop sign\b/)),
  ...['12-svg-with-size.svg', '12-svg-without-size.svg'].map((file) => ({
    file,
    right: 'drawn, or unsupported-image that says SVG',
    judge: (came: Came) => said(came, /\S/) || refused(came, 'unsupported-image', /SVG/),
  })),
  isRefused('12-html-error-page-named.jpg', 'unsupported-image', /web page/),
  isRefused('12-tiff-lzw.tif', 'unsupported-image', /TIFF.*convert/),
  seen('13-blank-black.png', 'a black picture and nothing in it, or in doubt', (came) => {
    return (
      doubted(came) ||
      said(came, /\b(blank|empty|black (background|screen|image|picture|square))\b/)
    );
  }),
  seen('13-text-notice.png', 'a text, or in doubt', (came) => {
    return (
      doubted(came) || said(came, /\b(text|notice|sign|page|words|writing|letters?|document)\b/)
    );
  }),
  seen('13-bar-chart.png', 'a chart, or in doubt', (came) => {
    return doubted(came) || said(came, /\b(chart|graph|diagram|bars?)\b/);
  }),
  seen('13-same-object-12-times.jpg', 'no word twice in a row, no "X and X"', (came) => {
    return 'text' in came && !/\b(\w+) (?:and )?(?:an? )?\1\b/.test(came.text);
  }),

  ...['how many zebras are there', 'HOW MANY ZEBRAS ARE THERE?', 'how manny zebras r there'].map(
    (ask) => asked(ZEBRAS, ask, '2', (came) => said(came, /^(2|two)\b/)),
  ),
  asked(
    ZEBRAS,
    'HOW MANY ZEBRAS ARE THERE',
    'as in small letters',
    (came, before) => {
      const small = before(`${ZEBRAS} how many zebras are there`);
      return 'text' in came && 'text' in small && came.text === small.text;
    },
    {},
  ),
  asked(CONTROL, 'is there a fire hydrant?', 'yes', (came) => said(came, /^yes\b/)),
  asked(ZEBRAS, 'is there a fire hydrant?', 'no', (came) => said(came, /^no\b/)),
  ...[
    ['yes', 'no'],
    ['no', 'yes'],
  ].flatMap((candidates) => [
    asked(CONTROL, 'is there a fire hydrant?', 'yes', (came) => said(came, /^yes$/), {
      candidates,
      ofTheModel: true,
    }),
    asked(ZEBRAS, 'is there a fire hydrant?', 'no', (came) => said(came, /^no$/), {
      candidates,
      ofTheModel: true,
    }),
  ]),
  ...[CONTROL, ZEBRAS].map((file) =>
    asked(
      file,
      'is there a fire hydrant?',
      'the same with candidates in the other order',
      (came, before) => {
        const other = before(`${file} is there a fire hydrant? yes,no`);
        return (
          'text' in came &&
          'text' in other &&
          came.text === other.text &&
          Math.abs(came.confidence - other.confidence) < 1e-3
        );
      },
      { candidates: ['no', 'yes'] },
    ),
  ),
  ...[
    'is there a dog '.repeat(50).trim(), // 200 words
    '   ',
    'Wie viele Zebras sind auf dem Bild zu sehen?',
    'シマウマは何頭いますか',
  ].map((ask) =>
    asked(
      ZEBRAS,
      ask,
      'a typed error, or confidence below 0.3',
      (came) => doubted(came) || refused(came, 'invalid-argument', /\w/),
      {},
    ),
  ),
  ...[ZEBRAS, CONTROL].map((file) =>
    asked(file, 'what color is the dog?', 'confidence below 0.3: there is none', doubted),
  ),
];
