/** Choosing among texts that the caller brings, by their exact probabilities. */
import { NarvlError } from '../errors.ts';
import { type Decoding, MOST_CANDIDATES } from '../model/decoder.ts';
import { readText } from '../model/text.ts';
import type { Candidate } from '../protocol.ts';
import { bestAlignment } from './align.ts';
import { ofTable } from './emissions.ts';
import type { Specials } from './lattice.ts';
import { logAdd } from './log-add.ts';

/** A caller's texts, as they are and as the decoder reads them. */
export interface Candidates {
  readonly texts: readonly string[];
  /** Token ids of each. */
  readonly tokens: readonly (readonly number[])[];
}

/** What turns texts into token ids. */
export interface Encoder {
  encode(text: string): number[];
}

/** How candidates share a probability of 1; fitted by training/scoring/calibration.py. */
export interface Sharing {
  /** Of their log probabilities before the softmax: the inverse of a temperature. */
  readonly weight: number;
  /** Of all choices, those of which the scores are taken to say nothing. */
  readonly floor: number;
}

/** What one image's choice came to. */
export interface Choice {
  /** The best candidate, with the slots that are likeliest to have written it. */
  readonly decoding: Decoding;
  /** All of them, best first. */
  readonly candidates: readonly [Candidate, ...Candidate[]];
}

/**
 * A caller's candidates; undefined if there are none.
 * @throws NarvlError 'invalid-argument' if they are not 1 to 65,535 texts with words, no two alike.
 */
export function readCandidates(given: unknown, encoder: Encoder): Candidates | undefined {
  if (given === undefined) return undefined;
  const texts: unknown[] = Array.isArray(given) ? given : [];
  if (texts.length === 0 || texts.length > MOST_CANDIDATES) {
    const got = Array.isArray(given) ? `${given.length}` : typeof given;
    throw new NarvlError(
      'invalid-argument',
      `candidates: expected a list of 1 to ${MOST_CANDIDATES} texts, got ${got}`,
    );
  }
  const normal = texts.map((text) => readText(text, 'a candidate'));
  const seen = new Set<string>();
  const twice = normal.find((text) => seen.has(text) || !seen.add(text));
  if (twice !== undefined) {
    throw new NarvlError(
      'invalid-argument',
      `candidates: expected no two alike, got ${JSON.stringify(twice)} twice`,
    );
  }
  return { texts: texts.map(String), tokens: normal.map((text) => encoder.encode(text)) };
}

/**
 * The candidates by how likely they are after a pass that scored them.
 * @throws NarvlError 'invalid-argument' if none fits into the slots.
 */
export function choose(
  { texts, tokens }: Candidates,
  { slots, scored }: Decoding,
  specials: Specials,
  { weight, floor }: Sharing = { weight: 1, floor: 0 },
): Choice {
  if (!scored) throw new NarvlError('worker-failed', 'The decoder scored no candidates');
  const possible = scored.logProbs.filter((logProb) => logProb > -Infinity).length;
  const total = scored.logProbs.map((logProb) => weight * logProb).reduce(logAdd, -Infinity);
  const [first, ...others] = texts
    .map((text, i) => {
      const logProb = scored.logProbs[i] ?? -Infinity;
      return {
        text,
        tokens: tokens[i] ?? [],
        logProb,
        probability:
          logProb > -Infinity
            ? (1 - floor) * Math.exp(weight * logProb - total) + floor / possible
            : 0,
      };
    })
    .sort((a, b) => b.logProb - a.logProb);
  if (!first || first.logProb === -Infinity) {
    throw new NarvlError(
      'invalid-argument',
      `candidates: expected a text that ${slots.length} slots can spell, got none`,
    );
  }
  const emissions = ofTable(scored.table, slots);
  const decoding = {
    tokens: first.tokens,
    slots: bestAlignment(emissions, first.tokens, specials),
  };
  const shown = ({ text, probability, logProb }: Candidate) => ({ text, probability, logProb });
  return { decoding, candidates: [shown(first), ...others.map(shown)] };
}
