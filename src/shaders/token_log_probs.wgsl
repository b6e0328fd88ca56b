// Final layer norm and projection onto a few tokens of the vocabulary: their log probabilities in
// every slot, for ctc_score.wgsl.
//
// The columns of W that are asked for may be any, so each lane takes one token and four rows. The norm
// is folded into W and b as in vocabulary.wgsl, whose merge has left each row's log-sum-exp.
//
// Dispatch: (ceil(columns / LANES), ceil(rows / 4), 1).

/// Numbers in a row of x.
override INPUTS: u32;
/// Tokens; W is padded to a multiple of 4 columns.
override VOCABULARY: u32;
/// Added to the variance of a row.
override EPSILON: f32 = 1e-5;
/// Bits of a weight: 32 and 16 are floating point, 8 a whole number of its column's scale.
override BITS: u32 = 32;
/// Adds to each logit its row's tilt times the image's evidence for the token.
override EVIDENCE: bool = false;
/// Lanes of a workgroup.
override LANES: u32 = 64;

const ROWS = 4u;

struct Sizes {
  /// Rows of x.
  rows: u32,
  /// Tokens that are asked for.
  columns: u32,
  /// Rows of an image.
  slots: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
/// [rows, INPUTS]
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// [INPUTS, VOCABULARY, padded]: see `weight_at`, and gpu/pack.ts.
@group(0) @binding(2) var<storage, read> weight: array<u32>;
/// [VOCABULARY, padded]; with 8 bits twice as many, the scales of the columns last
@group(0) @binding(3) var<storage, read> bias: array<f32>;
/// [rows]: log Σ exp(logit) over the vocabulary.
@group(0) @binding(4) var<storage, read> log_totals: array<f32>;
/// [columns]: which tokens.
@group(0) @binding(5) var<storage, read> tokens: array<u32>;
/// [rows, columns]
@group(0) @binding(6) var<storage, read_write> log_probs: array<f32>;
/// [images, VOCABULARY], which is a multiple of 4 then; not read unless EVIDENCE.
@group(0) @binding(7) var<storage, read> evidence: array<f32>;
/// [slots]; not read unless EVIDENCE.
@group(0) @binding(8) var<storage, read> tilt: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  let first = id.y * ROWS;
  if column >= sizes.columns {
    return;
  }
  let token = tokens[column];
  let stride = (VOCABULARY + 3) / 4 * 4;
  // Rows past the end read the last one.
  let last = sizes.rows - 1;
  let start = min(vec4u(first) + vec4u(0, 1, 2, 3), vec4u(last)) * INPUTS;
  // Sums of squares lose fewer digits around a number of the row. See parts/products.wgsl.
  let shift = vec4f(x[start.x], x[start.y], x[start.z], x[start.w]);
  var y = vec4f();
  var shifted = vec4f();
  var squares = vec4f();
  for (var k = 0u; k < INPUTS; k++) {
    let values = vec4f(x[start.x + k], x[start.y + k], x[start.z + k], x[start.w + k]) - shift;
    y += weight_at(k, token, stride) * values;
    shifted += values;
    squares += values * values;
  }
  let mean = shifted / f32(INPUTS);
  let scale = inverseSqrt(max(squares / f32(INPUTS) - mean * mean, vec4f()) + EPSILON);
  if BITS == 8 {
    y *= bias[stride + token];
  }
  let logits = y * scale + bias[token];
  for (var r = 0u; r < ROWS && first + r < sizes.rows; r++) {
    let row = first + r;
    var logit = logits[r];
    if EVIDENCE {
      logit += tilt[row % sizes.slots] * evidence[(row / sizes.slots) * VOCABULARY + token];
    }
    // Sums in another order, or of products in f16, may leave a certain token a little above 1.
    log_probs[row * sizes.columns + column] = min(logit - log_totals[row], 0);
  }
}

/// One weight; `stride` is the number of columns.
fn weight_at(k: u32, column: u32, stride: u32) -> f32 {
  if BITS == 8 {
    let four = weight[((k / 4) * (stride / 4) + column / 4) * 4 + k % 4];
    return f32(unpack4xI8(four)[column % 4]);
  }
  if BITS == 16 {
    let at = ((k / 2) * (stride / 4) + column / 4) * 4 + 2 * (k % 2) + (column % 4) / 2;
    return unpack2x16float(weight[at])[column % 2];
  }
  return bitcast<f32>(weight[k * stride + column]);
}
