/** From one pass's posteriors to the text that is best as a whole, and the next best ones. */
import { NarvlError } from '../errors.ts';
import type { Decoding, Posteriors } from '../model/decoder.ts';
import type { ModelFiles } from '../model/files.ts';
import { beamOf, type TaskBeam, wordCount } from '../model/manifest.ts';
import type { Name } from '../model/name.ts';
import { NgramModel } from '../model/ngrams.ts';
import type { Wanted } from '../protocol.ts';
import { bestAlignment } from './align.ts';
import { ofPosteriors } from './emissions.ts';
import type { Specials } from './lattice.ts';
import { textLogProb } from './likelihood.ts';
import { Once, type Repetition } from './once.ts';
import { type BeamOptions, judge, type LanguageModel, prefixBeam } from './prefix-beam.ts';
import { type Copying, spelled, Told } from './told.ts';

/** Texts that a search gives at most beside the best one. */
const MOST_ALTERNATIVES = 15;

/** How posteriors are searched. */
export interface Search extends BeamOptions {
  readonly model: LanguageModel;
  /** How names count that the network was told; without it they do not. */
  readonly copying?: Copying | undefined;
  /** Tokens of names that any slot may have: see `spelled`. */
  readonly pieces?: readonly number[];
  /** How saying a word again counts, and the tokens that begin one; without it words may. */
  readonly once?: (Repetition & { readonly begins: ReadonlySet<number> }) | undefined;
}

/** The search for a photo that may show what has those names. */
export function withNames(search: Search, names: readonly Name[]): Search {
  const { model, copying } = search;
  if (!copying) return search;
  const told = new Told(model, names, copying);
  return { ...search, model: told, pieces: told.pieces };
}

/** A text that a search found. */
export interface Hypothesis {
  readonly tokens: readonly number[];
  /** log p of the text, by the posteriors alone; of `pieces` that a slot does not list, an upper bound. */
  readonly logProb: number;
  /** What it was ranked by: `logProb`, the language model's share and the bonus. */
  readonly score: number;
}

/** What a search came to. */
export interface Found {
  /** The best text, with the slots that are likeliest to have written it. */
  readonly decoding: Decoding;
  /** The next ones, best first. */
  readonly others: readonly Hypothesis[];
}

/**
 * The best texts of a pass that gave its posteriors. The beam only finds them, and may lose paths on
 * its way; what they are ranked by is exact, and `greedy`, the likeliest path's text, is one of
 * them: what is found is never worse.
 *
 * @throws NarvlError 'invalid-model' if there is none, which finite posteriors always have.
 */
export function search(listed: Posteriors, greedy: readonly number[], options: Search): Found {
  const { model: free, once, eos } = options;
  const model = once ? new Once(free, once, once.begins, eos) : free;
  const posteriors = options.pieces ? spelled(listed, options.pieces) : listed;
  const emissions = ofPosteriors(posteriors);
  const texts = new Map([[greedy.join(), greedy]]);
  for (const tokens of prefixBeam(posteriors, model, options)) {
    texts.set(tokens.join(), tokens);
  }
  const [first, ...others] = [...texts.values()]
    .map((tokens): Hypothesis => {
      const logProb = textLogProb(emissions, tokens, options);
      return { tokens, logProb, score: logProb + judge(tokens, model, options) };
    })
    .filter(({ logProb }) => logProb > -Infinity)
    .sort((a, b) => b.score - a.score);
  if (!first) throw new NarvlError('invalid-model', 'the posteriors hold no text');
  const slots = bestAlignment(emissions, first.tokens, options);
  return { decoding: { tokens: first.tokens, slots }, others };
}

/** The searches that a model's tasks may take. */
export class Searches {
  readonly #guided = new Map<TaskBeam, Search>();
  readonly #plain: Search;

  /**
   * @param begins whether a token begins a word
   * @throws NarvlError 'invalid-model' if a file is no n-gram model of the decoder's tokens.
   */
  constructor({ manifest, files }: ModelFiles, begins: (token: number) => boolean) {
    const { vocabulary, blank, eos } = manifest.decoder;
    const words = wordCount(manifest);
    const models = new Map<string, NgramModel>();
    const beginnings = new Set([...Array(words).keys()].filter(begins));
    for (const beam of Object.values(manifest.tasks).map(beamOf)) {
      const file = beam && files[beam.ngrams];
      if (!file) continue;
      const model = models.get(beam.ngrams) ?? new NgramModel(file, vocabulary, words);
      models.set(beam.ngrams, model);
      const once = beam.once && { ...beam.once, begins: beginnings };
      this.#guided.set(beam, { ...beam, blank, eos, model, once });
    }
    this.#plain = plainSearch({ blank, eos });
  }

  /**
   * How a text of a task is to be found; undefined if its likeliest path is to be collapsed.
   * @throws NarvlError 'invalid-argument' for what cannot be meant.
   */
  choose(
    beam: TaskBeam | undefined,
    { search, alternatives = 0, candidates }: Wanted,
  ): Search | undefined {
    if (search !== undefined && search !== 'beam' && search !== 'greedy') {
      const got = JSON.stringify(search);
      throw new NarvlError('invalid-argument', `search: expected beam or greedy, got ${got}`);
    }
    if (!Number.isInteger(alternatives) || alternatives < 0 || alternatives > MOST_ALTERNATIVES) {
      throw new NarvlError(
        'invalid-argument',
        `alternatives: expected a whole number up to ${MOST_ALTERNATIVES}, got ${alternatives}`,
      );
    }
    if (candidates !== undefined) {
      if (search === undefined && alternatives === 0) return undefined;
      throw new NarvlError(
        'invalid-argument',
        'candidates: expected no search and no alternatives beside them',
      );
    }
    if (search === 'greedy') {
      if (alternatives === 0) return undefined;
      throw new NarvlError('invalid-argument', 'alternatives: a greedy search has none');
    }
    const guided = beam && this.#guided.get(beam);
    return guided ?? (search === 'beam' || alternatives > 0 ? this.#plain : undefined);
  }
}

/** By the posteriors alone. */
function plainSearch({ blank, eos }: Specials): Search {
  const model = { logProb: () => 0 };
  const width = MOST_ALTERNATIVES + 1;
  return { model, blank, eos, bos: blank, width, languageWeight: 0, bonus: 0 };
}
