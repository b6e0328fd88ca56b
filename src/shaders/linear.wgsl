// A linear layer: y = act(LN?(x)·W + b) (+ residual).
//
// A workgroup computes a tile of ROWS rows by 4·COLUMN_LANES columns. Its lanes are COLUMN_LANES
// neighbouring groups of four columns by SLICES: each slice sums over every SLICES-th group of four
// inputs, and the slices' sums meet in workgroup memory. Slices give a narrow product, of few
// tiles, more lanes and shorter loops; software adapters, where a barrier costs more than a tile,
// take one slice.
//
// x is read straight from its buffer: all lanes of a slice read the same address at the same time,
// which caches serve as well as workgroup memory does, without a barrier in the loop.
//
// Layer norm: LN(x)·W + b = s·(x·W') + b', for s the inverse standard deviation of the row. The
// norm's gain and centring are folded into W' and its bias into b' when the weights are loaded
// (gpu/fold.ts), so that one number a row is left to compute, in the same loop.
//
// Behind parts/numbers_f32.wgsl or numbers_f16.wgsl, which say what a product is computed in (all else
// is f32), and weights.wgsl.
//
// Dispatch: (ceil(rows / ROWS), ceil(OUTPUTS / (4·COLUMN_LANES)), 1). Row tiles come first, so that
// those that share columns run together and memory gives each part of W once.

/// Numbers in a row of x; a multiple of 4.
override INPUTS: u32;
/// Numbers in a row of y; a multiple of 4.
override OUTPUTS: u32;
/// Scales each row by its inverse standard deviation; W and b are folded.
override NORMALIZE: bool = false;
/// Added to the variance of a row.
override EPSILON: f32 = 1e-5;
/// Applies GELU, tanh form, to the product.
override GELU: bool = false;
/// Adds the residual.
override RESIDUAL: bool = false;
/// Bits of a weight: 32 and 16 are floating point, 8 a whole number of its column's scale.
override BITS: u32 = 32;
/// Rows of a tile: 4, or 1 where there is but one row.
override ROWS: u32 = 4;
/// Lanes of a workgroup across columns.
override COLUMN_LANES: u32 = 16;
/// Lanes of a workgroup across inputs.
override SLICES: u32 = 4;
/// Groups of four inputs whose products are added up in Number before they join the sum in f32: in f16
/// a sum loses digits as it grows.
override RUN: u32 = INPUTS / 4;

