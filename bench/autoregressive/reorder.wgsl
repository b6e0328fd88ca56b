// Before a step of beam search: the keys and values of every text become those of the text that it
// continues, in another cache, since texts may change places.
//
// Dispatch: (ceil(WIDTH / 2 / 64), ROWS, positions · layers).

/// Width of keys, as of values; a multiple of 4.
override WIDTH: u32;
/// Texts of all images.
override ROWS: u32;
override BEAMS: u32;

const LANES = 64u;
/// u32 numbers of a choice, of which the second is its parent.
const CHOICE = 4u;

/// [ROWS, CHOICE]
@group(0) @binding(0) var<storage, read> choices: array<u32>;
/// [positions · layers, ROWS, 3·WIDTH]: queries, keys, values
@group(0) @binding(1) var<storage, read> before: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> after: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y;
  let parent = row / BEAMS * BEAMS + choices[row * CHOICE + 1];
  let stride = 3 * WIDTH / 4;
  // Queries are used up.
  let column = WIDTH / 4 + id.x;
  if column < stride {
    after[(id.z * ROWS + row) * stride + column] = before[(id.z * ROWS + parent) * stride + column];
  }
}
