// A depthwise convolution with ReLU6: y[p, c] = clamp(Σ w[k, c]·x[STRIDE·p + k − before, c] + b[c], 0, 6)
// over square images whose rows are pixels, channels innermost (NHWC), and a KERNEL × KERNEL window.
//
// Padding is TensorFlow's SAME: as many zeros as give ceil(SIDE / STRIDE) outputs a side, of an odd
// number of them the last one behind.
//
// A lane computes four channels of STRIP neighbouring outputs of a row, so that lanes read neighbouring
// vec4s and each weight serves STRIP products. Its windows move right together; at stride 1 each takes
// over what the window to its right has read, which leaves one read a step in place of four.
//
// Dispatch: (ceil(out · ceil(out / STRIP) · CHANNELS / 4 / 64), 1, batch).

/// A multiple of 4.
override CHANNELS: u32;
/// Pixels of an image's side.
override SIDE: u32;
/// Pixels of the window's side: odd, and at least STRIDE.
override KERNEL: u32 = 3;
/// Pixels from one output's window to the next one's.
override STRIDE: u32 = 1;

/// Outputs of a lane.
const STRIP = 4u;
/// Outputs of an image's side.
override OUT = (SIDE + STRIDE - 1) / STRIDE;
/// Zeros in front of a row and of a column.
override BEFORE = ((OUT - 1) * STRIDE + KERNEL - SIDE) / 2;
override STRIPS = (OUT + STRIP - 1) / STRIP;
/// vec4s of a pixel.
override DEPTH = CHANNELS / 4;

/// [batch, SIDE, SIDE, CHANNELS]
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
/// [KERNEL, KERNEL, CHANNELS]
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
/// [CHANNELS]
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
/// [batch, OUT, OUT, CHANNELS]
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) lane: vec3u) {
  let channel = lane.x % DEPTH;
  let first = lane.x / DEPTH % STRIPS * STRIP;
  let row = lane.x / (DEPTH * STRIPS);
  if row >= OUT {
    return;
  }
  // Named sums stay in registers where an array might not.
  var y0 = bias[channel];
  var y1 = y0;
  var y2 = y0;
  var y3 = y0;
  for (var down = 0u; down < KERNEL; down++) {
    // Below zero it wraps, and is past the end like what is.
    let from_row = row * STRIDE + down - BEFORE;
    if from_row >= SIDE {
      continue;
    }
    let start = (lane.z * SIDE + from_row) * SIDE;
    var column = first * STRIDE - BEFORE;
    var x0 = pixel(start, column, channel);
    var x1 = pixel(start, column + STRIDE, channel);
    var x2 = pixel(start, column + 2 * STRIDE, channel);
    var x3 = pixel(start, column + 3 * STRIDE, channel);
    for (var across = 0u; across < KERNEL; across++) {
      let w = weight[(down * KERNEL + across) * DEPTH + channel];
      y0 += w * x0;
      y1 += w * x1;
      y2 += w * x2;
      y3 += w * x3;
      if across + 1 == KERNEL {
        break;
      }
      column++;
      if STRIDE == 1 {
        x0 = x1;
        x1 = x2;
        x2 = x3;
      } else {
        x0 = pixel(start, column, channel);
        x1 = pixel(start, column + STRIDE, channel);
        x2 = pixel(start, column + 2 * STRIDE, channel);
      }
      x3 = pixel(start, column + 3 * STRIDE, channel);
    }
  }
  let at = (lane.z * OUT + row) * OUT;
  finish(at, first, channel, y0);
  finish(at, first + 1, channel, y1);
  finish(at, first + 2, channel, y2);
  finish(at, first + 3, channel, y3);
}

/// Four channels of a pixel of the row that starts at pixel `start`; zero past its ends.
fn pixel(start: u32, column: u32, channel: u32) -> vec4f {
  if column >= SIDE {
    return vec4f();
  }
  return x[(start + column) * DEPTH + channel];
}

/// Writes four channels of an output, if the row has so many.
fn finish(start: u32, column: u32, channel: u32, sum: vec4f) {
  if column < OUT {
    y[(start + column) * DEPTH + channel] = clamp(sum, vec4f(), vec4f(6));
  }
}
