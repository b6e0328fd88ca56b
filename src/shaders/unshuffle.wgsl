// The finer scale of the features: the four pixels of each cell, channel by channel, into the cell's row
// (pixel_unshuffle of PyTorch). What else the row holds is written by others.
//
// Dispatch: (ceil(GRID² · CHANNELS / 64), 1, batch).

override CHANNELS: u32;
/// Cells of an image's side; the finer scale has two pixels for each.
override GRID: u32;
/// Numbers from one row of features to the next one's, and where in a row these are; multiples of 4.
override STRIDE: u32;
override OFFSET: u32;

/// [batch, 2·GRID, 2·GRID, CHANNELS]
@group(0) @binding(0) var<storage, read> fine: array<f32>;
/// [batch, GRID², STRIDE]
@group(0) @binding(1) var<storage, read_write> features: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) lane: vec3u) {
  let channel = lane.x % CHANNELS;
  let cell = lane.x / CHANNELS;
  if cell >= GRID * GRID {
    return;
  }
  let row = lane.z * 2 * GRID + 2 * (cell / GRID);
  let above = (row * 2 * GRID + 2 * (cell % GRID)) * CHANNELS + channel;
  let below = above + 2 * GRID * CHANNELS;
  let pixels = vec4f(fine[above], fine[above + CHANNELS], fine[below], fine[below + CHANNELS]);
  features[((lane.z * GRID * GRID + cell) * STRIDE + OFFSET) / 4 + channel] = pixels;
}
