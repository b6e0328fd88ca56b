/**
 * The box that a map of a photo's cells and the slots together speak for most.
 *
 * A phrase map says of each cell how likely it lies in the box that people draw for the phrase. What counts is how
 * much a box overlaps theirs, so the box is chosen by the overlap that the map promises it: intersection over union
 * with probabilities in the place of yes and no (the soft form of Rahman & Wang 2016, whose like Berman et al. 2018
 * improve upon as a loss; here nothing is learnt by it). A network that was taught four tokens points worse than such
 * a map ("A phrase map" of training/RESULTS.md). The tokens know edges that cells are too coarse for, so that the log
 * probability of the box that they spell has a say, of a small weight.
 */
import { NarvlError } from '../errors.ts';
import type { TokenTable } from '../model/decoder.ts';
import {
  allBins,
  type BoxBins,
  boxHalves,
  boxProbability,
  dot,
  edgeOf,
  type FoundBox,
} from './box-probability.ts';
import type { Grid } from './explain.ts';

/** What is known of where a phrase's thing is, and how it counts. */
export interface PhraseMap {
  /** [cells], row by row: log odds that each lies in the phrase's box. */
  readonly places: Float32Array;
  readonly grid: Grid;
  /** Bins from one edge that is tried to the next. */
  readonly stride: number;
  /** Of a box's log probability by its tokens, beside 1 for the log of its overlap. */
  readonly weight: number;
}

/** A box with what it was chosen by: the log of its expected overlap, and `weight` times its `logProb`. */
export interface OverlapBox extends FoundBox {
  readonly score: number;
}

/** Below it all probabilities count alike, so that no score is lost to a logarithm of 0. */
const LEAST_PROBABILITY = 1e-300;

/** What lies between two edges on an axis of the photo. */
interface Span {
  /** Which of the edges that are tried. */
  readonly low: number;
  readonly high: number;
  /** Of each of the axis' cells, the share that lies within. */
  readonly cover: Float64Array;
  /** Their sum. */
  readonly covered: number;
}

/**
 * The box of the greatest score; of equals the first by x0, then y0, x1 and y1. Its edges are every
 * `stride`-th bin and the last one.
 *
 *     overlap = Σ p·cover / (Σ p + Σ cover − Σ p·cover)
 *
 * for each cell's probability p and the share of it that the box covers. That is the share of its column times that
 * of its row, so that a pair of x sums up each row of the map once for all pairs of y.
 *
 * @param table as `boxHalves` takes it
 * @throws NarvlError 'invalid-model' unless the map has a finite number for each cell.
 */
export function bestOverlap(
  table: TokenTable,
  { places, grid: [rows, columns], stride, weight }: PhraseMap,
): OverlapBox {
  checkPlaces(places, rows * columns);
  const inside = Float64Array.from(places, (odds) => 1 / (1 + Math.exp(-odds)));
  const all = inside.reduce((sum, p) => sum + p, 0);
  const bins = allBins(table);
  const tried = bins.filter((bin) => bin % stride === 0 || bin === bins.length - 1);
  const edges = tried.map((bin) => edgeOf(bin, bins.length));
  const halves = boxHalves(table, tried);
  const downwards = spansByLow(edges, rows);
  const rightwards = spansByLow(edges, columns).map((spans) =>
    spans.map((span) => ({
      ...span,
      sums: Float64Array.from({ length: rows }, (_, row) =>
        dot(inside, row * columns, span.cover, 0, columns),
      ),
    })),
  );

  let best: BoxBins = [0, 0, 1, 1];
  let score = Number.NEGATIVE_INFINITY;
  for (const fromLeft of rightwards) {
    for (const fromTop of downwards) {
      for (const x of fromLeft) {
        for (const y of fromTop) {
          const common = dot(x.sums, 0, y.cover, 0, rows);
          const overlap = common / (all + x.covered * y.covered - common);
          const p = boxProbability(halves, x.low, y.low, x.high, y.high);
          const found = Math.log(overlap) + weight * Math.log(Math.max(p, LEAST_PROBABILITY));
          if (found <= score) continue;
          score = found;
          best = [x.low, y.low, x.high, y.high];
        }
      }
    }
  }
  const binOf = (edge: number) => tried[edge] ?? 0;
  return {
    bins: [binOf(best[0]), binOf(best[1]), binOf(best[2]), binOf(best[3])],
    logProb: Math.log(boxProbability(halves, ...best)),
    score,
  };
}

function checkPlaces(places: Float32Array, cells: number): void {
  const wrong = places.find((odds) => !Number.isFinite(odds));
  if (places.length === cells && wrong === undefined) return;
  throw new NarvlError(
    'invalid-model',
    `fusion: expected finite log odds of ${cells} places, got ${wrong ?? `${places.length} of them`}`,
  );
}

/** By its lower edge each pair of edges, in rising order. */
function spansByLow(edges: readonly number[], cells: number): Span[][] {
  return edges.map((from, low) =>
    edges.slice(low + 1).map((to, i): Span => {
      const [begin, end] = [from * cells, to * cells];
      const cover = Float64Array.from({ length: cells }, (_, cell) =>
        Math.max(0, Math.min(end, cell + 1) - Math.max(begin, cell)),
      );
      return { low, high: low + 1 + i, cover, covered: end - begin };
    }),
  );
}
