// Layer normalisation of rows, with gain and bias: for the query table, once a plan.
//
// Everywhere else the norm is folded into the product behind it (linear.wgsl).
//
// Dispatch: (rows, 1, 1), a workgroup a row.

/// Numbers in a row.
override WIDTH: u32;
/// Added to the variance.
override EPSILON: f32 = 1e-5;

const LANES = 64u;

/// [rows, WIDTH]
@group(0) @binding(0) var<storage, read> x: array<f32>;
/// [WIDTH]
@group(0) @binding(1) var<storage, read> gain: array<f32>;
/// [WIDTH]
@group(0) @binding(2) var<storage, read> bias: array<f32>;
/// [rows, WIDTH]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> parts: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) row: vec3u, @builtin(local_invocation_index) lane: u32) {
  let start = row.x * WIDTH;
  // Shifting the row by one of its numbers takes out a mean that would cost the rest its digits.
  let shift = x[start];
  var part = 0f;
  for (var i = lane; i < WIDTH; i += LANES) {
    part += x[start + i] - shift;
  }
  let mean = sum_over_lanes(part, lane) / f32(WIDTH);
  part = 0;
  for (var i = lane; i < WIDTH; i += LANES) {
    let centred = x[start + i] - shift - mean;
    part += centred * centred;
  }
  let scale = inverseSqrt(sum_over_lanes(part, lane) / f32(WIDTH) + EPSILON);
  for (var i = lane; i < WIDTH; i += LANES) {
    y[start + i] = (x[start + i] - shift - mean) * scale * gain[i] + bias[i];
  }
}

/// The sum of every lane's part, the same in every lane.
fn sum_over_lanes(part: f32, lane: u32) -> f32 {
  // The barrier in front lets every lane finish reading the parts of the sum before.
  workgroupBarrier();
  parts[lane] = part;
  workgroupBarrier();
  var sum = 0f;
  for (var i = 0u; i < LANES; i++) {
    sum += parts[i];
  }
  return sum;
}
