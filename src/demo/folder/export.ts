/** A folder's texts as files for other programs: a table, data, and a page with `alt`. */
import Papa from 'papaparse';
import type { Row } from './rows.ts';

/** A file to save. */
export interface Export {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** What a photo's line of the export says; a text that is missing is an error's or was not written yet. */
export interface Entry {
  readonly file: string;
  readonly alt: string;
  /** Of a text that the model wrote, 0…1. */
  readonly confidence: number | null;
  readonly source: 'machine' | 'human' | 'none';
  readonly error: string | null;
}

function entryOf({ path, text, edited, caption, error }: Row): Entry {
  const source = text === '' ? 'none' : edited ? 'human' : 'machine';
  const confidence = source === 'machine' ? (caption?.confidence ?? null) : null;
  return { file: path, alt: text, confidence, source, error: error?.code ?? null };
}

/**
 * Comma-separated, as RFC 4180 has it, with a mark that makes spreadsheets read it as UTF-8. What a
 * spreadsheet would take for a formula gets an apostrophe before it: a file's name is anybody's text.
 */
export function toCsv(rows: readonly Row[]): Export {
  const entries = rows.map(entryOf);
  const fields: (keyof Entry)[] = ['file', 'alt', 'confidence', 'source', 'error'];
  const data = entries.map((entry) => fields.map((field) => rounded(entry[field])));
  const text = Papa.unparse({ fields, data }, { escapeFormulae: true });
  return { name: 'captions.csv', type: 'text/csv', text: `\ufeff${text}\r\n` };
}

export function toJson(rows: readonly Row[]): Export {
  const text = JSON.stringify(rows.map(entryOf), (_, value: unknown) => rounded(value), 2);
  return { name: 'captions.json', type: 'application/json', text: `${text}\n` };
}

/**
 * A page that lies beside the folder's photos and shows them with their texts. A photo without a text has
 * no `alt`: an empty one would say that it is decoration.
 */
export function toHtml(rows: readonly Row[]): Export {
  const images = rows.map(({ path, text }) => {
    const alt = text === '' ? '' : ` alt="${escapeHtml(text)}"`;
    return `<img src="${escapeHtml(addressOf(path))}"${alt}>\n`;
  });
  const head = '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Photos</title>\n';
  return { name: 'captions.html', type: 'text/html', text: head + images.join('') };
}

/** A path as a relative URL: what names may hold, a colon or a hash, means nothing in it. */
function addressOf(path: string): string {
  return `./${path.replace(/^\.\//, '').split('/').map(encodeURIComponent).join('/')}`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Confidence is not worth more than three digits. */
function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}