struct Sizes {
  /// Rows of x and y.
  rows: u32,
  /// Rows of the residual: row r adds row r % residual_rows, so that one image's rows serve a batch.
  residual_rows: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
/// [rows, INPUTS]
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
/// [INPUTS, OUTPUTS]: bits of 32 each; of 16, a vec4 has four columns of two rows; of 8, of four
/// rows. See gpu/pack.ts.
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
/// [OUTPUTS]; with 8 bits [2, OUTPUTS], the scales of the columns last
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
/// [residual_rows, OUTPUTS]; not read unless RESIDUAL.
@group(0) @binding(4) var<storage, read> residual: array<vec4f>;
/// [rows, OUTPUTS]
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

/// What one lane adds up for the tile's rows.
struct Sums {
  /// One row of the tile a matrix column: four neighbouring outputs.
  products: mat4x4f,
  /// Σ (x − shift) and Σ (x − shift)², one row a component; zero unless NORMALIZE.
  shifted: vec4f,
  squares: vec4f,
}

/// The sums of every slice.
var<workgroup> slices: array<Sums, COLUMN_LANES * SLICES>;

@compute @workgroup_size(COLUMN_LANES, SLICES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let row = tile.x * ROWS;
  let column = tile.y * COLUMN_LANES + lane.x;
  var sums = slice_sums(row, min(column, OUTPUTS / 4 - 1), lane.y);
  if SLICES > 1 {
    slices[lane.y * COLUMN_LANES + lane.x] = sums;
    workgroupBarrier();
    if lane.y > 0 {
      return;
    }
    for (var slice = 1u; slice < SLICES; slice++) {
      let other = slices[slice * COLUMN_LANES + lane.x];
      sums.products += other.products;
      sums.shifted += other.shifted;
      sums.squares += other.squares;
    }
  }
  if column >= OUTPUTS / 4 {
    return;
  }
  var scale = vec4f(1);
  if NORMALIZE {
    let mean = sums.shifted / f32(INPUTS);
    scale = inverseSqrt(max(sums.squares / f32(INPUTS) - mean * mean, vec4f()) + EPSILON);
  }
  for (var r = 0u; r < min(ROWS, sizes.rows - row); r++) {
    finish(row + r, column, sums.products[r] * scale[r]);
  }
}

/// Where a row of x starts, in vec4s; rows past the end read the last one.
fn start(row: u32) -> u32 {
  return min(row, sizes.rows - 1) * (INPUTS / 4);
}

/// This slice's part of the tile's rows of x times four columns of W.
fn slice_sums(row: u32, column: u32, slice: u32) -> Sums {
  let stride = OUTPUTS / 4;
  let from0 = start(row);
  let from1 = start(row + 1);
  let from2 = start(row + 2);
  let from3 = start(row + 3);
  // Shifting a row by one of its numbers takes out a mean that would cost the variance its digits.
  // The product stays the same: the columns of a folded W add up to zero.
  var shift = vec4f();
  if NORMALIZE {
    shift = vec4f(x[from0].x, x[from1].x, x[from2].x, x[from3].x);
  }
  // Named sums stay in registers where an array might not.
  var y0 = vec4f();
  var y1 = vec4f();
  var y2 = vec4f();
  var y3 = vec4f();
  var shifted = vec4f();
  var squares = vec4f();
  var k = slice;
  while k < INPUTS / 4 {
    var run0 = vec4<Number>();
    var run1 = vec4<Number>();
    var run2 = vec4<Number>();
    var run3 = vec4<Number>();
    for (let end = k + RUN * SLICES; k < min(end, INPUTS / 4); k += SLICES) {
      let w = block(k, column, stride);
      let x0 = x[from0 + k] - shift.x;
      run0 += w * vec4<Number>(x0);
      if ROWS == 1 {
        if NORMALIZE {
          shifted.x += dot(x0, vec4f(1));
          squares.x += dot(x0, x0);
        }
        continue;
      }
      let x1 = x[from1 + k] - shift.y;
      let x2 = x[from2 + k] - shift.z;
      let x3 = x[from3 + k] - shift.w;
      run1 += w * vec4<Number>(x1);
      run2 += w * vec4<Number>(x2);
      run3 += w * vec4<Number>(x3);
      if NORMALIZE {
        shifted +=
          vec4f(dot(x0, vec4f(1)), dot(x1, vec4f(1)), dot(x2, vec4f(1)), dot(x3, vec4f(1)));
        squares += vec4f(dot(x0, x0), dot(x1, x1), dot(x2, x2), dot(x3, x3));
      }
    }
    y0 += vec4f(run0);
    y1 += vec4f(run1);
    y2 += vec4f(run2);
    y3 += vec4f(run3);
  }
  return Sums(mat4x4f(y0, y1, y2, y3), shifted, squares);
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
  if RESIDUAL {
    sum += residual[(row % sizes.residual_rows) * stride + column];
  }
  y[row * stride + column] = sum;
}

fn gelu(v: vec4f) -> vec4f {
  const SQRT_2_OVER_PI = 0.7978845608;
  let inner = SQRT_2_OVER_PI * (v + 0.044715 * v * v * v);
  // tanh is 1 to f32 beyond 10; some drivers compute it as inf / inf further out.
  return 0.5 * v * (1 + tanh(clamp(inner, vec4f(-10), vec4f(10))));
}
