// Final layer norm, projection onto the vocabulary, and what is worth keeping of it: the top k
// logits of a tile with their largest and their sum of exponentials. The logits themselves, rows ×
// vocabulary of them, are never stored.
//
// A workgroup takes ROWS rows by TILE_COLUMNS columns: each lane sums four columns at a time as in
// linear.wgsl, with the norm folded into W and b the same way. Then the rows share the lanes, who
// choose the tile's k best of each, one a round. A lane has the two best of its columns at hand, and
// looks at them again only when both were chosen. topk_merge.wgsl merges the tiles of a row.
//
// Behind parts/numbers_f32.wgsl or numbers_f16.wgsl, which say what a product is computed in (all else
// is f32), products.wgsl and candidates.wgsl.
//
// Dispatch: (ceil(rows / ROWS), tiles = ceil(VOCABULARY / TILE_COLUMNS), 1).

/// Numbers in a row of x; a multiple of 4.
override INPUTS: u32;
/// Tokens; W and b are padded to a multiple of 4 columns.
override VOCABULARY: u32;
/// Added to the variance of a row.
override EPSILON: f32 = 1e-5;
/// Tokens kept of each tile.
override TOP_K: u32 = 8;
/// Bits of a weight: 32 and 16 are floating point, 8 a whole number of its column's scale.
override BITS: u32 = 32;
/// Rows of a tile: 4, or 1 where there is but one row.
override ROWS: u32 = 4;
/// Lanes of a workgroup; a multiple of 4.
override LANES: u32 = 64;
/// Adds to each logit its row's tilt times the image's evidence for the token.
override EVIDENCE: bool = false;
/// Columns of a workgroup: a multiple of 4·LANES, at most 768 to fit 16 KiB of workgroup memory.
override TILE_COLUMNS: u32 = 256;

/// Lanes that choose for a row.
override ROW_LANES = LANES / ROWS;
/// Of the rows of x: see parts/products.wgsl.
const NORMALIZE = true;

struct Sizes {
  /// Rows of x.
  rows: u32,
  /// Rows of an image.
  slots: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
/// [rows, INPUTS]
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
/// [INPUTS, VOCABULARY, padded]: bits of 32 each; of 16, a vec4 has four columns of two rows; of 8, of four
/// rows. See gpu/pack.ts.
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
/// [VOCABULARY, padded]; with 8 bits twice as many, the scales of the columns last
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
/// [rows, tiles, TOP_K], likeliest first; of equals, the lower id first.
@group(0) @binding(4) var<storage, read_write> candidates: array<Candidate>;
/// [rows, tiles]
@group(0) @binding(5) var<storage, read_write> parts: array<Part>;
/// [images, VOCABULARY], which is a multiple of 4 then; not read unless EVIDENCE.
@group(0) @binding(6) var<storage, read> evidence: array<vec4f>;
/// [slots]; not read unless EVIDENCE.
@group(0) @binding(7) var<storage, read> tilt: array<f32>;

/// [ROWS, TILE_COLUMNS]
var<workgroup> logits: array<f32, ROWS * TILE_COLUMNS>;
/// Each lane's best, in two sets that rounds take in turn, so that a round needs one barrier.
var<workgroup> bests: array<Candidate, 2 * LANES>;
var<workgroup> totals: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(num_workgroups) tiles: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = tile.x * ROWS;
  let first_token = tile.y * TILE_COLUMNS;
  for (var group = 0u; group < TILE_COLUMNS; group += 4 * LANES) {
    let column = group + 4 * lane;
    let found = tile_logits(first_row, min((first_token + column) / 4, (VOCABULARY + 3) / 4 - 1));
    for (var r = 0u; r < ROWS; r++) {
      for (var c = 0u; c < 4; c++) {
        logits[r * TILE_COLUMNS + column + c] = found[r][c];
      }
    }
  }
  workgroupBarrier();

  let row = first_row + lane / ROW_LANES;
  let own = lane % ROW_LANES;
  let line = (lane / ROW_LANES) * TILE_COLUMNS;
  let columns = min(TILE_COLUMNS, VOCABULARY - first_token);
  let slot = row * tiles.y + tile.y;
  var largest = LOWEST;
  // Behind a candidate before all others.
  var mine = best_two(first_token, columns, line, own, Candidate(0, 3.4e38));
  for (var round = 0u; round < TOP_K; round++) {
    let side = (round % 2) * LANES;
    bests[side + lane] = mine.first;
    workgroupBarrier();
    var best = mine.first;
    for (var i = 0u; i < ROW_LANES; i++) {
      let other = bests[side + lane - own + i];
      if comes_before(other, best) {
        best = other;
      }
    }
    if own == 0 && row < sizes.rows {
      candidates[slot * TOP_K + round] = best;
    }
    if round == 0 {
      largest = best.logit;
    }
    if mine.first.token == best.token {
      mine = Two(mine.second, Candidate(NO_TOKEN, LOWEST));
      if mine.first.token == NO_TOKEN {
        mine = best_two(first_token, columns, line, own, best);
      }
    }
  }

  var total = 0f;
  for (var column = own; column < columns; column += ROW_LANES) {
    total += exp(logits[line + column] - largest);
  }
  totals[lane] = total;
  workgroupBarrier();
  if own == 0 && row < sizes.rows {
    total = 0;
    for (var i = 0u; i < ROW_LANES; i++) {
      total += totals[lane + i];
    }
    parts[slot] = Part(largest, total);
  }
}

/// The best candidate and the next.
struct Two {
  first: Candidate,
  second: Candidate,
}

/// The two best of a lane's columns of a row that come after another candidate; `line` is where in
/// `logits` the row starts.
fn best_two(first_token: u32, columns: u32, line: u32, own: u32, last: Candidate) -> Two {
  var two = Two(Candidate(NO_TOKEN, LOWEST), Candidate(NO_TOKEN, LOWEST));
  for (var column = own; column < columns; column += ROW_LANES) {
    let candidate = Candidate(first_token + column, logits[line + column]);
    // Ids rise, so that of equals the first one stays.
    if candidate.logit > two.second.logit && comes_before(last, candidate) {
      let better = candidate.logit > two.first.logit;
      two.second = select_candidate(candidate, two.first, better);
      two.first = select_candidate(two.first, candidate, better);
    }
  }
  return two;
}

fn select_candidate(a: Candidate, b: Candidate, second: bool) -> Candidate {
  return Candidate(select(a.token, b.token, second), select(a.logit, b.logit, second));
}

/// Four neighbouring logits of the tile's rows, a row a matrix column.
fn tile_logits(row: u32, column: u32) -> mat4x4f {
  let stride = (VOCABULARY + 3) / 4;
  let sums = sum_products(row, column, stride, 0, 1);
  let scale = row_scales(sums);
  var of_column = vec4f(1);
  if BITS == 8 {
    of_column = bias[stride + column];
  }
  let b = bias[column];
  var found = mat4x4f(
    sums.products[0] * of_column * scale.x + b,
    sums.products[1] * of_column * scale.y + b,
    sums.products[2] * of_column * scale.z + b,
    sums.products[3] * of_column * scale.w + b,
  );
  if EVIDENCE {
    for (var r = 0u; r < ROWS; r++) {
      let at = min(row + r, sizes.rows - 1);
      found[r] += tilt[at % sizes.slots] * evidence[(at / sizes.slots) * stride + column];
    }
  }
  return found;
}
