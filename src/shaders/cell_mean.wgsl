// The mean of an image's cells: what the word detector looks at.
//
// Dispatch: (ceil(WIDTH / 4 / LANES), batch, 1), a lane four numbers.

/// Cells of an image.
override CELLS: u32;
/// Numbers of a cell that count, and from one cell to the next; multiples of 4.
override WIDTH: u32;
override STRIDE: u32;
/// Lanes of a workgroup.
override LANES: u32 = 64;

/// [batch, CELLS, STRIDE]
@group(0) @binding(0) var<storage, read> cells: array<vec4f>;
/// [batch, WIDTH]
@group(0) @binding(1) var<storage, read_write> mean: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= WIDTH / 4 {
    return;
  }
  var sum = vec4f();
  for (var cell = 0u; cell < CELLS; cell++) {
    sum += cells[(id.y * CELLS + cell) * (STRIDE / 4) + id.x];
  }
  mean[id.y * (WIDTH / 4) + id.x] = sum / f32(CELLS);
}
