// A linear layer: y = act(LN?(x)·W + b) (+ residual).
//
// A workgroup computes a tile of ROWS·ROW_LANES rows by 4·COLUMN_LANES columns. Its lanes are
// COLUMN_LANES neighbouring groups of four columns by SLICES by ROW_LANES groups of ROWS rows: each
// slice sums over every SLICES-th group of four inputs, and the slices' sums meet in workgroup memory.
// Slices give a narrow product, of few tiles, more lanes and shorter loops; software adapters, where a
// barrier costs more than a tile, take one slice. Row lanes suit a product of many rows, as pixels are:
// a square tile reads the least of x and W for what it computes.
//
// x is read straight from its buffer: all lanes of a slice read the same address at the same time,
// which caches serve as well as workgroup memory does, without a barrier in the loop.
//
// Layer norm: LN(x)·W + b = s·(x·W') + b', for s the inverse standard deviation of the row. The
// norm's gain and centring are folded into W' and its bias into b' when the weights are loaded
// (gpu/fold.ts), so that one number a row is left to compute, in the same loop.
//
// Behind parts/numbers_f32.wgsl or numbers_f16.wgsl, which say what a product is computed in (all else
// is f32), and products.wgsl.
//
// Dispatch: (ceil(rows / (ROWS·ROW_LANES)), ceil(OUTPUTS / (4·COLUMN_LANES)), 1). Row tiles come first, so that
// those that share columns run together and memory gives each part of W once.

/// Numbers of a row of x that are read, a multiple of 4.
override INPUTS: u32;
/// Columns of W; a multiple of 4.
override OUTPUTS: u32;
/// From one row of y to the next one's, a multiple of 4: more where others write beside.
override Y_STRIDE: u32 = OUTPUTS;
/// Scales each row by its inverse standard deviation; W and b are folded.
override NORMALIZE: bool = false;
/// Added to the variance of a row.
override EPSILON: f32 = 1e-5;
/// Applies GELU, tanh form, to the product.
override GELU: bool = false;
/// Clamps the product to 0…6.
override RELU6: bool = false;
/// Clamps the product to ±BOUND, unless that is 0.
override BOUND: f32 = 0;
/// Adds the residual.
override RESIDUAL: bool = false;
/// Bits of a weight: 32 and 16 are floating point, 8 a whole number of its column's scale.
override BITS: u32 = 32;
/// Rows of a lane: 4, or 1 where there is but one row.
override ROWS: u32 = 4;
/// Lanes of a workgroup across columns.
override COLUMN_LANES: u32 = 16;
/// Lanes of a workgroup across inputs.
override SLICES: u32 = 4;
/// Lanes of a workgroup across rows.
override ROW_LANES: u32 = 1;

struct Sizes {
  /// Rows of x and y.
  rows: u32,
  /// Rows of the residual: row r adds row r % residual_rows, so that one image's rows serve a batch.
  residual_rows: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
/// [rows, X_STRIDE]
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
/// [INPUTS, OUTPUTS]: bits of 32 each; of 16, a vec4 has four columns of two rows; of 8, of four
/// rows. See gpu/pack.ts.
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
/// [OUTPUTS]; with 8 bits [2, OUTPUTS], the scales of the columns last
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
/// [residual_rows, OUTPUTS]; not read unless RESIDUAL.
@group(0) @binding(4) var<storage, read> residual: array<vec4f>;
/// [rows, Y_STRIDE]
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

/// The sums of every slice.
var<workgroup> slices: array<Sums, COLUMN_LANES * SLICES * ROW_LANES>;

@compute @workgroup_size(COLUMN_LANES, SLICES, ROW_LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let row = (tile.x * ROW_LANES + lane.z) * ROWS;
  let column = tile.y * COLUMN_LANES + lane.x;
  var sums = sum_products(row, min(column, OUTPUTS / 4 - 1), OUTPUTS / 4, lane.y, SLICES);
  if SLICES > 1 {
    let at = lane.z * SLICES * COLUMN_LANES + lane.x;
    slices[at + lane.y * COLUMN_LANES] = sums;
    workgroupBarrier();
    if lane.y > 0 {
      return;
    }
    for (var slice = 1u; slice < SLICES; slice++) {
      let other = slices[at + slice * COLUMN_LANES];
      sums.products += other.products;
      sums.shifted += other.shifted;
      sums.squares += other.squares;
    }
  }
  if column >= OUTPUTS / 4 || row >= sizes.rows {
    return;
  }
  let scale = row_scales(sums);
  for (var r = 0u; r < min(ROWS, sizes.rows - row); r++) {
    finish(row + r, column, sums.products[r] * scale[r]);
  }
}

/// Writes four neighbouring outputs of a row.
fn finish(row: u32, column: u32, product: vec4f) {
  let stride = OUTPUTS / 4;
  var sum = product;
  if BITS == 8 {
    sum *= bias[stride + column];
  }
  sum += bias[column];
  if GELU {
    sum = gelu(sum);
  }
  if RELU6 {
    sum = clamp(sum, vec4f(), vec4f(6));
  }
  if BOUND > 0 {
    sum = clamp(sum, vec4f(-BOUND), vec4f(BOUND));
  }
  if RESIDUAL {
    sum += residual[(row % sizes.residual_rows) * stride + column];
  }
  y[row * (Y_STRIDE / 4) + column] = sum;
}

fn gelu(v: vec4f) -> vec4f {
  const SQRT_2_OVER_PI = 0.7978845608;
  let inner = SQRT_2_OVER_PI * (v + 0.044715 * v * v * v);
  // tanh is 1 to f32 beyond 10; some drivers compute it as inf / inf further out.
  return 0.5 * v * (1 + tanh(clamp(inner, vec4f(-10), vec4f(10))));
}
