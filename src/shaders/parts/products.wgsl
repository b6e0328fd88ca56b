// Goes before linear.wgsl and vocabulary.wgsl, behind their numbers: a tile's rows of x times columns of
// W, and what a layer norm of the rows needs. What x, weight and the overrides are stands there.

/// From one row of x to the next one's, a multiple of 4: more where a product reads a part of each.
override X_STRIDE: u32 = INPUTS;

/// What one lane adds up for the tile's rows.
struct Sums {
  /// One row of the tile a matrix column: four neighbouring outputs.
  products: mat4x4f,
  /// Σ (x − shift) and Σ (x − shift)², one row a component; zero unless NORMALIZE.
  shifted: vec4f,
  squares: vec4f,
}

/// Where a row of x starts, in vec4s; rows past the end read the last one.
fn start(row: u32) -> u32 {
  return min(row, sizes.rows - 1) * (X_STRIDE / 4);
}

/// The tile's rows of x times four columns of W, over every `step`-th group of four inputs from the
/// `first` on; `stride` counts W's columns in fours.
fn sum_products(row: u32, column: u32, stride: u32, first: u32, step: u32) -> Sums {
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
  var k = first;
  while k < INPUTS / 4 {
    var run0 = vec4<Number>();
    var run1 = vec4<Number>();
    var run2 = vec4<Number>();
    var run3 = vec4<Number>();
    for (let end = k + RUN * step; k < min(end, INPUTS / 4); k += step) {
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

/// The inverse standard deviation of each of the tile's rows; 1 unless NORMALIZE.
fn row_scales(sums: Sums) -> vec4f {
  if !NORMALIZE {
    return vec4f(1);
  }
  let mean = sums.shifted / f32(INPUTS);
  return inverseSqrt(max(sums.squares / f32(INPUTS) - mean * mean, vec4f()) + EPSILON);
}

/// Four weights of each of four columns, a row of W a matrix column: inputs 4k to 4k + 3.
fn block(k: u32, column: u32, stride: u32) -> mat4x4<Number> {
  if BITS == 8 {
    let rows = weight[k * stride + column];
    return mat4x4<Number>(
      vec4<Number>(unpack4xI8(rows.x)),
      vec4<Number>(unpack4xI8(rows.y)),
      vec4<Number>(unpack4xI8(rows.z)),
      vec4<Number>(unpack4xI8(rows.w)),
    );
  }
  if BITS == 16 {
    let at = 2 * k * stride + column;
    let two = weight[at];
    let next = weight[at + stride];
    return mat4x4<Number>(
      vec4<Number>(halves(two.x), halves(two.y)),
      vec4<Number>(halves(two.z), halves(two.w)),
      vec4<Number>(halves(next.x), halves(next.y)),
      vec4<Number>(halves(next.z), halves(next.w)),
    );
  }
  let at = 4 * k * stride + column;
  return mat4x4<Number>(
    vec4<Number>(bitcast<vec4f>(weight[at])),
    vec4<Number>(bitcast<vec4f>(weight[at + stride])),
    vec4<Number>(bitcast<vec4f>(weight[at + 2 * stride])),
    vec4<Number>(bitcast<vec4f>(weight[at + 3 * stride])),
  );
}

