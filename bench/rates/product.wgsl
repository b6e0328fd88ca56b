// A plain matrix product, y = x·w, four rows by four columns a lane: the rate of a kernel that does
// nothing clever. A GPU's peak is higher; it takes tiles in workgroup memory to come near.
//
// Dispatch: (outputs / 4 / 64, rows / 4, 1).

override INPUTS: u32;
override OUTPUTS: u32;

/// [rows, INPUTS]
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
/// [INPUTS, OUTPUTS]
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
/// [rows, OUTPUTS]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let stride = OUTPUTS / 4;
  let column = id.x;
  let row = id.y * 4;
  let from0 = row * (INPUTS / 4);
  let from1 = from0 + INPUTS / 4;
  let from2 = from1 + INPUTS / 4;
  let from3 = from2 + INPUTS / 4;
  var y0 = vec4f();
  var y1 = vec4f();
  var y2 = vec4f();
  var y3 = vec4f();
  for (var k = 0u; k < INPUTS / 4; k++) {
    let at = 4 * k * stride + column;
    let part = mat4x4f(w[at], w[at + stride], w[at + 2 * stride], w[at + 3 * stride]);
    y0 += part * x[from0 + k];
    y1 += part * x[from1 + k];
    y2 += part * x[from2 + k];
    y3 += part * x[from3 + k];
  }
  y[row * stride + column] = y0;
  y[(row + 1) * stride + column] = y1;
  y[(row + 2) * stride + column] = y2;
  y[(row + 3) * stride + column] = y3;
}
